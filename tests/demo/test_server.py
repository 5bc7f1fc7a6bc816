"""The server: keep-alive, pipelining, uploads, the record, and an end that leaves nothing."""

import asyncio
import hashlib
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from proxy.demo import DemoUpstream
from tests.helpers.prompt import assert_within, timed
from tests.helpers.rawhttp import connected, fetch

CHAT = "/v1/chat/completions"
HELLO = b'{"model":"demo","messages":[{"role":"user","content":"hello"}]}'


async def test_record_keeps_raw_target_headers_and_body_hash(demo: DemoUpstream) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask(CHAT + "?a=%7e&b", body=b'{"x":1}', headers="X-Two: 1\r\nx-two: 2\r\n")
        reply = await client.reply()
        record = await demo.wait_answered(1)
    assert (record.method, record.target) == ("POST", b"/v1/chat/completions?a=%7e&b")
    assert record.headers[-2:] == ((b"X-Two", b"1"), (b"x-two", b"2"))
    assert (record.body_length, record.body_sha256) == (7, hashlib.sha256(b'{"x":1}').hexdigest())
    assert (record.sent_length, record.sent_sha256) == (len(reply.body), hashlib.sha256(reply.body).hexdigest())
    assert record.peer.startswith("127.0.0.1:")
    assert (await demo.wait_closed(1)).closed_by == "peer"


async def test_connection_carries_many_requests_also_pipelined(demo: DemoUpstream) -> None:
    request = b"GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n"
    async with connected("127.0.0.1", demo.port) as client:
        await client.send(b"\r\n" + request * 3)
        assert [(await client.reply()).status for _ in range(3)] == [200] * 3
    assert {record.connection for record in demo.records} == {1}


async def test_connection_close_is_honoured(demo: DemoUpstream) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask("/v1/models", headers="Connection: close\r\n")
        assert (await client.reply()).headers["connection"] == "close"
        assert await client.rest() == b""
    assert (await demo.wait_closed(1)).closed_by == "demo"


async def test_chunked_upload_is_read_whole(demo: DemoUpstream) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.send(f"POST {CHAT} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        await demo.wait_request(1)
        await client.send(b"%x\r\n%b\r\n" % (len(HELLO), HELLO))
        await client.send(b"0\r\n\r\n")
        assert (await client.reply()).status == 200
    assert demo.records[0].body_length == len(HELLO)


async def test_large_upload_is_hashed_whole(demo: DemoUpstream) -> None:
    body = bytes(8 * 1024 * 1024)
    assert (await fetch(demo.port, CHAT, body=body)).status == 400
    assert demo.records[0].body_sha256 == hashlib.sha256(body).hexdigest()


async def test_body_beyond_what_is_kept_is_a_413(demo: DemoUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.demo.server.KEPT_BODY", 10)
    assert (await fetch(demo.port, CHAT, body=b'{"model":"0123456789"}')).status == 413


async def test_expectation_is_answered_with_100(demo: DemoUpstream) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.send(f"POST {CHAT} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n".encode())
        await client.send(b"Content-Length: %d\r\n\r\n" % len(HELLO))
        assert (await client.head()).status == 100
        await client.send(HELLO)
        assert (await client.reply()).status == 200


@pytest.mark.parametrize("data", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"x" * 70_000])
async def test_malformed_requests_are_refused_and_the_connection_ends(demo: DemoUpstream, data: bytes) -> None:
    async with connected("127.0.0.1", demo.port) as client:
        await client.send(data)
        assert (await client.reply()).status in (400, 431)
        assert await client.rest() == b""
    assert (demo.malformed, demo.requests) == (1, 0)


@timed
async def test_client_that_leaves_ends_the_stream_at_once(demo: DemoUpstream) -> None:
    loop = asyncio.get_running_loop()
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask("/clock?every=1m")
        await client.until(b"id: 1\n")
    left = loop.time()
    record = await demo.wait_closed(1)
    assert record.closed_at is not None
    assert_within(0.1, record.closed_at - left)
    assert (record.closed_by, demo.connections) == ("peer", 0)


@pytest.mark.parametrize("target", ["/clock", "/clock?stall_after=1", "/clock?accept_only=1", "/clock?delay=1m"])
async def test_stop_ends_every_stream_at_once(target: str) -> None:
    demo = DemoUpstream(record=True)
    await demo.start()
    before = asyncio.all_tasks()
    async with connected("127.0.0.1", demo.port) as client:
        await client.ask(target)
        await demo.wait_body(1)
        async with asyncio.timeout(1):
            await demo.stop()
        assert asyncio.all_tasks() <= before
        with suppress(ConnectionResetError):
            await client.rest()
    assert demo.records[0].closed_by == "demo"
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", demo.port)
    await demo.stop()


async def test_stop_ends_a_client_that_does_not_read(demo: DemoUpstream) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", demo.port, limit=1024)
    writer.write(b"GET /clock?every=0&size=1MiB HTTP/1.1\r\nHost: a\r\n\r\n")
    await demo.wait_events(1, 1)
    async with asyncio.timeout(1):
        await demo.stop()
    writer.close()


async def test_start_on_a_taken_port_raises(demo: DemoUpstream) -> None:
    second = DemoUpstream()
    with pytest.raises(OSError, match="address already in use"):
        await second.start(port=demo.port)
    await second.stop()


async def test_base_url_names_address_and_port(demo: DemoUpstream) -> None:
    assert demo.base_url == f"http://127.0.0.1:{demo.port}"


async def test_waiting_has_an_end_and_needs_a_record(demo: DemoUpstream) -> None:
    with pytest.raises(TimeoutError):
        await demo.wait_request(1, within=0.01)
    silent = DemoUpstream()
    with pytest.raises(LookupError):
        await silent.wait_request(1)


async def test_nothing_is_kept_unless_asked_for() -> None:
    demo = DemoUpstream()
    await demo.start()
    assert (await fetch(demo.port, "/v1/models")).status == 200
    assert (demo.records, demo.requests, demo.events["models"]) == ((), 1, 1)
    await demo.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=demo"
    extra = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command.split(), *extra], check=True, capture_output=True)
    return cert, key


async def test_tls_streams_cuts_and_resets(certificate: tuple[Path, Path]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    trust = ssl.create_default_context(cafile=certificate[0])
    demo = DemoUpstream(record=True)
    await demo.start(ssl=context)
    assert demo.base_url.startswith("https://")
    async with connected("127.0.0.1", demo.port, ssl=trust) as client:
        await client.ask("/clock?n=2&every=0")
        assert len((await client.reply()).events) == 2
        await client.ask("/clock?every=0&cut_after=1")
        assert not (await client.rest()).endswith(b"0\r\n\r\n")
    async with connected("127.0.0.1", demo.port, ssl=trust) as client:
        await client.ask("/clock?every=0&reset_after=2")
        await client.until(b"id: 2\n")
        with pytest.raises(ConnectionResetError):
            await client.rest()
    assert [(await demo.wait_closed(number)).closed_by for number in (1, 2, 3)] == ["demo"] * 3
    await demo.stop()
