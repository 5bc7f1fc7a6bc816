"""What an event that a client was sent says: pieces of text, each of a kind. A dialect and an event in, pieces out.

No decoder: whoever looks on comes in the middle of a stream, so each event is read by itself, and one that is not
understood says nothing. A dialect is one row of a table.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from proxy.dialects.json_text import decode_leniently


class Piece(NamedTuple):
    """kind: text, reasoning, tool, refusal, error or other. name: of the tool, where its call begins."""

    kind: str
    text: str = ""
    name: str = ""


def read_pieces(dialect: str, data: bytes) -> list[Piece]:
    """data: the event's."""
    read = _READERS.get(dialect)
    if read is None:
        return [Piece("other", data.decode("utf-8", "replace"))]
    try:
        value = decode_leniently(data)
    except ValueError:  # `[DONE]`, above all
        return []
    return [piece for piece in read(_dict(value)) if piece.text or piece.name]


def _read_chat(chunk: Mapping[str, Any]) -> Iterator[Piece]:
    for choice in map(_dict, _list(chunk.get("choices"))):
        delta = _dict(choice.get("delta") or choice.get("message"))
        yield Piece("reasoning", _text(delta.get("reasoning_content")) or _text(delta.get("reasoning")))
        yield Piece("text", _text(delta.get("content")) or _text(choice.get("text")))
        yield Piece("refusal", _text(delta.get("refusal")))
        for call in map(_dict, _list(delta.get("tool_calls"))):
            function = _dict(call.get("function"))
            yield Piece("tool", _text(function.get("arguments")), _text(function.get("name")))
    yield _read_error(chunk)


def _read_responses(event: Mapping[str, Any]) -> Iterator[Piece]:
    kind = _RESPONSES.get(_text(event.get("type")))
    if kind is not None:
        yield Piece(kind, _text(event.get("delta")))
    item = _dict(event.get("item"))
    if event.get("type") == "response.output_item.added":
        yield Piece("tool", "", _text(item.get("name")))
    elif event.get("type") == "response.failed":
        yield _read_error(_dict(event.get("response")))
    elif event.get("type") == "error":
        yield Piece("error", _text(event.get("message")))


def _read_anthropic(event: Mapping[str, Any]) -> Iterator[Piece]:
    block, delta = _dict(event.get("content_block")), _dict(event.get("delta"))
    yield Piece("tool", "", _text(block.get("name")))
    yield Piece("reasoning", _text(delta.get("thinking")))
    yield Piece("text", _text(delta.get("text")) or _text(block.get("text")))
    yield Piece("tool", _text(delta.get("partial_json")))
    yield _read_error(event)


def _read_gemini(chunk: Mapping[str, Any]) -> Iterator[Piece]:
    chunk = _dict(chunk.get("response")) or chunk  # as Code Assist wraps it
    for candidate in map(_dict, _list(chunk.get("candidates"))):
        for part in map(_dict, _list(_dict(candidate.get("content")).get("parts"))):
            yield Piece("reasoning" if part.get("thought") else "text", _text(part.get("text")))
            call = _dict(part.get("functionCall"))
            yield Piece("tool", str(call["args"]) if call.get("args") else "", _text(call.get("name")))
    yield _read_error(chunk)


def _read_page(chunk: Mapping[str, Any]) -> Iterator[Piece]:
    kind = _PAGE.get(_text(chunk.get("type")))
    if kind is not None:
        named, text = kind
        yield Piece(named, _text(chunk.get(text)), _text(chunk.get("toolName")))


def _read_error(value: Mapping[str, Any]) -> Piece:
    return Piece("error", _text(_dict(value.get("error")).get("message")))


_RESPONSES: Final = {
    "response.output_text.delta": "text",
    "response.reasoning_text.delta": "reasoning",
    "response.reasoning_summary_text.delta": "reasoning",
    "response.refusal.delta": "refusal",
    "response.function_call_arguments.delta": "tool",
    "response.custom_tool_call_input.delta": "tool",
}
_PAGE: Final = {
    "text-delta": ("text", "delta"),
    "reasoning-delta": ("reasoning", "delta"),
    "tool-input-start": ("tool", ""),
    "tool-input-delta": ("tool", "inputTextDelta"),
    "error": ("error", "errorText"),
}
_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterator[Piece]]]] = {
    "openai-chat": _read_chat,
    "openrouter": _read_chat,
    "glm": _read_chat,
    "openai-responses": _read_responses,
    "anthropic": _read_anthropic,
    "gemini": _read_gemini,
    "code-assist": _read_gemini,
    "ui-message": _read_page,
    "event-source": _read_page,
}


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
