"""The script: words, calls, limits and counts, without any wire form."""

import json

import pytest

from proxy.demo.media import build_media
from proxy.demo.script import FRAGMENT, Ask, Tool, build_arguments, build_script, split_words

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


@pytest.mark.parametrize(
    ("text", "asked", "thinks"),
    [("think hard", None, True), ("rethink", None, False), ("hello", True, True), ("think", False, False)],
)
def test_reasoning_is_asked_for_or_triggered(text: str, asked: bool | None, thinks: bool) -> None:
    script = build_script(ask(tools=(), user_text=text, think=asked))
    assert bool(script.thoughts) is thinks
    assert script.output_tokens == len(script.thoughts) + len(script.words)
    assert script.reasoning_tokens == len(script.thoughts)


def test_limit_cuts_thoughts_first() -> None:
    script = build_script(ask(tools=(), think=True, max_tokens=3))
    assert (len(script.thoughts), script.words, script.stop) == (3, (), "length")


def test_trigger_is_looked_for_in_the_last_text_only() -> None:
    assert build_script(ask(tools=(), user_text="refuse hello", prompt="hello")).stop == "stop"
    assert build_script(ask(tools=(), user_text="hello refuse", prompt="refuse")).stop == "refusal"
    blocked = build_script(ask(user_text="blocked weather"))
    assert (blocked.stop, blocked.words, blocked.output_tokens) == ("blocked", (), 0)


def test_what_came_is_described() -> None:
    script = build_script(ask(tools=(), media=(build_media("image/png", b"abc"),)))
    assert script.text.endswith(" Received: image/png of 3 bytes, ba7816bf.")


def test_json_answer_fits_the_schema_and_is_never_empty() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
    script = build_script(ask(tools=(), output=schema))
    assert json.loads(script.text) == {"city": "Paris", "days": 2}
    assert script.output_tokens == len(script.words) > 1
    assert json.loads(build_script(ask(tools=(), output={})).text) == {"answer": "Paris"}
