"""A request for a chat completion to the hub's (platform.openai.com/docs/api-reference/chat/create).

Takes what OpenAI documents, the deprecated `functions` too, and what programs for compatible servers send beside it:
`top_k`, reasoning in four spellings, `cache_control`. What has no field in the hub stands in `extra` by its name, but
for values that ask for nothing. Raises Invalid with the path of what is wrong. Messages are read by `history_in.py`.
Nothing is said here about who will answer.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from proxy.dialects.chat import Asked, Invalid
from proxy.dialects.fields import Fields, parse_object
from proxy.dialects.openai_chat.content_in import read_cache
from proxy.dialects.openai_chat.history_in import parse_messages
from proxy.dialects.parts import (
    Effort,
    Json,
    Opaque,
    OutputFormat,
    Reasoning,
    Request,
    Tool,
    ToolChoice,
    ToolMode,
)

_MODES: Final = {"none": ToolMode.NONE, "auto": ToolMode.AUTO, "required": ToolMode.ANY, "any": ToolMode.ANY}
_EFFORTS: Final = tuple(effort.value for effort in Effort)
_THINKING: Final[Mapping[str, Literal["off", "on", "adaptive"]]] = {
    "disabled": "off", "adaptive": "adaptive", "auto": "adaptive",
}  # fmt: skip
_MOST_CHOICES: Final = 128

_IDLE: Final[Mapping[str, Json]] = MappingProxyType({
    "logprobs": False, "top_logprobs": 0, "store": False, "logit_bias": {}, "modalities": ["text"], "plugins": [],
    "functions": [], "verbosity": "medium", "transforms": [],
})  # fmt: skip
"""Values that ask for what happens anyway."""

_HINTS: Final = frozenset({
    # OpenAI: storage, caching, accounting
    "store", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "safety_identifier", "verbosity",
    "logprobs", "top_logprobs", "moderation",
    # OpenRouter and GLM: routing, tracing, and how an answer is cut
    "provider", "transforms", "session_id", "trace", "usage", "route", "request_id", "tool_stream",
})  # fmt: skip
"""What asks for no other answer, so that nobody misses it."""


def parse_request(body: bytes, asked: Asked, dialect: str = "openai-chat") -> Request:
    fields = parse_object(body)
    model = asked.model if asked.model is not None else fields.text("model")
    fields.raw("model")
    if not model:
        raise Invalid("model", "must not be empty")
    request = Request(model, [], dialect)
    streamed = fields.flag("stream", False)
    request.stream = streamed if asked.stream is None else asked.stream
    options = fields.child("stream_options")
    request.include_usage = options is not None and options.flag("include_usage", False)
    _parse_tools(fields, request)
    _parse_choice(fields, request)
    request.system, request.messages = parse_messages(fields, dialect, request.extra)
    _parse_sampling(fields, request)
    _parse_reasoning(fields, request)
    _parse_output(fields, request)
    _parse_accounting(fields, request)
    for name, value in fields.rest().items():
        if value is not None and (name not in _IDLE or value != _IDLE[name]):
            request.extra[name] = value
    request.hints = frozenset(name for name in request.extra if name in _HINTS or name.endswith("].name"))
    return request


def _note(fields: Fields, request: Request, field: str, name: str = "") -> None:
    if fields.has(name or field):
        request.named[field] = fields.place(name or field)


def _parse_sampling(fields: Fields, request: Request) -> None:
    limit = fields.integer("max_tokens", None, low=1)
    request.max_tokens = fields.integer("max_completion_tokens", limit, low=1)
    _note(fields, request, "max_tokens")
    _note(fields, request, "max_tokens", "max_completion_tokens")
    request.temperature = fields.number("temperature", None, 0, 2)
    request.top_p = fields.number("top_p", None, 0, 1)
    request.top_k = fields.integer("top_k", None)
    request.presence_penalty = fields.number("presence_penalty", None, -2, 2)
    request.frequency_penalty = fields.number("frequency_penalty", None, -2, 2)
    request.seed = fields.integer("seed", None)
    request.stop = fields.texts("stop")
    request.n = fields.integer("n", 1, low=1, high=_MOST_CHOICES)
    for field in ("temperature", "top_p", "top_k", "presence_penalty", "frequency_penalty", "seed", "stop", "n"):
        _note(fields, request, field)


def _parse_tools(fields: Fields, request: Request) -> None:
    for item in fields.children("tools"):
        kind = item.text("type", "function")
        if kind == "function":
            request.tools.append(_parse_function(item, "function"))
        elif kind == "custom":
            request.tools.append(_parse_custom(item))
        else:
            request.server_tools.append(Opaque(request.dialect, dict(item.value), at=item.at))
            request.named.setdefault("server_tools", item.at)
    _note(fields, request, "tools")
    if fields.array("functions", []):
        if request.tools or request.server_tools:
            raise Invalid("functions", "cannot stand beside tools")
        request.tools = [_read_function(item) for item in fields.children("functions")]
        request.named["tools"] = "functions"
        request.parallel_tools = False  # the old form of an answer has room for one call
        return
    request.parallel_tools = fields.flag("parallel_tool_calls", None)
    _note(fields, request, "parallel_tools", "parallel_tool_calls")


def _parse_function(item: Fields, name: str) -> Tool:
    function = item.child(name)
    if function is None:
        raise item.invalid(name, "is required")
    return _read_function(function, item)


def _read_function(function: Fields, outer: Fields | None = None) -> Tool:
    """outer: the tool around it, None in the old form."""
    parameters = function.child("parameters")
    cache = read_cache(function) or (None if outer is None else read_cache(outer))
    return Tool(
        _read_name(function),
        function.text("description", ""),
        None if parameters is None else dict(parameters.value),
        function.flag("strict", None),
        cache,
        at=function.at if outer is None else outer.at,
    )


def _parse_custom(item: Fields) -> Tool:
    custom = item.child("custom")
    if custom is None:
        raise item.invalid("custom", "is required")
    description = custom.text("description", "")
    form = custom.child("format")
    grammar = None if form is None else form.child("grammar")
    if grammar is not None:
        syntax, definition = grammar.text("syntax", "lark"), grammar.text("definition")
        description = f"{description}\n\nThe input must match this {syntax} grammar:\n{definition}".strip()
    return Tool(_read_name(custom), description, custom=True, at=item.at)


def _read_name(fields: Fields) -> str:
    name = fields.text("name")
    if not name:
        raise fields.invalid("name", "must not be empty")
    return name


def _parse_choice(fields: Fields, request: Request) -> None:
    field = "function_call" if request.named.get("tools") == "functions" else "tool_choice"
    value = fields.raw(field)
    if value is None:
        return
    request.named["tool_choice"] = field
    if isinstance(value, str):
        if value not in _MODES:
            raise fields.invalid(field, f"must be one of {', '.join(_MODES)}, or an object")
        request.tool_choice = ToolChoice(_MODES[value])
        return
    choice = Fields(value, field)
    kind = "" if field == "function_call" else choice.text("type")
    if kind == "allowed_tools":
        request.tool_choice = _parse_allowed(choice, request)
        return
    inner = choice.child(kind) if kind in ("function", "custom") else None
    if kind and inner is None:
        # Forces a server tool: only who runs it can be told so.
        del request.named["tool_choice"]
        request.extra["tool_choice"] = value
        return
    request.tool_choice = ToolChoice(ToolMode.ANY, (_find_tool(inner or choice, request),))


def _parse_allowed(choice: Fields, request: Request) -> ToolChoice:
    allowed = choice.child("allowed_tools")
    if allowed is None:
        raise choice.invalid("allowed_tools", "is required")
    mode = allowed.choice("mode", "auto", "auto", "required")
    names = [
        _find_tool(inner, request)
        for item in allowed.children("tools")
        if (inner := item.child(item.text("type", "function"))) is not None
    ]
    return ToolChoice(_MODES[mode], tuple(names))


def _find_tool(fields: Fields, request: Request) -> str:
    name = _read_name(fields)
    if request.tools and name not in {tool.name for tool in request.tools}:
        raise fields.invalid("name", "names no tool of the request")
    return name


def _parse_reasoning(fields: Fields, request: Request) -> None:
    """`reasoning_effort` (OpenAI), `reasoning` (OpenRouter), `thinking` (GLM, DeepSeek, LiteLLM). The first counts."""
    found: list[tuple[str, Reasoning]] = []
    if effort := fields.choice("reasoning_effort", "", *_EFFORTS):
        found.append(("reasoning_effort", _from_effort(effort)))
    if (reasoning := fields.child("reasoning")) is not None:
        found.append(("reasoning", _read_reasoning(reasoning)))
    if (thinking := fields.child("thinking")) is not None:
        kind = thinking.text("type", "enabled")
        budget = thinking.integer("budget_tokens", None, low=0)
        found.append(("thinking", Reasoning(_THINKING.get(kind, "on"), None, budget)))
    shown = fields.flag("include_reasoning", None)
    if found:
        name, wanted = found[0]
        effort_too = next((each.effort for _, each in found if each.effort is not None), None)
        show = wanted.show if shown is None else shown
        kept = wanted.effort if wanted.mode == "off" else wanted.effort or effort_too
        request.reasoning = Reasoning(wanted.mode, kept, wanted.budget, show)
        request.named["reasoning"] = name
    elif shown is not None:
        request.reasoning = Reasoning("adaptive", show=shown)
        request.named["reasoning"] = "include_reasoning"


def _read_reasoning(fields: Fields) -> Reasoning:
    enabled, exclude = fields.flag("enabled", None), fields.flag("exclude", None)
    budget = fields.integer("max_tokens", None, low=0)
    effort = fields.choice("effort", "", *_EFFORTS)
    show = None if exclude is None else not exclude
    if enabled is False or effort == "none":
        return Reasoning("off", Effort.NONE if effort else None, None, show)
    asked = bool(effort) or budget is not None
    return Reasoning("on" if asked else "adaptive", Effort(effort) if effort else None, budget, show)


def _from_effort(word: str) -> Reasoning:
    effort = Effort(word)
    return Reasoning("off" if effort is Effort.NONE else "on", effort)


def _parse_output(fields: Fields, request: Request) -> None:
    wanted = fields.child("response_format")
    if wanted is None:
        return
    kind = wanted.choice("type", "", "text", "json_object", "json_schema")
    if not kind:
        raise wanted.invalid("type", "is required")
    if kind == "text":
        return
    request.named["output"] = "response_format"
    request.output = OutputFormat()
    if kind == "json_schema":
        inner = wanted.child("json_schema")
        if inner is None:
            raise wanted.invalid("json_schema", "is required")
        schema = inner.child("schema")
        request.output = OutputFormat(
            {} if schema is None else dict(schema.value),
            inner.text("name", ""),
            inner.flag("strict", None),
            inner.text("description", ""),
        )


def _parse_accounting(fields: Fields, request: Request) -> None:
    request.user = fields.text("user", None)
    _note(fields, request, "user")
    if request.user is None:
        request.user = fields.text("safety_identifier", None)
        _note(fields, request, "user", "safety_identifier")
    request.service_tier = fields.text("service_tier", None)
    _note(fields, request, "service_tier")
    metadata = fields.child("metadata")
    for name in () if metadata is None else metadata.value:
        request.metadata[name] = metadata.text(name) if metadata is not None else ""
    _note(fields, request, "metadata")
