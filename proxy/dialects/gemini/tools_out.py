"""Tools and the choice among them, from the hub to `tools` and `toolConfig` (ai.google.dev/api/caching#Tool).

Free-text tools become functions with one string, which the decoder undoes. A tool that another vendor's servers run
cannot go along: it is dropped where there are tools besides, and refused where it is all that was asked for.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from proxy.dialects.fitting import Fitting
from proxy.dialects.gemini.calls import CUSTOM, INPUT
from proxy.dialects.gemini.rules import Rules, note
from proxy.dialects.names import NameMap
from proxy.dialects.parts import Json, Message, Request, Tool, ToolCall, ToolMode
from proxy.dialects.schema import to_openapi, to_root_object

_MODES: Final = {ToolMode.AUTO: "AUTO", ToolMode.NONE: "NONE", ToolMode.ANY: "ANY"}
_FREE_TEXT: Final = {"type": "object", "properties": {INPUT: {"type": "string"}}, "required": [INPUT]}
_OPEN: Final = frozenset({"additionalProperties", "patternProperties", "anyOf", "oneOf", "allOf", "$ref"})
"""Keywords by which an object without properties takes some all the same."""


def build_tools(
    request: Request, messages: Iterable[Message], rules: Rules, names: NameMap, fitting: Fitting
) -> dict[str, Json]:
    """`tools` and `toolConfig`, as far as there are any."""
    tools = list(_choose_tools(request, messages, rules))
    entries: list[Json] = []
    if tools:
        entries.append({"functionDeclarations": [_build_tool(tool, rules, names) for tool in tools]})
    entries += _find_server_tools(request, rules, fitting)
    found: dict[str, Json] = {"tools": entries} if entries else {}
    choice = request.tool_choice
    if choice is None:
        return found
    if not request.tools:
        fitting.drop("tool_choice")
        return found
    calling: dict[str, Json] = {"mode": _MODES[choice.mode]}
    if choice.names and choice.mode is ToolMode.ANY:
        calling["allowedFunctionNames"] = [names.there(name) for name in choice.names]
    return {**found, "toolConfig": {"functionCallingConfig": calling}}


def find_forms(request: Request) -> dict[str, str]:
    """What the decoder has to undo, by the client's name of a tool."""
    return {tool.name: CUSTOM for tool in request.tools if tool.custom}


def find_names(request: Request) -> Iterator[str]:
    """Every name of a tool that is spoken of."""
    yield from (tool.name for tool in request.tools)
    for message in request.messages:
        yield from (part.name for part in message.parts if isinstance(part, ToolCall))


def _choose_tools(request: Request, messages: Iterable[Message], rules: Rules) -> Iterator[Tool]:
    choice = request.tool_choice
    if choice is not None and choice.names and choice.mode is ToolMode.AUTO:
        yield from (tool for tool in request.tools if tool.name in choice.names)
    elif request.tools or not rules.infer_tools:
        yield from request.tools
    else:
        calls = (part.name for message in messages for part in message.parts if isinstance(part, ToolCall))
        yield from (Tool(name) for name in dict.fromkeys(calls))


def _build_tool(tool: Tool, rules: Rules, names: NameMap) -> dict[str, Json]:
    found: dict[str, Json] = {"name": names.there(tool.name)}
    if tool.description:
        found["description"] = tool.description
    schema: Any = _FREE_TEXT if tool.custom else tool.schema
    if _takes_nothing(schema):
        return found  # an object without properties is refused by older endpoints
    if rules.openapi:
        parameters = to_openapi(schema, claude=rules.claude)
        # "should be non-empty for OBJECT type": an object of any members has none that could be written.
        nothing = isinstance(parameters, dict) and not (parameters.get("properties") or parameters.get("anyOf"))
        return found if nothing else {**found, "parameters": parameters}
    return {**found, "parametersJsonSchema": to_root_object(schema)}


def _takes_nothing(schema: Json) -> bool:
    if not isinstance(schema, dict) or schema.get("properties"):
        return not isinstance(schema, dict)
    return not any(schema.get(keyword) for keyword in _OPEN)


def _find_server_tools(request: Request, rules: Rules, fitting: Fitting) -> Iterator[Json]:
    for tool in request.server_tools:
        if tool.dialect == "gemini" and rules.native:
            yield tool.json
        elif request.tools:
            note(fitting, tool.at or "tools")
        else:
            fitting.refuse_name(tool.at or "tools", "the provider that answers does not run this tool")
