"""What the kernel knows of a connection, and how much it may take; sockets as transports have them, None included.

Linux: tcp(7). A Unix socket has neither states nor limits of this kind: the answer is that nothing is there.
"""

import asyncio
import fcntl
import socket
import struct
import termios
from contextlib import suppress
from typing import Any, Final

UNSENT: Final = 128 * 1024
"""Bytes that the kernel takes for a client beyond what that lets it send. Its own limit is some megabytes: hundreds who
do not read would be filled up first, in one go, and everybody else would wait meanwhile."""

_NOTSENT_LOWAT: Final = 25
"""TCP_NOTSENT_LOWAT (linux/tcp.h); Python has its name from 3.12 on."""

_ENDED: Final = frozenset({7, 8})
"""TCP_CLOSE and TCP_CLOSE_WAIT, the first byte of TCP_INFO (linux/tcp.h): after a reset, and after a FIN."""


def limit_unsent(sock: Any) -> None:
    """Have the kernel take no more than UNSENT. One that knows no such limit has its own."""
    if _is_tcp(sock):
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, UNSENT)


def has_ended(sock: Any) -> bool:
    """Whether the peer has, with a FIN or a reset."""
    if not _is_tcp(sock):
        return False
    state: bytes = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
    return state[0] in _ENDED


def count_unread(sock: Any) -> int:
    """Bytes that have come, and that nobody has read."""
    return _ask(sock, termios.FIONREAD)


def count_unwritten(transport: asyncio.Transport, wire: asyncio.Transport | None) -> int:
    """Bytes that the kernel does not have. What TLS has let go of may wait below it, on the `wire`."""
    waiting = transport.get_write_buffer_size()
    return waiting if wire is None or wire is transport else waiting + wire.get_write_buffer_size()


def count_unsent(transport: asyncio.Transport, wire: asyncio.Transport | None) -> int:
    """Bytes that the client has not: the kernel takes more in steps, and a slow client's reading has to count in
    between."""
    return count_unwritten(transport, wire) + count_undelivered(transport.get_extra_info("socket"))


def count_undelivered(sock: Any) -> int:
    """Bytes in the kernel that the peer has not acknowledged (SIOCOUTQ)."""
    return _ask(sock, termios.TIOCOUTQ) if _is_tcp(sock) else 0


def _is_tcp(sock: Any) -> bool:
    return sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6)


def _ask(sock: Any, what: int) -> int:
    """A number of bytes, by ioctl(2); 0 where there is none."""
    try:
        answer: bytes = fcntl.ioctl(sock.fileno(), what, bytes(4))
    except (AttributeError, OSError, ValueError):
        return 0
    return int(struct.unpack("i", answer)[0])
