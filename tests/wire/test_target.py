"""Request targets: no reading of a path that passes may leave the base, and every other byte stays as it was."""

import itertools
from collections.abc import Callable
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.target import climbs_out, covers, join_query, split_query, strip_absolute_form, take_parameters
from tests.helpers.feeds import fuzz

OUTSIDE = [
    "/..",
    "/../",
    "/a/../..",
    "/a/../../b",
    "/../../b",
    "/./..",
    "//..",
    "/a//../..",  # for one that collapses slashes
    "/%2e%2e",
    "/%2E./",
    "/.%2e/a",
    "/%252e%252e",
    "/%25252e%25252e",
    "/%2f..",
    "/a%2f..%2f..",
    "/..%2fa",
    "/..%252fa",
    "/\\..",
    "/..\\a",
    "/a\\b/../..",  # for one to which a backslash is a letter
    "/a%5cb%2f..%2f..",
    "/a%2fb/../..",
    "/a%2fb/%2e%2e/%2e%2e",  # for one that splits before it decodes
    "/..;x",
    "/..;x/a",
    "/a/..;x=1/..;y",
    "/..%3bx",
    "/%2e%2e%3bx",
    "/;/..",
    "/.;x/..",
    "/..%3fx",  # for one that reads the decoded path as a URL
    "/..%23",
    "/..%00x",
    "/%2f%2f/..",
    "/;\\a/..",  # nothing for one that cuts, a name for one that splits
    "/%00\\%/..",
    "..",
]
INSIDE = [
    "",
    "/",
    "/a/b",
    "//evil/p",
    "/a/..",
    "/a/../b",
    "/a/./b/../..",
    "/a%2fb",
    "/v1/../a%2f",
    "/a%2fb/../c",
    "/...",
    "/.../..",
    "/..a",
    "/a..",
    "/a..b/../c",
    "/..%zz",
    "/.",
    "/a/%2e%2e",
    "/%zz/%",
    "/a;b=../c",
    "/a%00..",
    "/é/../x",
    "/.%252x",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_that_leaves_the_base_in_some_reading_is_found(path: str) -> None:
    assert climbs_out(path)


@pytest.mark.parametrize("path", INSIDE)
def test_a_path_that_stays_inside_in_every_reading_passes(path: str) -> None:
    assert not climbs_out(path)


# Servers, as they are found: each decodes, cuts and splits in its own order.


def _decode(times: int) -> Callable[[str], str]:
    def decode(path: str) -> str:
        for _ in range(times):
            path = unquote(path, errors="replace")
        return path

    return decode


def _split(path: str, separators: str) -> list[str]:
    for other in separators[1:]:
        path = path.replace(other, "/")
    return path.split("/")


def _resolves_outside(segments: list[str], *, collapse: bool) -> bool:
    depth = 0
    for segment in segments[1:]:
        if segment == "..":
            depth -= 1
        elif segment != "." and (segment or not collapse):
            depth += 1
        if depth < 0:
            return True
    return False


def leaves_base(path: str) -> bool:
    """Whether any of 200 and more kinds of servers resolves `path` to a place above its first slash."""
    kinds = itertools.product(range(4), ("/", "/\\"), range(3), (True, False), ("", ";", ";?#\0"))
    for first, separators, then, collapse, ends in kinds:
        segments = [_decode(then)(segment) for segment in _split(_decode(first)(path), separators)]
        for end in ends:
            segments = [segment.split(end)[0] for segment in segments]
        if first + then <= 3 and _resolves_outside(segments, collapse=collapse):
            return True
    return False


_PIECES = st.sampled_from(["/", "/", "..", "..", ".", "a", "\\", ";", "%", "%2e", "%2f", "%5c", "%252e", "%00", "é"])
_PATHS = st.lists(_PIECES, max_size=12).map("".join)


@fuzz
@given(_PATHS, st.integers(0, 2))
def test_whatever_passes_stays_inside_for_every_server(path: str, times: int) -> None:
    for _ in range(times):
        path = quote(path, safe="/")
    path = "/" + path
    if not climbs_out(path):
        assert not leaves_base(path)


@pytest.mark.parametrize("path", [path for path in OUTSIDE if path.startswith("/")])
def test_the_servers_above_do_fall_for_what_is_refused(path: str) -> None:
    assert leaves_base(path)


@pytest.mark.parametrize(
    ("prefix", "path", "covered"),
    [
        ("/up", "/up", True),
        ("/up", "/up/", True),
        ("/up", "/up/a", True),
        ("/up", "/upper", False),
        ("/up", "/u", False),
        ("/up", "/UP/a", False),
        ("/up", "/%75p/a", False),
        ("/up", "//up", False),
        ("/up", "/up;x", False),
        ("/a/b", "/a/b/c", True),
        ("/a/b", "/a/bc", False),
    ],
)
def test_a_mount_covers_itself_and_what_lies_below_byte_by_byte(prefix: str, path: str, covered: bool) -> None:
    assert covers(prefix, path) is covered


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [("/a", "/a", None), ("/a?", "/a", ""), ("/a?b=c", "/a", "b=c"), ("/a?b?c", "/a", "b?c"), ("?", "", "")],
)
def test_a_query_is_split_off_and_joined_again(target: str, path: str, query: str | None) -> None:
    assert split_query(target) == (path, query)
    assert join_query(path, query) == target


