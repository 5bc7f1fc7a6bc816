"""Which pages may ask where no key is wanted.

A browser reaches loopback, or the inner network, on behalf of any page that it shows, and with it the providers' keys.
A page cannot say where it comes from but through its browser: by `Origin` (WHATWG Fetch 3.1) and Fetch Metadata. So
where no client has a key, pages may ask that stand in `[server] cors`, or that this machine has served by an address of
its own; a foreign name that was made to lead here (DNS rebinding) is none. What is no browser says neither, and asks.
"""

import re
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final

from proxy.wire.headers import Headers

_AUTHORITY: Final = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]/]+)(?::([0-9]{1,5}))?")
_ELSEWHERE: Final = frozenset({b"cross-site", b"same-site"})  # of one site are all ports of a machine


def is_foreign(headers: Headers, here: object, cors: Sequence[str]) -> bool:
    """Whether a page asks that may not. here: the connection's own address, as `getsockname` gives it."""
    if "*" in cors:
        return False
    origin = headers.get_first(b"origin")
    if origin is not None:
        text = origin.decode("latin-1").lower()
        return text not in cors and not _is_here(text.partition("://")[2], here)
    site = headers.get_first(b"sec-fetch-site")
    if site in _ELSEWHERE:
        return headers.get_first(b"sec-fetch-mode") != b"navigate"  # a link: nobody reads what it leads to
    host = headers.get_first(b"host") or b""
    return site == b"same-origin" and not _is_here(host.decode("latin-1").lower(), here)


def read_host(authority: str) -> str:
    """The host of `host:port`, in lower case, without brackets; "" for what is no authority."""
    found = _AUTHORITY.fullmatch(authority.lower())
    return found[1].strip("[]").rstrip(".") if found else ""


def is_loopback(host: str) -> bool:
    """Names that lead to this machine wherever they are asked: RFC 6761 6.3."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_here(authority: str, here: object) -> bool:
    host = read_host(authority)
    return is_loopback(host) or (isinstance(here, tuple) and host == here[0])
