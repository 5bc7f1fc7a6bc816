"""The way out of an account's requests when it is not the direct one: an HTTP forward proxy.

To an https origin the proxy opens a tunnel (CONNECT, RFC 9110 9.3.6), which aiohttp's connector asks for; a request to
an http origin goes to the proxy itself, its target in absolute form (RFC 9112 3.2.2), and the opener writes it so. A
user and password in the proxy's URL become one Proxy-Authorization field, and are nowhere else from then on.
"""

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Final

from aiohttp import ClientRequest, ClientSession, hdrs
from multidict import CIMultiDict
from yarl import URL

from proxy.errors import Code, UpstreamFault

PROXY_AUTHENTICATION: Final = 407


@dataclass(frozen=True, slots=True)
class HttpProxy:
    """url: without user and password. authorization: the value of Proxy-Authorization, "" for none."""

    url: URL
    authorization: str = field(default="", repr=False)

    def build_fields(self) -> CIMultiDict[str]:
        """What the proxy is told in a request for a tunnel."""
        return CIMultiDict({hdrs.PROXY_AUTHORIZATION: self.authorization} if self.authorization else {})


def parse_proxy(text: str) -> HttpProxy | None:
    """A proxy's URL, perhaps with `user:password@`; None for "", the direct way."""
    if not text:
        return None
    url = URL(text)
    if url.user is None and url.password is None:
        return HttpProxy(url.origin())
    pair = f"{url.user or ''}:{url.password or ''}".encode()  # UTF-8: RFC 7617 2.1
    return HttpProxy(url.origin(), f"Basic {b64encode(pair).decode()}")


def build_place(origin: URL, session: ClientSession, proxy: HttpProxy | None) -> ClientRequest:
    """What the connector asks of a request is where it leads; one that is never sent says so for all."""
    if proxy is None:
        return ClientRequest("GET", origin.origin(), session=session)
    fields = proxy.build_fields()
    place = ClientRequest("GET", origin.origin(), session=session, proxy=proxy.url, proxy_headers=fields)
    # The connector adds it when it connects, and would not find that connection under the same fields again.
    fields[hdrs.HOST] = place.headers[hdrs.HOST]
    return place


def check_status(status: int, proxy: HttpProxy | None) -> None:
    """Raise UpstreamFault for an answer that only the proxy can have given."""
    if proxy is not None and status == PROXY_AUTHENTICATION:
        raise UpstreamFault(Code.PROXY, f"status {status}")
