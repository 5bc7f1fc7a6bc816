"""A client's request of POST /v1/messages, or of /v1/messages/count_tokens, as a hub `Request`.

Takes the body and what stands outside it, raises Invalid with the path of what is wrong. Known members are read once,
by name; every other one is kept in `extra`, so that a target either gets it or refuses it by name. Values that only the
vendor's models limit (sizes of budgets, numbers of tools) are not judged here: the target's builder fits them.
"""

from collections.abc import Set
from typing import Final

from proxy.dialects.anthropic_messages.blocks_in import Conversation, parse_texts, read_cache
from proxy.dialects.anthropic_messages.native import DIALECT, NativeRequest
from proxy.dialects.chat import Asked
from proxy.dialects.fields import Fields, parse_object
from proxy.dialects.parts import (
    Effort,
    Opaque,
    OutputFormat,
    Reasoning,
    Tool,
    ToolChoice,
    ToolMode,
)

_MODES: Final = {"auto": ToolMode.AUTO, "any": ToolMode.ANY, "none": ToolMode.NONE, "tool": ToolMode.ANY}
_EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")

_THINKING: Final = {"enabled": "on", "adaptive": "adaptive", "between_tools": "adaptive", "disabled": "off"}

# Members of a tool that change how it is sent or looked up, never what it is.
_TOOL_HINTS: Final = frozenset({"eager_input_streaming", "defer_loading", "input_examples", "allowed_callers"})

HINTS: Final = frozenset({
    "context_management", "cache_control", "speed", "inference_geo", "container", "service_tier", "metadata",
    *(f"tools.{hint}" for hint in _TOOL_HINTS),
})  # fmt: skip
"""What asks for no other answer (docs.anthropic.com/en/api/messages): caching, billing, housekeeping of the context."""


def parse_request(body: bytes, asked: Asked) -> NativeRequest:
    """A request for a message."""
    fields = parse_object(body)
    request = _parse_common(fields, asked)
    request.max_tokens = fields.integer("max_tokens", None, low=1)
    if request.max_tokens is None:
        raise fields.invalid("max_tokens", "is required")
    request.named["max_tokens"] = "max_tokens"
    _keep_rest(request, fields)
    return request


def parse_count_request(body: bytes, asked: Asked) -> NativeRequest:
    """A request for the number of its tokens: the same without `max_tokens`, which some clients send all the same."""
    fields = parse_object(body)
    request = _parse_common(fields, asked)
    fields.integer("max_tokens", None, low=0)
    _keep_rest(request, fields)
    return request


def _parse_common(fields: Fields, asked: Asked) -> NativeRequest:
    model = fields.text("model", None)
    if not (asked.model or model):
        raise fields.invalid("model", "is required")
    conversation = Conversation()
    fields.array("messages")
    messages = [conversation.parse_message(message) for message in fields.children("messages")]
    if not messages:
        raise fields.invalid("messages", "must not be empty")
    stream = fields.flag("stream", False)
    request = NativeRequest(
        model=asked.model or model or "",
        messages=messages,
        dialect=DIALECT,
        stream=stream if asked.stream is None else asked.stream,
        system=parse_texts(fields, "system"),
        include_usage=True,
        blocks=conversation.blocks,
    )
    request.extra.update(conversation.asked)
    _parse_sampling(fields, request)
    _parse_tools(fields, request, conversation.loaded)
    _parse_choice(fields, request)
    _parse_reasoning(fields, request)
    _parse_output(fields, request)
    _parse_metadata(fields, request)
    return request


def _parse_sampling(fields: Fields, request: NativeRequest) -> None:
    request.temperature = fields.number("temperature", None, 0, 1)
    request.top_p = fields.number("top_p", None, 0, 1)
    request.top_k = fields.integer("top_k", None, 0)
    request.stop = fields.texts("stop_sequences")
    request.service_tier = fields.text("service_tier", None)
    for field, name in (
        ("temperature", "temperature"), ("top_p", "top_p"), ("top_k", "top_k"), ("stop", "stop_sequences"),
        ("service_tier", "service_tier"),
    ):  # fmt: skip
        if fields.has(name):
            request.named[field] = name


