"""One aiohttp ClientSession per provider: how connections are made, kept and shared.

The session keeps no cookies, follows nothing, reads no environment, invents no header and inflates nothing: what a
client sent is what goes up. Its connector has no limit of its own, because a queue in here would be one that no clock
sees; how many requests run at once is decided at the edge. Each address is shown to a Guard before it is connected to.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp import hdrs

from proxy.upstream import handler
from proxy.upstream.fallback import build_trace
from proxy.upstream.guard import NONE, Guard, Permit

KEEPALIVE: Final = 15.0
"""Seconds an idle connection is kept: below the 60 to 75 s of common servers, so that ours closes first."""

DNS_TTL: Final = 10
"""Seconds an address is remembered: providers move traffic by DNS with TTLs of a minute and less."""

READ_BUFFER: Final = 64 * 1024
"""Bytes aiohttp's reader may hold, where it is used at all."""

_INVENTED: Final = (hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.USER_AGENT, hdrs.CONTENT_TYPE)


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """connect: seconds for DNS, TCP and TLS together. field, fields: bytes of one response header field, how many.
    ca_file: PEM bundle to trust instead of the system's. pull: do without the hand-over of `upstream/handler.py`.
    permit: addresses that are none of the public internet's, and may be connected to."""

    connect: float
    field: int
    fields: int
    ca_file: str = ""
    pull: bool = False
    permit: Permit = NONE


def build_session(settings: PoolSettings, tell: Callable[[str, str], None]) -> aiohttp.ClientSession:
    """A session for one provider. tell: as for Guard. Raises OSError or ssl.SSLError when `ca_file` cannot be used."""
    context: ssl.SSLContext | bool = True
    if settings.ca_file:
        context = ssl.create_default_context(cafile=settings.ca_file)
    connector = aiohttp.TCPConnector(
        limit=0,
        keepalive_timeout=KEEPALIVE,
        ttl_dns_cache=DNS_TTL,
        ssl=context,
        socket_factory=Guard(settings.permit, tell).open_socket,
    )
    if not settings.pull:
        handler.install(connector)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=_INVENTED,
        timeout=aiohttp.ClientTimeout(total=None, connect=settings.connect, sock_read=None),
        auto_decompress=False,
        trust_env=False,
        trace_configs=[build_trace()] if settings.pull else None,
        raise_for_status=False,
        read_bufsize=READ_BUFFER,
        max_line_size=settings.field,
        max_field_size=settings.field,
        max_headers=settings.fields,
    )
