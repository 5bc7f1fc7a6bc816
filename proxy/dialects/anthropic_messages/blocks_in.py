"""A client's messages and content blocks (docs.anthropic.com/en/api/messages) as parts of the hub.

Takes one `Fields` per message and keeps the conversation's state: which tool calls have been seen, so that a result
without one is refused as Anthropic refuses it. Unknown block types become `Opaque`, for they are the vendor's next
feature. Raises Invalid with the block's path. What of a document has no form in the hub is noted in `asked`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from proxy.dialects.anthropic_messages.native import DIALECT, NATIVE
from proxy.dialects.fields import Fields
from proxy.dialects.json_text import encode_json
from proxy.dialects.media import fit_base64, fit_image, fit_mime
from proxy.dialects.parts import (
    File,
    Image,
    Json,
    Media,
    Message,
    Opaque,
    Part,
    Redacted,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from proxy.dialects.signatures import read_signature

IMAGE_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})

Cache = Mapping[str, Json] | None


def read_cache(fields: Fields) -> Cache:
    value = fields.child("cache_control")
    return None if value is None else value.value


def parse_texts(fields: Fields, name: str) -> list[Text]:
    """A string or an array of text blocks."""
    value = fields.raw(name)
    if value is None:
        return []
    if isinstance(value, str):
        return [Text(value, at=fields.place(name))]
    texts = []
    for block in fields.children(name):
        block.choice("type", "text", "text")
        texts.append(Text(block.text("text"), at=block.at, cache=read_cache(block)))
    return texts


class Conversation:
    """The messages of one request, read in order. asked: parameters met within blocks, by name. blocks: as they stood,
    by place (see `native.py`). loaded: tools that a search has found, by name."""

    def __init__(self) -> None:
        self.asked: dict[str, Json] = {}
        self.blocks: dict[str, Json] = {}
        self.loaded: set[str] = set()
        self._calls: set[str] = set()

    def parse_message(self, fields: Fields) -> Message:
        role = fields.text("role")
        if role == "system":
            return Message("system", tuple(parse_texts(fields, "content")), fields.at)
        if role not in ("user", "assistant"):
            raise fields.invalid("role", "must be one of user, assistant, system")
        parts = tuple(self._parse_content(fields, role))
        return Message(role, _move_signatures(parts) if role == "assistant" else parts, fields.at)  # type: ignore[arg-type]

    def _parse_content(self, fields: Fields, role: str) -> Iterator[Part]:
        value = fields.raw("content")
        if isinstance(value, str):
            yield Text(value, at=fields.place("content"))
            return
        if not isinstance(value, list):
            raise fields.invalid("content", "must be a string or an array of content blocks")
        for block in fields.children("content"):
            yield from self._parse_block(block, role)

    def _parse_block(self, block: Fields, role: str) -> Iterator[Part]:
        kind = block.text("type")
        belongs = _ROLES.get(kind)
        if belongs is not None and belongs != role:
            raise block.invalid("type", f"{kind} blocks stand in {belongs} messages")
        self.blocks[block.at] = block.value
        match kind:
            case "thinking":
                signature = read_signature(block.text("signature", ""), NATIVE)
                yield Thinking(block.text("thinking", ""), signature, at=block.at)
            case "redacted_thinking":
                data = read_signature(block.text("data", ""), NATIVE)
                if data is not None:  # an envelope that was damaged on its way means nothing to anybody
                    yield Redacted(data, at=block.at)
            case "tool_use":
                yield self._parse_call(block)
            case "tool_result":
                yield self._parse_result(block)
            case _:
                yield from self._parse_shown(block, kind)

    def _parse_shown(self, block: Fields, kind: str) -> Iterator[Part]:
        """What may stand in a message and in a tool's result."""
        match kind:
            case "text":
                yield Text(block.text("text"), at=block.at, cache=read_cache(block))
            case "image":
                yield _parse_image(block)
            case "document":
                yield from self._parse_document(block)
            case "tool_reference":  # the API puts the tool's definition in its place
                name = _read_id(block, "tool_name")
                self.loaded.add(name)
                yield Text(f"The tool {name} can be called now.", at=block.at)
            case _:
                yield Opaque(DIALECT, block.value, at=block.at, cache=read_cache(block))

    def _parse_call(self, block: Fields) -> ToolCall:
        call_id = _read_id(block, "id")
        arguments = block.child("input")
        text = "{}" if arguments is None else encode_json(arguments.value).decode()
        self._calls.add(call_id)
        return ToolCall(call_id, _read_id(block, "name"), text, at=block.at, cache=read_cache(block))

    def _parse_result(self, block: Fields) -> ToolResult:
        call_id = _read_id(block, "tool_use_id")
        if call_id not in self._calls:
            raise block.invalid("tool_use_id", "names no tool_use block of an earlier message")
        value = block.raw("content")
        content: list[Part] = []
        if isinstance(value, str):
            content.append(Text(value, at=block.place("content")))
        elif value is not None:
            for inner in block.children("content"):
                content += self._parse_shown(inner, inner.text("type"))
        failed = block.flag("is_error", False)
        return ToolResult(call_id, tuple(content), is_error=failed, at=block.at, cache=read_cache(block))

    def _parse_document(self, block: Fields) -> Iterator[Part]:
        source = _read_source(block)
        citations = block.child("citations")
        if citations is not None and citations.flag("enabled", False):
            self.asked["citations"] = True
        cache = read_cache(block)
        title, context = block.text("title", None) or "", block.text("context", None) or ""
        match source.text("type"):
            case "text":
                yield Text(_frame(title, context, source.text("data")), at=block.at, cache=cache)
            case "content":
                yield self._parse_custom(block, source, title, context)
            case _:
                yield File(_parse_media(source, "application/pdf"), title, at=block.at, cache=cache)
                if context:
                    self.blocks[block.place("context")] = None
                    yield Text(context, at=block.place("context"))

    def _parse_custom(self, block: Fields, source: Fields, title: str, context: str) -> Part:
        """A document of the client's own chunks: text, or what only Anthropic understands."""
        cache = read_cache(block)
        value = source.raw("content")
        chunks = [value] if isinstance(value, str) else []
        for inner in () if isinstance(value, str) else source.children("content"):
            if inner.text("type") != "text":
                return Opaque(DIALECT, block.value, at=block.at, cache=cache)
            chunks.append(inner.text("text"))
        return Text(_frame(title, context, "\n".join(chunks)), at=block.at, cache=cache)


