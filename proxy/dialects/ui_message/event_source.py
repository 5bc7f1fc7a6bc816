"""The same stream for a page that has no SDK, only `new EventSource("/api/stream?prompt=…")`.

A browser connects again whenever a stream ends, and would ask, and pay, for the same answer again. So the first event
carries an id: a browser that comes back shows it as `Last-Event-ID`, and the answer to that is 204, at which it stops
(WHATWG HTML 9.2.3). A page that wants to know closes by itself at the last event, which is named `end`: its data are
`[DONE]` after a whole answer and `[FAILED]` after an `error` chunk.
"""

from collections.abc import Mapping
from typing import Final

from proxy.dialects.chat import Turn
from proxy.dialects.events import Event, Failure, Finish, Start
from proxy.dialects.ui_message.encode import DONE, Encoder

_ENDED: Final = b"event: end\n" + DONE
_FAILED: Final = b"event: end\ndata: [FAILED]\n\n"


def is_return(headers: Mapping[str, str]) -> bool:
    """Whether a browser has come back after its stream ended: to be answered 204. `headers`: names in lower case."""
    return bool(headers.get("last-event-id"))


class EventSourceEncoder:
    """Satisfies `chat.Encoder`."""

    def __init__(self, turn: Turn) -> None:
        self._inner = Encoder(turn)
        self._head = b"id: %b\n" % self._inner.message_id.encode()

    @property
    def keepalive(self) -> bytes:
        return self._inner.keepalive

    def resume(self, start: Start) -> None:
        self._inner.resume(start)

    def encode(self, event: Event) -> bytes:
        data = self._inner.encode(event)
        if not data:
            return b""
        if isinstance(event, Finish):
            data = data.removesuffix(DONE) + _ENDED
        elif isinstance(event, Failure):
            data += _FAILED
        if self._head:
            data, self._head = self._head + data, b""
        return data
