"""A page of files becomes one document, and its policy allows what stands in it and nothing else."""

import base64
import hashlib

import pytest

from proxy.wire.page import build_page

HTML = b"""<!doctype html>
<link rel="stylesheet" href="page.css">
<p>
<script src="a.js"></script>
<script src="b.js"></script>
"""
FILES = {"page.html": HTML, "page.css": b"\np { color: red }\n", "a.js": b"let a = 1\n", "b.js": b"/* \\1 */\n"}


def sum_of(text: bytes) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"


def test_files_stand_where_they_were_named_as_they_are() -> None:
    page = build_page(FILES.__getitem__)
    assert page.body == (
        b"<!doctype html>\n<style>\np { color: red }\n</style>\n<p>\n<script>let a = 1\n</script>\n"
        b"<script>/* \\1 */\n</script>\n"
    )


def test_the_policy_allows_exactly_these_files() -> None:
    policy = dict(build_page(FILES.__getitem__).fields)[b"Content-Security-Policy"].decode()
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"{sum_of(FILES['a.js'])} {sum_of(FILES['b.js'])}"
    assert rules["style-src"] == sum_of(FILES["page.css"])
    assert rules["connect-src"] == "'self'"
    assert "unsafe" not in policy


def test_a_page_without_style_and_script_is_allowed_none() -> None:
    policy = dict(build_page({"page.html": b"<p>"}.__getitem__).fields)[b"Content-Security-Policy"]
    assert b"script-src 'none'; style-src 'none'" in policy


@pytest.mark.parametrize("text", [b"let a = '</SCRIPT>'", b"a()\r\nb()", b"'<!--'", b"'</style'"])
def test_a_file_that_would_not_stay_what_it_is_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"a\.js"):
        build_page({**FILES, "a.js": text}.__getitem__)
