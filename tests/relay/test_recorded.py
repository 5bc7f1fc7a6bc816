"""One attempt on tape: exact where everything is written, bounded where only the ring remembers, and without keys."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.errors import Code, UpstreamFault
from proxy.relay import recorded
from proxy.relay.outcome import EndReason
from proxy.relay.ports import UpstreamRequest
from proxy.relay.recorded import HELD, RING_BODY, RING_FIRST, RING_HELD, RING_LAST
from proxy.relay.whole_upload import WholeUpload
from proxy.wire.cassette import Asked, End, Head
from tests.helpers.recordings_made import ANSWER, ASKED, Studio, read

READS = st.lists(st.one_of(st.binary(min_size=1, max_size=300), st.integers(1, 3 * HELD).map(bytes)), max_size=300)
EVENT = b"data: " + b"x" * 192 + b"\n\n"


def test_what_was_asked_and_answered_is_there_without_what_opens_something() -> None:
    studio = Studio("all", dialects={"up": "openai-chat"})
    studio.begin(client="alice").run(b"data: 1\n\n", b"data: 2\n\n")
    cassette = studio.shelf.read()
    (take,) = cassette.takes
    assert (cassette.about.client, cassette.about.model, cassette.about.request_id) == ("alice", "gpt-5", "req_1")
    assert cassette.outcome == {"id": "req_1"}
    assert take.asked == Asked(
        "up", "main", "gpt-5", "openai-chat", "POST", "/v1/chat?key=***", (("x-api-key", "***"),), 8
    )
    assert take.body is None
    assert take.head == Head(200, "OK", (("Content-Type", "text/event-stream"), ("Set-Cookie", "***")))
    assert take.answered == pytest.approx(0.1)
    assert [(round(at, 6), data) for at, data in take.data] == [(0.11, b"data: 1\n\n"), (0.12, b"data: 2\n\n")]
    assert (take.end, take.lost) == (End("complete"), 0)


@settings(max_examples=25)
@given(READS)
def test_what_is_written_is_every_read_as_it_came(reads: list[bytes]) -> None:
    studio = Studio("all", secrets={"up": (b"sk-0123456789",)}, ring=1)
    studio.begin().run(*reads)
    (take,) = studio.shelf.read().takes
    assert [data for _, data in take.data] == reads
    times = [at for at, _ in take.data]
    assert times == pytest.approx([0.1 + 0.01 * number for number in range(1, len(reads) + 1)])


@settings(max_examples=25)
@given(READS.filter(bool), st.booleans())
def test_the_ring_keeps_a_beginning_and_an_end_and_counts_the_rest(reads: list[bytes], spools: bool) -> None:
    studio = Studio(*(["all"] if spools else []), ring=1)
    studio.begin().run(*reads, end=EndReason.UPSTREAM_CUT)
    (failed,) = studio.recorder.list_failures()
    (take,) = read(failed.pieces).takes
    whole, places = b"".join(reads), [isinstance(data, int) for _, data in take.data]
    gap = places.index(True) if True in places else len(places)
    first = b"".join(data for _, data in take.data[:gap] if isinstance(data, bytes))
    last = b"".join(data for _, data in take.data[gap + 1 :] if isinstance(data, bytes))
    assert len(first) + take.lost + len(last) == len(whole)
    assert whole.startswith(first)
    assert whole.endswith(last)
    if take.lost:
        assert len(first) == min(RING_FIRST, len(whole))


def test_the_memory_of_a_stream_is_bounded_by_numbers_that_are_known() -> None:
    studio = Studio(ring=1)
    running = studio.begin()
    take = running.ask()
    most = 0
    for _ in range(1000):
        running.feed(take, EVENT)
        most = max(most, sum(len(data) + recorded.PER_READ for _, data in [*take._first, *take._reads]))
    assert most <= RING_HELD + RING_FIRST * (1 + recorded.PER_READ / len(EVENT)) + 1000
    running.finish(EndReason.IDLE)
    (failed,) = studio.recorder.list_failures()
    (kept,) = read(failed.pieces).takes
    assert kept.lost
    assert len(kept.answer) >= RING_FIRST + RING_LAST - len(EVENT)


@pytest.mark.parametrize("cut", range(1, 14))
@pytest.mark.parametrize("ahead", [0, HELD - 200, HELD - recorded.PER_READ - 6])
def test_a_key_that_comes_back_is_masked_also_where_a_write_falls_into_it(cut: int, ahead: int) -> None:
    key = b"sk-0123456789a"
    studio = Studio("all", secrets={"up": (key,)}, ring=1)
    studio.begin().run(
        *([bytes(ahead)] if ahead else []), key[:cut], key[cut:], b"x" * HELD, b"end", end=EndReason.IDLE
    )
    (take,) = studio.shelf.read().takes
    assert take.answer == bytes(ahead) + b"*" * len(key) + b"x" * HELD + b"end"
    (failed,) = studio.recorder.list_failures()
    assert key[:4] not in failed.encode(content=True)


@pytest.mark.parametrize("cut", range(1, 14))
def test_the_ring_alone_masks_a_key_that_its_cut_falls_into(cut: int) -> None:
    key = b"sk-0123456789a"
    studio = Studio(secrets={"up": (key,)}, ring=1)
    studio.begin().run(b"x" * 65500 + key[:cut], key[cut:] + b" tail", b"y" * 5000, end=EndReason.IDLE)
    (failed,) = studio.recorder.list_failures()
    (take,) = read(failed.pieces).takes
    assert b"*" * (len(key) - cut) + b" tail" in take.answer


def test_what_the_caller_showed_is_masked_where_it_is_quoted() -> None:
    fields = [(b"authorization", b"Bearer callers-own-key"), (b"cookie", b"a=callers-cookie; b=short")]
    studio = Studio("all", bodies=True, secrets={"other": (b"key-of-another",)})
    running = studio.begin()
    take = running.ask(UpstreamRequest("POST", "/x?key=callers%20query", fields, WholeUpload(b"1 key-of-another")))
    running.feed(take, b"you are callers-own-", b"key, callers-cookie, callers query, callers%20query, short")
    take.ended(None)
    running.finish()
    (found,) = studio.shelf.read().takes
    assert found.answer == b"you are %b, %b, %b, %b, short" % tuple(b"*" * size for size in (15, 14, 13, 15))
    assert found.body == b"1 " + b"*" * 14


@pytest.mark.parametrize("shown", [b'"method":"', b'","target', b"complete", b'{"how":"c', b'headers":'])
def test_nothing_that_a_caller_shows_breaks_its_recording(shown: bytes) -> None:
    """It is masked in what is said, and not in the form of the cassette."""
    studio = Studio("all")
    running = studio.begin()
    take = running.ask(UpstreamRequest("POST", "/x", [(b"cookie", b"a=" + shown), (b"x-note", shown)], None))
    take.ended(None)
    running.finish()
    (found,) = studio.shelf.read().takes
    assert found.asked.headers == (("cookie", "***"), ("x-note", "*" * len(shown)))
    assert (found.asked.method, found.end) == ("POST", End("complete"))


def test_keys_are_masked_in_heads_and_bodies_too() -> None:
    key = b"sk-0123456789"
    studio = Studio("all", secrets={"up": (key,)}, bodies=True)
    running = studio.begin()
    take = running.ask(UpstreamRequest("POST", "/v1/" + key.decode(), [(b"x-note", key)], WholeUpload(b"a" + key)))
    take.ended(UpstreamFault(Code.CUT, key.decode()))
    running.finish(EndReason.CONNECT)
    (pieces,) = studio.shelf.kept.values()
    assert all(key not in piece.data for piece in pieces)
    assert studio.shelf.read().takes[0].body == b"a" + b"*" * len(key)


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        (None, End("complete")),
        (UpstreamFault(Code.CUT, "OSError ECONNRESET"), End("failed", "upstream_cut", "OSError ECONNRESET")),
    ],
)
def test_how_it_ended(fault: UpstreamFault | None, end: End) -> None:
    studio = Studio("all")
    studio.begin().run(b"x", fault=fault)
    assert studio.shelf.read().takes[0].end == end


def test_what_we_end_says_so() -> None:
    studio = Studio("all")
    running = studio.begin()
    running.ask().aborted()
    running.finish(EndReason.CLIENT_GONE)
    assert studio.shelf.read().takes[0].end == End("aborted")


def test_an_attempt_that_was_never_answered_has_no_head() -> None:
    studio = Studio("all")
    running = studio.begin()
    running.ask(answer=None).ended(UpstreamFault(Code.REFUSED))
    running.ask().ended(None)
    running.finish()
    first, second = studio.shelf.read().takes
    assert (first.head, first.end) == (None, End("failed", "upstream_refused"))
    assert second.head is not None
    assert second.begun == pytest.approx(0.0)


@pytest.mark.parametrize("size", [10, RING_BODY + 1, 2 * HELD])
def test_bodies_where_they_are_wanted(size: int) -> None:
    studio = Studio("all", bodies=True, ring=1)
    running = studio.begin()
    take = running.ask(UpstreamRequest("POST", "/", [], WholeUpload(bytes(size))))
    running.feed(take, *[EVENT] * 300)
    running.finish(EndReason.IDLE)
    assert studio.shelf.read().takes[0].body == bytes(size)
    (failed,) = studio.recorder.list_failures()
    assert read(failed.pieces).takes[0].body == (bytes(size) if size <= RING_BODY else None)
    assert sum(map(len, (piece.data for piece in take._heads))) < RING_BODY + 2000


def test_the_ring_alone_keeps_no_large_body() -> None:
    studio = Studio(bodies=True, ring=1)
    running = studio.begin()
    take = running.ask(UpstreamRequest("POST", "/", [], WholeUpload(bytes(RING_BODY + 1))))
    assert [piece.kind for piece in take._heads] == [b"request", b"answer"]
    assert running.ask(ASKED)._heads[1].data == b'{"a": 1}'


def test_a_reason_that_is_no_text_is_kept_as_far_as_it_is_one() -> None:
    studio = Studio("all")
    running = studio.begin()
    take = running.ask(answer=replace(ANSWER, reason="Gr\udcfc\xdfe"))  # as aiohttp has bytes that are no UTF-8
    take.ended(None)
    running.finish()
    (kept,) = studio.shelf.read().takes
    assert kept.head is not None
    assert kept.head.reason == "Gr?\xdfe"
