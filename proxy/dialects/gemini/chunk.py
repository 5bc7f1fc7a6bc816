"""One `GenerateContentResponse`, typed: what a stream's event or a whole answer holds (ai.google.dev/api).

`parse_chunk` takes the JSON bytes of one event and returns the chunks in it, None for what is no JSON. The typed way
serves what Google sends; what does not fit it (counters as strings, objects where arrays belong, broken UTF-8, lone
surrogates) is read field by field, and fields of a wrong type count as absent. Code Assist's `response` wrapper is
taken off. Arguments of calls stay JSON text, so that numbers of any length survive.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from proxy.dialects.gemini.usage import FIELDS, MOST, UsageMetadata
from proxy.dialects.json_text import decode_leniently, encode_json
from proxy.dialects.parts import Json

NOTHING: Final = Raw(b"")
"""A field that is absent, by identity."""


class FunctionCall(Struct, rename="camel", gc=False):
    id: str | None = None
    name: str | None = None
    args: Raw = NOTHING
    partial_args: list[dict[str, Any]] | None = None
    will_continue: bool | None = None


class InlineData(Struct, rename="camel", gc=False):
    mime_type: str | None = None
    data: str | None = None


class ContentPart(Struct, rename="camel", gc=False):
    """The fields from `file_data` on are of no other dialect and stay JSON."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: FunctionCall | None = None
    inline_data: InlineData | None = None
    file_data: Raw = NOTHING
    executable_code: Raw = NOTHING
    code_execution_result: Raw = NOTHING
    tool_call: Raw = NOTHING
    tool_response: Raw = NOTHING


class Content(Struct, gc=False):
    parts: list[ContentPart] | None = None


class Candidate(Struct, rename="camel", gc=False):
    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    index: int | None = None


class Chunk(Struct, rename="camel", gc=False):
    candidates: list[Candidate] | None = None
    usage_metadata: UsageMetadata | None = None
    model_version: str | None = None
    response_id: str | None = None
    prompt_feedback: Raw = NOTHING
    error: Raw = NOTHING
    response: "Chunk | None" = None


OPAQUE: Final = ("file_data", "executable_code", "code_execution_result", "tool_call", "tool_response")
_decode = msgspec.json.Decoder(Chunk).decode


def parse_chunk(data: bytes) -> list[Chunk] | None:
    """The chunks of one event: one, but for a server that puts arrays into events."""
    try:
        chunk = _decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _parse_any(data)
    return [chunk if chunk.response is None else _unwrap(chunk)]


def read_raw(raw: Raw) -> Json:
    """The value of a field that stayed JSON; None where it is absent, or nests too deeply."""
    text = bytes(raw)
    try:
        return decode_leniently(text) if text else None
    except ValueError:
        return None


def read_chunks(value: Json) -> list[Chunk]:
    """The chunks in a decoded value; none where there is no object."""
    items = value if isinstance(value, list) else [value]
    return [_read_wrapped(item) for item in items if isinstance(item, dict)]


def _parse_any(data: bytes) -> list[Chunk] | None:
    try:
        value = decode_leniently(data)
    except ValueError:
        return None
    return read_chunks(value)


def _unwrap(chunk: Chunk) -> Chunk:
    inner = chunk.response
    if inner is None:
        return chunk
    if inner.error is NOTHING:
        inner.error = chunk.error
    return inner


def _read_wrapped(fields: Json) -> Chunk:
    chunk = _read_chunk(fields)
    inner = fields.get("response")
    if isinstance(inner, dict):
        chunk.response = _read_chunk(inner)
    return _unwrap(chunk)


def _read_chunk(fields: Json) -> Chunk:
    usage = fields.get("usageMetadata")
    return Chunk(
        candidates=[_read_candidate(item) for item in _objects(fields.get("candidates"))],
        usage_metadata=UsageMetadata(*(_tokens(usage.get(name)) for name in _USAGE))
        if isinstance(usage, dict)
        else None,
        model_version=_text(fields.get("modelVersion")),
        response_id=_text(fields.get("responseId")),
        prompt_feedback=_raw(fields.get("promptFeedback")),
        error=_raw(fields.get("error")),
    )


def _read_candidate(fields: Json) -> Candidate:
    content = fields.get("content")
    parts = _objects(content.get("parts")) if isinstance(content, dict) else ()
    return Candidate(
        content=Content([_read_part(part) for part in parts]),
        finish_reason=_text(fields.get("finishReason")),
        finish_message=_text(fields.get("finishMessage")),
        index=_count(fields.get("index")),
    )


def _read_part(fields: Json) -> ContentPart:
    call, data = fields.get("functionCall"), fields.get("inlineData")
    part = ContentPart(
        text=_text(fields.get("text")),
        thought=fields.get("thought") is True,
        thought_signature=_text(fields.get("thoughtSignature")),
        function_call=_read_call(call) if isinstance(call, dict) else None,
        inline_data=InlineData(_text(data.get("mimeType")), _text(data.get("data")))
        if isinstance(data, dict)
        else None,
    )
    for name, key in zip(OPAQUE, OPAQUE_KEYS, strict=True):
        setattr(part, name, _raw(fields.get(key)))
    return part


def _read_call(fields: Json) -> FunctionCall:
    return FunctionCall(
        id=_text(fields.get("id")),
        name=_text(fields.get("name")),
        args=_raw(fields.get("args")),
        partial_args=list(_objects(fields.get("partialArgs"))) or None,
        will_continue=fields.get("willContinue") is True,
    )


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _count(value: Json) -> int | None:
    """int64 is a string in proto JSON."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _tokens(value: Json) -> int | None:
    count = _count(value)
    return count if count is not None and 0 <= count <= MOST else None


def _raw(value: Json) -> Raw:
    return NOTHING if value is None else Raw(encode_json(value))


def _objects(value: Json) -> Iterable[dict[str, Json]]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


def _camel(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(first + "".join(map(str.title, rest)) for first, *rest in (name.split("_") for name in names))


_USAGE: Final = _camel(FIELDS)
OPAQUE_KEYS: Final = _camel(OPAQUE)
