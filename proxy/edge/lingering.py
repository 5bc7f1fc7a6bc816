"""Closing a connection so that its client gets the last answer, whatever it still sends.

A socket closed with unread bytes in it resets the connection, and the reset may overtake the answer (RFC 9112 9.6). So
`Lingering.take` closes one direction, reads what still comes and throws it away until the client has closed the other,
for LINGER seconds at most. It takes the transport over from whichever protocol had it, which hears of it no more.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from proxy.relay.clocks import Ticker

LINGER: Final = 1.0
"""Seconds: a client that reads has the answer, and closes, within a round trip, and few of those take half as long."""


class Lingering:
    """The connections that are being closed; as long as it has any, the process should not go."""

    def __init__(self, ticker: Ticker) -> None:
        self._ticker = ticker
        self._open: set[_Leaver] = set()

    def __len__(self) -> int:
        return len(self._open)

    def take(self, transport: asyncio.Transport, on_closed: Callable[[], None], *, at_once: bool = False) -> None:
        """Close `transport` in this way. Over TLS, which cannot half-close, the client has its time first, unless it is
        to be `at_once`."""
        if transport.is_closing():
            on_closed()
            return
        leaver = _Leaver(self, transport, self._ticker.now() + LINGER, on_closed)
        transport.set_protocol(leaver)
        self._open.add(leaver)
        self._ticker.watch(leaver)
        transport.resume_reading()
        if transport.can_write_eof():
            try:
                transport.write_eof()
            except OSError:  # the client has reset the connection, and asyncio's own loop learns of it only here
                transport.abort()
        elif at_once:
            transport.close()

    def release(self, leaver: "_Leaver") -> None:
        self._open.discard(leaver)
        self._ticker.release(leaver)


class _Leaver(asyncio.Protocol):
    """Reads nothing, and closes at the client's FIN (asyncio's default for `eof_received`)."""

    def __init__(
        self, lingering: Lingering, transport: asyncio.Transport, until: float, on_closed: Callable[[], None]
    ) -> None:
        self._lingering = lingering
        self._transport = transport
        self._until = until
        self._on_closed = on_closed

    def connection_lost(self, exc: Exception | None) -> None:
        self._lingering.release(self)
        self._on_closed()

    def tick(self, now: float) -> None:
        if self._transport.is_closing():
            return  # asked again, TLS of asyncio's own loop would forget what it waits for, and how much is unsent
        if self._transport.get_write_buffer_size():
            self._until = now + LINGER  # a slow reader's time begins when the kernel has all of it
        elif now < self._until:
            return
        elif self._transport.can_write_eof():
            self._transport.abort()  # what the kernel has it still delivers
        else:
            self._transport.close()  # with TLS's farewell, without which an answer up to the close looks cut
