"""Asking an admin listener: over TCP and a Unix socket, and whatever may answer there instead."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from proxy.config.address import Address
from proxy.tools import admin_client
from proxy.tools.admin_client import AdminError, ask_admin


@asynccontextmanager
async def answering(answer: bytes, path: Path | None = None) -> AsyncIterator[tuple[Address, list[bytes]]]:
    """A listener that gives every connection the same bytes and closes it; yields what it was sent, too."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heads.append(head + (await reader.read(999) if b"Content-Length" in head else b""))
        writer.write(answer)
        await writer.drain()
        writer.close()

    if path is not None:
        server = await asyncio.start_unix_server(serve, path)
        address = Address(path=str(path))
    else:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
    async with server:
        yield address, heads


def build(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def ask(address: Address, *body: object) -> Any:
    return await asyncio.to_thread(ask_admin, address, "/accounts", *body)


@pytest.mark.parametrize("unix", [False, True])
async def test_an_answer_is_read(unix: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with answering(build(b'{"a": 1}'), tmp_path / "s" if unix else None) as (address, heads):
        assert await ask(address) == {"a": 1}
        assert await ask(address, {"name": "up"}) == {"a": 1}
    assert heads[0].startswith(b"GET /accounts HTTP/1.1\r\n")
    assert heads[1].startswith(b"POST /accounts HTTP/1.1\r\n")
    assert b"\r\nContent-Type: application/json\r\n" in heads[1]
    assert heads[1].endswith(b'\r\n\r\n{"name": "up"}')


async def test_the_token_of_the_environment_is_shown() -> None:
    environ = {"PENSTOCK_CONSOLE_TOKEN": "the-token-of-mine"}
    async with answering(build(b"{}")) as (address, heads):
        await asyncio.to_thread(ask_admin, address, "/accounts", None, environ)
        await asyncio.to_thread(ask_admin, address, "/accounts/clear", {}, environ)
        await asyncio.to_thread(ask_admin, address, "/accounts", None, {"PENSTOCK_CONSOLE_TOKEN": ""})
    assert [b"\r\nAuthorization: Bearer the-token-of-mine\r\n" in head for head in heads] == [True, True, False]


@pytest.mark.parametrize("token", ["a\r\nX: b", "é", "a\x00"])
def test_a_token_that_no_field_can_hold_is_not_sent(token: str) -> None:
    with pytest.raises(AdminError, match="PENSTOCK_CONSOLE_TOKEN") as caught:
        ask_admin(Address("127.0.0.1", 1), "/accounts", None, {"PENSTOCK_CONSOLE_TOKEN": token})
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (build(b'{"error": {"message": "There is no such\\u001b name."}}', "404 X"), r"There is no such\\x1b name\.$"),
        (build(b'{"error": "x"}', "500 X"), r"no admin listener \(status 500\)"),
        (build(b"[]", "404 X"), r"no admin listener \(status 404\)"),
        (build(b"<html>"), r"no admin listener \(status 200\)"),
        (build(b"\xff"), r"no admin listener \(status 200\)"),
        (b"SSH-2.0-OpenSSH\r\n", "no admin listener"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "no admin listener"),
        (b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", r"\(status 302\)"),
        (b"", "the connection broke off"),
    ],
)
async def test_any_other_answer_is_told_in_a_line(answer: bytes, message: str) -> None:
    async with answering(answer) as (address, _):
        with pytest.raises(AdminError, match=message) as caught:
            await ask(address)
    assert str(caught.value).isprintable()


async def test_nobody_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match=r"cannot reach .* 127\.0\.0\.1:1: connection refused"):
        await ask(Address("127.0.0.1", 1))
    with pytest.raises(AdminError, match="no such file or directory"):
        await ask(Address(path=str(tmp_path / "gone")))
    with pytest.raises(AdminError, match="cannot reach"):
        await ask(Address("name.invalid", 1))


async def test_silence_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_client, "PATIENCE", 0.05)
    held = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await held.wait()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        with pytest.raises(AdminError, match="does not answer"):
            await ask(Address("127.0.0.1", server.sockets[0].getsockname()[1]))
        held.set()


def test_a_port_that_is_not_known_is_not_asked() -> None:
    with pytest.raises(AdminError, match="give --admin"):
        ask_admin(Address("127.0.0.1", 0), "/accounts")
