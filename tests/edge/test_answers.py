"""How an answer's end is noted, and what is decided before its first byte goes out."""

from types import SimpleNamespace
from typing import cast

import pytest

from proxy.dialects.events import Failure, FailureKind, Finish, Reason, Usage
from proxy.dialects.translate import Seen, Stage
from proxy.edge.answers import _note_end, is_compressed
from proxy.relay import pump
from proxy.relay.outcome import EndReason, Phase, Record
from proxy.relay.ports import Answer
from proxy.relay.pump import Pump
from proxy.relay.staged import FAILURES
from proxy.types import RequestId
from proxy.wire.headers import Headers
from tests.helpers.models import LAST_CHUNK, PROVIDERS, SAY, SSE, modelled, send_chunk


@pytest.fixture(params=[False, True], ids=["push", "pull"])
def pull(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


SAID = Failure(FailureKind.OVERLOADED, "said by the provider")
BROKEN = Failure(FailureKind.DISCONNECT, "no finish was seen")


def note(ended: EndReason | None, failure: Failure | None, *, complete: bool) -> Record:
    record = Record(RequestId("req_1"), 0.0, 0.0, phase=Phase.STREAMING)
    seen = Seen("m1", Usage(input=5), Finish(Reason.STOP) if complete else None, failure, True, 3, 1)
    fault = SimpleNamespace(detail="ECONNRESET") if ended is EndReason.UPSTREAM_CUT else None
    run = SimpleNamespace(ended=ended, received=10, heartbeats=2, fault=fault)
    _note_end(record, cast(Pump, run), cast(Stage, SimpleNamespace(seen=seen, complete=complete)), 4)
    return record


@pytest.mark.parametrize(
    ("ended", "failure", "complete", "end"),
    [
        (EndReason.DONE, None, True, EndReason.DONE),
        (EndReason.DONE, BROKEN, False, EndReason.UPSTREAM_CUT),
        (EndReason.DONE, SAID, False, EndReason.ERROR),
        (EndReason.UPSTREAM_CUT, FAILURES[EndReason.UPSTREAM_CUT], False, EndReason.UPSTREAM_CUT),
        (EndReason.UPSTREAM_CUT, None, True, EndReason.LATE_CUT),
        (EndReason.UPSTREAM_CUT, SAID, False, EndReason.ERROR),
        (EndReason.IDLE, FAILURES[EndReason.IDLE], False, EndReason.IDLE),
        (EndReason.IDLE, None, True, EndReason.DONE),
        (EndReason.IDLE, SAID, False, EndReason.ERROR),
        (EndReason.DRAIN, FAILURES[EndReason.DRAIN], False, EndReason.DRAIN),
        (EndReason.DRAIN, SAID, False, EndReason.DRAIN),
        (EndReason.CLIENT_GONE, None, False, EndReason.CLIENT_GONE),
        (EndReason.CLIENT_GONE, SAID, False, EndReason.CLIENT_GONE),
        (EndReason.WRITE_STALL, None, True, EndReason.WRITE_STALL),
        (None, None, False, None),
    ],
)
def test_why_a_stream_was_over(
    ended: EndReason | None, failure: Failure | None, complete: bool, end: EndReason | None
) -> None:
    record = note(ended, failure, complete=complete)
    assert record.end is end
    assert record.error == (failure.kind.value if failure else "")
    assert (record.phase is Phase.ENDED) is (complete and ended is not None)


def test_what_a_stream_was() -> None:
    record = note(EndReason.UPSTREAM_CUT, None, complete=True)
    assert (record.model, record.events, record.malformed, record.heartbeats) == ("m1", 3, 1, 2)
    assert (record.bytes_down, record.detail) == (14, "ECONNRESET")
    assert record.usage == Usage(input=5)


@pytest.mark.parametrize(
    ("encoding", "is_so"),
    [(None, False), (b"", False), (b"identity", False), (b" Identity ", False), (b"gzip", True), (b"br", True)],
)
def test_whether_an_answer_is_compressed(encoding: bytes | None, is_so: bool) -> None:
    fields = () if encoding is None else ((b"Content-Encoding", encoding),)
    assert is_compressed(Answer(200, "OK", Headers(fields), None, None)) is is_so


# Everything in the first read.


@pytest.mark.parametrize("who", SAY)
@pytest.mark.parametrize("model", PROVIDERS)
async def test_a_whole_stream_in_one_read_is_not_waited_on_when_its_connection_stays_open(
    who: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump, "AFTER_FINISH", 0.1)
    async with modelled() as rig:
        peer = await rig.ask(who, model)
        peer.send(SSE)
        send_chunk(peer, PROVIDERS[model].whole)
        reply = await rig.client.reply()
        assert SAY[who].end in reply.body
        record = await rig.proxy.wait_record()
        assert (record.end, record.bytes_down) == (EndReason.DONE, len(PROVIDERS[model].whole))
        await peer.wait_closed()


@pytest.mark.parametrize("who", SAY)
@pytest.mark.parametrize("model", PROVIDERS)
async def test_a_text_and_an_error_in_one_read_are_both_told(
    who: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump, "AFTER_FAILURE", 0.1)
    spoken = PROVIDERS[model]
    async with modelled() as rig:
        peer = await rig.ask(who, model)
        peer.send(SSE)
        send_chunk(peer, spoken.opening + spoken.texts[0] + spoken.error)
        reply = await rig.client.reply()
        assert reply.status == 200
        assert b"Hel" in reply.body
        assert b"the tank is empty" in reply.body
        assert SAY[who].end not in reply.body
        assert (await rig.proxy.wait_record()).end is EndReason.ERROR
        await peer.wait_closed()


@pytest.mark.parametrize("model", PROVIDERS)
async def test_a_text_and_a_cut_in_one_read_are_both_told(model: str, pull: bool) -> None:
    spoken = PROVIDERS[model]
    async with modelled(pull=pull) as rig:
        peer = await rig.ask("responses", model)
        begun = spoken.opening + spoken.texts[0]
        peer.send(SSE + b"%x\r\n%b\r\n" % (len(begun), begun))
        peer.fin()
        reply = await rig.client.reply()
        assert b"Hel" in reply.body
        assert b"response.failed" in reply.body
        assert (await rig.proxy.wait_record()).end is EndReason.UPSTREAM_CUT


@pytest.mark.parametrize("head", [b"Content-Length: 0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n" + LAST_CHUNK])
@pytest.mark.parametrize("who", SAY)
async def test_a_stream_without_a_byte_is_no_answer(who: str, head: bytes, pull: bool) -> None:
    for status in (200, 204):
        async with modelled(pull=pull) as rig:
            peer = await rig.ask(who, "openai")
            line = b"HTTP/1.1 %d OK\r\nContent-Type: text/event-stream\r\n" % status
            peer.send(line + (head if status == 200 else b"\r\n"))
            reply = await rig.client.reply()
            assert reply.status in (500, 502, 503)


@pytest.mark.parametrize("who", SAY)
async def test_the_head_waits_for_substance(who: str) -> None:
    """What comes before it can still become a status."""
    async with modelled(limits={"idle": "250ms"}) as rig:
        peer = await rig.ask(who, "claude")
        peer.send(SSE)
        send_chunk(peer, PROVIDERS["claude"].opening)
        reply = await rig.client.reply()
        assert reply.status == 504
        record = await rig.proxy.wait_record()
        assert (record.end, record.error) == (EndReason.FIRST_BYTE, "first_byte_timeout")
        await peer.wait_closed()
