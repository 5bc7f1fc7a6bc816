"""The messages of a chat completion to the hub's: the system prompt apart, tool results as user messages.

System and developer messages before anything else are the system prompt; later ones stay where they stand. A tool
message without its call is refused, because whatever it was an answer to is missing. The deprecated `function_call`
and `function` role have no ids: they get some, made of their place, and are paired by name.
"""

from dataclasses import replace
from typing import Final

from proxy.dialects.chat import Invalid
from proxy.dialects.fields import Fields
from proxy.dialects.ids import make_id
from proxy.dialects.openai_chat.content_in import parse_content, read_arguments
from proxy.dialects.openai_chat.details import parse_thoughts
from proxy.dialects.openai_chat.tool_assembly import find_google_signature
from proxy.dialects.parts import Json, Message, Opaque, Part, Refusal, Text, ToolCall, ToolResult

_ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function")


def parse_messages(fields: Fields, dialect: str, extra: dict[str, Json]) -> tuple[list[Text], list[Message]]:
    """System prompt and messages of a request. Names of authors go into `extra`, by their places."""
    if not fields.array("messages"):
        raise fields.invalid("messages", "must not be empty")
    reader = _Reader(dialect)
    for message in fields.children("messages"):
        reader.read(message)
        if message.has("name") and message.value["role"] != "function":
            extra[message.place("name")] = message.text("name")
    return reader.system, reader.messages


class _Reader:
    def __init__(self, dialect: str) -> None:
        self.system: list[Text] = []
        self.messages: list[Message] = []
        self._dialect = dialect
        self._calls: set[str] = set()  # ids seen so far
        self._old: dict[str, str] = {}  # of calls without ids that wait for a result: id by name

    def read(self, message: Fields) -> None:
        role = message.text("role")
        if role not in _ROLES:
            raise message.invalid("role", f"must be one of {', '.join(_ROLES)}")
        if role in ("system", "developer"):
            self._read_system(message)
        elif role == "user":
            self.messages.append(Message("user", parse_content(message, self._dialect), message.at))
        elif role == "assistant":
            self.messages.append(Message("assistant", self._read_assistant(message), message.at))
        else:
            self.messages.append(Message("user", (self._read_result(message, role),), message.at))

    def _read_system(self, message: Fields) -> None:
        parts = parse_content(message, self._dialect)
        for part in parts:
            if not isinstance(part, Text):
                raise Invalid(part.at, "must be a text")
        if self.messages:
            self.messages.append(Message("system", parts, message.at))
        else:
            self.system += [part for part in parts if isinstance(part, Text)]

    def _read_assistant(self, message: Fields) -> tuple[Part, ...]:
        calls = [self._read_call(call) for call in message.children("tool_calls")]
        old = message.child("function_call")
        if old is not None:
            calls.append(self._read_old_call(old))
        thoughts = parse_thoughts(message, {call.id for call in calls})
        signed = thoughts.calls
        calls = [replace(call, signature=call.signature or signed.get(call.id)) if signed else call for call in calls]
        refusal = message.text("refusal", None)
        said: list[Part] = list(parse_content(message, self._dialect))
        if refusal:
            said.append(Refusal(refusal, at=message.place("refusal")))
        if (audio := message.raw("audio")) is not None:
            said.append(Opaque(self._dialect, {"audio": audio}, at=message.place("audio")))
        return (*thoughts.parts, *said, *calls)

    def _read_call(self, fields: Fields) -> ToolCall:
        call_id = fields.text("id")
        if not call_id:
            raise fields.invalid("id", "must not be empty")
        self._calls.add(call_id)
        signature = find_google_signature(fields.raw("extra_content"))
        if fields.text("type", "function") == "custom":
            custom = _need(fields, "custom")
            return ToolCall(call_id, _read_name(custom), custom.text("input"), signature, custom=True, at=fields.at)
        function = _need(fields, "function")
        return ToolCall(call_id, _read_name(function), read_arguments(function), signature, at=fields.at)

    def _read_old_call(self, fields: Fields) -> ToolCall:
        name = _read_name(fields)
        call_id = make_id("call_", fields.at)
        self._old[name] = call_id
        return ToolCall(call_id, name, read_arguments(fields), at=fields.at)

    def _read_result(self, message: Fields, role: str) -> ToolResult:
        content = parse_content(message, self._dialect)
        if role == "function":
            call_id = self._old.pop(_read_name(message), "")
            if not call_id:
                raise message.invalid("name", "answers no function call before it")
            return ToolResult(call_id, content, at=message.at)
        call_id = message.text("tool_call_id")
        if call_id not in self._calls:
            raise message.invalid("tool_call_id", "answers no tool call before it")
        return ToolResult(call_id, content, at=message.at)


def _need(fields: Fields, name: str) -> Fields:
    inner = fields.child(name)
    if inner is None:
        raise fields.invalid(name, "is required")
    return inner


def _read_name(fields: Fields) -> str:
    name = fields.text("name")
    if not name:
        raise fields.invalid("name", "must not be empty")
    return name
