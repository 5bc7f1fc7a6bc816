"""Reads what a request of Anthropic's Messages API says beside its messages: tools and their choice, thinking, the
format of the answer, sampling.

What a model takes goes by its name, in three generations: up to 4.5 thinking has a budget, from 4.7 on it is adaptive
and sampling parameters are refused. Other names are taken for the oldest. Pure; raises `BadAsk`.
"""

import re
from typing import Any, Final

from proxy.demo.answer import BadAsk
from proxy.demo.anthropic_request import TOOL_NAME, State, read_cache_control
from proxy.demo.reading import Fields
from proxy.demo.schemas import UNCLOSED, find_keyword, find_open_object
from proxy.demo.script import Tool

NEWEST: Final = re.compile(r"claude-[a-z]+-(?:4-[789]|[5-9])(?!\d).*")
NO_PREFILL: Final = re.compile(r"claude-[a-z]+-(?:4-[6789]|[5-9])(?!\d).*")
ONE_SAMPLING: Final = re.compile(r"claude-[a-z]+-4-5.*")
SERVER_TOOL: Final = re.compile(r"[a-z_]+_20\d{6}")
MIN_BUDGET: Final = 1024
EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")
NOT_LOOKED_AT: Final = (
    "service_tier", "speed", "container", "inference_geo", "context_management", "mcp_servers", "diagnostics",
    "fallbacks",
)  # fmt: skip


def read_tools(body: Fields) -> tuple[Tool, ...]:
    """The declared tools; those of the server's own are known and not played."""
    tools = []
    for entry in body.children("tools"):
        kind = entry.text("type")
        if kind is not None and kind != "custom":
            if not SERVER_TOOL.fullmatch(kind):
                raise entry.bad("type", "should be 'custom' or a versioned tool of the server")
            continue
        name = entry.match("name", TOOL_NAME)
        schema = entry.object("input_schema")
        if schema is None:
            raise entry.missing("input_schema")
        if schema.get("type") != "object":
            raise entry.bad("input_schema.type", "should be 'object'")
        if any(keyword in schema for keyword in ("anyOf", "oneOf", "allOf")):
            raise entry.bad("input_schema", "does not support oneOf, allOf, or anyOf at the top level")
        if entry.flag("strict"):
            check_closed(schema, entry.place("input_schema"))
        if control := entry.child("cache_control"):
            read_cache_control(control)
        entry.skip("description", "eager_input_streaming", "defer_loading", "input_examples", "allowed_callers")
        entry.close()
        tools.append(Tool(name, schema))
    if len({tool.name for tool in tools}) < len(tools):
        raise BadAsk("tools: Tool names must be unique.")
    return tuple(tools)


def check_closed(schema: dict[str, Any], at: str) -> None:
    """A schema that the model is held to. Raises `BadAsk`."""
    place = find_open_object(schema, at, all_required=False) or find_keyword(schema, at, UNCLOSED)
    if place is not None:
        raise BadAsk(f"{place}: is not supported in a strict schema")


def read_choice(body: Fields, tools: tuple[Tool, ...]) -> tuple[tuple[Tool, ...], str, bool]:
    """The tools that may be called, the kind of choice, and whether only one call may be made."""
    choice = body.child("tool_choice")
    if choice is None:
        return tools, "auto", False
    if not body.has("tools"):
        raise BadAsk("tool_choice: may only be specified while providing tools")
    kind = choice.choice("type", ("auto", "any", "tool", "none"))
    if kind is None:
        raise choice.missing("type")
    alone = choice.flag("disable_parallel_tool_use") is True if kind != "none" else False
    if kind == "tool":
        name = choice.need_text("name")
        tools = tuple(tool for tool in tools if tool.name == name)
        if not tools:
            raise BadAsk("tool_choice: Tool not found in provided tools")
    choice.close()
    return tools, kind, alone


