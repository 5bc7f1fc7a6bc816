"""The hub's messages as Anthropic's, in the order that its API demands (docs.anthropic.com/en/api/messages).

Results first in the user message behind their calls, no empty texts, the user opens, reasoning only with a signature
that Anthropic gave: a foreign or missing one is refused ("Invalid `signature` in `thinking` block"), so such blocks are
left out and never turned into text, which the model would learn to imitate. Takes a `Request`, returns JSON values;
raises Invalid with the place of a part that the model cannot take.
"""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from proxy.dialects.anthropic_messages.blocks_in import IMAGE_TYPES
from proxy.dialects.anthropic_messages.native import DIALECT, NATIVE, find_block, is_said_elsewhere, list_blocks
from proxy.dialects.chat import Invalid, Target
from proxy.dialects.fitting import Fitting
from proxy.dialects.ids import fit_call_id
from proxy.dialects.json_text import parse_arguments
from proxy.dialects.media import fit_image, fit_mime
from proxy.dialects.names import NameMap
from proxy.dialects.normalise import normalise
from proxy.dialects.parts import (
    Audio,
    File,
    Image,
    Json,
    Media,
    Message,
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

_OPENING: Final = "(continue)"
_CLOSING: Final = "Continue."
_EMPTY: Final = "."
_LONGEST_TITLE: Final = 500

Block = dict[str, Any]


def prepare_messages(request: Request) -> list[Message]:
    """The conversation in Anthropic's order, without reasoning that it would refuse."""
    messages = [replace(message, parts=tuple(_keep_native(message.parts))) for message in request.messages]
    return normalise(replace(request, messages=messages), alternate=True, results_in_user=True, mid_system=False)


def begins_unsigned(messages: list[Message]) -> bool:
    """The tool loop that is going on was begun without reasoning: models that think with a budget refuse to go on
    with it ("Expected `thinking` or `redacted_thinking`, but found `tool_use`")."""
    last = next((message for message in reversed(messages) if message.role == "assistant"), None)
    if last is None or not any(isinstance(part, ToolCall) for part in last.parts):
        return False
    return not isinstance(last.parts[0], Thinking | Redacted)


def build_messages(
    messages: list[Message], request: Request, target: Target, names: NameMap, fitting: Fitting, *, prefill: bool
) -> list[Block]:
    """prefill: the model may be asked to continue an assistant message."""
    writer = _Writer(request, target, names, fitting)
    built: list[Block] = []
    for message in messages:
        content = [block for part in message.parts for block in writer.build_part(part, message.role)]
        if content:
            built.append({"role": message.role, "content": content})
    if not built or built[0]["role"] != "user":
        built.insert(0, _say(_OPENING if built else _EMPTY))
    _fit_end(built, prefill)
    return built


def _fit_end(built: list[Block], prefill: bool) -> None:
    """A last assistant message is continued, or must not be there; blanks at its end are refused."""
    if built[-1]["role"] != "assistant":
        return
    if not prefill:
        built.append(_say(_CLOSING))
        return
    content = built[-1]["content"]
    while content and content[-1]["type"] == "text":
        content[-1]["text"] = content[-1]["text"].rstrip()
        if content[-1]["text"]:
            return
        content.pop()
    if not content:
        built.pop()


def _say(text: str) -> Block:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def _keep_native(parts: Iterable[Part]) -> Iterator[Part]:
    for part in parts:
        if isinstance(part, Thinking | Redacted) and (part.signature is None or part.signature.origin != NATIVE):
            continue
        yield part


class _Writer:
    """One part after the other."""

    def __init__(self, request: Request, target: Target, names: NameMap, fitting: Fitting) -> None:
        self._native = request.dialect == DIALECT
        self._blocks = list_blocks(request)
        self._fitting = fitting
        self._images = target.capabilities.images
        self._names = names

    def build_part(self, part: Part, role: str) -> Iterator[Block]:
        if is_said_elsewhere(self._blocks, part):
            return
        if (block := find_block(self._blocks, part)) is not None and (self._images or block["type"] != "image"):
            yield block
            return
        for block in self._build(part, role):
            if part.cache is not None and block["type"] not in ("thinking", "redacted_thinking"):
                block = {**block, "cache_control": dict(part.cache)}
            yield block

    def _build(self, part: Part, role: str) -> Iterator[Block]:
        match part:
            case Text() | Refusal():
                if part.text:
                    yield {"type": "text", "text": part.text}
            case ToolCall():
                yield self._build_call(part)
            case ToolResult():
                yield self._build_result(part)
            case Thinking(signature=signature) if signature is not None:
                yield {"type": "thinking", "thinking": part.text, "signature": signature.value}
            case Redacted():
                yield {"type": "redacted_thinking", "data": part.signature.value}
            case Image() | File() if role != "user":
                raise Invalid(part.at, "the model takes media in user messages only")
            case _:
                yield from self._build_shown(part)

    def _build_shown(self, part: Part) -> Iterator[Block]:
        """What stands in user messages and in results."""
        match part:
            case Text():
                if part.text:
                    yield {"type": "text", "text": part.text}
            case Image():
                yield self._build_image(part)
            case File():
                yield self._build_file(part)
            case Audio():
                raise Invalid(part.at, "the model takes no audio")
            case Opaque(dialect=dialect) if dialect == DIALECT and self._native:
                yield {name: value for name, value in part.json.items() if name != "cache_control"}
            case _:
                self._fitting.refuse_name(part.at)

    def _build_call(self, call: ToolCall) -> Block:
        # Anthropic takes nothing but an object; a call must not get lost, for its result would be refused then.
        arguments = None if call.custom else parse_arguments(call.arguments)
        if arguments is None:
            arguments = {"input" if call.custom else "_raw": call.arguments}
        return {
            "type": "tool_use",
            "id": fit_call_id(call.id),
            "name": self._names.there(call.name),
            "input": arguments,
        }

    def _build_result(self, result: ToolResult) -> Block:
        block: Block = {"type": "tool_result", "tool_use_id": fit_call_id(result.call_id)}
        content = [inner for part in result.content for inner in self._build_inner(part)]
        if len(content) == 1 and content[0].keys() == {"type", "text"}:
            block["content"] = content[0]["text"]
        elif content:
            block["content"] = content
        if result.is_error:
            block["is_error"] = True
        return block

    def _build_inner(self, part: Part) -> Iterator[Block]:
        for block in self._build_shown(part):
            yield block if part.cache is None else {**block, "cache_control": dict(part.cache)}

    def _build_image(self, image: Image) -> Block:
        if not self._images:
            raise Invalid(image.at, "the model takes no images")
        fitted = fit_image(image, IMAGE_TYPES)
        return {"type": "image", "source": self._build_source(fitted.media, image.at)}

    def _build_file(self, file: File) -> Block:
        mime = fit_mime(file.media.mime)
        if mime.startswith("image/"):
            return self._build_image(Image(file.media, at=file.at))
        block: Block = {"type": "document"}
        if file.media.data and (mime.startswith("text/") or mime == "application/json"):
            block["source"] = {"type": "text", "media_type": "text/plain", "data": _read_text(file)}
        elif file.media.data and mime != "application/pdf":
            raise Invalid(file.at, "must be a PDF, a text or an image")
        else:
            block["source"] = self._build_source(file.media, file.at)
        if file.name:
            block["title"] = file.name[:_LONGEST_TITLE]
        return block

    def _build_source(self, media: Media, at: str) -> dict[str, Json]:
        if media.data:
            return {"type": "base64", "media_type": fit_mime(media.mime), "data": media.data}
        if media.url.lower().startswith(("http://", "https://")):
            return {"type": "url", "url": media.url}
        if media.file_id and self._native:
            return {"type": "file", "file_id": media.file_id}
        raise Invalid(at, "the model takes it by value or by a web address only")


def _read_text(file: File) -> str:
    try:
        return base64.b64decode(file.media.data, validate=True).decode()
    except ValueError:
        raise Invalid(file.at, "must be text in UTF-8, as base64") from None
