"""The conversation as a chat page holds it: `UIMessage`s to the hub's messages.

Follows `convertToModelMessages` of npm `ai` 7.0.173: an assistant message is cut at its `step-start` parts, each step
is what the model said and then, as a user message, the results of the calls in it. Calls whose input was still
streaming are left out. Parts that pages only show (sources, data, step marks, parts of one provider only) are not
sent to models; a part of an unknown type is refused, with its place.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from proxy.dialects.chat import Invalid
from proxy.dialects.fields import Fields
from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import (
    Json,
    Message,
    Part,
    Redacted,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from proxy.dialects.ui_message import notes
from proxy.dialects.ui_message.files import read_file

_SHOWN: Final = frozenset({"step-start", "source-url", "source-document", "custom", "reasoning-file"})
"""Parts for the page. `custom` and `reasoning-file` mean something to one provider of the AI SDK's only."""

_TOOL_NOTES: Final = ("callProviderMetadata", "resultProviderMetadata")
"""Where a page keeps the metadata of a call: in the second when its input was broken (`tool-input-error`)."""

_DENIED: Final = "Tool call execution denied."  # the AI SDK's own words


def parse_messages(body: Fields) -> tuple[list[Text], list[Message]]:
    """System texts that lead, and everything after them. Raises Invalid."""
    system: list[Text] = []
    messages: list[Message] = []
    for message in body.children("messages"):
        match message.text("role"):
            case "system":
                texts = [Text(part.text("text"), at=part.at) for part in _list_parts(message) if _is(part, "text")]
                if messages:
                    messages.append(Message("system", tuple(texts), message.at))
                else:
                    system.extend(texts)
            case "user":
                messages.append(_read_user(message))
            case "assistant":
                messages.extend(_read_assistant(message))
            case _:
                raise message.invalid("role", "must be one of system, user, assistant")
    return system, messages


def _list_parts(message: Fields) -> Iterator[Fields]:
    if not message.has("parts"):
        raise message.invalid("parts", "is required")
    return message.children("parts")


def _is(part: Fields, kind: str) -> bool:
    return part.text("type") == kind


def _read_user(message: Fields) -> Message:
    """Also of a `steering-message`, a user's words within an assistant message."""
    parts: list[Part] = []
    for part in _list_parts(message):
        kind = part.text("type")
        if kind == "text":
            parts.append(Text(part.text("text"), at=part.at))
        elif kind == "file":
            parts.append(read_file(part))
        elif not _is_shown(kind):
            raise part.invalid("type", "is no part of a user's message that is known here")
    return Message("user", tuple(parts), message.at)


def _read_assistant(message: Fields) -> list[Message]:
    steps = _Steps(message.at)
    for part in _list_parts(message):
        kind = part.text("type")
        if kind == "step-start":
            steps.close()
        elif kind == "steering-message":
            steps.close()
            steps.messages.append(_read_user(part))
        elif kind == "dynamic-tool" or kind.startswith("tool-"):
            _read_tool(part, kind, steps)
        elif kind in _READERS:
            steps.said.extend(_READERS[kind](part))
        elif not _is_shown(kind):
            raise part.invalid("type", "is no part of an assistant's message that is known here")
    steps.close()
    return steps.messages


def _is_shown(kind: str) -> bool:
    return kind in _SHOWN or kind.startswith("data-")


class _Steps:
    """The messages of an assistant message so far, and the step under way."""

    def __init__(self, at: str) -> None:
        self._at = at
        self.messages: list[Message] = []
        self.said: list[Part] = []
        self.results: list[Part] = []

    def close(self) -> None:
        if self.said:
            self.messages.append(Message("assistant", tuple(self.said), self._at))
        if self.results:
            self.messages.append(Message("user", tuple(self.results), self._at))
        self.said, self.results = [], []


def _read_text(part: Fields) -> list[Part]:
    text = part.text("text")
    if notes.read_note(part, notes.REFUSAL):
        return [Refusal(text, at=part.at)]
    return [Text(text, at=part.at)]


def _read_reasoning(part: Fields) -> list[Part]:
    redacted = notes.read_signature(part, notes.REDACTED)
    if redacted is not None:
        return [Redacted(redacted, at=part.at)]
    text, signature = part.text("text"), notes.read_signature(part, notes.SIGNATURE)
    return [Thinking(text, signature, at=part.at)] if text or signature else []


_READERS: Final[Mapping[str, Callable[[Fields], list[Part]]]] = {
    "text": _read_text,
    "reasoning": _read_reasoning,
    "file": lambda part: [read_file(part)],
}


def _read_tool(part: Fields, kind: str, steps: _Steps) -> None:
    state = part.text("state")
    if state not in _RESULTS:
        raise part.invalid("state", f"must be one of {', '.join(_RESULTS)}")
    if state == "input-streaming":
        return
    call_id = _filled(part, "toolCallId")
    name = _filled(part, "toolName") if kind == "dynamic-tool" else kind.removeprefix("tool-")
    if not name:
        raise part.invalid("type", "must name a tool")
    signature = notes.read_signature(part, notes.SIGNATURE, *_TOOL_NOTES)
    steps.said.append(ToolCall(call_id, name, _read_arguments(part, state), signature, at=part.at))
    result = _RESULTS[state](part)
    if result is not None:
        text, is_error = result
        steps.results.append(ToolResult(call_id, (Text(text, at=part.at),), is_error=is_error, at=part.at))


def _filled(part: Fields, name: str) -> str:
    value = part.text(name)
    if not value:
        raise part.invalid(name, "must not be empty")
    return value


def _read_arguments(part: Fields, state: str) -> str:
    """The call's JSON text. Broken input is a text: `input` in 7, `rawInput` beside no `input` in 6."""
    value: Json = part.raw("input")
    if value is None and state == "output-error":
        value = part.raw("rawInput")
    if value is None:
        return "{}"
    return (value or "{}") if isinstance(value, str) else encode_json(value).decode()


def _show_output(part: Fields) -> tuple[str, bool]:
    """Text as it is, anything else as JSON: what the AI SDK's tools without a form of their own give."""
    output = part.raw("output")
    return output if isinstance(output, str) else encode_json(output).decode(), False


def _show_error(part: Fields) -> tuple[str, bool]:
    return part.text("errorText"), True


def _show_denial(part: Fields) -> tuple[str, bool]:
    approval = part.child("approval")
    reason = approval.text("reason", None) if approval is not None else None
    return reason or _DENIED, True


def _show_answer(part: Fields) -> tuple[str, bool] | None:
    """Of a question whether a call may run: a yes has no result yet."""
    approval = part.child("approval")
    if approval is None:
        raise Invalid(part.place("approval"), "is required")
    return None if approval.flag("approved") else _show_denial(part)


def _show_nothing(part: Fields) -> None:
    """The call stands without a result."""


_RESULTS: Final[Mapping[str, Callable[[Fields], tuple[str, bool] | None]]] = {
    "input-streaming": _show_nothing,
    "input-available": _show_nothing,
    "approval-requested": _show_nothing,
    "approval-responded": _show_answer,
    "output-available": _show_output,
    "output-error": _show_error,
    "output-denied": _show_denial,
}
"""Each state of a call, and what of its result there is: a text, and whether it is an error."""
