"""What a chat page asks: the body that `DefaultChatTransport` posts, or the query of an EventSource.

`{id, messages, trigger, messageId}` is the transport's own; everything else is what the app adds with `body: {…}`.
Of that, `model`, `system`, `tools` and the call settings of the AI SDK's `streamText`, under its names, are understood.
Any other member is the app's own business: it stands in `extra` and asks nothing of a model. Raises Invalid.
"""

from collections.abc import Callable, Mapping
from typing import Final

from proxy.dialects.chat import Asked, Invalid
from proxy.dialects.fields import Fields, parse_object
from proxy.dialects.parts import (
    Effort,
    Json,
    Message,
    OutputFormat,
    Reasoning,
    Request,
    Text,
    Tool,
    ToolChoice,
    ToolMode,
)
from proxy.dialects.ui_message.history import parse_messages

DIALECT: Final = "ui-message"

_OWN: Final = ("id", "trigger", "messageId")
"""The transport's bookkeeping: which chat, and what made the page ask."""

_MODES: Final = {"auto": ToolMode.AUTO, "none": ToolMode.NONE, "required": ToolMode.ANY}


def parse_request(body: bytes, asked: Asked) -> Request:
    """`asked.model` is the default, for apps that name none."""
    fields = parse_object(body)
    model = fields.text("model", None) or asked.model
    if not model:
        raise Invalid("model", "is required")
    leading, messages = parse_messages(fields)
    if not messages and not leading:
        raise Invalid("messages", "must not be empty")
    request = Request(model, messages, DIALECT, stream=asked.stream is not False, include_usage=True)
    request.named |= {"model": "model", "messages": "messages"}
    request.system = [Text(text, at="system") for text in fields.texts("system") if text] + leading
    if request.system:
        request.named["system"] = request.system[0].at
    for name, (field, read) in _SETTINGS.items():
        value = read(fields, name)
        if fields.has(name):
            setattr(request, field, value)
            request.named[field] = name
    for name in _OWN:
        fields.raw(name)
    request.extra = fields.rest()
    return request


def parse_prompt(query: Mapping[str, str], default_model: str | None = None) -> Request:
    """The request of `GET /api/stream?prompt=…&model=…&system=…`. A `key` is the caller's, not the model's."""
    prompt = query.get("prompt", "")
    if not prompt:
        raise Invalid("prompt", "is required")
    model = query.get("model") or default_model
    if not model:
        raise Invalid("model", "is required")
    messages = [Message("user", (Text(prompt, at="prompt"),), "prompt")]
    request = Request(model, messages, DIALECT, stream=True, include_usage=True)
    request.named |= {"model": "model", "messages": "prompt"}
    if query.get("system"):
        request.system = [Text(query["system"], at="system")]
        request.named["system"] = "system"
    request.extra = {name: query[name] for name in query if name not in ("prompt", "model", "system", "key")}
    return request


def _read_tools(body: Fields, name: str) -> list[Tool]:
    """An object by name, as `streamText` takes, or an array of objects with names."""
    value = body.raw(name)
    if value is None:
        return []
    if isinstance(value, dict):
        at = body.place(name)
        return [_read_tool(Fields(tool, f"{at}.{key}"), key) for key, tool in value.items()]
    return [_read_tool(tool, tool.text("name")) for tool in body.children(name)]


def _read_tool(tool: Fields, name: str) -> Tool:
    """Whatever else of a tool stands there is for the page."""
    if not name:
        raise tool.invalid("name", "must not be empty")
    if tool.text("type", "function") not in ("function", "dynamic"):
        raise tool.invalid("type", "must be a tool that the page runs")
    schema = tool.raw("inputSchema")
    if isinstance(schema, dict) and schema.keys() == {"jsonSchema"}:  # what JSON leaves of the SDK's `jsonSchema()`
        schema = schema["jsonSchema"]
    if schema is not None and not isinstance(schema, dict):
        raise tool.invalid("inputSchema", "must be a JSON Schema object")
    return Tool(name, tool.text("description", ""), schema, tool.flag("strict", None), at=tool.at)


def _read_tool_choice(body: Fields, name: str) -> ToolChoice | None:
    value = body.raw(name)
    if value is None:
        return None
    if isinstance(value, dict):
        choice = Fields(value, body.place(name))
        if choice.value.get("type") == "tool":
            return ToolChoice(ToolMode.ANY, (choice.text("toolName"),))
        value = choice.value.get("type")
    if not isinstance(value, str) or value not in _MODES:
        raise body.invalid(name, "must be auto, none, required, or an object that names a tool")
    return ToolChoice(_MODES[value])


def _read_reasoning(body: Fields, name: str) -> Reasoning | None:
    known = [effort.value for effort in Effort]
    word = body.choice(name, None, "provider-default", *known)
    if word is None or word == "provider-default":
        return None
    effort = Effort(word)
    return Reasoning("off" if effort is Effort.NONE else "on", effort, show=True)


def _read_output(body: Fields, name: str) -> OutputFormat | None:
    """`responseFormat` of the AI SDK's model calls: `{type: "json", schema?, name?, description?}`."""
    output = body.child(name)
    if output is None or output.choice("type", "text", "text", "json") == "text":
        return None
    return OutputFormat(output.raw("schema"), output.text("name", ""), description=output.text("description", ""))


def _number(body: Fields, name: str) -> float | int | None:
    return body.number(name, None)


def _integer(body: Fields, name: str) -> int | None:
    return body.integer(name, None)


def _count(body: Fields, name: str) -> int | None:
    return body.integer(name, None, low=1)


_SETTINGS: Final[Mapping[str, tuple[str, Callable[[Fields, str], Json]]]] = {
    "tools": ("tools", _read_tools),
    "toolChoice": ("tool_choice", _read_tool_choice),
    "maxOutputTokens": ("max_tokens", _count),
    "temperature": ("temperature", _number),
    "topP": ("top_p", _number),
    "topK": ("top_k", _integer),
    "presencePenalty": ("presence_penalty", _number),
    "frequencyPenalty": ("frequency_penalty", _number),
    "seed": ("seed", _integer),
    "stopSequences": ("stop", Fields.texts),
    "reasoning": ("reasoning", _read_reasoning),
    "responseFormat": ("output", _read_output),
}
"""Members of the body, the hub's name of each, and who reads it."""
