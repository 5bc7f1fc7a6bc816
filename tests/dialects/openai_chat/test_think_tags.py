"""Thoughts in the content, wherever their tags are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.events import Kind
from proxy.dialects.openai_chat.think_tags import ThinkSplitter
from tests.helpers.feeds import fuzz

T, A = Kind.THINKING, Kind.TEXT


def split(mode: str, *pieces: str) -> list[tuple[Kind, str]]:
    splitter = ThinkSplitter(mode)
    said = [pair for piece in pieces for pair in splitter.feed(piece)] + splitter.end()
    assert all(text for _, text in said)
    joined: list[tuple[Kind, str]] = []
    for kind, text in said:
        if joined and joined[-1][0] is kind:
            joined[-1] = (kind, joined[-1][1] + text)
        else:
            joined.append((kind, text))
    return joined


CASES = [
    ("tags", "<think>a</think>b", [(T, "a"), (A, "b")]),
    ("tags", "\n <think>\na</think>\n\nb", [(T, "\na"), (A, "\n\nb")]),
    ("tags", "<think></think>b", [(A, "b")]),
    ("tags", "<think>a", [(T, "a")]),
    ("tags", "<think>a</thin", [(T, "a</thin")]),
    ("tags", "<think>a</</think>b", [(T, "a</"), (A, "b")]),
    ("tags", "b <think>no</think>", [(A, "b <think>no</think>")]),
    ("tags", "<think>a</think>b</think><think>c", [(T, "a"), (A, "b</think><think>c")]),
    ("tags", "<thin", [(A, "<thin")]),
    ("tags", "<thing>b", [(A, "<thing>b")]),
    ("tags", "  b", [(A, "  b")]),
    ("tags", "", []),
    ("open", "a</think>b", [(T, "a"), (A, "b")]),
    ("open", "<think>a</think>b", [(T, "a"), (A, "b")]),
    ("open", "\na</think>b", [(T, "\na"), (A, "b")]),
]


@pytest.mark.parametrize(("mode", "text", "wanted"), CASES)
def test_every_cut_says_the_same(mode: str, text: str, wanted: list[tuple[Kind, str]]) -> None:
    assert split(mode, text) == wanted
    assert split(mode, *text) == wanted
    for at in range(1, len(text)):
        assert split(mode, text[:at], text[at:]) == wanted


def test_nothing_is_held_back_behind_the_tags() -> None:
    splitter = ThinkSplitter("tags")
    splitter.feed("<think>a</think>")
    assert splitter.feed("<") == [(A, "<")]


def test_blanks_are_not_held_for_ever() -> None:
    assert ThinkSplitter("tags").feed(" " * 2000) == [(A, " " * 2000)]


@fuzz
@given(st.lists(st.text("</think>ab \n", max_size=12), max_size=8), st.sampled_from(["tags", "open"]))
def test_cuts_do_not_matter(pieces: list[str], mode: str) -> None:
    assert split(mode, *pieces) == split(mode, "".join(pieces))
