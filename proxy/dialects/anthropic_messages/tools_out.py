"""Tools, the choice among them, and JSON output: what they become in a request for Anthropic.

Names that do not fit are changed through a `NameMap`; a tool that takes free text becomes one with a text parameter,
and where a model takes no output format a forced tool stands in for it. `forms` says of both to the decoder, by the
name of the tool at the provider: "custom" and "text". Raises Invalid.
"""

from typing import Any, Final

from proxy.dialects.anthropic_messages.native import DIALECT, list_blocks
from proxy.dialects.chat import Invalid, Target
from proxy.dialects.fitting import Fitting
from proxy.dialects.json_text import encode_json
from proxy.dialects.names import ANTHROPIC, NameMap
from proxy.dialects.parts import Json, Message, OutputFormat, Request, Tool, ToolCall, ToolChoice, ToolMode
from proxy.dialects.schema import to_closed, to_root_object

CUSTOM: Final = "custom"
AS_TEXT: Final = "text"

_MOST_STRICT: Final = 20  # strict tools in a request (docs.anthropic.com, structured outputs)
_NO_SCHEMA: Final = {"type": "object", "properties": {}}
_FREE_TEXT: Final = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
_JSON_ONLY: Final = "Answer with one JSON object and nothing else: no code fence, no text around it."
_JSON_SCHEMA: Final = "Answer with JSON that this JSON Schema accepts and nothing else, no code fence: "
_JSON_TOOL: Final = "Gives the answer to the user. Call it once, when the answer is complete."


class Tooling:
    """Filled in this order: tools, choice, output. system: what the model has to be told beside."""

    def __init__(self, request: Request, target: Target, fitting: Fitting, messages: list[Message]) -> None:
        self._request = request
        self._capabilities = target.capabilities
        self._fitting = fitting
        self._called = {
            part.name: part.custom for message in messages for part in message.parts if isinstance(part, ToolCall)
        }
        self._blocks = list_blocks(request)
        # Blocks that are sent as they came have their names in them.
        names = () if self._blocks else [*(tool.name for tool in request.tools), *self._called]
        self.names = NameMap(names, ANTHROPIC)
        self.forms: dict[str, str] = {}
        self.tools: list[dict[str, Any]] = []
        self.choice: dict[str, Any] | None = None
        self.output: dict[str, Any] | None = None
        self.system: list[str] = []

    def build(self, *, thinking: bool) -> None:
        choice = self._request.tool_choice
        self._build_tools(choice)
        if self.tools:
            self.choice = self._build_choice(choice, thinking)
        else:
            self._fitting.drop("tool_choice")
            self._fitting.drop("parallel_tools")
            self._infer_tools()
        if self._request.output is not None:
            self._build_output(self._request.output, thinking)

    def _build_tools(self, choice: ToolChoice | None) -> None:
        request = self._request
        tools = request.tools
        if choice is not None and choice.names:
            unknown = set(choice.names) - {tool.name for tool in tools} - _list_server_names(request)
            if unknown:
                raise Invalid(self._fitting.name("tool_choice"), "names a tool that is not among the tools")
            if len(choice.names) > 1 or choice.mode is not ToolMode.ANY:
                tools = [tool for tool in tools if tool.name in choice.names]
        strict = 0
        for tool in tools:
            strict += bool(tool.strict)
            self.tools.append(self._build_tool(tool, strict <= _MOST_STRICT))
        if request.dialect == DIALECT:
            self.tools += [dict(tool.json) for tool in request.server_tools]
        elif request.server_tools and not self.tools:
            self._fitting.refuse("server_tools")
        else:
            self._fitting.drop("server_tools")

    def _build_tool(self, tool: Tool, may_be_strict: bool) -> dict[str, Any]:
        if (block := self._blocks.get(tool.at)) is not None:
            return dict(block)
        name = self.names.there(tool.name)
        built: dict[str, Any] = {"name": name}
        if tool.description:
            built["description"] = tool.description
        if tool.custom:
            self.forms[name] = CUSTOM
            built["input_schema"] = _FREE_TEXT
        elif tool.strict and may_be_strict and self._capabilities.json_schema:
            built["input_schema"] = to_closed(to_root_object(tool.schema))
            built["strict"] = True
        else:
            built["input_schema"] = to_root_object(tool.schema)
            if tool.strict:
                self._fitting.dropped.append(f"{tool.at}.strict")
        if tool.cache is not None:
            built["cache_control"] = dict(tool.cache)
        return built

    def _build_choice(self, choice: ToolChoice | None, thinking: bool) -> dict[str, Any] | None:
        built: dict[str, Any] | None = None
        if choice is not None:
            mode = choice.mode
            if mode is ToolMode.ANY and thinking:
                # "Thinking may not be enabled when tool_choice forces tool use."
                self._fitting.drop("tool_choice")
                mode = ToolMode.AUTO
            if mode is ToolMode.ANY and len(choice.names) == 1:
                built = {"type": "tool", "name": self.names.there(choice.names[0])}
            else:
                built = {"type": mode.value}
        if self._request.parallel_tools is False and (built is None or built["type"] != "none"):
            built = {**(built or {"type": "auto"}), "disable_parallel_tool_use": True}
        return built

    def _infer_tools(self) -> None:
        """A conversation with calls is refused without tools; the client gave none, so none may be called."""
        for name, custom in self._called.items():
            schema = _FREE_TEXT if custom else _NO_SCHEMA
            self.tools.append({"name": self.names.there(name), "input_schema": schema})
        if self.tools:
            self.choice = {"type": "none"}

    def _build_output(self, output: OutputFormat, thinking: bool) -> None:
        schema = output.schema
        if schema is None:
            self.system.append(_JSON_ONLY)
        elif self._capabilities.json_schema:
            self.output = {"type": "json_schema", "schema": to_closed(schema)}
        elif thinking or self.tools or not _is_object(schema):
            # A forced tool is refused with thinking, shuts out the other tools, and has an object for its arguments.
            self.system.append(_JSON_SCHEMA + encode_json(schema).decode())
        else:
            self.tools.append(
                {
                    "name": "json",
                    "description": output.description or _JSON_TOOL,
                    "input_schema": to_root_object(schema),
                }
            )
            self.forms["json"] = AS_TEXT
            self.choice = {"type": "tool", "name": "json", "disable_parallel_tool_use": True}


def _list_server_names(request: Request) -> set[str]:
    return {str(tool.json.get("name")) for tool in request.server_tools} if request.dialect == DIALECT else set()


def _is_object(schema: Json) -> bool:
    return isinstance(schema, dict) and (schema.get("type") == "object" or "properties" in schema)
