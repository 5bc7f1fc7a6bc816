"""What is decided of an answer before its first byte goes out."""

import pytest

from proxy.dialects.events import Usage
from proxy.edge.answers import is_compressed
from proxy.relay import pump
from proxy.relay.outcome import EndReason
from proxy.relay.ports import Answer
from proxy.wire.headers import Headers
from tests.helpers.models import LAST_CHUNK, PROVIDERS, SAY, SSE, build_reply, modelled, recorded, send_chunk
from tests.helpers.rawhttp import fetch


@pytest.fixture(params=[False, True], ids=["push", "pull"])
def pull(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.mark.parametrize(
    ("encoding", "is_so"),
    [(None, False), (b"", False), (b"identity", False), (b" Identity ", False), (b"gzip", True), (b"br", True)],
)
def test_whether_an_answer_is_compressed(encoding: bytes | None, is_so: bool) -> None:
    fields = () if encoding is None else ((b"Content-Encoding", encoding),)
    assert is_compressed(Answer(200, "OK", Headers(fields), None, None)) is is_so


# What embeddings have cost.


@pytest.mark.parametrize(
    ("said", "model", "counted"),
    [
        (b'{"data":[{"embedding":[0.5]}],"model":"e-1","usage":{"prompt_tokens":3,"total_tokens":3}}', "e-1", 3),
        (b'{"data":[{"embedding":[0.5]}]}', "", None),
        (b"[0.5]", "", None),
    ],
)
async def test_embeddings_pass_as_they_are_and_are_counted(said: bytes, model: str, counted: int | None) -> None:
    async with recorded() as (proxy, upstream):
        upstream.answer = lambda seen: build_reply(said)
        reply = await fetch(proxy.port, "/v1/embeddings", body={"model": "openai/e", "input": "hi"})
        assert (reply.status, reply.body) == (200, said)
        record = await proxy.wait_record()
        assert (record.end, record.model) == (EndReason.DONE, model)
        if counted is not None:
            assert (record.usage, record.usage_source) == (Usage(counted), "reported")
        else:
            assert record.usage_source != "reported"


# Everything in the first read.


@pytest.mark.parametrize("who", SAY)
@pytest.mark.parametrize("model", PROVIDERS)
@pytest.mark.long
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
@pytest.mark.long
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
        assert (record.end, record.error) == (EndReason.IDLE, "idle_timeout")
        await peer.wait_closed()
