"""What the demo says, as neutral data: an `Ask` in (what a dialect read from its request), a `Script` out
(words, calls, counts).

A word counts as one token, a fragment of tool arguments too, so that every dialect, whole or streamed,
reports the same usage. The text is fixed; of the request only the length of the last user message is
mentioned. Knows no wire format.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from proxy.demo.answer import BadAsk

TEXT: Final = (
    "Hello from the Penstock demo. Water comes down the hill through a gated pipe, and at the end of it a wheel turns. "
    "These words come down a pipe too, one event at a time, and each is readable as soon as it has left. "
    "Your last message had {length} characters."
)
LEAD: Final = "Let me look that up."
FRAGMENT: Final = 6  # characters of tool arguments per event: a short object still comes in several
TRIGGERS: Final = ("tool", "weather")
PLACES: Final = ("Paris", "Oslo")


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as the request declares it: its name and the JSON schema of its arguments."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as every dialect means it. `serial` and `now` (Unix seconds) keep ids and times stable in an answer."""

    model: str
    serial: int
    now: int
    stream: bool = False
    user_text: str = ""
    prompt_tokens: int = 0
    max_tokens: int | None = None
    tools: tuple[Tool, ...] = ()
    must_call: bool = False
    may_call: bool = True
    one_call: bool = False
    after_result: bool = False  # the last message is a tool's result: now the text is due
    with_usage: bool = True
    as_array: bool = False  # a stream framed as a JSON array instead of events


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call; the fragments together are a JSON object."""

    name: str
    fragments: tuple[str, ...]

    @property
    def arguments(self) -> str:
        return "".join(self.fragments)


@dataclass(frozen=True, slots=True)
class Script:
    """One answer: words that keep their leading space, calls, and how it ends (`stop`, `length` or `tool`)."""

    words: tuple[str, ...]
    calls: tuple[Call, ...]
    stop: str
    input_tokens: int
    output_tokens: int

    @property
    def text(self) -> str:
        return "".join(self.words)


def build_script(ask: Ask, giant: int = 0) -> Script:
    """The answer to `ask`; with `giant` a first word of so many bytes. Calls beyond the token limit are left out."""
    calls = build_calls(ask) if _wants_call(ask) else ()
    words = split_words(LEAD if calls else TEXT.format(length=len(ask.user_text)))
    if giant:
        words = ("x" * giant, *words)
    limit = ask.max_tokens if ask.max_tokens is not None else len(words) + sum(len(call.fragments) for call in calls)
    fitting: list[Call] = []
    used = min(len(words), limit)
    for call in calls:
        if used + len(call.fragments) > limit:
            break
        fitting.append(call)
        used += len(call.fragments)
    cut = limit < len(words) or len(fitting) < len(calls)
    stop = "length" if cut else "tool" if calls else "stop"
    return Script(words[:limit], tuple(fitting), stop, ask.prompt_tokens, used)


def _wants_call(ask: Ask) -> bool:
    if not ask.tools or not ask.may_call:
        return False
    named = any(word in ask.user_text.lower() for word in TRIGGERS)
    return ask.must_call or (named and not ask.after_result)


def build_calls(ask: Ask) -> tuple[Call, ...]:
    """One call of the first tool, or two, of the first two tools, when the message says "parallel"."""
    count = 2 if "parallel" in ask.user_text.lower() and not ask.one_call else 1
    calls = []
    for index in range(count):
        tool = ask.tools[index % len(ask.tools)]
        text = msgspec.json.encode(build_arguments(tool.schema, PLACES[index])).decode()
        calls.append(Call(tool.name, tuple(text[at : at + FRAGMENT] for at in range(0, len(text), FRAGMENT))))
    return tuple(calls)


def build_arguments(schema: Mapping[str, Any], place: str) -> dict[str, Any]:
    """A value for every property of an object schema, by its first enum value or its type; texts are a place's name."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return {}
    samples: dict[str, Any] = {"integer": 2, "number": 2.5, "boolean": True, "array": [], "object": {}}
    arguments: dict[str, Any] = {}
    for name, rule in properties.items():
        rule = rule if isinstance(rule, Mapping) else {}
        enum = rule.get("enum")
        kind = str(rule.get("type", "string")).lower()
        arguments[str(name)] = enum[0] if isinstance(enum, list) and enum else samples.get(kind, place)
    return arguments


def split_words(text: str) -> tuple[str, ...]:
    """Words with the space before them, so that joining them gives the text back."""
    first, *rest = text.split(" ")
    return (first, *(" " + word for word in rest))


def count_tokens(*texts: str) -> int:
    return sum(len(text.split()) for text in texts)


def parse_body(body: bytes) -> dict[str, Any]:
    """The request's JSON object. Raises `BadAsk`."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadAsk("the body is not valid JSON") from None
    if not isinstance(value, dict):
        raise BadAsk("the body is not a JSON object")
    return value


def parse_limit(value: object, name: str) -> int | None:
    """A token limit from 1, or None when it is absent. Raises `BadAsk`."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadAsk(f"{name}: expected a whole number from 1")
    return value


def parse_objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list, whatever else stands in it; nothing when it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def parse_object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def parse_text(content: object) -> str:
    """The text of a content field: a string, or the `text` of its parts."""
    if isinstance(content, str):
        return content
    return " ".join(str(part["text"]) for part in parse_objects(content) if "text" in part)
