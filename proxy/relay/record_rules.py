"""Which requests are recorded: the rules of the configuration, and what an operator has asked for besides, for a while.

`parse_rules` takes what `[record] when` holds, checked already. Everything is decided when a request is about to be
asked of a provider; whether it then failed is told by `has_failed`, of its finished record.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from proxy.relay.outcome import EndReason, Record
from proxy.wire.patterns import compile_pattern

_WELL: Final = frozenset({EndReason.DONE, EndReason.LATE_CUT, EndReason.CLIENT_GONE, EndReason.DRAIN})
"""Ends that nobody upstream is to blame for: a client may leave, and so may we."""

_BROKEN: Final = frozenset({"failed", "rescued", "mismatch"})
"""What became of an attempt whose answer broke off: worth a look also where the request went well after all."""


@dataclass(frozen=True, slots=True)
class Rules:
    """failed: requests that failed. share: of all, by chance. Whatever one of them wants is recorded."""

    failed: bool = False
    everything: bool = False
    share: float = 0.0
    clients: frozenset[str] = frozenset()
    models: tuple[re.Pattern[str], ...] = ()

    def wants(self, record: Record, draw: Callable[[], float]) -> bool:
        """Whether a request is recorded however it ends. draw: a number from 0 to 1."""
        return (
            self.everything
            or record.client in self.clients
            or any(pattern.fullmatch(record.model_asked) for pattern in self.models)
            or (self.share > 0 and draw() < self.share)
        )


@dataclass(frozen=True, slots=True)
class Wish:
    """What an operator wants recorded until a moment on the monotonic clock: all that is of this client and of these
    models, None for any. model: the pattern as it was written."""

    until: float
    client: str | None = None
    model: str | None = None

    def wants(self, record: Record) -> bool:
        if self.client is not None and record.client != self.client:
            return False
        return self.model is None or compile_pattern(self.model).fullmatch(record.model_asked) is not None


def parse_rules(texts: Iterable[str]) -> Rules:
    words, clients, models, share = set(), set(), [], 0.0
    for text in texts:
        kind, _, rest = text.partition(":")
        if kind == "client":
            clients.add(rest)
        elif kind == "model":
            models.append(compile_pattern(rest))
        elif kind == "sample":
            share = max(share, float(rest))
        else:
            words.add(kind)
    return Rules("failed" in words, "all" in words, share, frozenset(clients), tuple(models))


def has_failed(record: Record) -> bool:
    """Whether a finished request, or one of its answers, failed behind us: one that was refused here says nothing."""
    if not record.attempts:
        return False
    if record.end not in _WELL or any(attempt.outcome in _BROKEN for attempt in record.attempts):
        return True
    return record.end is EndReason.DONE and record.status >= 400
