"""What the kernel says of real sockets."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from proxy.edge.sockets import UNSENT, count_undelivered, count_unread, has_ended, limit_unsent
from tests.helpers.bare import settle

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two ends of a connection over loopback; the second one's window is small."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        listener.listen()
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


def fill(sock: socket.socket) -> int:
    """Write until nothing more is taken; how much was."""
    taken = 0
    try:
        while True:
            taken += sock.send(bytes(65536))
    except BlockingIOError:
        return taken


async def test_little_is_taken_that_the_peer_does_not_let_be_sent(pair: Pair) -> None:
    ours, theirs = pair
    limit_unsent(ours)
    taken = fill(ours)
    await settle(lambda: count_unread(theirs) > 0)
    taken += fill(ours)
    assert UNSENT <= count_undelivered(ours) < 3 * UNSENT
    assert taken < 4 * UNSENT
    for _ in range(3):  # it goes on as soon as there is room
        async with asyncio.timeout(5):
            while count_undelivered(ours):
                try:
                    theirs.recv(1 << 20)
                except BlockingIOError:
                    await asyncio.sleep(0.001)
        assert fill(ours) >= UNSENT


async def test_who_has_ended(pair: Pair) -> None:
    ours, theirs = pair
    assert not has_ended(ours)
    theirs.shutdown(socket.SHUT_WR)
    await settle(lambda: has_ended(ours))


async def test_what_has_come_and_was_not_read(pair: Pair) -> None:
    ours, theirs = pair
    assert count_unread(ours) == 0
    theirs.send(b"12345")
    await settle(lambda: count_unread(ours) == 5)


def test_what_is_no_tcp_socket_knows_nothing() -> None:
    one, other = socket.socketpair()
    with closing(one), closing(other):
        limit_unsent(one)
        other.send(b"12345")
        assert (count_undelivered(other), count_unread(one)) == (0, 5)
        other.close()
        assert not has_ended(one)
    limit_unsent(None)
    assert (has_ended(None), count_undelivered(None), count_unread(None), count_unread(one)) == (False, 0, 0, 0)
