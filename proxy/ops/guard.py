"""Who may use the admin listener.

On loopback whoever reaches it may, unless a token is configured; on any other address nothing but health checks and
the page, which holds nothing, goes without the token: as `Authorization: Bearer`, or as the cookie that a login sets.
The cookie is an end date and its HMAC under the token, so it outlives a restart, and dies with the token. Who guesses
the token can make one: a wrong cookie counts as a wrong token, and only so many of those may be shown.

A browser on this machine reaches loopback on behalf of any page. Hence a Host that is not the listener's is refused:
a foreign name that was made to lead here (DNS rebinding) makes no foreign page ours. So is what a browser says comes
from another site (Fetch Metadata). Raises Rejected.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Callable
from typing import Final

from aiohttp import web

from proxy.config.address import Address
from proxy.config.secret import Secret
from proxy.edge.foreign import is_loopback, read_host
from proxy.ops.admin_body import Rejected
from proxy.ops.guesses import Guesses

LIFETIME: Final = 30 * 24 * 3600
"""Seconds for which a login is good: a month of looking in every now and then."""

MOST_KNOWN: Final = 256
"""Cookies that are remembered as good, so that nobody who is signed in is locked out by another one's guesses."""

_HEALTH: Final = frozenset({"/healthz", "/readyz"})
"""Asked by whatever name a balancer knows; a word and a number are no secret."""

_OPEN: Final = frozenset({"/", "/console/session", "/console/login", *_HEALTH})
_FOREIGN_SITES: Final = frozenset({"cross-site", "same-site"})  # of one site are all ports of a machine
_AUTHORITY: Final = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_UNIX: Final = "unix"
"""Who comes over a Unix socket: all of them are one."""

_CHALLENGE: Final = (b"WWW-Authenticate", b"Bearer")  # RFC 9110 11.6.1

_HOST: Final = (403, "foreign_host", "Ask this listener by its address, as localhost, or with a token.")
_SITE: Final = (403, "foreign_origin", "Pages of another site may not do this.")
_WANTED: Final = (401, "token_wanted", "A valid token is required.", _CHALLENGE)
_MISSING: Final = (
    403, "token_missing", "This listener is not on loopback and no token is configured: set [console] token.",
)  # fmt: skip


