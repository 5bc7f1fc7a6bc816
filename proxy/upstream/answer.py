"""From an aiohttp response to the relay's Answer: the head is checked, the body gets its framing.

`build_answer` raises UpstreamFault for a head that must not go on: a status that is none, a switch of protocols that
nobody asked for, a coding that aiohttp does not undo, bytes that no header may carry (RFC 9110 5.5 and 15, 9112 6.1).
"""

import re
from typing import Final

import aiohttp

from proxy.errors import Code, UpstreamFault
from proxy.relay.ports import Answer, Source
from proxy.upstream.pull import PulledBody
from proxy.upstream.push import PushedBody, PushResponse
from proxy.wire.framing import BodyDecoder, ChunkedBody, EofBody, LengthBody
from proxy.wire.headers import RawHeaders, get_all

_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search
_DIGITS = re.compile(rb"[0-9]{1,18}").fullmatch
_STATUSES: Final = range(200, 1000)  # 999 goes on: deployed servers send it
_WITHOUT_BODY: Final = frozenset({204, 304})  # RFC 9112 6.3, 1


def build_answer(method: str, response: aiohttp.ClientResponse) -> Answer:
    """The Answer in `response` to a request with `method`."""
    headers = response.raw_headers
    reason = response.reason or ""
    _check_head(response.status, reason, headers)
    length = _get_length(headers)
    source: Source | None = None
    if method != "HEAD" and response.status not in _WITHOUT_BODY and (length != 0 or _is_chunked(headers)):
        source = _build_source(response, length)
    return Answer(response.status, reason, headers, length, source)


def _check_head(status: int, reason: str, headers: RawHeaders) -> None:
    if status not in _STATUSES:
        raise UpstreamFault(Code.PROTOCOL, f"status {status}")
    if _CONTROLS(reason.encode("utf-8", "surrogateescape")) or any(
        _CONTROLS(value) or _CONTROLS(name) for name, value in headers
    ):
        raise UpstreamFault(Code.PROTOCOL, "control byte in head")
    codings = get_all(headers, b"transfer-encoding")
    if codings and [coding.lower() for coding in codings] != [b"chunked"]:
        raise UpstreamFault(Code.PROTOCOL, "transfer coding")


def _is_chunked(headers: RawHeaders) -> bool:
    return bool(get_all(headers, b"transfer-encoding"))


def _get_length(headers: RawHeaders) -> int | None:
    """aiohttp's parser has refused contradicting lengths; a list of equal ones is refused here (RFC 9112 6.3, 5)."""
    values = get_all(headers, b"content-length")
    if not values:
        return None
    if len(values) > 1 or not _DIGITS(values[0]):
        raise UpstreamFault(Code.PROTOCOL, "content length")
    return int(values[0])


def _build_source(response: aiohttp.ClientResponse, length: int | None) -> Source:
    if isinstance(response, PushResponse) and response.handler is not None and response.body_held:
        decoder: BodyDecoder
        if _is_chunked(response.raw_headers):
            decoder = ChunkedBody()
        else:
            decoder = EofBody() if length is None else LengthBody(length)
        return PushedBody(response, response.handler, decoder)
    return PulledBody(response)
