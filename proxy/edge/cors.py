"""Cross-origin requests to model routes (WHATWG Fetch 3.2): which pages may call, and the fields that tell a browser.

Pure. Mounts take no part in this: there upstream speaks for itself.
"""

from collections.abc import Sequence
from typing import Final

from proxy.wire.headers import Headers

Fields = list[tuple[bytes, bytes]]

_EXPOSED: Final = (
    b"x-request-id, request-id, retry-after, retry-after-ms, x-should-retry, x-penstock-request-id, "
    b"x-penstock-provider, x-penstock-account, x-penstock-attempts, x-penstock-model-asked, x-penstock-model, "
    b"x-penstock-dropped, x-penstock-estimated, x-penstock-overhead-ms"
)
"""Every field that an answer here may have beyond those that a page may always read (WHATWG Fetch 2.2.2)."""

_MAX_AGE: Final = b"600"
"""Seconds a browser may remember a preflight: as long as Chromium does at most, give or take."""


def build_cors(origins: Sequence[str], headers: Headers) -> Fields:
    """The fields for an answer; [] when no page may call, or none is calling."""
    if not origins:
        return []
    origin = headers.get_first(b"origin")
    vary = (b"Vary", b"Origin")
    if origin is None:
        return [vary]
    if "*" in origins:
        return [(b"Access-Control-Allow-Origin", b"*"), (b"Access-Control-Expose-Headers", _EXPOSED)]
    if origin.decode("latin-1") not in origins:
        return [vary]
    return [(b"Access-Control-Allow-Origin", origin), (b"Access-Control-Expose-Headers", _EXPOSED), vary]


def is_preflight(method: str, headers: Headers) -> bool:
    """WHATWG Fetch 3.2.2."""
    return method == "OPTIONS" and b"origin" in headers and b"access-control-request-method" in headers


def build_preflight(methods: Sequence[str], headers: Headers) -> Fields:
    """What a preflight is answered beside the fields of `build_cors`: any field may be sent, SDKs add their own."""
    fields = [
        (b"Access-Control-Allow-Methods", ", ".join(methods).encode()),
        (b"Access-Control-Max-Age", _MAX_AGE),
    ]
    wanted = headers.get_first(b"access-control-request-headers")
    if wanted is not None:
        fields.append((b"Access-Control-Allow-Headers", wanted))
    if headers.get_first(b"access-control-request-private-network") == b"true":
        fields.append((b"Access-Control-Allow-Private-Network", b"true"))
    return fields
