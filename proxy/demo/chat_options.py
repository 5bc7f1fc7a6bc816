"""Reads what a chat request of the OpenAI family says beside its messages: tools, their choice, streaming, the format
of the answer.

Takes the request's `Fields`, raises `BadAsk`. Shared by OpenAI, GLM and OpenRouter, each of which asks only for what it
takes; whatever nobody asks for is refused when the fields are closed.
"""

from collections.abc import Iterable
from typing import Any, Final

from proxy.demo.answer import BadAsk
from proxy.demo.chat_messages import TOOL_NAME
from proxy.demo.reading import Fields
from proxy.demo.schemas import find_open_object
from proxy.demo.script import Tool
from proxy.demo.talk import Talk

EFFORTS: Final = frozenset({
    "none", "minimal", "low", "medium", "high", "xhigh", "max",
})  # fmt: skip


def read_tools(body: Fields) -> tuple[Tool, ...]:
    """The declared tools. Raises `BadAsk`."""
    tools = []
    for entry in body.children("tools"):
        if entry.choice("type", ("function", "custom")) is None:
            raise entry.missing("type")
        if entry.raw("type") == "custom":
            inner = entry.need_child("custom")
            schema: dict[str, Any] | None = {"properties": {"input": {"type": "string"}}}
            inner.skip("format")
        else:
            inner = entry.need_child("function")
            schema = read_parameters(inner, strict=inner.flag("strict") is True)
        tools.append(Tool(inner.match("name", TOOL_NAME), schema or {}))
        inner.text("description")
        inner.close()
        entry.skip("cache_control")
        entry.close()
    if len({tool.name for tool in tools}) < len(tools):
        raise body.bad("tools", "should have unique names")
    return tuple(tools)


def read_parameters(inner: Fields, *, strict: bool) -> dict[str, Any] | None:
    """A tool's schema: an object at its root, closed throughout when it is `strict`."""
    schema = inner.object("parameters")
    if schema is not None and schema.get("type") != "object":
        raise inner.bad("parameters", "schema must be a JSON Schema of 'type: \"object\"'")
    if strict and (place := find_open_object(schema or {}, inner.place("parameters"), all_required=True)):
        raise BadAsk(f"Invalid schema for a strict function: see '{place}'.")
    return schema


def choose_tools(body: Fields, tools: tuple[Tool, ...], wanted: Iterable[str]) -> tuple[Tool, ...]:
    """The tools that a choice names, all of them when it names none."""
    names = list(wanted)
    if any(name not in {tool.name for tool in tools} for name in names):
        raise body.bad("tool_choice", "names a tool that is not in 'tools'")
    return tuple(tool for tool in tools if not names or tool.name in names)


def read_choice(body: Fields, tools: tuple[Tool, ...]) -> tuple[tuple[Tool, ...], str]:
    """The tools that may be called, and `none`, `auto` or `required`."""
    choice = body.raw("tool_choice")
    if choice is None:
        return tools, "auto"
    if not tools:
        raise body.bad("tool_choice", "is only allowed when 'tools' are specified")
    if isinstance(choice, str):
        return tools, str(body.choice("tool_choice", ("none", "auto", "required")))
    inner = body.need_child("tool_choice")
    kind = inner.choice("type", ("function", "custom", "allowed_tools"))
    if kind is None:
        raise inner.missing("type")
    named = inner.need_child(kind)
    if kind != "allowed_tools":
        return choose_tools(body, tools, [named.need_text("name")]), "required"
    mode = named.choice("mode", ("auto", "required"))
    allowed = [entry.need_child("function").need_text("name") for entry in named.children("tools")]
    return choose_tools(body, tools, allowed), mode or "auto"


def read_stop(body: Fields, most: int) -> None:
    """`stop`: a string or an array of them; the demo never writes one."""
    if not isinstance(body.raw("stop"), str):
        body.texts("stop", most)


def read_stream(body: Fields) -> tuple[bool, bool]:
    """Whether to stream, and whether to say the usage then."""
    streams = body.flag("stream") is True
    options = body.child("stream_options")
    if options is None:
        return streams, False
    if not streams:
        raise body.bad("stream_options", "is only allowed when 'stream' is enabled")
    usage = options.flag("include_usage") is True
    options.flag("include_obfuscation")
    options.close()
    return streams, usage


def read_format(body: Fields, talk: Talk) -> dict[str, Any] | None:
    """The schema of a JSON answer, {} for any object, None for text."""
    wanted = body.child("response_format")
    if wanted is None:
        return None
    kind = wanted.choice("type", ("text", "json_object", "json_schema"))
    if kind is None:
        raise wanted.missing("type")
    if kind == "json_object" and not talk.says_json():
        raise body.bad("messages", "must contain the word 'json' in some form to use 'response_format'")
    if kind != "json_schema":
        wanted.close()
        return {} if kind == "json_object" else None
    inner = wanted.need_child("json_schema")
    schema = read_named_schema(inner)
    wanted.close()
    return schema


def read_named_schema(inner: Fields) -> dict[str, Any]:
    """`name`, `schema` and `strict` of a JSON format."""
    inner.match("name", TOOL_NAME)
    inner.text("description")
    schema = inner.object("schema")
    if schema is None:
        raise inner.missing("schema")
    at = inner.place("schema")
    if inner.flag("strict") and (place := find_open_object(schema, at, all_required=True)):
        raise BadAsk(f"Invalid schema for a strict response format: see '{place}'.")
    return schema
