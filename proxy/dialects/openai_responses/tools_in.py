"""`tools` and `tool_choice` of a Responses request (openai-python, types/responses/tool_param.py, tool_choice_*.py).

Functions and custom tools become the hub's tools, those of a namespace too, under a joined name. Everything that the
vendor runs, or that has a call item of its own (`local_shell`, `apply_patch`), is a server tool: opaque. A custom
tool's grammar has no field in the hub; the model reads it in the description.
"""

from collections.abc import Iterator
from typing import Final

from proxy.dialects.chat import Invalid
from proxy.dialects.fields import Fields
from proxy.dialects.openai_responses.naming import join_name
from proxy.dialects.parts import Opaque, Request, Tool, ToolChoice, ToolMode

_DIALECT: Final = "openai-responses"
_MODES: Final = {"auto": ToolMode.AUTO, "none": ToolMode.NONE, "required": ToolMode.ANY}

_HINTS: Final = frozenset({"defer_loading", "output_schema"})
"""Say when a tool is loaded and what it answers: a model that has it from the beginning needs neither."""


def parse_tools(fields: Fields, request: Request) -> None:
    """`fields`: the body, or an item that brings tools along."""
    for tool in fields.children("tools"):
        _parse_tool(tool, request)
    if request.tools:
        request.named["tools"] = "tools"
    if request.server_tools:
        request.named["server_tools"] = ", ".join(tool.at for tool in request.server_tools)


def _parse_tool(fields: Fields, request: Request) -> None:
    kind = fields.text("type")
    if kind == "namespace":
        request.tools += _parse_namespace(fields, request)
    elif kind in _READERS:
        request.tools.append(_READERS[kind](fields, "", request))
    else:
        request.server_tools.append(Opaque(_DIALECT, dict(fields.value), at=fields.at))


def _parse_namespace(fields: Fields, request: Request) -> Iterator[Tool]:
    namespace = _parse_name(fields)
    about = fields.text("description", "")
    for index, child in enumerate(fields.children("tools")):
        kind = child.choice("type", "function", *_READERS)
        tool = _READERS[kind](child, namespace, request)
        if about and index == 0:
            # Said once, with the first of its tools: the hub has no place for what is true of all.
            text = f"{tool.description}\n\nAbout all tools of {namespace}: {about}"
            tool = Tool(tool.name, text.strip(), tool.schema, tool.strict, custom=tool.custom, at=tool.at)
        yield tool


def _parse_function(fields: Fields, namespace: str, request: Request) -> Tool:
    name = join_name(namespace, _parse_name(fields))
    parameters = fields.child("parameters")
    schema = None if parameters is None else dict(parameters.value)
    strict = fields.flag("strict", None)
    _keep_flags(fields, request)
    return Tool(name, fields.text("description", ""), schema, strict, at=fields.at)


def _parse_custom(fields: Fields, namespace: str, request: Request) -> Tool:
    name = join_name(namespace, _parse_name(fields))
    description = fields.text("description", "")
    form = fields.child("format")
    if form is not None and form.choice("type", "text", "text", "grammar") == "grammar":
        syntax, definition = form.text("syntax", "lark"), form.text("definition")
        description = f"{description}\n\nThe input must match this {syntax} grammar:\n{definition}".strip()
    _keep_flags(fields, request)
    return Tool(name, description, custom=True, at=fields.at)


_READERS: Final = {"function": _parse_function, "custom": _parse_custom}


def _parse_name(fields: Fields) -> str:
    name = fields.text("name")
    if not name:
        raise fields.invalid("name", "must not be empty")
    return name


def _keep_flags(fields: Fields, request: Request) -> None:
    """Who may call a tool and when: refused by name where it means something."""
    if fields.raw("async"):
        request.extra[fields.place("async")] = True
    callers = fields.texts("allowed_callers")
    if callers and "direct" not in callers:
        request.extra[fields.place("allowed_callers")] = callers


def parse_tool_choice(fields: Fields, request: Request) -> None:
    value = fields.raw("tool_choice")
    if value is None:
        return
    request.named["tool_choice"] = "tool_choice"
    if isinstance(value, str):
        if value not in _MODES:
            raise Invalid("tool_choice", f"must be one of {', '.join(_MODES)}, or an object")
        request.tool_choice = ToolChoice(_MODES[value])
        return
    choice = Fields(value, "tool_choice")
    kind = choice.text("type")
    if kind in _READERS:
        request.tool_choice = ToolChoice(ToolMode.ANY, (_find_tool(choice, request),))
    elif kind == "allowed_tools":
        mode = _MODES[choice.choice("mode", "auto", "auto", "required")]
        names = tuple(_find_allowed(choice, request))
        request.tool_choice = ToolChoice(mode, names)
    else:
        # Forces a server tool: only who runs it can be told so.
        del request.named["tool_choice"]
        request.extra["tool_choice"] = value


def _find_allowed(choice: Fields, request: Request) -> Iterator[str]:
    found = False
    for tool in choice.children("tools"):
        found = True
        if tool.text("type", "function") in _READERS:
            yield _find_tool(tool, request)
    if not found:
        raise choice.invalid("tools", "must name a tool")


def _find_tool(fields: Fields, request: Request) -> str:
    name = join_name(fields.text("namespace", None), _parse_name(fields))
    if all(tool.name != name for tool in request.tools):
        raise fields.invalid("name", "must be one of the tools")
    return name
