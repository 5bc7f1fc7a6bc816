"""What an admin route is given in a body, and whether it may act on it.

A browser sends its cookies, and reaches loopback, on behalf of any page it shows. So what changes something wants JSON,
which a foreign page cannot send without asking first (Fetch, CORS-safelisted request-header), and an Origin, where
there is one, that is the listener's own. Raises Rejected, and Refused for a body that does not come.
"""

import asyncio
from typing import Any, Final

import msgspec
from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError

from proxy.errors import Code, PenstockError, Refused

LARGEST: Final = 4096
"""Bytes of a body: one name, and room for what may come to stand beside it."""

PATIENCE: Final = 10.0
"""Seconds for it to arrive."""


class Rejected(PenstockError):
    """An answer of an admin route that says what is wrong. `fields` go out with it."""

    def __init__(self, status: int, code: str, message: str, *fields: tuple[bytes, bytes]) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields


async def read_object(request: web.BaseRequest) -> dict[str, Any]:
    """The body's JSON object."""
    host = request.headers.get("Host", "").lower()
    origins = [origin.lower() for origin in request.headers.getall("Origin", [])]
    if any(origin not in (f"http://{host}", f"https://{host}") for origin in origins):
        raise Rejected(403, "foreign_origin", "Pages of another origin may not do this.")
    if request.content_type != "application/json":
        raise Rejected(415, "unsupported_media_type", "The body must be JSON, and its Content-Type application/json.")
    try:
        found = msgspec.json.decode(await _read_body(request))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Rejected(400, "bad_body", "The body must be a JSON object.")
    return found


async def _read_body(request: web.BaseRequest) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(PATIENCE):
            while data := await request.content.readany():
                body += data
                if len(body) > LARGEST:
                    raise Refused(Code.BODY_TOO_LARGE, close=True)
    except TimeoutError:
        raise Refused(Code.REQUEST_TIMEOUT, close=True) from None
    except RequestPayloadError:
        raise Refused(Code.BODY, close=True) from None
    return body
