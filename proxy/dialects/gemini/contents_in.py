"""The conversation in a caller's request: `contents` and `systemInstruction` to the hub's messages.

Calls and their responses are paired here, because Google's clients may leave out ids: a response without one answers
the first open call of its name, and a call without one gets an id made from its place, the same in every turn of the
conversation. Texts and thoughts that a client kept in the pieces they were streamed in are put together again.
Raises Invalid with the place of a part that is none.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from proxy.dialects.chat import Invalid
from proxy.dialects.gemini.loose import Loose
from proxy.dialects.gemini.marks import build_thought, read_mark
from proxy.dialects.gemini.media_in import parse_file, parse_inline
from proxy.dialects.ids import make_call_id
from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import (
    Json,
    Message,
    Opaque,
    Part,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

_ROLES: Final = {"user": "user", "model": "assistant", "function": "user", "tool": "user", "": "user"}
_FLAGS: Final = frozenset({"thought", "thoughtSignature", "thought_signature", "videoMetadata", "video_metadata",
                           "partMetadata", "part_metadata", "mediaResolution", "media_resolution"})  # fmt: skip
_SAYING: Final = ("output", "result", "content", "error")
"""Keys under which clients put a tool's text when it is no object."""


def parse_system(fields: Loose) -> list[Text]:
    """A content, a string, or a list of parts."""
    if isinstance(fields.raw("systemInstruction"), str):
        text = fields.text("systemInstruction")
        return [Text(text, at=fields.place("systemInstruction"))] if text else []
    content = fields.child("systemInstruction")
    if content is None:
        return []
    found = []
    for part in [content] if content.has("text") else content.children("parts"):
        text = part.text("text")
        if text:
            found.append(Text(text, at=part.place("text")))
    return found


def parse_contents(fields: Loose) -> list[Message]:
    reader = _Reader()
    messages: list[Message] = []
    for content in fields.children("contents"):
        message = reader.read(content)
        if (
            messages and message.role == messages[-1].role == "assistant"
        ):  # google-genai's chats keep chunks as they came
            messages[-1] = replace(messages[-1], parts=tuple(_join([*messages[-1].parts, *message.parts])))
        else:
            messages.append(message)
    if not messages:
        raise fields.invalid("contents", "is required and must not be empty")
    return messages


class _Reader:
    """Goes through a conversation; remembers which calls are open, and whether the last content was the model's."""

    def __init__(self) -> None:
        self._open: list[ToolCall] = []
        self._speaks = False
        self._calls = 0

    def read(self, content: Loose) -> Message:
        role = _ROLES.get(content.text("role", ""))
        if role is None:
            raise content.invalid("role", "must be user or model")
        if role == "assistant":
            if not self._speaks:
                self._open = []
            self._speaks = True
            parts = _join([part for item in content.children("parts") for part in self._read_model(item)])
            return Message("assistant", tuple(parts), content.at)
        self._speaks = False
        parts = [part for item in content.children("parts") for part in self._read_user(item)]
        if not parts:
            raise content.invalid("parts", "is required and must not be empty")
        return Message("user", tuple(parts), content.at)

    def _read_user(self, part: Loose) -> list[Part]:
        response = part.child("functionResponse")
        if response is not None:
            return [self._read_result(response)]
        if part.has("functionCall"):
            raise part.invalid("functionCall", "must stand in a content of the model")
        return [_read_data(part)]

    def _read_model(self, part: Loose) -> list[Part]:
        mark = _read_signature(part)
        call = part.child("functionCall")
        if call is not None:
            return [self._read_call(call, mark)]
        if part.has("functionResponse"):
            raise part.invalid("functionResponse", "must stand in a content of the user")
        text = part.text("text", None)
        if part.flag("thought", False):
            thought = text or ""
            return [build_thought(thought, mark) if mark is not None else Thinking(thought)] if text or mark else []
        found: list[Part] = []
        if part.rest().keys() - _FLAGS or (text is None and mark is None):
            found = [_read_data(part)]
        elif text:
            found = [Text(text, at=part.place("text"))]
        if mark is not None and not (found and isinstance(found[0], Opaque)):
            # A text holds no signature in the hub; a thought without text behind it does.
            found.append(build_thought("", mark))
        return found

    def _read_call(self, call: Loose, mark: Signature | None) -> ToolCall:
        name = call.text("name")
        arguments = call.raw("args")
        if arguments is not None and not isinstance(arguments, dict):
            raise call.invalid("args", "must be an object")
        call_id = call.text("id", "") or make_call_id("history", self._calls)
        self._calls += 1
        found = ToolCall(call_id, name, encode_json(arguments or {}).decode(), mark, at=call.at)
        self._open.append(found)
        return found

    def _read_result(self, response: Loose) -> ToolResult:
        name = response.text("name", "")
        call_id = response.text("id", "")
        call = next((call for call in self._open if call_id and call.id == call_id), None)
        call = call or next((call for call in self._open if call.name == name), None)
        if call is None:
            raise Invalid(response.at, "answers no functionCall of the model content before it")
        self._open.remove(call)
        value = response.raw("response")
        if value is not None and not isinstance(value, dict):
            raise response.invalid("response", "must be an object")
        text, is_error = _read_response(value or {})
        content: list[Part] = [Text(text, at=response.place("response"))] if text else []
        content += [_read_data(item) for item in response.children("parts")]
        return ToolResult(call.id, tuple(content), call.name, is_error, at=response.at)


def _read_response(value: Mapping[str, Json]) -> tuple[str, bool]:
    """The text of a tool's response, and whether it says that the tool failed."""
    if len(value) == 1:
        key, said = next(iter(value.items()))
        if key in _SAYING and isinstance(said, str):
            return said, key == "error"
    return encode_json(value).decode() if value else "", False


def _read_data(part: Loose) -> Part:
    """A part with one data field that is neither call nor response. What only Google understands stays as it is."""
    unknown = part.value.keys() - _FLAGS
    if not unknown:
        raise Invalid(part.at, "must have a data field")
    for name, parse in _PARSERS.items():
        if part.has(name) and not _is_special(part):
            return parse(part)
    return Opaque("gemini", dict(part.value), at=part.at)


def _is_special(part: Loose) -> bool:
    return any(part.has(name) for name in ("videoMetadata", "mediaResolution"))


def _read_text(part: Loose) -> Part:
    return Text(part.text("text"), at=part.place("text"))


_PARSERS: Final[Mapping[str, Callable[[Loose], Part]]] = {
    "text": _read_text, "inlineData": parse_inline, "fileData": parse_file,
}  # fmt: skip


def _read_signature(part: Loose) -> Signature | None:
    try:
        return read_mark(part.text("thoughtSignature", ""))
    except ValueError:
        raise part.invalid("thoughtSignature", "must be base64") from None


def _join(parts: list[Part]) -> list[Part]:
    """Neighbouring texts in one, neighbouring thoughts up to a signature in one."""
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(last, Text) and isinstance(part, Text):
            joined[-1] = replace(last, text=last.text + part.text)
        elif isinstance(last, Thinking) and last.signature is None and isinstance(part, Thinking):
            joined[-1] = replace(part, text=last.text + part.text, at=last.at)
        else:
            joined.append(part)
    return joined
