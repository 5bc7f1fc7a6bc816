"""The script: words, calls, limits and counts, without any wire form."""

import json

import pytest

from proxy.demo.script import FRAGMENT, Ask, Tool, build_arguments, build_script, parse_text, split_words

TOOL = Tool("w", {"properties": {"city": {"type": "string"}}})


def ask(**more: object) -> Ask:
    return Ask(**{"model": "m", "serial": 1, "now": 0, "user_text": "weather", "tools": (TOOL,), **more})


def test_words_join_back_to_the_text() -> None:
    assert split_words("a b  c") == ("a", " b", " ", " c")
    script = build_script(ask(tools=()))
    assert script.text == " ".join(word.strip() for word in script.words)
    assert script.output_tokens == len(script.words)


def test_fragments_are_short_and_join_to_json() -> None:
    (call,) = build_script(ask()).calls
    assert json.loads(call.arguments) == {"city": "Paris"}
    assert max(map(len, call.fragments)) == FRAGMENT


@pytest.mark.parametrize("limit", range(1, 15))
def test_limit_is_never_passed_and_calls_stay_whole(limit: int) -> None:
    script = build_script(ask(max_tokens=limit, user_text="parallel weather"))
    full = build_script(ask(user_text="parallel weather"))
    assert script.output_tokens == len(script.words) + sum(len(call.fragments) for call in script.calls) <= limit
    assert script.calls == full.calls[: len(script.calls)]
    assert script.stop == ("tool" if limit >= full.output_tokens else "length")


def test_arguments_follow_the_schema() -> None:
    rules = {"a": {"type": "INTEGER"}, "b": {"type": ["string"]}, "c": {"enum": [7]}, "d": 3, "e": {"type": "array"}}
    assert build_arguments({"properties": rules}, "Oslo") == {"a": 2, "b": "Oslo", "c": 7, "d": "Oslo", "e": []}
    assert build_arguments({}, "Oslo") == {}


def test_text_is_read_from_strings_and_parts() -> None:
    assert parse_text("x") == "x"
    assert parse_text([{"text": "a"}, 3, {"type": "image"}, {"text": "b"}]) == "a b"
    assert parse_text(None) == ""
