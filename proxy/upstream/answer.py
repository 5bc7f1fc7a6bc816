"""What a response head amounts to: checked, and with the framing of the body behind it.

Raises UpstreamFault for a head that must not go on: a status that is none, a switch of protocols that nobody asked for,
a coding that is not undone, bytes that no header may carry (RFC 9110 5.5 and 15, RFC 9112 6.1).
"""

import re
from typing import Final

from proxy.errors import Code, UpstreamFault
from proxy.wire.framing import BodyDecoder, ChunkedBody, EofBody, LengthBody
from proxy.wire.headers import Headers

_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search
_DIGITS = re.compile(rb"[0-9]{1,18}").fullmatch
_STATUSES: Final = range(200, 1000)  # 999 goes on: deployed servers send it
_WITHOUT_BODY: Final = frozenset({204, 304})  # RFC 9112 6.3, 1


def check_head(status: int, reason: str, headers: Headers) -> None:
    """Raise UpstreamFault unless the head may go on."""
    if status not in _STATUSES:
        raise UpstreamFault(Code.PROTOCOL, f"status {status}")
    if _CONTROLS(reason.encode("utf-8", "surrogateescape")) or _CONTROLS(b"".join(value for _, value in headers.raw)):
        raise UpstreamFault(Code.PROTOCOL, "control byte in head")


def get_length(headers: Headers) -> int | None:
    """What Content-Length says. aiohttp's parser has refused contradictions (RFC 9112 6.3, 5)."""
    values = headers.get_all(b"content-length")
    if not values:
        return None
    if len(values) > 1 or not _DIGITS(values[0]):
        raise UpstreamFault(Code.PROTOCOL, "content length")
    return int(values[0])


def choose_framing(method: str, status: int, headers: Headers, length: int | None) -> BodyDecoder | None:
    """The decoder of the body, None when there is none (RFC 9112 6.3)."""
    codings = headers.get_all(b"transfer-encoding")
    if codings and [coding.lower() for coding in codings] != [b"chunked"]:
        raise UpstreamFault(Code.PROTOCOL, "transfer coding")
    if method == "HEAD" or status in _WITHOUT_BODY:
        return None
    if codings:
        return ChunkedBody()
    if length is None:
        return EofBody()
    return LengthBody(length) if length else None
