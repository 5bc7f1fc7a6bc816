"""Guesses how many tokens a request has, where no provider has counted them yet or none can.

Four bytes of text a token, as all vendors give for English; images, files and audio at a flat rate, since their bytes
say little. Takes a hub `Request`, never raises. The number is shown to clients only (the context size in
`message_start`, a count of tokens where the provider counts none), never written into a ledger.
"""

from collections.abc import Iterable
from typing import Final

from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import (
    Audio,
    File,
    Image,
    Json,
    Opaque,
    Part,
    Redacted,
    Refusal,
    Request,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

_BYTES: Final = 4  # of text, a token
_MESSAGE: Final = 12  # bytes that a role and its delimiters are worth
_MEDIA: Final = 6000  # bytes: 1500 tokens, an image of a megapixel (docs.anthropic.com, vision) or a page of a PDF


def estimate_tokens(request: Request) -> int:
    """At least 1."""
    size = sum(_measure(part.text) for part in request.system)
    for message in request.messages:
        size += _MESSAGE + _measure_parts(message.parts)
    for tool in request.tools:
        size += _MESSAGE + _measure(tool.name) + _measure(tool.description) + _measure_json(tool.schema)
    size += sum(_measure_json(tool.json) for tool in request.server_tools)
    if request.output is not None:
        size += _measure_json(request.output.schema)
    return max(1, -(-size // _BYTES))


def _measure_parts(parts: Iterable[Part]) -> int:
    return sum(_measure_part(part) for part in parts)


def _measure_part(part: Part) -> int:
    match part:
        case Text() | Thinking() | Refusal():
            return _measure(part.text)
        case ToolCall():
            return _MESSAGE + _measure(part.name) + _measure(part.arguments)
        case ToolResult():
            return _MESSAGE + _measure_parts(part.content)
        case Image() | File() | Audio():
            return _MEDIA
        case Redacted():
            return _measure(part.signature.value)
        case Opaque():
            return _measure_json(part.json)
        case _:
            return 0


def _measure(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _measure_json(value: Json) -> int:
    return 0 if value is None else len(encode_json(value))
