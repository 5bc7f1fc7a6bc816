"""A hub request as one to POST /v1/messages of Anthropic, or of an endpoint like it.

Takes the request and its target, returns an `Outgoing`; raises Invalid for what cannot be had there. The parts of the
body are built beside this file: messages in `blocks_out`, tools and JSON output in `tools_out`, thinking and sampling
in `thinking_out`. Parameters of another dialect are dropped where the answer is as good without them, else refused.
"""

from collections.abc import Iterator
from typing import Any, Final

from proxy.dialects.anthropic_messages.blocks_out import begins_unsigned, build_messages, prepare_messages
from proxy.dialects.anthropic_messages.native import DIALECT
from proxy.dialects.anthropic_messages.thinking_out import Thinking, build_sampling
from proxy.dialects.anthropic_messages.tools_out import Tooling
from proxy.dialects.chat import Outgoing, Target
from proxy.dialects.fitting import Fitting
from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import Request

VERSION: Final = "2023-06-01"
_PATH: Final = "/v1/messages"
_COUNT_PATH: Final = "/v1/messages/count_tokens"

_MOST_BREAKPOINTS: Final = 4
_CACHING: Final = frozenset({DIALECT, "openrouter"})
"""Clients of these dialects write Anthropic's `cache_control`."""

_TIERS: Final = {"auto": "auto", "standard_only": "standard_only", "default": "standard_only"}

_DROPPABLE: Final = frozenset({
    # OpenAI, chat completions and responses
    "logprobs", "top_logprobs", "store", "stream_options", "prompt_cache_key", "prompt_cache_retention",
    "prompt_cache_options", "safety_identifier", "verbosity", "text.verbosity", "include", "truncation",
    "client_metadata", "usage", "transforms", "provider", "session_id",
    # Gemini
    "safetySettings", "labels", "generationConfig.responseLogprobs", "generationConfig.logprobs",
    "generationConfig.mediaResolution", "generationConfig.routingConfig",
})  # fmt: skip
"""What asks for no other answer: hints, storage, caching, and switches of one vendor's own screens."""

_WITHIN: Final = frozenset({"citations"})
"""Said within blocks, which go as they came."""


def build_request(request: Request, target: Target) -> Outgoing:
    """A request for a message."""
    body, tooling, fitting = _build(request, target)
    return Outgoing(
        _PATH,
        encode_json(body),
        headers={"anthropic-version": VERSION},
        dropped=tuple(fitting.dropped),
        names=tooling.names,
        forms=tooling.forms,
    )


def build_count_request(request: Request, target: Target) -> Outgoing:
    """A request for the number of tokens that the message would take: the members that say what is read."""
    body, tooling, _ = _build(request, target)
    counted = ("model", "system", "messages", "tools", "tool_choice", "thinking", "output_config")
    body = {name: body[name] for name in counted if name in body}
    return Outgoing(_COUNT_PATH, encode_json(body), headers={"anthropic-version": VERSION}, names=tooling.names)


def _build(request: Request, target: Target) -> tuple[dict[str, Any], Tooling, Fitting]:
    fitting = Fitting(request, target)
    _refuse_foreign(request, fitting)
    messages = prepare_messages(request)
    thinking = Thinking(request, target, fitting, unsigned=begins_unsigned(messages))
    tooling = Tooling(request, target, fitting, messages)
    tooling.build(thinking=thinking.on)
    prefill = target.capabilities.prefill and not thinking.on
    body: dict[str, Any] = {
        "model": target.model,
        "max_tokens": thinking.max_tokens,
        "system": _build_system(request, tooling),
        "messages": build_messages(messages, request, target, tooling.names, fitting, prefill=prefill),
        "tools": tooling.tools,
        "tool_choice": tooling.choice,
        "thinking": thinking.thinking,
        "output_config": _build_config(thinking, tooling),
        **build_sampling(request, target, fitting, thinking=thinking.on),
        **_build_rest(request, fitting),
    }
    if request.stream:
        body["stream"] = True
    body = {name: value for name, value in body.items() if value is not None and value != []}
    if request.dialect == DIALECT:
        body.update(_list_native(request, body))
    _fit_breakpoints(body, request)
    return body, tooling, fitting


def _refuse_foreign(request: Request, fitting: Fitting) -> None:
    if request.n > 1:
        fitting.refuse("n", "the model that answers gives one answer only")
    for field in ("presence_penalty", "frequency_penalty", "seed", "metadata"):
        fitting.drop(field)
    if request.dialect == DIALECT:
        fitting.refuse_extra(known=request.extra)
    else:
        fitting.refuse_extra(droppable=_DROPPABLE)


def _list_native(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    """The client's own members that have no field in the hub, and those of its `output_config`."""
    native: dict[str, Any] = {}
    config = dict(body.get("output_config", {}))
    for name, value in request.extra.items():
        if name.startswith("output_config."):
            config[name.partition(".")[2]] = value
        elif "." not in name and name not in _WITHIN:
            native[name] = value
    return {**native, "output_config": config} if config else native


def _build_system(request: Request, tooling: Tooling) -> list[dict[str, Any]] | str | None:
    blocks: list[dict[str, Any]] = []
    for text in request.system:
        if text.text:
            block: dict[str, Any] = {"type": "text", "text": text.text}
            blocks.append(block if text.cache is None else {**block, "cache_control": dict(text.cache)})
    blocks += [{"type": "text", "text": text} for text in tooling.system]
    if len(blocks) == 1 and "cache_control" not in blocks[0]:
        return str(blocks[0]["text"])
    return blocks


def _build_config(thinking: Thinking, tooling: Tooling) -> dict[str, Any] | None:
    config: dict[str, Any] = {}
    if thinking.effort is not None:
        config["effort"] = thinking.effort
    if tooling.output is not None:
        config["format"] = tooling.output
    return config or None


def _build_rest(request: Request, fitting: Fitting) -> dict[str, Any]:
    rest: dict[str, Any] = {}
    stop = [sequence for sequence in request.stop if sequence.strip()]
    if stop:
        rest["stop_sequences"] = stop
    if len(stop) < len(request.stop):  # of blanks only: refused there
        fitting.drop("stop")
    if request.user:
        rest["metadata"] = {"user_id": request.user}
    if request.service_tier is not None:
        if request.service_tier in _TIERS:
            rest["service_tier"] = _TIERS[request.service_tier]
        else:
            fitting.drop("service_tier")
    return rest


def _fit_breakpoints(body: dict[str, Any], request: Request) -> None:
    """At most four places of the prompt may be cached: the last ones, which include the earlier ones. None from clients
    whose dialect has no such hint."""
    marked = list(_find_marked(body))
    keep = _MOST_BREAKPOINTS - ("cache_control" in body) if request.dialect in _CACHING else 0
    for block in marked[: max(0, len(marked) - keep)]:
        del block["cache_control"]


def _find_marked(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every block with `cache_control`, in the order in which the model reads them."""
    system, messages = body.get("system", ()), body["messages"]
    blocks = [*body.get("tools", ()), *(system if isinstance(system, list) else ())]
    for message in messages:
        for block in message["content"]:
            content = block.get("content")
            if block["type"] == "tool_result" and isinstance(content, list):
                blocks += content
            blocks.append(block)
    for block in blocks:
        if "cache_control" in block:
            yield block
