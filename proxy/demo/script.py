"""What the demo says, as neutral data: an `Ask` in (what a dialect read from its request), a `Script` out
(thoughts, words, calls, counts).

A word counts as one token, a fragment of JSON too, so that every dialect, whole or streamed, reports the same usage.
The text is fixed; of the request only the length of the last user message and what came with it are mentioned. Words in
that message ask for more: see `TRIGGERS`. Knows no wire format.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from proxy.demo.media import Media
from proxy.demo.schemas import build_sample

TEXT: Final = (
    "Hello from the Penstock demo. Water comes down the hill through a gated pipe, and at the end of it a wheel turns. "
    "These words come down a pipe too, one event at a time, and each is readable as soon as it has left. "
    "Your last message had {length} characters."
)
THOUGHTS: Final = "**Plan**\n\nThe user wants an answer. I have one at hand, and I will give it word by word."
REFUSAL: Final = "I cannot help with that."
LEAD: Final = "Let me look that up."
RECEIVED: Final = " Received: {media}."
FRAGMENT: Final = 6  # characters of JSON per event: a short object still comes in several
PLACES: Final = ("Paris", "Oslo")
TRIGGERS: Final = {
    "tool": re.compile(r"tool|weather"),
    "parallel": re.compile(r"parallel"),
    "think": re.compile(r"\bthink\b"),
    "refuse": re.compile(r"\brefuse\b"),
    "blocked": re.compile(r"\bblocked\b"),
}
"""Words in the last text of the last user message, and what they ask for: a tool call, two of them, reasoning, a
refusal in words, an answer that a filter held back."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as the request declares it: its name and the JSON schema of its arguments."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as every dialect means it. `serial` and `now` (Unix seconds) keep ids and times stable in an answer.

    think: whether reasoning was asked for, None when the request does not say; show: whether readable. prompt: the
    text that triggers are looked for in, `user_text` when empty. media: what came with this turn. output: the schema
    of a JSON answer, {} for any object. options: words of the dialect's own that its writer wants to know.
    """

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
    after_result: bool = False  # the turn has a tool's result already: now the text is due
    with_usage: bool = True
    as_array: bool = False  # a stream framed as a JSON array instead of events
    prompt: str = ""
    cached_tokens: int = 0
    think: bool | None = None
    show: bool = True
    media: tuple[Media, ...] = ()
    output: Mapping[str, Any] | None = None
    counting: bool = False  # only the number of tokens is wanted
    options: frozenset[str] = frozenset()

    def wants(self, trigger: str) -> bool:
        return TRIGGERS[trigger].search((self.prompt or self.user_text).lower()) is not None


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call; the fragments together are a JSON object."""

    name: str
    fragments: tuple[str, ...]

    @property
    def arguments(self) -> str:
        return "".join(self.fragments)

    @property
    def value(self) -> Any:
        return msgspec.json.decode(self.arguments)


@dataclass(frozen=True, slots=True)
class Script:
    """One answer: words that keep their leading space, calls, and how it ends (`stop`, `length`, `tool`, `refusal`
    or `blocked`). Of the input `cached_tokens` were read from a cache; the output includes the thoughts."""

    words: tuple[str, ...]
    calls: tuple[Call, ...]
    stop: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    thoughts: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return "".join(self.words)

    @property
    def thought(self) -> str:
        return "".join(self.thoughts)

    @property
    def reasoning_tokens(self) -> int:
        return len(self.thoughts)


def build_script(ask: Ask, giant: int = 0) -> Script:
    """The answer to `ask`; with `giant` a first word of so many bytes. Calls beyond the token limit are left out."""
    thinks = ask.think if ask.think is not None else ask.wants("think")
    thoughts = split_words(THOUGHTS) if thinks else ()
    words: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    stop = "stop"
    if ask.wants("blocked"):
        stop = "blocked"
    elif ask.wants("refuse"):
        words, stop = split_words(REFUSAL), "refusal"
    elif _wants_call(ask):
        words, calls, stop = split_words(LEAD), build_calls(ask), "tool"
    else:
        words = _build_words(ask)
    if giant:
        words = ("x" * giant, *words)
    return _cut(ask, Script(words, calls, stop, ask.prompt_tokens, 0, ask.cached_tokens, thoughts))


def _cut(ask: Ask, script: Script) -> Script:
    """The script within the token limit: thoughts first, then words, then calls, which are never halved."""
    full = len(script.thoughts) + len(script.words) + sum(len(call.fragments) for call in script.calls)
    limit = full if ask.max_tokens is None else ask.max_tokens
    thoughts = script.thoughts[:limit]
    words = script.words[: limit - len(thoughts)]
    used = len(thoughts) + len(words)
    fitting: list[Call] = []
    for call in script.calls:
        if used + len(call.fragments) > limit:
            break
        fitting.append(call)
        used += len(call.fragments)
    stop = "length" if limit < full else script.stop
    return Script(words, tuple(fitting), stop, script.input_tokens, used, script.cached_tokens, thoughts)


def _build_words(ask: Ask) -> tuple[str, ...]:
    if ask.output is not None:
        value = build_sample(ask.output, PLACES[0])
        return split_fragments(value if isinstance(value, dict) and value else {"answer": PLACES[0]})
    words = split_words(TEXT.format(length=len(ask.user_text)))
    if ask.media:
        words += split_words(RECEIVED.format(media="; ".join(item.describe() for item in ask.media)))[1:]
    return words


def _wants_call(ask: Ask) -> bool:
    if not ask.tools or not ask.may_call:
        return False
    return ask.must_call or (ask.wants("tool") and not ask.after_result)


def build_calls(ask: Ask) -> tuple[Call, ...]:
    """One call of the first tool, or two, of the first two tools, when the message says "parallel"."""
    calls = []
    for index in range(2 if ask.wants("parallel") and not ask.one_call else 1):
        tool = ask.tools[index % len(ask.tools)]
        calls.append(Call(tool.name, split_fragments(build_arguments(tool.schema, PLACES[index]))))
    return tuple(calls)


def build_arguments(schema: Mapping[str, Any], place: str) -> dict[str, Any]:
    """A value for every property of an object schema; {} for a tool without any."""
    value = build_sample(schema, place) if schema.get("properties") else {}
    return value if isinstance(value, dict) else {}


def split_fragments(value: object) -> tuple[str, ...]:
    """The JSON of a value in short pieces."""
    text = msgspec.json.encode(value).decode()
    return tuple(text[at : at + FRAGMENT] for at in range(0, len(text), FRAGMENT))


def split_words(text: str) -> tuple[str, ...]:
    """Words with the space before them, so that joining them gives the text back."""
    first, *rest = text.split(" ")
    return (first, *(" " + word for word in rest))
