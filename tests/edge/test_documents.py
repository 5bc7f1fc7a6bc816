"""Which media types a browser might run: those, and all that it guesses at, are sandboxed."""

import pytest

from proxy.edge.documents import build_sandbox, is_browser
from proxy.wire.headers import Headers

SANDBOX = [(b"Content-Security-Policy", b"sandbox")]


@pytest.mark.parametrize(
    "kind",
    [
        None, b"", b"text/html", b"TEXT/HTML; charset=utf-8", b"application/xhtml+xml", b"image/svg+xml", b"text/xml",
        b"application/xml", b"application/atom+xml", b"multipart/x-mixed-replace; boundary=a", b"application/pdf",
        b"*/*", b"unknown/unknown", b"html", b"image", b"text/html, application/json", b"text/javascript",
    ],
)  # fmt: skip
def test_what_may_be_run_is_a_stranger(kind: bytes | None) -> None:
    assert build_sandbox(kind) == SANDBOX


@pytest.mark.parametrize(
    "kind",
    [b"application/json", b"Application/JSON;charset=utf-8", b"text/event-stream", b"text/event-stream; charset=utf-8",
     b"text/plain", b"application/x-ndjson", b"image/png", b"audio/mpeg", b"video/mp4", b"font/woff2"],
)  # fmt: skip
def test_what_programs_read_has_no_field_more(kind: bytes) -> None:
    assert build_sandbox(kind) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
        (b"user-agent", b"mozilla/5.0"),
        (b"Sec-Fetch-Mode", b"no-cors"),
        (b"Accept", b"application/xhtml+xml,Text/HTML;q=0.9"),
    ],
)
def test_a_browser_is_known_by_what_no_page_can_take_away(name: bytes, value: bytes) -> None:
    assert is_browser(Headers(((b"Host", b"a"), (name, value))))


@pytest.mark.parametrize(
    "fields",
    [(), ((b"User-Agent", b"curl/8.5.0"), (b"Accept", b"*/*")), ((b"User-Agent", b"OpenAI/Python 2.1 Mozilla/5.0"),)],
)
def test_programs_are_none(fields: tuple[tuple[bytes, bytes], ...]) -> None:
    assert not is_browser(Headers(fields))