def read_thinking(body: Fields, model: str, limit: int) -> tuple[bool | None, bool]:
    """Whether thinking is asked for, None when that is left open, and whether it is shown."""
    thinking = body.child("thinking")
    if thinking is None:
        return None, not NEWEST.fullmatch(model)
    kind = thinking.choice("type", ("enabled", "adaptive", "between_tools", "disabled"))
    if kind is None:
        raise thinking.missing("type")
    shown = not NEWEST.fullmatch(model)
    if kind != "disabled" and (display := thinking.choice("display", ("summarized", "omitted"))) is not None:
        shown = display == "summarized"
    if kind == "enabled":
        if NEWEST.fullmatch(model):
            raise BadAsk('"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive".')
        budget = thinking.whole("budget_tokens", MIN_BUDGET)
        if budget is None:
            raise thinking.missing("budget_tokens")
        if budget >= limit:
            raise BadAsk("`max_tokens` must be greater than `thinking.budget_tokens`")
    thinking.close()
    return kind != "disabled", shown


def check_thinking(body: Fields, choice: str, state: State) -> None:
    """What does not go together with thinking. Raises `BadAsk`."""
    if choice in ("any", "tool"):
        raise BadAsk("Thinking may not be enabled when tool_choice forces tool use.")
    if body.raw("temperature") not in (None, 1):
        raise BadAsk("`temperature` may only be set to 1 when thinking is enabled.")
    if body.has("top_k"):
        raise BadAsk("`top_k` must be unset when thinking is enabled.")
    if body.has("top_p") and body.raw("top_p") < 0.95:
        raise BadAsk("`top_p` must be greater than or equal to 0.95 when thinking is enabled.")
    if state.last_role == "assistant":
        raise BadAsk("messages: prefilling is not supported when thinking is enabled")
    if body.value["thinking"].get("type") == "enabled" and state.talk.after_result and state.unsigned_calls:
        raise BadAsk("messages: Expected `thinking` or `redacted_thinking`, but found `tool_use`.")


def read_output(body: Fields) -> dict[str, Any] | None:
    """The schema of a JSON answer, None for text."""
    config = body.child("output_config")
    if config is None:
        return None
    config.choice("effort", EFFORTS)
    wanted = config.child("format")
    config.skip("task_budget")
    config.close()
    if wanted is None:
        return None
    wanted.choice("type", ("json_schema",))
    schema = wanted.object("schema")
    if schema is None:
        raise wanted.missing("schema")
    check_closed(schema, wanted.place("schema"))
    wanted.close()
    return schema


def read_sampling(body: Fields, model: str) -> None:
    """Temperature and its like, which the newest models refuse."""
    given = [name for name in ("temperature", "top_p", "top_k") if body.has(name)]
    body.number("temperature", 0, 1)
    body.number("top_p", 0, 1)
    body.whole("top_k", 0)
    if given and NEWEST.fullmatch(model):
        raise BadAsk(f"`{given[0]}` is deprecated for this model.")
    if {"temperature", "top_p"} <= set(given) and ONE_SAMPLING.fullmatch(model):
        raise BadAsk("`temperature` and `top_p` cannot both be specified for this model.")


def read_rest(body: Fields, model: str, state: State) -> None:
    """What is checked and changes nothing, then what is unknown."""
    if state.uses_tools and not body.has("tools"):
        raise BadAsk("Requests which include `tool_use` or `tool_result` blocks must define tools.")
    if state.last_role == "assistant" and NO_PREFILL.fullmatch(model):
        raise BadAsk("This model does not support assistant message prefill. The conversation must end with a user "
                     "message.")  # fmt: skip
    if any(not stop.strip() for stop in body.texts("stop_sequences")):
        raise BadAsk("stop_sequences: each stop sequence must contain non-whitespace")
    if metadata := body.child("metadata"):
        metadata.text("user_id")
        metadata.close()
    if control := body.child("cache_control"):
        read_cache_control(control)
    body.skip(*NOT_LOOKED_AT)
    body.close()
