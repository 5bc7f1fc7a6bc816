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
    b"http2-settings",  # RFC 7540 3.2.1: means nothing without the Upgrade that it came with
})  # fmt: skip

# Rebuilt for the next hop: a Connection field cannot take them away either (RFC 9110 7.6.1).
_REBUILT_TOWARDS_UPSTREAM: Final = frozenset({b"host", b"content-length", b"expect"})
_REBUILT_TOWARDS_CLIENT: Final = frozenset({b"content-length"})

CREDENTIALS: Final = frozenset({
    b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key", b"cookie", b"proxy-authorization",
})  # fmt: skip
"""Fields a caller may authenticate with; they never reach a provider unless the mount says `pass`."""

# A nomination cannot remove these end-to-end fields: it would let a caller strip what the proxy relies on.
_NEVER_NOMINATED: Final = CREDENTIALS | {b"content-type", b"content-encoding", b"cache-control"}


def get_all(headers: RawHeaders, name: bytes) -> list[bytes]:
    """Every value of the field `name` (lower case), in order."""
    return [value for key, value in headers if key.lower() == name]


def get_first(headers: RawHeaders, name: bytes) -> bytes | None:
    """The first value of the field `name` (lower case)."""
    for key, value in headers:
        if len(key) == len(name) and key.lower() == name:
            return value
    return None


def parse_list(values: Iterable[bytes]) -> list[bytes]:
    """Comma-separated members, lower case, empty ones left out (RFC 9110 5.6.1)."""
    return [member for value in values for part in value.split(b",") if (member := part.strip(b" \t").lower())]


def filter_request(headers: RawHeaders, dropped: frozenset[bytes]) -> list[tuple[bytes, bytes]]:
    """The end-to-end fields of a request, names in lower case, without `dropped`.

    Names are folded because aiohttp's client keeps the order of duplicates only among names of one spelling.
    """
    lowered = [(name.lower(), value) for name, value in headers]
    leave = HOP_BY_HOP | _REBUILT_TOWARDS_UPSTREAM | dropped | _find_nominated(lowered)
    return [pair for pair in lowered if pair[0] not in leave]


def filter_response(headers: RawHeaders) -> list[tuple[bytes, bytes]]:
    """The end-to-end fields of a response in upstream's spelling; Content-Length is the writer's."""
    lowered = [(name.lower(), value) for name, value in headers]
    leave = HOP_BY_HOP | _REBUILT_TOWARDS_CLIENT | _find_nominated(lowered)
    return [pair for pair, (low, _) in zip(headers, lowered, strict=True) if low not in leave]


def _find_nominated(lowered: list[tuple[bytes, bytes]]) -> frozenset[bytes]:
    values = [value for name, value in lowered if name == b"connection"]
    if not values:
        return frozenset()
    return frozenset(parse_list(values)) - _NEVER_NOMINATED
