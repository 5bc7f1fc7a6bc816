"""One request and its answer on one connection: when the connection serves on, and when it is closed."""

import asyncio
from typing import Any, cast

import pytest
from aiohttp.connector import Connection

from proxy.errors import Code, Refused
from proxy.upstream.exchange import Exchange
from proxy.upstream.handler import PushHandler
from proxy.wire.framing import BodyDecoder, ChunkedBody, EofBody, LengthBody
from tests.helpers.fakes import turn
from tests.helpers.upstreams import Collector, FakeConnection, FakeTransport, FakeUpload, build_handler

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"  # what the body is read by is the decoder


class Scene:
    """An exchange whose head was read; `held` came along with it."""

    def __init__(self, decoder: BodyDecoder, held: tuple[bytes, ...] = (), upload: Any = None) -> None:
        self.handler: PushHandler
        self.transport: FakeTransport
        self.handler, self.transport = build_handler()
        self.connection = FakeConnection()
        self.exchange = Exchange(cast(Connection, self.connection), self.handler)
        self.exchange.send(b"HEAD", upload)
        self.handler.data_received(HEAD)
        for data in held:
            self.handler.data_received(data)
        self.exchange.decoder = decoder
        self.collector = Collector()

        self.handler._buffer.clear()  # as after `read_head`

    def start(self) -> None:
        self.exchange.start(self.collector)

    @property
    def is_kept(self) -> bool:
        return self.connection.fate == "released" and not self.handler.should_close and not self.transport.ended


