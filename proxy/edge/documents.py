"""What a provider sends that a browser would show as a page, kept from being one of this origin's.

All that the proxy serves is one origin to a browser: the chat page with the key that was typed into it, and, where no
key is wanted, every route. A page that came through a mount would be let into it. So whatever a browser might run gets
a policy that makes it a stranger without scripts (CSP Level 3 6.3.2, HTML 7.1.6). Programs, which run nothing, get what
was sent and no field more.
"""

from typing import Final

from proxy.edge.downstream import Fields
from proxy.wire.headers import Headers

_BROWSER: Final = b"mozilla/"
"""How the User-Agent of every browser begins (HTML 8.10.1.1); no page can change it without asking first (CORS)."""

_SANDBOX: Final = (b"Content-Security-Policy", b"sandbox")

_INERT: Final = frozenset({
    b"application/json", b"text/event-stream", b"text/plain", b"application/octet-stream", b"application/x-ndjson",
    b"application/jsonl", b"application/problem+json", b"application/vnd.amazon.eventstream", b"text/csv",
})  # fmt: skip
_INERT_KINDS: Final = frozenset({b"image", b"audio", b"video", b"font"})


def is_browser(asked: Headers) -> bool:
    """Whether the sender of these fields may show the answer as a page, now or later from its cache. Fetch Metadata
    goes to trustworthy origins only, of which http://10.0.0.1 is none."""
    agent = asked.get_first(b"user-agent") or b""
    accepted = asked.get_first(b"accept") or b""
    return agent[: len(_BROWSER)].lower() == _BROWSER or b"sec-fetch-mode" in asked or b"text/html" in accepted.lower()


def build_sandbox(kind: bytes | None) -> Fields:
    """The field for an answer of the media type `kind`; [] for what no browser runs. Browsers guess at an answer
    without a type, and at one with a type that is none."""
    essence = (kind or b"").partition(b";")[0].strip().lower()
    if essence in _INERT:
        return []
    top, _, rest = essence.partition(b"/")
    return [] if top in _INERT_KINDS and rest and not rest.endswith(b"xml") else [_SANDBOX]