@pytest.mark.parametrize(
    ("target", "origin_form"),
    [
        ("http://here:80/a?b", "/a?b"),
        ("HTTP://HERE:80/a", "/a"),
        ("https://here:80//x/../%2e?", "//x/../%2e?"),
        ("http://here:80", "/"),
        ("http://here:80?q", "/?q"),
        ("http://here:80#f", "/#f"),
        ("http://there:80/a", None),
        ("http://here/a", None),
        ("http://u:p@here:80/a", None),
        ("http://here:80@there/a", None),
        ("ftp://here:80/a", None),
        ("http:/here:80/a", None),
        ("here:80", None),
        ("/a", None),
        ("*", None),
        ("", None),
    ],
)
def test_an_absolute_form_counts_only_where_it_names_us(target: str, origin_form: str | None) -> None:
    assert strip_absolute_form(target, frozenset({"here:80"})) == origin_form


@pytest.mark.parametrize(
    ("query", "values", "rest"),
    [
        ("key=abc", ["abc"], None),
        ("a=1&key=abc&b=2", ["abc"], "a=1&b=2"),
        ("key=a&key=b&c", ["a", "b"], "c"),
        ("key=", [""], None),
        ("key", [""], None),
        ("%6bey=a%2Bb+c", ["a+b c"], None),
        ("a=%zz&&key=x&=&b=+", ["x"], "a=%zz&&=&b=+"),
        ("keys=1&akey=2&KEY=3", [], "keys=1&akey=2&KEY=3"),
        ("a=key=x", [], "a=key=x"),
        ("key=a=b", ["a=b"], None),
        ("", [], ""),
    ],
)
def test_a_parameter_is_taken_and_the_other_bytes_stay(query: str, values: list[str], rest: str | None) -> None:
    assert take_parameters(query, "key") == (values, rest)


@fuzz
@given(st.lists(st.text(st.characters(exclude_characters="&"), max_size=8), max_size=6), st.integers(0, 6))
def test_a_query_without_its_key_is_the_query_as_it_was(parts: list[str], place: int) -> None:
    parts = [part for part in parts if unquote(part.partition("=")[0].replace("+", " ")) != "key"]
    before = "&".join(parts)
    parts.insert(place, "key=x")
    values, rest = take_parameters("&".join(parts), "key")
    assert values == ["x"]
    assert rest == (before if len(parts) > 1 else None)