BODIES: list[tuple[type, tuple[Any, ...], bytes]] = [
    (LengthBody, (3,), b"abc"),
    (ChunkedBody, (), b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"),
]


@pytest.mark.parametrize(("kind", "options", "wire"), BODIES)
@pytest.mark.parametrize("held", [0, 1, 3, 100])
async def test_a_whole_body_is_pushed_and_its_connection_kept(
    kind: type, options: tuple[Any, ...], wire: bytes, held: int
) -> None:
    scene = Scene(kind(*options), (wire[:held],) if held else ())
    scene.start()
    for byte in wire[held:]:
        scene.handler.data_received(bytes([byte]))
    assert (bytes(scene.collector.body), scene.collector.ended) == (b"abc", 1)
    assert scene.is_kept
    scene.exchange.abort()  # harmless when the body is complete
    assert scene.is_kept


@pytest.mark.parametrize(("kind", "options", "wire"), BODIES)
async def test_a_connection_with_bytes_behind_the_body_is_not_kept(
    kind: type, options: tuple[Any, ...], wire: bytes
) -> None:
    for held in ((wire + b"x",), (wire, b"x"), ()):
        scene = Scene(kind(*options), held)
        scene.start()
        if not held:
            scene.handler.data_received(wire + b"x")
        assert (bytes(scene.collector.body), scene.collector.ended) == (b"abc", 1)
        assert not scene.is_kept


async def test_a_body_up_to_the_close_ends_with_it() -> None:
    scene = Scene(EofBody(), (b"ab",))
    scene.start()
    scene.handler.data_received(b"c")
    assert not scene.collector.ended
    scene.handler.connection_lost(None)
    assert (bytes(scene.collector.body), scene.collector.ended) == (b"abc", 1)


async def test_a_body_up_to_the_close_that_ends_with_a_reset_is_cut() -> None:
    scene = Scene(EofBody(), (b"ab",))
    scene.start()
    scene.handler.connection_lost(ConnectionResetError(104, "gone"))
    assert scene.collector.fault is not None
    assert str(scene.collector.fault) == "upstream_cut (ConnectionResetError ECONNRESET)"


@pytest.mark.parametrize(("kind", "options", "wire"), BODIES)
@pytest.mark.parametrize("lost_first", [False, True])
async def test_a_body_that_stops_early_is_cut_behind_what_came(
    kind: type, options: tuple[Any, ...], wire: bytes, lost_first: bool
) -> None:
    scene = Scene(kind(*options), (wire[: len(wire) - 2],))
    if lost_first:
        scene.handler.connection_lost(None)
    scene.start()
    if not lost_first:
        scene.handler.connection_lost(None)
    assert bytes(scene.collector.body) in (b"a", b"abc")
    assert scene.collector.fault is not None
    assert scene.collector.fault.code is Code.CUT
    assert scene.connection.fate == "closed"


async def test_a_whole_body_whose_connection_was_lost_while_it_was_held_is_whole() -> None:
    scene = Scene(LengthBody(3), (b"abc",))
    scene.handler.connection_lost(ConnectionResetError())
    scene.start()
    assert (bytes(scene.collector.body), scene.collector.ended, scene.collector.fault) == (b"abc", 1, None)
    assert not scene.is_kept


async def test_broken_framing_is_cut_behind_what_was_sound() -> None:
    scene = Scene(ChunkedBody(), (b"1\r\na\r\n",))
    scene.start()
    scene.handler.data_received(b"1\r\nb\r\nx\r\n")
    assert bytes(scene.collector.body) == b"ab"
    assert scene.collector.fault is not None
    assert str(scene.collector.fault) == "upstream_protocol (chunk size)"
    assert (scene.transport.ended, scene.connection.fate) == ("abort", "closed")


async def test_an_abort_closes_at_once_and_once() -> None:
    scene = Scene(LengthBody(3), (b"a",))
    scene.start()
    for _ in range(2):
        scene.exchange.abort()
    assert (scene.transport.ended, scene.connection.fate) == ("abort", "closed")
    scene.handler.connection_lost(None)
    assert not scene.collector.over.is_set()


async def test_an_abort_before_the_body_is_taken_closes_too() -> None:
    scene = Scene(LengthBody(3), (b"a",))
    scene.exchange.abort()
    assert (scene.transport.ended, scene.connection.fate) == ("abort", "closed")


async def test_a_receiver_that_aborts_from_within_gets_nothing_more() -> None:
    scene = Scene(LengthBody(3), (b"ab",))

    class Quitter(Collector):
        def feed(self, data: bytes) -> None:
            super().feed(data)
            scene.exchange.abort()

    scene.collector = Quitter()
    scene.start()
    assert bytes(scene.collector.body) == b"ab"
    assert not scene.collector.over.is_set()


async def test_pause_and_resume_reach_the_socket_until_the_end() -> None:
    scene = Scene(LengthBody(3), (b"a",))
    scene.start()
    scene.exchange.pause()
    assert scene.transport.paused
    scene.exchange.resume()
    assert not scene.transport.paused
    scene.handler.data_received(b"bc")
    scene.exchange.pause()  # the connection is another's now
    assert not scene.transport.paused
    scene.exchange.resume()
    scene.exchange.abort()
    scene.exchange.pause()


@pytest.mark.parametrize(("kind", "options", "wire"), BODIES)
async def test_a_receiver_that_pauses_within_the_last_read_leaves_no_deaf_connection_to_the_next(
    kind: type, options: tuple[Any, ...], wire: bytes
) -> None:
    class Pausing(Collector):
        def feed(self, data: bytes) -> None:
            super().feed(data)
            scene.exchange.pause()

    scene = Scene(kind(*options))
    scene.collector = Pausing()
    scene.start()
    scene.handler.data_received(wire)
    assert scene.collector.ended == 1
    assert scene.is_kept
    assert not scene.transport.paused


async def test_a_body_that_is_here_goes_with_the_head() -> None:
    scene = Scene(LengthBody(0), upload=FakeUpload(3, b"abc"))
    assert scene.transport.written == b"HEADabc"


@pytest.mark.parametrize(("length", "wire"), [(6, b"HEADabcdef"), (None, b"HEAD3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n")])
async def test_a_body_goes_up_as_it_comes(length: int | None, wire: bytes) -> None:
    upload = FakeUpload(length)
    scene = Scene(LengthBody(1), upload=upload)
    upload.send(b"abc")
    await turn(5)
    assert b"abc" in scene.transport.written
    upload.send(b"def")
    upload.send_end()
    await turn(5)
    assert scene.transport.written == wire
    scene.start()
    scene.handler.data_received(b"x")
    assert scene.is_kept


async def test_a_connection_whose_request_was_never_sent_whole_is_not_kept() -> None:
    upload = FakeUpload(6)
    scene = Scene(LengthBody(1), (b"x",), upload)
    upload.send(b"abc")
    await turn(5)
    scene.start()
    assert scene.collector.ended
    assert not scene.is_kept
    await turn(5)
    assert len(asyncio.all_tasks()) == 1


async def test_a_client_whose_body_fails_closes_upstream() -> None:
    upload = FakeUpload(6)
    scene = Scene(LengthBody(1), upload=upload)
    upload.break_off(Refused(Code.BODY))
    await turn(5)
    assert scene.transport.ended == "abort"


async def test_an_abort_ends_the_upload() -> None:
    upload = FakeUpload(6)
    scene = Scene(LengthBody(1), upload=upload)
    await turn()
    scene.exchange.abort()
    await turn(5)
    assert len(asyncio.all_tasks()) == 1


async def test_nothing_is_sent_on_a_closed_connection() -> None:
    handler, transport = build_handler()
    transport.close()
    with pytest.raises(ConnectionResetError):
        Exchange(cast(Connection, FakeConnection()), handler).send(b"HEAD", None)
    assert transport.written == b""


async def test_informational_heads_are_dropped() -> None:
    handler, _ = build_handler()
    handler.data_received(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 Gone\r\n\r\n")
    message = await Exchange(cast(Connection, FakeConnection()), handler).read_head()
    assert (message.code, message.reason) == (404, "Gone")
