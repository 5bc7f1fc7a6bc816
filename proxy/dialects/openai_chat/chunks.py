"""A chunk of an OpenAI-type stream, and a whole answer, as typed structs: decoded in one go, leaves left untyped.

What servers agree on is typed (an object with a list of choices, each with a delta); every leaf is `Any`, because
somebody sends each of them as something else. `read_chunk` raises ValueError for what is no JSON object; where the
typed decoder gives up, a slower reader takes what it can and leaves out the rest.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from proxy.dialects.json_text import decode_leniently
from proxy.dialects.parts import Json
from proxy.wire.sse import Block, Parser


class Function(Struct, gc=False):
    """input: of a custom tool, which has no arguments."""

    name: Any = None
    arguments: Any = None
    input: Any = None


class Fragment(Struct):
    """A piece of a tool call."""

    index: Any = None
    id: Any = None
    function: Function | None = None
    custom: Function | None = None
    extra_content: Any = None


class Delta(Struct):
    """What a chunk adds; in a whole answer the message."""

    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None
    tool_calls: list[Fragment] | None = None
    function_call: Function | None = None
    reasoning_details: Any = None
    extra_content: Any = None
    images: Any = None


class Choice(Struct):
    """stop_reason: vLLM's, the sequence that matched."""

    index: Any = 0
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: Any = None
    stop_reason: Any = None
    usage: Any = None
    error: Any = None


class Groq(Struct):
    usage: Any = None


class Chunk(Struct):
    id: Any = None
    model: Any = None
    object: Any = None
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None
    type: Any = None
    x_groq: Groq | None = None


_decode: Final = msgspec.json.Decoder(Chunk).decode


def read_chunk(data: bytes) -> Chunk:
    """Raises ValueError for what is no JSON object by any reader."""
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        pass
    return read_value(decode_leniently(data))


def read_value(value: Json) -> Chunk:
    """The same from decoded JSON: members of a wrong type are left out."""
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return Chunk(
        id=value.get("id"),
        model=value.get("model"),
        object=value.get("object"),
        choices=[_read_choice(item) for item in _objects(value.get("choices"))],
        usage=value.get("usage"),
        error=value.get("error"),
        type=value.get("type"),
        x_groq=Groq(_object(value.get("x_groq")).get("usage")),
    )


def read_tail(tail: bytes) -> list[Block]:
    """What a body ends in without a blank line: an event, or JSON alone where a stream was announced."""
    bare = tail.strip()
    if bare.startswith(b"{"):
        return [Block(tail, "message", bare, "")]
    return Parser().feed(bare + b"\n\n") if bare else []


def _read_choice(value: dict[str, Json]) -> Choice:
    delta, message = value.get("delta"), value.get("message")
    return Choice(
        index=value.get("index", 0),
        delta=_read_delta(delta) if isinstance(delta, dict) else None,
        message=_read_delta(message) if isinstance(message, dict) else None,
        **_pick(value, "finish_reason", "stop_reason", "usage", "error"),
    )


def _read_delta(value: dict[str, Json]) -> Delta:
    return Delta(
        tool_calls=[_read_fragment(item) for item in _objects(value.get("tool_calls"))],
        function_call=_read_function(value.get("function_call")),
        **_pick(value, "content", "reasoning_content", "reasoning", "refusal", "reasoning_details", "extra_content",
                "images"),
    )  # fmt: skip


def _read_fragment(value: dict[str, Json]) -> Fragment:
    return Fragment(
        function=_read_function(value.get("function")),
        custom=_read_function(value.get("custom")),
        **_pick(value, "index", "id", "extra_content"),
    )


def _read_function(value: Json) -> Function | None:
    return Function(**_pick(value, "name", "arguments", "input")) if isinstance(value, dict) else None


def _pick(value: dict[str, Json], *names: str) -> dict[str, Json]:
    return {name: value.get(name) for name in names}


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _objects(value: Json) -> list[dict[str, Json]]:
    """A single object counts as a list of one."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]
