"""What the opener makes of an upstream that cannot be reached, or whose head must not go on."""

import asyncio
from typing import Any

import pytest
from aiohttp.client_proto import ResponseHandler

from proxy.errors import Code
from tests.helpers.bare import black_hole
from tests.helpers.origin import origin
from tests.helpers.upstreams import fail, opening


@pytest.mark.parametrize(
    "answer",
    [
        b"HTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 099 Odd\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\x01b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    ],
    ids=lambda answer: answer[:60].decode("latin-1"),
)
async def test_an_answer_that_must_not_go_on_is_a_fault_and_closes(answer: bytes) -> None:
    async with origin() as up, opening(up.base_url) as opener:
        task = asyncio.create_task(fail(opener))
        peer = await up.peer()
        await peer.until(b"\r\n\r\n")
        peer.send(answer)
        assert (await task).code is Code.PROTOCOL
        await peer.wait_closed()


async def test_a_refused_connection_is_told_apart() -> None:
    async with origin() as up:
        base_url = up.base_url
    async with opening(base_url) as opener:
        assert (await fail(opener)).code is Code.REFUSED


async def test_a_connection_that_nobody_answers_is_given_up() -> None:
    async with black_hole() as port, opening(f"http://127.0.0.1:{port}", connect=0.05) as opener:
        assert (await fail(opener)).code is Code.CONNECT_TIMEOUT


async def test_a_connector_without_the_hand_over_is_a_fault_of_ours() -> None:
    async with origin() as up, opening(up.base_url) as opener:
        connector: Any = opener._session.connector  # type: ignore[attr-defined]
        connector._factory = lambda: ResponseHandler(asyncio.get_running_loop())
        assert (await fail(opener)).code is Code.INTERNAL


async def test_a_closed_session_is_a_fault_of_ours() -> None:
    async with opening("http://127.0.0.1:1") as opener:
        await opener._session.close()  # type: ignore[attr-defined]
        assert (await fail(opener)).code is Code.INTERNAL
