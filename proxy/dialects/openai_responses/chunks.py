"""The events of a Responses stream as they are read: typed where they are many, plain JSON where they are rare.

Most events are deltas, so one struct has their members; objects within an event stay undecoded until they are wanted.
What does not fit the struct (a number where a text should be, a lone surrogate) is read again as plain JSON.
"""

from typing import Final

import msgspec

from proxy.dialects.json_text import decode_leniently, encode_json
from proxy.dialects.parts import Json


class Chunk(msgspec.Struct):
    """Of any event. `done`: the complete text of a block that an event closes."""

    type: str = ""
    delta: str = ""
    output_index: int = 0
    content_index: int = 0
    summary_index: int = 0
    item: msgspec.Raw | None = None
    response: msgspec.Raw | None = None
    error: msgspec.Raw | None = None
    text: str | None = None
    arguments: str | None = None
    refusal: str | None = None
    input: str | None = None
    name: str | None = None

    @property
    def done(self) -> str:
        return self.text or self.arguments or self.refusal or self.input or ""


_decode = msgspec.json.Decoder(Chunk).decode
_TEXTS: Final = ("type", "delta", "text", "arguments", "refusal", "input", "name")
_COUNTS: Final = ("output_index", "content_index", "summary_index")
_OBJECTS: Final = ("item", "response", "error")


def read_chunk(data: bytes) -> Chunk | None:
    """None for what is no JSON object."""
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        pass
    try:
        value = decode_leniently(data)
    except ValueError:
        return None
    return _fit(value) if isinstance(value, dict) else None


def read_object(raw: msgspec.Raw | bytes | None) -> dict[str, Json]:
    """An object within an event, or the event itself; empty for anything else, and where it nests too deeply."""
    if raw is None:
        return {}
    try:
        value = decode_leniently(bytes(raw))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _fit(value: dict[str, Json]) -> Chunk:
    chunk = Chunk()
    for name in _TEXTS:
        if isinstance(value.get(name), str):
            setattr(chunk, name, value[name])
    for name in _COUNTS:
        count = value.get(name)
        if isinstance(count, int) and not isinstance(count, bool):
            setattr(chunk, name, count)
    for name in _OBJECTS:
        if value.get(name) is not None:
            setattr(chunk, name, msgspec.Raw(encode_json(value[name])))
    return chunk
