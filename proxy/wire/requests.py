"""What a request head must satisfy beyond what aiohttp's parser has checked already.

`check_head(Head) -> Code | None`: None lets it pass. Each check is a row of `_CHECKS`, in the order in which a client
is told of them; the sources are RFC 9110 and 9112. Nothing of the input goes into an answer.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from proxy.errors import Code
from proxy.wire.headers import Headers, parse_list

_HOST = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::[0-9]{0,5})?"
).fullmatch  # RFC 9110 7.2: uri-host [ ":" port ]
_METHODS_ANSWERED_HERE: Final = frozenset({"CONNECT", "TRACE"})


@dataclass(frozen=True, slots=True)
class Head:
    """A request head: `target` as it stood on the wire, `version` as (major, minor)."""

    method: str
    target: str
    version: tuple[int, int]
    headers: Headers


def check_head(head: Head, pseudonym: bytes = b"") -> Code | None:
    """The reason to refuse `head`, or None. `pseudonym` is our own name in Via, empty when we add none."""
    for check in _CHECKS:
        if code := check(head):
            return code
    if pseudonym and _passed_here_before(head.headers, pseudonym):
        return Code.LOOP
    return None


def get_body_length(headers: Headers) -> int | None:
    """The announced length of a request's body; None when it is chunked, 0 when it has none (RFC 9112 6.3)."""
    if b"transfer-encoding" in headers:
        return None
    return int(headers.get_first(b"content-length") or 0)


def wants_continue(head: Head) -> bool:
    """Whether the client holds its body back for a 100 (RFC 9110 10.1.1: never for HTTP/1.0)."""
    return head.version >= (1, 1) and b"100-continue" in parse_list(head.headers.get_all(b"expect"))


def _check_version(head: Head) -> Code | None:
    return None if head.version in ((1, 0), (1, 1)) else Code.VERSION


def _check_method(head: Head) -> Code | None:
    return Code.METHOD if head.method in _METHODS_ANSWERED_HERE else None


def _check_target(head: Head) -> Code | None:
    # A fragment never belongs on the wire (RFC 9112 3.2); what is not a path names another origin or nothing.
    return None if head.target.startswith("/") and "#" not in head.target else Code.TARGET


def _check_host(head: Head) -> Code | None:
    host = head.headers.get_first(b"host")
    return None if host is None or _HOST(host) else Code.BAD_REQUEST


def _check_coding(head: Head) -> Code | None:
    """RFC 9112 6.1: only `chunked`, once, and never in HTTP/1.0. aiohttp would hand a gzip coding over as it is."""
    values = head.headers.get_all(b"transfer-encoding")
    if not values:
        return None
    if head.version < (1, 1) or len(values) > 1:
        return Code.BAD_REQUEST
    if values[0].lower() == b"chunked":
        return None
    members = [member.strip() for member in values[0].lower().split(b",")]
    return Code.NOT_IMPLEMENTED if all(members) and members[-1] == b"chunked" else Code.BAD_REQUEST


def _check_values(head: Head) -> Code | None:
    """aiohttp's client would drop bytes that are not UTF-8 in silence, so a field that has some is refused."""
    if not b"".join(value for _, value in head.headers.raw).isascii():
        try:
            for _, value in head.headers.raw:
                value.decode("utf-8")
        except UnicodeDecodeError:
            return Code.BAD_REQUEST
    return None


def _check_expectation(head: Head) -> Code | None:
    if head.version < (1, 1):
        return None
    members = parse_list(head.headers.get_all(b"expect"))
    return None if all(member == b"100-continue" for member in members) else Code.EXPECTATION


def _passed_here_before(headers: Headers, pseudonym: bytes) -> bool:
    """RFC 9110 7.6.3: a Via member is `protocol received-by [comment]`."""
    members = (member.split() for member in parse_list(headers.get_all(b"via")))
    return any(len(words) > 1 and words[1] == pseudonym.lower() for words in members)


_CHECKS: Final[tuple[Callable[[Head], Code | None], ...]] = (
    _check_version,
    _check_method,
    _check_target,
    _check_host,
    _check_coding,
    _check_values,
    _check_expectation,
)
