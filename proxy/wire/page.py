"""A page of files into one document that needs nothing else, and the header fields that hold it to that.

`build_page` takes a reader of files by name. `page.html` names its style and its scripts, each on a line of its own;
they are put in the place of these lines, as they are. The policy allows exactly what stands there, by its hash (CSP
Level 3, 2.3.1), and requests to the page's own origin: a text that was taken for markup could neither run nor call out.
Raises ValueError for a file that would end its element early, or has line ends that a parser would change before it
hashes.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_NAMED: Final = re.compile(
    rb'^(?:<link rel="stylesheet" href="(?P<style>[a-z-]+\.css)">|<script src="(?P<script>[a-z-]+\.js)"></script>)$',
    re.MULTILINE,
)
_ENDING: Final = re.compile(rb"</(?:script|style)|<!--", re.IGNORECASE)

_POLICY: Final = (
    "default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The last two make every way from text to markup throw, where a browser knows them."""

_FIELDS: Final = (
    (b"Content-Type", b"text/html; charset=utf-8"),
    (b"Cache-Control", b"no-cache"),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"Cross-Origin-Opener-Policy", b"same-origin"),
    (b"Cross-Origin-Resource-Policy", b"same-origin"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """The document, and the fields that it is to be sent with."""

    body: bytes
    fields: tuple[tuple[bytes, bytes], ...]


def build_page(read: Callable[[str], bytes]) -> Page:
    """Raises ValueError, and what `read` raises."""
    hashes: dict[str, list[str]] = {"script": [], "style": []}

    def inline(named: re.Match[bytes]) -> bytes:
        element = named.lastgroup or ""
        name = named[element].decode()
        text = read(name)
        if b"\r" in text or _ENDING.search(text):
            raise ValueError(f"{name} cannot stand inside a <{element}>")
        hashes[element].append(f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'")
        return b"<%b>%b</%b>" % (element.encode(), text, element.encode())

    body = _NAMED.sub(inline, read("page.html"))
    policy = _POLICY.format(**{element: " ".join(found) or "'none'" for element, found in hashes.items()})
    return Page(body, (*_FIELDS, (b"Content-Security-Policy", policy.encode())))
