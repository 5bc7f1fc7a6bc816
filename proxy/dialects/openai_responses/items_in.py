"""`input` of a Responses request to messages (openai-python, types/responses/response_input_item_param.py).

Takes a text or an array of items. What an assistant said in one turn (reasoning, text, calls) becomes one message,
the results that follow one user message; system and developer messages before anything else are the system prompt.
Items of tools that only the vendor knows stay opaque. Raises `Invalid` for what is wrong, for a result without its
call, and for references to items that are stored elsewhere.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from proxy.dialects.chat import Invalid
from proxy.dialects.fields import Fields
from proxy.dialects.openai_responses.carrying import read_content
from proxy.dialects.openai_responses.contents_in import parse_content, parse_output
from proxy.dialects.openai_responses.naming import join_name
from proxy.dialects.openai_responses.tools_in import parse_tools
from proxy.dialects.parts import (
    Image,
    Media,
    Message,
    Opaque,
    Part,
    Refusal,
    Request,
    Signature,
    Text,
    ToolCall,
    ToolResult,
)

_DIALECT: Final = "openai-responses"
_OURS: Final = ("local_shell_call_output", "shell_call_output", "apply_patch_call_output", "computer_call_output",
                "mcp_approval_response", "tool_search_output", "compaction_trigger")  # fmt: skip
"""Opaque items that the client says, not the model."""


def parse_input(fields: Fields, request: Request) -> None:
    value = fields.raw("input")
    if isinstance(value, str):
        if not value:
            raise fields.invalid("input", "must not be empty")
        request.messages.append(Message("user", (Text(value, at="input"),), at="input"))
        return
    if not value:
        raise fields.invalid("input", "is required")
    reader = _Reader(request)
    for item in fields.children("input"):
        reader.read(item)
    reader.finish()


class _Reader:
    """The items so far, as messages."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._calls: set[str] = set()
        self._signed: dict[str, Signature] = {}
        self._results = False  # the last message holds results only

    def read(self, item: Fields) -> None:
        kind = item.text("type", "")
        if not kind:
            kind = "message" if item.has("role") else "item_reference"
        reader = _READERS.get(kind, _Reader._read_opaque)
        reader(self, item)

    def finish(self) -> None:
        """Gives calls their signatures, wherever those stood."""
        if not self._signed:
            return
        messages = self._request.messages
        for index, message in enumerate(messages):
            messages[index] = replace(message, parts=tuple(map(self._sign, message.parts)))

    def _sign(self, part: Part) -> Part:
        if isinstance(part, ToolCall) and part.id in self._signed:
            return replace(part, signature=self._signed[part.id])
        return part

    def _read_message(self, item: Fields) -> None:
        role = item.choice("role", "", "user", "assistant", "system", "developer")
        if not role:
            raise item.invalid("role", "is required")
        parts = parse_content(item, role)
        request = self._request
        if role == "assistant":
            self._say(item, parts)
        elif role == "user":
            self._hear(item, parts)
        elif request.messages:
            request.messages.append(Message("system", parts, at=item.at))
            self._results = False
        else:
            request.system += [part for part in parts if isinstance(part, Text)]
            request.named.setdefault("system", item.at)

    def _say(self, item: Fields, parts: tuple[Part, ...]) -> None:
        """More of the assistant's turn; a second text is a message of its own, as it was for the client."""
        messages = self._request.messages
        last = messages[-1] if messages else None
        self._results = False
        if last is None or last.role != "assistant" or (_is_text(parts[:1]) and _is_text(last.parts[-1:])):
            messages.append(Message("assistant", parts, at=item.at))
        else:
            messages[-1] = replace(last, parts=last.parts + parts)

    def _hear(self, item: Fields, parts: tuple[Part, ...]) -> None:
        self._request.messages.append(Message("user", parts, at=item.at))
        self._results = False

    def _read_reasoning(self, item: Fields) -> None:
        text = "\n\n".join(_read_texts(item, "summary")) or "\n\n".join(_read_texts(item, "content"))
        content = item.text("encrypted_content", "")
        part, signed = read_content(item.text("id", ""), text, content, item.at)
        if signed is not None:
            self._signed[signed[0]] = signed[1]
        if part is not None:
            self._say(item, (part,))

    def _read_call(self, item: Fields) -> None:
        self._read_any_call(item, item.text("arguments") or "{}", custom=False)

    def _read_custom_call(self, item: Fields) -> None:
        self._read_any_call(item, item.text("input"), custom=True)

    def _read_any_call(self, item: Fields, arguments: str, *, custom: bool) -> None:
        call_id = _read_call_id(item)
        if call_id in self._calls:
            raise item.invalid("call_id", "is the id of another call, too")
        name = item.text("name")
        if not name:
            raise item.invalid("name", "must not be empty")
        self._calls.add(call_id)
        name = join_name(item.text("namespace", None), name)
        self._say(item, (ToolCall(call_id, name, arguments, custom=custom, at=item.at),))

    def _read_result(self, item: Fields) -> None:
        call_id = _read_call_id(item)
        if call_id not in self._calls:
            raise item.invalid("call_id", "names no call before it")
        result = ToolResult(call_id, parse_output(item), at=item.at)
        messages = self._request.messages
        if self._results:
            messages[-1] = replace(messages[-1], parts=(*messages[-1].parts, result))
        else:
            self._hear(item, (result,))
            self._results = True

    def _read_image(self, item: Fields) -> None:
        """An image that a model drew: ours, or the vendor's tool's."""
        data = item.text("result", "")
        if not data:
            self._read_opaque(item)
            return
        mime = f"image/{item.text('output_format', 'png')}"
        self._say(item, (Image(Media(mime, data), at=item.at),))

    def _read_tools(self, item: Fields) -> None:
        parse_tools(item, self._request)

    def _read_reference(self, item: Fields) -> None:
        raise Invalid(item.at, "this server stores no items: send the item itself")

    def _read_opaque(self, item: Fields) -> None:
        call_id = item.text("call_id", "")
        if call_id:
            self._calls.add(call_id)
        parts = (Opaque(_DIALECT, dict(item.value), at=item.at),)
        if item.text("type") in _OURS:
            self._hear(item, parts)
        else:
            self._say(item, parts)


_READERS: Final[dict[str, Callable[[_Reader, Fields], None]]] = {
    "message": _Reader._read_message,
    "reasoning": _Reader._read_reasoning,
    "function_call": _Reader._read_call,
    "custom_tool_call": _Reader._read_custom_call,
    "function_call_output": _Reader._read_result,
    "custom_tool_call_output": _Reader._read_result,
    "image_generation_call": _Reader._read_image,
    "additional_tools": _Reader._read_tools,
    "item_reference": _Reader._read_reference,
}


def _is_text(parts: tuple[Part, ...]) -> bool:
    return bool(parts) and isinstance(parts[0], Text | Refusal)


def _read_call_id(item: Fields) -> str:
    call_id = item.text("call_id")
    if not call_id:
        raise item.invalid("call_id", "must not be empty")
    return call_id


def _read_texts(item: Fields, name: str) -> list[str]:
    return [part.text("text", "") for part in item.children(name)]
