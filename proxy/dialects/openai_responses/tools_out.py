"""The hub's tools and their choice to `tools` and `tool_choice` (openai-python, types/responses/tool_param.py).

Functions are flat here. A strict function of a client of another vendor becomes a plain one: OpenAI wants every
property required, and others do not. Server tools go to their own dialect only; refused when there is nothing else.
"""

from collections.abc import Sequence
from typing import Final

from proxy.dialects.fitting import Fitting
from proxy.dialects.names import NameMap
from proxy.dialects.parts import Json, Request, Tool, ToolChoice, ToolMode
from proxy.dialects.schema import to_root_object

_DIALECT: Final = "openai-responses"
_FAMILY: Final = frozenset({_DIALECT, "openai-chat", "openrouter"})
"""Dialects whose `strict` is OpenAI's."""

_MODES: Final = {ToolMode.AUTO: "auto", ToolMode.NONE: "none", ToolMode.ANY: "required"}


def build_tools(request: Request, names: NameMap, fitting: Fitting) -> list[Json]:
    tools = [_build_tool(tool, request.dialect in _FAMILY, names, fitting) for tool in request.tools]
    tools += [tool.json for tool in request.server_tools if tool.dialect == _DIALECT]
    foreign = [tool.at for tool in request.server_tools if tool.dialect != _DIALECT]
    if foreign and not tools:
        fitting.refuse("server_tools", "the model that answers has no such tool")
    elif foreign:
        fitting.drop("server_tools")
    return tools


def _build_tool(tool: Tool, own: bool, names: NameMap, fitting: Fitting) -> Json:
    built: dict[str, Json] = {"type": "custom" if tool.custom else "function", "name": names.there(tool.name)}
    if tool.description:
        built["description"] = tool.description
    if tool.custom:
        return built
    strict = bool(tool.strict)
    if strict and not own:
        strict = False
        fitting.drop_name(f"{tool.at}.strict")
    built["parameters"] = tool.schema if strict else to_root_object(tool.schema)
    if built["parameters"] is None:
        built["parameters"] = {"type": "object", "properties": {}, "additionalProperties": False}
    elif not built["parameters"].get("properties"):
        built["parameters"] = {**built["parameters"], "properties": {}}
    built["strict"] = strict
    return built


def build_choice(choice: ToolChoice, tools: Sequence[Tool], names: NameMap) -> Json:
    if not choice.names:
        return _MODES[choice.mode]
    custom = {tool.name for tool in tools if tool.custom}
    named = [{"type": "custom" if name in custom else "function", "name": names.there(name)} for name in choice.names]
    if choice.mode is ToolMode.ANY and len(named) == 1:
        return named[0]
    if choice.mode is ToolMode.NONE:
        return "none"
    return {"type": "allowed_tools", "mode": _MODES[choice.mode], "tools": named}
