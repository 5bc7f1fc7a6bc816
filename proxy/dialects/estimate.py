"""Guesses how many tokens a request has, where no provider has counted them yet or none can.

Four bytes of text a token, as all vendors give for English; images, files and audio at a flat rate, since their bytes
say little. Takes a hub `Request`, never raises. The number is shown to clients (the context size in `message_start`, a
count of tokens where the provider counts none); the same measure fills what a provider has left open of a stream's
usage, and then the books say so.
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

BYTES_PER_TOKEN: Final = 4  # of text, a token
_MESSAGE: Final = 12  # bytes that a role and its delimiters are worth
_MEDIA: Final = 6000  # bytes: 1500 tokens, an image of a megapixel (docs.anthropic.com, vision) or a page of a PDF


def estimate_tokens(request: Request) -> int:
    """At least 1."""
    size = sum(measure_text(part.text) for part in request.system)
    for message in request.messages:
        size += _MESSAGE + _measure_parts(message.parts)
    for tool in request.tools:
        size += _MESSAGE + measure_text(tool.name) + measure_text(tool.description) + _measure_json(tool.schema)
    size += sum(_measure_json(tool.json) for tool in request.server_tools)
    if request.output is not None:
        size += _measure_json(request.output.schema)
    return max(1, count_tokens(size))


def count_tokens(size: int) -> int:
    """How many `size` bytes of text are."""
    return -(-size // BYTES_PER_TOKEN)


def _measure_parts(parts: Iterable[Part]) -> int:
    return sum(_measure_part(part) for part in parts)


def _measure_part(part: Part) -> int:
    match part:
        case Text() | Thinking() | Refusal():
            return measure_text(part.text)
        case ToolCall():
            return _MESSAGE + measure_text(part.name) + measure_text(part.arguments)
        case ToolResult():
            return _MESSAGE + _measure_parts(part.content)
        case Image() | File() | Audio():
            return _MEDIA
        case Redacted():
            return measure_text(part.signature.value)
        case Opaque():
            return _measure_json(part.json)
        case _:
            return 0


def measure_text(text: str) -> int:
    """Its bytes."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _measure_json(value: Json) -> int:
    return 0 if value is None else len(encode_json(value))
