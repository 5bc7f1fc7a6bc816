"""Answers that break off, for every client from every provider, at every byte: said as an error, or made whole by
another provider; never short and taken for whole, never anything twice.
"""

from collections.abc import Iterable
from itertools import accumulate

import pytest

from proxy.dialects.registry import PROVIDERS
from proxy.dialects.translate import Stage
from proxy.wire.sse import Parser
from tests.helpers.crossing import CLIENTS, find_marks, has_error, make_turn, open_reading
from tests.helpers.rescues import FIRST, SECOND, check_whole, find_other, finish, open_stage, speak, stop
from tests.helpers.strict import read_strictly

PAIRS = pytest.mark.parametrize(
    ("client", "provider"), [(client, provider) for client in CLIENTS for provider in PROVIDERS]
)


def list_ends(body: bytes) -> list[int]:
    return list(accumulate(len(block.raw) for block in Parser().feed(body)))


def check_cut(client: str, provider: str, body: bytes, *, clean: bool, second: bytes, other: str) -> str:
    """What became of it."""
    plain = open_stage(client, provider)
    told = stop(plain, body, clean=clean)
    stage = open_stage(client, provider)
    stage.withhold = True
    out = stop(stage, body, clean=clean)
    if stage.seen.failure is None:
        assert out == told
        assert stage.settle() == b""
        check_whole(read_strictly(client, out), 2, 0, None)  # a cut may take the usage
        return "whole"
    assert stage.ended
    assert stage.seen.failure == plain.seen.failure
    assert not has_error(client, out)
    assert find_marks(client, out) == []
    assert out + stage.settle() == told
    assert stage.settle() == stage.keepalive == b""
    said = read_strictly(client, told)
    assert (said.finished, said.failed) == (False, True)
    again = open_stage(client, provider)
    again.withhold = True
    assert stop(again, body, clean=clean) == out
    delivered = again.seen.delivered
    assert delivered is not None
    if not again.seen.committed:
        return "not begun"
    if not delivered.plain:
        with pytest.raises(ValueError, match="cannot be resumed"):
            again.resume(open_reading(other), continues=False)
        return "lost"
    check_resumed(client, again, out, second, other)
    return "resumed"


def check_resumed(client: str, stage: Stage, out: bytes, second: bytes, other: str) -> None:
    assert stage.keepalive
    again = stage.resume(open_reading(other, make_turn(client)), continues=False)
    assert not again.seen.committed
    whole = out + finish(again, [second])
    assert not again.mismatch
    check_whole(read_strictly(client, whole), 9)
    seen = again.seen
    assert (seen.model, seen.usage.input, seen.usage.output) == ("model-2", 8, 9)
    assert seen.usage.cache_read in (None, 0)
    assert (again.complete, again.ended, again.keepalive) == (True, True, b"")


def check_cuts(
    client: str, provider: str, places: Iterable[int], body: bytes, *, cleanly: tuple[bool, ...] = ()
) -> set[str]:
    """At each of the places in each way, or in one way at one, in the other at the next."""
    other = find_other(provider)
    second = speak(other, SECOND)
    return {
        check_cut(client, provider, body[:at], clean=clean, second=second, other=other)
        for at in places
        for clean in cleanly or (at % 2 == 0,)
    }


@PAIRS
def test_what_breaks_off_between_two_events(client: str, provider: str) -> None:
    body = speak(provider, FIRST)
    became = check_cuts(client, provider, [0, *list_ends(body)], body, cleanly=(True, False))
    assert became >= {"whole", "resumed", "not begun"}


@PAIRS
@pytest.mark.long
def test_what_breaks_off_anywhere(client: str, provider: str) -> None:
    """At every byte where the bytes themselves go on, or cross to a client from one provider; elsewhere at some."""
    body = speak(provider, FIRST)
    every = client == provider or provider == find_other(client)
    check_cuts(client, provider, range(0, len(body), 1 if every else 11), body)
