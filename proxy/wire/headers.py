"""Which header fields go on and which stay (RFC 9110 7.6.1), on raw `(name, value)` byte pairs.

Order and duplicates are kept. Fields that frame or address a message are rebuilt by whoever writes it, so they are
dropped here whatever a Connection field says about them.
"""

from collections.abc import Iterable
from typing import Final, TypeAlias

RawHeaders: TypeAlias = "tuple[tuple[bytes, bytes], ...]"
"""Pairs as they stood on the wire: names in the peer's case, values without surrounding blanks."""

HOP_BY_HOP: Final = frozenset({
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
    b"trailer", b"transfer-encoding", b"upgrade",
    # Of an Upgrade, and they mean nothing without it: RFC 7540 3.2.1, RFC 6455 11.3. A page, which cannot set fields,
    # puts its key among the protocols.
    b"http2-settings", b"sec-websocket-key", b"sec-websocket-protocol", b"sec-websocket-version",
    b"sec-websocket-extensions", b"sec-websocket-accept",
})  # fmt: skip

# Rebuilt for the next hop: a Connection field cannot take them away either (RFC 9110 7.6.1).
_LEFT_BY_REQUESTS: Final = HOP_BY_HOP | {b"host", b"content-length", b"expect"}
_LEFT_BY_RESPONSES: Final = HOP_BY_HOP | {b"content-length"}

CREDENTIALS: Final = frozenset({
    b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key", b"cookie", b"proxy-authorization",
})  # fmt: skip
"""Fields a caller may authenticate with; they never reach a provider unless the mount says `pass`."""

# A nomination cannot remove these end-to-end fields: it would let a caller strip what the proxy relies on.
_NEVER_NOMINATED: Final = CREDENTIALS | {b"content-type", b"content-encoding", b"cache-control"}


class Headers:
    """A message's fields as they stood on the wire, and found by name."""

    __slots__ = ("_values", "lowered", "raw")

    def __init__(self, raw: RawHeaders) -> None:
        self.raw = raw
        self.lowered = [(name.lower(), value) for name, value in raw]
        self._values: dict[bytes, list[bytes]] = {}
        for name, value in self.lowered:
            self._values.setdefault(name, []).append(value)

    def __contains__(self, name: bytes) -> bool:
        return name in self._values

    def get_all(self, name: bytes) -> list[bytes]:
        """Every value of the field `name` (lower case), in order."""
        return self._values.get(name, [])

    def get_first(self, name: bytes) -> bytes | None:
        """The first value of the field `name` (lower case)."""
        values = self._values.get(name)
        return values[0] if values else None


NO_FIELDS: Final = Headers(())


def parse_list(values: Iterable[bytes]) -> list[bytes]:
    """Comma-separated members, lower case, empty ones left out (RFC 9110 5.6.1)."""
    return [member for value in values for part in value.split(b",") if (member := part.strip(b" \t").lower())]


def filter_request(headers: Headers, dropped: frozenset[bytes]) -> list[tuple[bytes, bytes]]:
    """The end-to-end fields of a request, names in lower case, without `dropped`.

    Names are folded because aiohttp's client keeps the order of duplicates only among names of one spelling.
    """
    leave = _LEFT_BY_REQUESTS | dropped | _find_nominated(headers)
    return [pair for pair in headers.lowered if pair[0] not in leave]


def filter_response(headers: Headers) -> list[tuple[bytes, bytes]]:
    """The end-to-end fields of a response in upstream's spelling; Content-Length is the writer's."""
    leave = _LEFT_BY_RESPONSES | _find_nominated(headers)
    return [pair for pair, (name, _) in zip(headers.raw, headers.lowered, strict=True) if name not in leave]


def _find_nominated(headers: Headers) -> frozenset[bytes]:
    values = headers.get_all(b"connection")
    return frozenset(parse_list(values)) - _NEVER_NOMINATED if values else frozenset()
