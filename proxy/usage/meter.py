"""What a request has used, from what its answers have told.

`meter` takes what one answer told and gives its usage with nothing left open, and how much of that is the provider's
word: `REPORTED`, all of it; `PARTIAL`, what it had said before the answer broke off or its client left; `ESTIMATED`,
nothing. What is missing is estimated: the input from the request's size, and the output from the text that has come
since the provider last counted. So nobody streams for nothing by leaving before the end.

A provider's numbers are held within bounds, so that whoever sums them is safe from any of them.

`total` sums a request's answers: one that broke off and was gone on with by another provider is paid for twice.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from proxy.dialects.estimate import count_tokens
from proxy.dialects.events import Usage

REPORTED: Final = "reported"
PARTIAL: Final = "partial"
ESTIMATED: Final = "estimated"

MOST: Final = 10**12
"""Tokens of one answer, or what it cost; far above any."""


class Told(Struct, frozen=True, gc=False):
    """usage: as the provider said it. size: bytes of the answer's text. counted: as many of them had come when it last
    said how much output there is. complete: it came to its end, and whatever was to be said of usage has been."""

    usage: Usage
    size: int
    counted: int
    complete: bool


class Metered(NamedTuple):
    usage: Usage
    source: str


def meter(told: Told, asked: int) -> Metered:
    """asked: tokens of the request, as far as its size tells."""
    usage = _hold(told.usage)
    known = usage.input is not None or usage.output is not None
    silent = not told.size and usage.output is None  # an answer without text, of embeddings for one
    if told.complete and known and (usage.output is not None or silent):
        return Metered(usage, REPORTED)
    since = count_tokens(max(told.size - told.counted, 0))
    full = usage.merge(Usage(input=asked if usage.input is None else None, output=(usage.output or 0) + since))
    return Metered(full, PARTIAL if known else ESTIMATED)


def total(parts: Sequence[Metered]) -> Metered:
    """At least one."""
    if len(parts) == 1:
        return parts[0]
    usages = [part.usage for part in parts]
    usage = Usage(
        _add(usage.input for usage in usages),
        _add(usage.cache_read for usage in usages),
        _add(usage.cache_write for usage in usages),
        _add(usage.output for usage in usages),
        _add(usage.reasoning for usage in usages),
        add_costs(usage.cost for usage in usages),
    )
    sources = {part.source for part in parts}
    return Metered(usage, sources.pop() if len(sources) == 1 else PARTIAL)


def add_costs(costs: Iterable[float | None]) -> float | None:
    """The sum of those that are known; None where none is."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None


def _hold(usage: Usage) -> Usage:
    return Usage(
        _bound(usage.input),
        _bound(usage.cache_read),
        _bound(usage.cache_write),
        _bound(usage.output),
        _bound(usage.reasoning),
        usage.cost if usage.cost is not None and 0 <= usage.cost <= MOST else None,
    )


def _bound(count: int | None) -> int | None:
    return None if count is None else max(0, min(count, MOST))


def _add(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
