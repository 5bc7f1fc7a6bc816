"""What docs/front-proxies.md promises, with its configurations in the real programs."""

import re
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from proxy.config.address import Address
from proxy.listeners import open_listeners
from proxy.relay.outcome import EndReason
from tests.helpers.bare import BareClient, BareTlsClient
from tests.helpers.certificates import Authority
from tests.helpers.front import PROGRAMS, in_front, read_snippet
from tests.helpers.origin import Origin, origin
from tests.helpers.over_tls import build_strict
from tests.helpers.rawhttp import connected
from tests.helpers.service import RunningProxy, mounted, running

pytestmark = pytest.mark.long

HOST = b"Host: 127.0.0.1\r\n"
GET = b"GET /up/x HTTP/1.1\r\n" + HOST + b"\r\n"
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = SSE + b"Transfer-Encoding: chunked\r\n\r\n"
EVENTS = [b"data: %d\n\n" % number for number in range(4)]
PROMPT = 1.0  # seconds


def is_old_caddy(program: str) -> bool:
    """One that the page warns of."""
    if program != "caddy":
        return False
    told = subprocess.run([str(PROGRAMS["caddy"].path), "version"], capture_output=True, text=True, check=True).stdout
    return told.lstrip("v").startswith("2.6.")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@dataclass
class Rig:
    proxy: RunningProxy
    upstream: Origin
    client: BareClient


@asynccontextmanager
async def calling(port: int, authority: Authority, source: str = "127.0.0.1") -> AsyncIterator[BareClient]:
    """A TLS connection to the program, from this address."""
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.bind((source, 0))
        client = BareTlsClient(sock, build_strict(authority))
        await client._loop.sock_connect(sock, ("127.0.0.1", port))
        await client.shake_hands()
        yield client


@asynccontextmanager
async def standing(
    program: str,
    way: str,
    authority: Authority,
    folder: Path,
    *,
    source: str = "127.0.0.1",
    dialect: str = "raw",
    changes: Mapping[str, str] | None = None,
) -> AsyncIterator[Rig]:
    """A caller, the program, the proxy and its upstream."""
    server = {"trusted_proxies": [{"tcp": "127.0.0.1", "unix": "unix"}[way]]}
    async with (
        origin() as upstream,
        running({**mounted(upstream.base_url, dialect), "server": server}) as proxy,
    ):
        backend = f"127.0.0.1:{proxy.port}"
        if way == "unix":
            address = Address(path=str(folder / "http.sock"))
            (sock,) = open_listeners([address])
            await proxy.sites.build(sock, address, admin=False).start()
            backend = address.path
        async with (
            in_front(program, backend, authority, folder, changes) as port,
            calling(port, authority, source) as client,
        ):
            yield Rig(proxy, upstream, client)


async def test_an_event_is_there_before_the_next_has_left(
    program: str, way: str, authority: Authority, tmp_path: Path
) -> None:
    async with standing(program, way, authority, tmp_path) as rig:
        await rig.client.send(GET)
        peer = await rig.upstream.peer()
        await peer.until(b"\r\n\r\n")
        peer.send(CHUNKED)
        for event in EVENTS:
            peer.send(chunk(event))
            await rig.client.read_until(event)
        peer.send(b"0\r\n\r\n")
        await rig.client.read_until(b"\r\n0\r\n\r\n")
        assert (await rig.proxy.wait_record()).end is EndReason.DONE


@pytest.mark.parametrize("framing", ["chunked", "length"])
async def test_a_stream_that_breaks_off_is_seen_to(
    program: str, way: str, framing: str, authority: Authority, tmp_path: Path
) -> None:
    async with standing(program, way, authority, tmp_path) as rig:
        await rig.client.send(GET)
        peer = await rig.upstream.peer()
        await peer.until(b"\r\n\r\n")
        length = SSE + b"Content-Length: 900\r\n\r\n" + EVENTS[0]
        peer.send(CHUNKED + chunk(EVENTS[0]) if framing == "chunked" else length)
        await rig.client.read_until(EVENTS[0])
        peer.fin()
        if framing == "chunked" and is_old_caddy(program):
            await rig.client.read_until(b"\r\n0\r\n\r\n")
            return
        head, _, body = (await rig.client.read_to_end()).partition(b"\r\n\r\n")
        assert EVENTS[0] in body
        if b"content-length" in head.lower():
            assert len(body) < 900
        else:
            assert b"transfer-encoding: chunked" in head.lower(), "nothing would tell the end from a cut"
            assert not body.endswith(b"0\r\n\r\n")