class Guard:
    """address: the listener's, as configured. clock: seconds since the epoch. now: seconds that only go forward."""

    def __init__(
        self,
        address: Address | None,
        token: Secret,
        clock: Callable[[], float] = time.time,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._public = address is not None and not address.is_loopback
        self._name = address.host.lower().rstrip(".") if address is not None else ""
        self._token = token
        self._clock = clock
        self._now = now
        self._wrong = Guesses()
        self._good: dict[bytes, None] = {}  # cookies that were seen to be, the oldest first

    @property
    def token(self) -> Secret:
        return self._token

    def change_token(self, token: Secret) -> None:
        self._token = token
        self._good.clear()

    @property
    def wants_token(self) -> bool:
        return self._public or bool(self._token.reveal())

    @property
    def lacks_token(self) -> bool:
        """A token is wanted, and there is none: nobody gets in."""
        return self._public and not self._token.reveal()

    def admit(self, request: web.BaseRequest) -> None:
        """Raises Rejected when this request may not be answered."""
        if request.path in _HEALTH:
            return
        shown = self._read_bearer(request)
        if shown:
            return
        if not self._knows_host(request):
            raise Rejected(*_HOST)
        if _is_foreign(request):
            raise Rejected(*_SITE)
        if request.path in _OPEN or not self.wants_token:
            return
        if not self._has_cookie(request):
            raise Rejected(*(_MISSING if self.lacks_token else _WANTED))

    def is_signed_in(self, request: web.BaseRequest) -> bool:
        """Whether this request may see and do everything."""
        return not self.wants_token or self._read_bearer(request) or self._has_cookie(request)

    def sign_in(self, request: web.BaseRequest, token: object) -> tuple[bytes, bytes]:
        """The field that keeps the visitor signed in."""
        if self.lacks_token:
            raise Rejected(*_MISSING)
        if not isinstance(token, str):
            raise Rejected(400, "bad_token", 'The body must be {"token": "..."}.')
        if self.wants_token and not self._check_token(request, token):
            raise Rejected(401, "wrong_token", "This is not the token.", _CHALLENGE)
        until = int(self._clock()) + LIFETIME
        value = f"{until}.{self._sign(until)}"
        self._remember(_digest(value))
        return _build_cookie(request, value, LIFETIME)

    def sign_out(self, request: web.BaseRequest) -> tuple[bytes, bytes]:
        return _build_cookie(request, "", 0)

    def _read_bearer(self, request: web.BaseRequest) -> bool:
        """Whether the token stands in the head. Raises Rejected for one that is wrong."""
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self._token.reveal():
            return False
        if not self._check_token(request, shown.strip()):
            raise Rejected(*_WANTED)
        return True

    def _check_token(self, request: web.BaseRequest, shown: str) -> bool:
        wait = self._wrong.count_wait(request.remote or _UNIX, self._now())
        if wait:
            after = (b"Retry-After", b"%d" % wait)
            raise Rejected(429, "too_many_logins", "Too many wrong tokens: wait a minute.", after)
        return self._compare(request, _digest(shown), self._token.reveal())

    def _has_cookie(self, request: web.BaseRequest) -> bool:
        value = request.cookies.get(_name_cookie(request), "")
        until, _, signature = value.partition(".")
        if not self._token.reveal() or not until.isascii() or not until.isdigit() or len(until) > 12:
            return False
        if int(until) <= self._clock():
            return False
        known = _digest(value)
        if known in self._good:
            return True
        if self._wrong.count_wait(request.remote or _UNIX, self._now()):
            return False
        good = self._compare(request, _digest(signature), self._sign(int(until)))
        if good:
            self._remember(known)
        return good

    def _compare(self, request: web.BaseRequest, shown: bytes, right: str) -> bool:
        """shown: a digest. One that is wrong is noted."""
        good = hmac.compare_digest(shown, _digest(right))
        if not good:
            self._wrong.note(request.remote or _UNIX, shown, self._now())
        return good

    def _remember(self, cookie: bytes) -> None:
        self._good[cookie] = None
        if len(self._good) > MOST_KNOWN:
            del self._good[next(iter(self._good))]

    def _sign(self, until: int) -> str:
        key = self._token.reveal().encode("utf-8", "surrogatepass")
        return hmac.new(key, b"penstock console %d" % until, hashlib.sha256).hexdigest()

    def _knows_host(self, request: web.BaseRequest) -> bool:
        hosts = request.headers.getall("Host", [])
        host = read_host(hosts[0]) if len(hosts) == 1 else ""
        sockname = request.get_extra_info("sockname")
        if not isinstance(sockname, tuple):  # a browser comes by what forwards to a Unix socket, `ssh -L` for one
            return self.wants_token or is_loopback(host)
        return is_loopback(host) or host == sockname[0] or (bool(self._name) and host == self._name)


def _is_foreign(request: web.BaseRequest) -> bool:
    """What a browser asks for a page of another site; that a link leads here is no harm, its page reads nothing."""
    site, mode = request.headers.get("Sec-Fetch-Site", ""), request.headers.get("Sec-Fetch-Mode", "")
    return site in _FOREIGN_SITES and not (mode == "navigate" and request.method in ("GET", "HEAD"))


def _name_cookie(request: web.BaseRequest) -> str:
    """With the port: cookies know none (RFC 6265 8.5), and there may be several listeners on a machine."""
    found = _AUTHORITY.fullmatch(request.headers.get("Host", "").lower())
    return f"penstock_console_{(found and found[2]) or 80}"


def _build_cookie(request: web.BaseRequest, value: str, lifetime: int) -> tuple[bytes, bytes]:
    text = f"{_name_cookie(request)}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={lifetime}"
    if request.secure:
        text += "; Secure"  # it was given by TLS, and goes back by nothing else (RFC 6265 4.1.2.5)
    return b"Set-Cookie", text.encode()


def _digest(text: str) -> bytes:
    """Of one length, whatever was shown."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
