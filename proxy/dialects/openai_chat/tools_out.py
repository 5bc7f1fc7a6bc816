"""The tools of a request for a provider of the OpenAI family, and which of them may or must be called.

What a server's `tool_choice` does not know is said otherwise: a forced tool becomes the only one, an allowed subset all
there are, none no tools at all. A free-text tool becomes a function with one string, `input`, where there are none, and
the decoder is told by `forms`. Server tools exist within their own dialect only.
"""

from typing import TYPE_CHECKING, Final

from proxy.dialects.openai_chat.tool_assembly import CUSTOM
from proxy.dialects.parts import Json, Tool, ToolChoice, ToolMode
from proxy.dialects.schema import to_root_object

if TYPE_CHECKING:
    from proxy.dialects.openai_chat.request_out import RequestWriter

FREE_TEXT: Final = {
    "type": "object",
    "properties": {"input": {"type": "string", "description": "The whole input of the tool, as free text."}},
    "required": ["input"],
    "additionalProperties": False,
}

_MODES: Final = {ToolMode.AUTO: "auto", ToolMode.NONE: "none", ToolMode.ANY: "required"}


class Tooling:
    """Writes `tools`, `tool_choice` and `parallel_tool_calls` of one request."""

    def __init__(self, writer: "RequestWriter") -> None:
        self._writer = writer
        self._tools = list(writer.request.tools)

    def write(self) -> None:
        writer = self._writer
        choice = self._fit_choice(writer.request.tool_choice)
        tools = [self.build_tool(tool) for tool in self._tools] + self._list_server_tools()
        if not tools:
            writer.fitting.drop("parallel_tools")
            return
        writer.body["tools"] = tools
        if choice is not None:
            writer.body["tool_choice"] = choice
        if writer.request.parallel_tools is not None:
            if writer.quirk.parallel:
                writer.body["parallel_tool_calls"] = writer.request.parallel_tools
            elif writer.request.parallel_tools is False:
                writer.fitting.drop("parallel_tools")

    def build_tool(self, tool: Tool) -> dict[str, Json]:
        writer = self._writer
        name = writer.names.there(tool.name)
        if tool.custom and writer.quirk.custom_tools:
            custom = {"name": name, "description": tool.description}
            return {"type": "custom", "custom": {key: value for key, value in custom.items() if value}}
        function: dict[str, Json] = {"name": name}
        if tool.description:
            function["description"] = tool.description
        if tool.custom:
            writer.forms[name] = CUSTOM
            function["parameters"] = FREE_TEXT
        else:
            function["parameters"] = to_root_object(tool.schema)
        # Other dialects mean other rules by strict; where it is not said, OpenAI's default is false.
        if tool.strict is not None and writer.quirk.strict and writer.request.dialect.startswith("openai"):
            function["strict"] = tool.strict
        built: dict[str, Json] = {"type": "function", "function": function}
        if tool.cache is not None and writer.quirk.cache:
            built["cache_control"] = dict(tool.cache)
        return built

    def _list_server_tools(self) -> list[Json]:
        writer = self._writer
        found = []
        for tool in writer.request.server_tools:
            if tool.dialect == writer.flavour.name:
                found.append(tool.json)
            elif writer.request.tools:
                writer.fitting.drop("server_tools")
            else:
                writer.fitting.refuse_name(tool.at or writer.fitting.name("server_tools"))
        return found

    def _fit_choice(self, choice: ToolChoice | None) -> Json:
        """What stands in `tool_choice`, None for nothing; fits `_tools` to it."""
        writer = self._writer
        if choice is None:
            return None
        if not self._tools:
            writer.fitting.drop("tool_choice")
            return None
        known = writer.quirk.choices
        if choice.mode is ToolMode.NONE:
            if "none" not in known:
                self._tools = []
            return "none" if "none" in known else None
        if not choice.names:
            return self._find_mode(choice.mode)
        if choice.mode is ToolMode.ANY and len(choice.names) == 1 and "named" in known:
            return self._name(choice.names[0])
        if "allowed" in known:
            tools = [self._name(name) for name in choice.names]
            return {"type": "allowed_tools", "allowed_tools": {"mode": _MODES[choice.mode], "tools": tools}}
        self._tools = [tool for tool in self._tools if tool.name in choice.names]
        return self._find_mode(choice.mode) if self._tools else None

    def _find_mode(self, mode: ToolMode) -> str:
        if mode is ToolMode.ANY and "required" not in self._writer.quirk.choices:
            self._writer.fitting.drop("tool_choice")
            return "auto"
        return _MODES[mode]

    def _name(self, name: str) -> dict[str, Json]:
        writer = self._writer
        custom = writer.quirk.custom_tools and any(tool.custom for tool in self._tools if tool.name == name)
        kind = "custom" if custom else "function"
        return {"type": kind, kind: {"name": writer.names.there(name)}}