async def test_on_a_model_route_the_error_stands_in_the_stream(
    program: str, authority: Authority, tmp_path: Path
) -> None:
    body = b'{"model": "up/m", "stream": true, "messages": [{"role": "user", "content": "x"}]}'
    delta = b'data: {"id": "a", "choices": [{"index": 0, "delta": {"content": "y"}}]}\n\n'
    async with standing(program, "tcp", authority, tmp_path, dialect="openai-chat") as rig:
        head = b"POST /v1/chat/completions HTTP/1.1\r\n%bContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        await rig.client.send(head % (HOST, len(body)) + body)
        peer = await rig.upstream.peer()
        await peer.until(body[-9:])
        assert b"x-forwarded-for" not in bytes(peer.received).lower()
        peer.send(CHUNKED + chunk(delta))
        await rig.client.read_until(b'"y"')
        peer.fin()
        told = await rig.client.read_until(b"\r\n0\r\n\r\n")
        assert b'"error"' in told
        assert b"[DONE]" not in told


@pytest.mark.parametrize("phase", ["waiting", "streaming"])
async def test_a_caller_who_leaves_ends_the_request_upstream(
    program: str, way: str, phase: str, authority: Authority, tmp_path: Path
) -> None:
    async with standing(program, way, authority, tmp_path) as rig:
        await rig.client.send(GET)
        peer = await rig.upstream.peer()
        await peer.until(b"\r\n\r\n")
        if phase == "streaming":
            peer.send(CHUNKED + chunk(EVENTS[0]))
            await rig.client.read_until(EVENTS[0])
        left = rig.client.leave()
        assert await peer.wait_closed() - left < PROMPT
        assert (await rig.proxy.wait_record()).end is EndReason.CLIENT_GONE


async def test_an_upload_goes_on_as_it_comes_and_the_caller_is_known(
    program: str, way: str, authority: Authority, tmp_path: Path
) -> None:
    size, part = 3_000_000, b"first part of it"
    async with standing(program, way, authority, tmp_path, source="127.0.0.77") as rig:
        forged = b"X-Forwarded-For: 192.0.2.1\r\n"
        await rig.client.send(b"POST /up/x HTTP/1.1\r\n%b%bContent-Length: %d\r\n\r\n" % (HOST, forged, size) + part)
        peer = await rig.upstream.peer()
        await peer.until(part)
        await rig.client.send(b"x" * (size - len(part)))
        await peer.wait_length(size)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await rig.client.read_until(b"\r\n\r\nok")
        record = await rig.proxy.wait_record()
        assert (record.end, record.remote, record.bytes_up) == (EndReason.DONE, "127.0.0.77", size)


SILENCE = {
    "nginx": ["proxy_read_timeout 1h;", "proxy_send_timeout 1h;"],
    "haproxy": ["timeout client 1h", "timeout server 1h"],
}
"""What ends a silent stream. Caddy has nothing that does, unless it is told to."""


@pytest.mark.parametrize("program", SILENCE, indirect=True)
async def test_it_is_the_limit_on_the_page_that_ends_a_silence(
    program: str, authority: Authority, tmp_path: Path
) -> None:
    assert all(line in read_snippet(program) for line in SILENCE[program])
    changes = {line: line.replace("1h", "1s") for line in SILENCE[program]}
    async with standing(program, "tcp", authority, tmp_path, changes=changes) as rig:
        await rig.client.send(GET)
        peer = await rig.upstream.peer()
        await peer.until(b"\r\n\r\n")
        peer.send(CHUNKED + chunk(EVENTS[0]))
        await rig.client.read_until(EVENTS[0])
        began = time.monotonic()
        await rig.client.read_to_end()
        assert 0.5 < time.monotonic() - began < 8


def test_caddy_has_no_limit_on_silence() -> None:
    assert re.findall(r"\w*(?:timeout|flush_interval)\w*", read_snippet("caddy")) == []


async def test_connections_to_the_proxy_are_kept(program: str, authority: Authority, tmp_path: Path) -> None:
    async with standing(program, "tcp", authority, tmp_path) as rig:
        for _ in range(5):
            await rig.client.send(b"GET /none HTTP/1.1\r\n" + HOST + b"\r\n")
            rig.client.received.clear()
            await rig.client.read_until(b"request_id")
        assert len(rig.proxy.penstock.runner.get_server().connections) == 1


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({}, 403),
        ({"server": {"cors": ["https://ai.example.com"]}}, 200),
        ({"clients": {"app": {"key": "a-key-of-the-app"}}}, 200),
    ],
    ids=["nobody has a key", "its origin is named", "with a key"],
)
async def test_pages_of_the_front_proxy_s_name(settings: dict[str, Any], status: int) -> None:
    """What a browser sends for the page at /chat, as the program hands it on."""
    config = {**mounted("http://127.0.0.1:1", "openai-chat"), "chat": {"enabled": True}}
    async with running({**config, **settings}) as proxy, connected("127.0.0.1", proxy.port) as client:
        await client.ask("/chat")
        assert (await client.reply()).status == 200
        fields = "Origin: https://ai.example.com\r\nSec-Fetch-Site: same-origin\r\nX-Api-Key: a-key-of-the-app\r\n"
        await client.ask("/v1/models", headers=fields)
        assert (await client.reply()).status == status