_ROLES: Final = {
    "tool_use": "assistant",
    "thinking": "assistant",
    "redacted_thinking": "assistant",
    "tool_result": "user",
}


def _read_id(block: Fields, name: str) -> str:
    value = block.text(name)
    if not value:
        raise block.invalid(name, "must not be empty")
    return value


def _read_source(block: Fields) -> Fields:
    source = block.child("source")
    if source is None:
        raise block.invalid("source", "is required")
    return source


def _parse_image(block: Fields) -> Image:
    image = Image(_parse_media(_read_source(block), ""), at=block.at, cache=read_cache(block))
    return fit_image(image, IMAGE_TYPES)


def _parse_media(source: Fields, mime: str) -> Media:
    match source.choice("type", "", "base64", "url", "file"):
        case "base64":
            try:
                data = fit_base64(source.text("data"))
            except ValueError:
                raise source.invalid("data", "is not valid base64") from None
            if not data:
                raise source.invalid("data", "must not be empty")
            return Media(fit_mime(source.text("media_type", mime)), data)
        case "url":
            return Media(mime, url=_read_id(source, "url"))
        case "file":
            return Media(mime, file_id=_read_id(source, "file_id"))
    raise source.invalid("type", "is required")


def _frame(title: str, context: str, text: str) -> str:
    """A document as text, its name and context with it, as Anthropic's prompting guide writes documents."""
    head = (f"<source>{title}</source>\n" if title else "") + (f"<context>{context}</context>\n" if context else "")
    return f"<document>\n{head}{text}\n</document>"


def _move_signatures(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Gemini signs tool calls. Towards these clients such a signature travels on a thinking block before the call
    (`encode.py`); here it goes back to the call, and a block that was made only to carry it goes away."""
    moved: list[Part] = []
    for part in parts:
        before = moved[-1] if moved else None
        if isinstance(part, ToolCall) and isinstance(before, Thinking | Redacted) and _is_geminis(before.signature):
            part = replace(part, signature=before.signature)
            moved.pop()
            if isinstance(before, Thinking) and before.text:
                moved.append(replace(before, signature=None))
        moved.append(part)
    return tuple(moved)


def _is_geminis(signature: Signature | None) -> bool:
    return signature is not None and signature.origin == "g"
