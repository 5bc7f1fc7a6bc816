"""Tool names there and back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.names import ANTHROPIC, GEMINI, OPENAI, Charset, NameMap
from tests.helpers.feeds import fuzz

CHARSETS = st.sampled_from([OPENAI, ANTHROPIC, GEMINI])
NAMES = st.text(max_size=140) | st.from_regex(re.compile(r"[a-zA-Z0-9_.:/-]{1,140}"), fullmatch=True)


@fuzz
@given(st.lists(NAMES, max_size=6, unique=True), CHARSETS)
def test_every_name_fits_there_and_comes_back(names: list[str], fits: Charset) -> None:
    changed = NameMap(names, fits)
    there = [changed.there(name) for name in names]
    assert all(fits(name) for name in there)
    assert len(set(there)) == len(names)
    assert [changed.back(name) for name in there] == names


@fuzz
@given(NAMES, CHARSETS)
def test_a_name_that_fits_stays(name: str, fits: Charset) -> None:
    if fits(name):
        assert NameMap([name], fits).there(name) == name
    assert NameMap([], fits).there(name) == NameMap([], fits).back(name) == name


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("mcp.server/tool", "mcp_server_tool_"),
        ("9lives.", "_9lives__"),
        ("", "__"),
        ("é", "___"),
        ("x" * 65, "x" * 55 + "_"),
        ("name\n", "name__"),
    ],
)
def test_a_changed_name_is_still_recognised(name: str, start: str) -> None:
    short = NameMap([name]).there(name)
    assert re.fullmatch(re.escape(start) + "[0-9a-f]{8}", short)
    assert short == NameMap([name]).there(name)


def test_names_that_look_alike_stay_apart() -> None:
    names = ["a.b", "a/b", "a_b", "x" * 64 + "1", "x" * 64 + "2"]
    changed = NameMap(names)
    assert len({changed.there(name) for name in names}) == len(names)
