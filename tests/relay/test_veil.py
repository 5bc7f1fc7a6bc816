"""Errors with a key in them, without a socket; tests/e2e/test_quoted_keys.py has them on the wire."""

import pytest

from proxy.errors import Code, UpstreamFault
from proxy.relay.ports import Answer
from proxy.relay.veil import VeiledSource, veil
from proxy.wire.headers import Headers
from tests.helpers.fakes import FakeSource, Step
from tests.helpers.upstreams import Collector

KEY = b"the-key-of-ours"


def build(status: int, source: FakeSource | None, *fields: tuple[bytes, bytes]) -> Answer:
    return Answer(status, "Said", Headers(fields), 5, source)


@pytest.mark.parametrize("status", [200, 204, 302, 399])
def test_what_is_no_error_stays_as_it_is(status: int) -> None:
    answer = build(status, FakeSource([]))
    assert veil(answer, (KEY,)) is answer


@pytest.mark.parametrize(
    ("secrets", "fields"),
    [((), ()), ((b"short",), ()), ((KEY,), ((b"Content-Encoding", b"gzip"),))],
    ids=["no key", "a word", "compressed"],
)
def test_where_there_is_nothing_to_look_for(
    secrets: tuple[bytes, ...], fields: tuple[tuple[bytes, bytes], ...]
) -> None:
    answer = build(400, FakeSource([]), *fields)
    assert veil(answer, secrets) is answer


def test_an_error_without_a_body() -> None:
    answer = build(401, None)
    assert veil(answer, (KEY,)) is answer


@pytest.mark.parametrize("coding", [(), ((b"Content-Encoding", b" Identity"),)])
def test_a_key_is_masked_and_all_else_is_the_same(coding: tuple[tuple[bytes, bytes], ...]) -> None:
    source, collector = FakeSource([], held=[b"no: the-key-", b"of-ours, the-k", None]), Collector()
    answer = veil(build(400, source, *coding), (KEY,))
    assert (answer.status, answer.reason, answer.length) == (400, "Said", 5)
    assert answer.source is not None
    answer.source.start(collector)
    assert (collector.body, collector.ended) == (b"no: ***************, the-k", 1)


def test_a_fault_comes_behind_what_was_held_back() -> None:
    source, collector = FakeSource([], held=[b"the-key"]), Collector()
    answer = veil(build(500, source), (KEY,))
    assert answer.source is not None
    answer.source.start(collector)
    assert collector.body == b""
    source.fail(UpstreamFault(Code.CUT))
    assert (collector.body, collector.fault) == (b"the-key", UpstreamFault(Code.CUT))


def test_who_holds_the_source_holds_the_connection() -> None:
    steps: list[Step] = []
    answer = veil(build(500, FakeSource(steps)), (KEY,))
    assert isinstance(answer.source, VeiledSource)
    answer.source.pause()
    answer.source.resume()
    answer.source.abort()
    assert steps == ["pause", "resume", "abort"]