def _parse_tools(fields: Fields, request: NativeRequest, loaded: Set[str]) -> None:
    tools = list(fields.children("tools"))
    searched = any(tool.text("type", "").startswith("tool_search_tool") for tool in tools)
    for tool in tools:
        if tool.text("type", "custom") != "custom" or _is_unseen(tool, loaded, searched):
            request.server_tools.append(Opaque(DIALECT, tool.value, at=tool.at, cache=read_cache(tool)))
            request.named.setdefault("server_tools", tool.at)
            continue
        name = tool.text("name")
        if not name:
            raise tool.invalid("name", "must not be empty")
        schema = tool.child("input_schema")
        if schema is None:
            raise tool.invalid("input_schema", "is required")
        schema.choice("type", "", "object")
        strict = tool.flag("strict", None)
        description = tool.text("description", None) or ""
        request.tools.append(Tool(name, description, dict(schema.value), strict, read_cache(tool), at=tool.at))
        request.blocks[tool.at] = tool.value
        for hint in sorted(_TOOL_HINTS & tool.rest().keys()):
            request.extra[f"tools.{hint}"] = tool.raw(hint)
    if request.tools:
        request.named["tools"] = "tools"


def _is_unseen(tool: Fields, loaded: Set[str], searched: bool) -> bool:
    """A model does not see a deferred tool before a search has found it (docs.anthropic.com, tool search); Claude
    Code defers one that must never be called. Where the vendor's server searches, nobody else can: all are shown."""
    return tool.value.get("defer_loading") is True and not searched and tool.value.get("name") not in loaded


def _parse_choice(fields: Fields, request: NativeRequest) -> None:
    choice = fields.child("tool_choice")
    if choice is None:
        return
    kind = choice.choice("type", "", *_MODES)
    if not kind:
        raise choice.invalid("type", "is required")
    names = (choice.text("name"),) if kind == "tool" else ()
    request.tool_choice = ToolChoice(_MODES[kind], names)
    request.named["tool_choice"] = "tool_choice"
    alone = choice.flag("disable_parallel_tool_use", None)
    if alone is not None:
        request.parallel_tools = not alone
        request.named["parallel_tools"] = choice.place("disable_parallel_tool_use")


def _parse_reasoning(fields: Fields, request: NativeRequest) -> None:
    """`thinking` says whether, `output_config.effort` how much; an effort alone leaves the rest to the model."""
    effort = _parse_effort(fields)
    thinking = fields.child("thinking")
    if thinking is None:
        if effort is not None:
            request.reasoning = Reasoning("adaptive", effort)
            request.named["reasoning"] = "output_config.effort"
        return
    kind = thinking.choice("type", "", *_THINKING)
    if not kind:
        raise thinking.invalid("type", "is required")
    budget = thinking.integer("budget_tokens", None, low=0)
    if kind == "enabled" and budget is None:
        raise thinking.invalid("budget_tokens", "is required")
    # An unknown way of displaying asks for no particular one.
    show = {"summarized": True, "omitted": False}.get(thinking.text("display", ""))
    mode = _THINKING[kind]
    request.named["reasoning"] = "thinking"
    if mode == "on":
        request.reasoning = Reasoning("on", effort, budget, show)
    elif mode == "adaptive":
        request.reasoning = Reasoning("adaptive", effort, None, show)
    else:
        request.reasoning = Reasoning("off")


def _parse_effort(fields: Fields) -> Effort | None:
    config = fields.child("output_config")
    if config is None:
        return None
    word = config.choice("effort", "", *_EFFORTS)
    return Effort(word) if word else None


def _parse_output(fields: Fields, request: NativeRequest) -> None:
    """`output_config.format`, or `output_format` as the beta of it was called."""
    config = fields.child("output_config")
    wanted = None if config is None else config.child("format")
    if config is not None:
        config.raw("effort")
        request.extra.update({config.place(name): value for name, value in config.rest().items()})
    wanted = wanted or fields.child("output_format")
    if wanted is None:
        return
    wanted.choice("type", "", "json_schema")
    schema = wanted.child("schema")
    if schema is None:
        raise wanted.invalid("schema", "is required")
    request.output = OutputFormat(dict(schema.value))
    request.named["output"] = wanted.at


def _parse_metadata(fields: Fields, request: NativeRequest) -> None:
    metadata = fields.child("metadata")
    if metadata is None:
        return
    request.user = metadata.text("user_id", None)
    if request.user is not None:
        request.named["user"] = metadata.place("user_id")
    for name, value in metadata.rest().items():
        if isinstance(value, str):
            request.metadata[name] = value
            request.named["metadata"] = "metadata"
        else:
            request.extra[metadata.place(name)] = value


def _keep_rest(request: NativeRequest, fields: Fields) -> None:
    request.extra.update(fields.rest())
    request.hints = frozenset(name for name in request.extra if name in HINTS or name.startswith("metadata."))
