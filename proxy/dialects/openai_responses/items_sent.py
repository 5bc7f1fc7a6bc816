"""Messages to input items (openai-python, types/responses/response_input_item_param.py).

Takes normalised messages. An assistant message becomes its items in order: reasoning, messages, calls. Reasoning goes
back only to its issuer, and only with what it was followed by: the API refuses an item of it that nothing follows.
Media the API does not take raise `Invalid` with their place; opaque parts of other dialects are dropped by theirs.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from proxy.dialects.answer import LoneSignature
from proxy.dialects.chat import Invalid
from proxy.dialects.fitting import Fitting
from proxy.dialects.ids import fit_call_id
from proxy.dialects.media import fit_image
from proxy.dialects.names import NameMap
from proxy.dialects.openai_responses.carrying import read_signature
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
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

_DIALECT: Final = "openai-responses"
_IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
_DETAILS: Final = frozenset({"auto", "low", "high", "original"})
_DRAWN: Final = "(an image of the assistant's answer)"


def build_input(messages: Iterable[Message], names: NameMap, fitting: Fitting) -> list[Json]:
    builder = _Builder(names, fitting)
    items: list[Json] = []
    for message in messages:
        if message.role == "assistant":
            items += builder.build_said(message)
        else:
            items += builder.build_heard(message)
    return list(_drop_unfollowed(items))


class _Builder:
    def __init__(self, names: NameMap, fitting: Fitting) -> None:
        self._names = names
        self._fitting = fitting
        self._custom: set[str] = set()

    def build_said(self, message: Message) -> Iterator[Json]:
        contents: list[Json] = []
        drawn: list[Json] = []
        for part in message.parts:
            if isinstance(part, Text | Refusal):
                contents.append(_build_said_text(part))
                continue
            if contents:
                yield _build_message("assistant", contents)
                contents = []
            if isinstance(part, Image):
                drawn.append(_build_image(part))
            else:
                yield from self._build_item(part)
        if contents:
            yield _build_message("assistant", contents)
        if drawn:
            yield _build_message("user", [{"type": "input_text", "text": _DRAWN}, *drawn])

    def build_heard(self, message: Message) -> Iterator[Json]:
        contents: list[Json] = []
        for part in message.parts:
            if isinstance(part, ToolResult | Opaque):
                yield from self._build_item(part)
            else:
                contents.append(_build_content(part))
        if contents:
            yield _build_message(message.role, contents)

    def _build_item(self, part: Part) -> Iterator[Json]:
        match part:
            case ToolCall():
                yield self._build_call(part)
            case ToolResult():
                yield self._build_result(part)
            case Thinking():
                yield from _build_reasoning(part)
            case Opaque(dialect=dialect, json=json):
                if dialect == _DIALECT:
                    yield json
                else:
                    self._fitting.drop_name(part.at)
            case Redacted() | LoneSignature():
                return  # only their issuer reads them
            case _:
                raise Invalid(part.at, "cannot stand in an assistant's message for the model that answers")

    def _build_call(self, call: ToolCall) -> Json:
        item: dict[str, Json] = {"call_id": fit_call_id(call.id), "name": self._names.there(call.name)}
        if call.custom:
            self._custom.add(call.id)
            return {"type": "custom_tool_call", **item, "input": call.arguments}
        return {"type": "function_call", **item, "arguments": call.arguments or "{}"}

    def _build_result(self, result: ToolResult) -> Json:
        kind = "custom_tool_call_output" if result.call_id in self._custom else "function_call_output"
        return {"type": kind, "call_id": fit_call_id(result.call_id), "output": _build_output(result)}


def _build_reasoning(part: Thinking) -> Iterator[Json]:
    own = None if part.signature is None else read_signature(part.signature)
    if own is None:
        return
    item_id, content = own
    item: dict[str, Json] = {"type": "reasoning"}
    if item_id:
        item["id"] = item_id
    item["summary"] = [{"type": "summary_text", "text": part.text}] if part.text else []
    yield {**item, "encrypted_content": content}


def _drop_unfollowed(items: list[Json]) -> Iterator[Json]:
    """Reasoning that nothing of the assistant's follows, or that was cut off from it."""
    for index, item in enumerate(items):
        if item.get("type") == "reasoning" and not _follows(items[index + 1 :]):
            continue
        yield item


def _follows(rest: list[Json]) -> bool:
    for item in rest:
        if item.get("type") != "reasoning":
            return item.get("role", "assistant") == "assistant" and not str(item.get("type")).endswith("_output")
    return False


def _build_message(role: str, contents: list[Json]) -> Json:
    return {"type": "message", "role": role, "content": contents}


def _build_said_text(part: Text | Refusal) -> Json:
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    return {"type": "output_text", "text": part.text}


def _build_content(part: Part) -> Json:
    match part:
        case Text(text=text):
            return {"type": "input_text", "text": text}
        case Image():
            return _build_image(part)
        case File():
            return _build_file(part)
        case Audio():
            raise Invalid(part.at, "the model that answers takes no audio")
        case _:
            raise Invalid(part.at, "cannot stand in this message for the model that answers")


def _build_image(part: Image) -> Json:
    image = fit_image(part, _IMAGES)
    item: dict[str, Json] = {"type": "input_image"}
    if image.media.file_id:
        item["file_id"] = image.media.file_id
    else:
        item["image_url"] = _build_url(image.media)
    if image.detail in _DETAILS:
        item["detail"] = image.detail
    return item


def _build_file(part: File) -> Json:
    media = part.media
    item: dict[str, Json] = {"type": "input_file"}
    if media.file_id:
        return {**item, "file_id": media.file_id}
    if media.url:
        return {**item, "file_url": media.url}
    ending = media.mime.rpartition("/")[2] or "bin"
    return {**item, "filename": part.name or f"file.{ending}", "file_data": _build_url(media)}


def _build_url(media: Media) -> str:
    return media.url or f"data:{media.mime or 'application/octet-stream'};base64,{media.data}"


def _build_output(result: ToolResult) -> Json:
    """A text where it is one. The API knows no failed result, so that one says it is."""
    contents = list(result.content)
    if result.is_error and not (contents and isinstance(contents[0], Text) and contents[0].text.startswith("Error")):
        contents.insert(0, Text("Error: "))
        if len(contents) > 1 and isinstance(contents[1], Text):
            contents[:2] = [Text("Error: " + contents[1].text)]
    if not contents:
        return ""
    if len(contents) == 1 and isinstance(contents[0], Text):
        return contents[0].text
    return [_build_content(part) for part in contents]
