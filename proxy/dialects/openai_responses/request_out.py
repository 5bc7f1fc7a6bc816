"""A `Request` to a body of `POST /responses` (openai-python, types/responses/response_create_params.py).

Nothing is stored at the provider: `store: false`, the whole input, and encrypted reasoning where it is asked for or
comes back. Functions are not strict unless the client says so, since the API's default would change their schemas.
What the API has no parameter for (stop sequences, seed, penalties, top_k) is dropped by name, several choices are
refused. Raises `Invalid`; what an item or a tool becomes stands in `items_sent` and `tools_out`.
"""

import hashlib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from proxy.dialects.capabilities import to_effort
from proxy.dialects.chat import Outgoing, Target
from proxy.dialects.fitting import Fitting
from proxy.dialects.json_text import encode_json
from proxy.dialects.names import OPENAI, NameMap
from proxy.dialects.normalise import normalise
from proxy.dialects.openai_responses.items_sent import build_input
from proxy.dialects.openai_responses.tools_out import build_choice, build_tools
from proxy.dialects.parts import Effort, Json, Request, ToolCall

_DIALECT: Final = "openai-responses"
_ENCRYPTED: Final = "reasoning.encrypted_content"

_LEAST_OUTPUT: Final = 16
"""Tokens: `max_output_tokens` below are refused by the API."""

_LONGEST_USER: Final = 64
"""Characters of `user` and `safety_identifier` that the API takes; Claude Code's ids are longer."""

_DROPPED: Final = ("stop", "seed", "presence_penalty", "frequency_penalty", "top_k")

_TIERS: Final = frozenset({"auto", "default", "flex", "scale", "priority", "fast", "ultrafast"})

_SAME: Final[Mapping[str, str]] = MappingProxyType({
    name: name
    for name in ("prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "safety_identifier", "user",
                 "top_logprobs", "moderation")
} | {"verbosity": "text.verbosity"})  # fmt: skip
"""Parameters of Chat Completions that mean the same here."""

_SCHEMA_NAME: Final = re.compile(r"[^a-zA-Z0-9_-]").sub


def build_request(request: Request, target: Target) -> Outgoing:
    fitting = Fitting(request, target)
    messages = normalise(request, alternate=False, results_in_user=False, mid_system=True)
    called = [part.name for message in messages for part in message.parts if isinstance(part, ToolCall)]
    names = NameMap([tool.name for tool in request.tools] + called, OPENAI)
    body: dict[str, Json] = {"model": target.model}
    instructions = "\n\n".join(text.text for text in request.system if text.text)
    if instructions:
        body["instructions"] = instructions
    body["input"] = build_input(messages, names, fitting)
    if not body["input"]:
        body["input"] = "."  # the API wants one, and only a system prompt was given
    tools = build_tools(request, names, fitting)
    if tools:
        body["tools"] = tools
    _add_choice(body, request, names, fitting)
    _add_sampling(body, request, target, fitting)
    _add_reasoning(body, request, target, fitting)
    _add_format(body, request, fitting)
    _add_rest(body, request, fitting)
    _add_extra(body, request, fitting)
    body["stream"] = request.stream
    body["store"] = False
    return Outgoing("/responses", encode_json(body), dropped=tuple(fitting.dropped), names=names)


def _add_choice(body: dict[str, Json], request: Request, names: NameMap, fitting: Fitting) -> None:
    if "tools" not in body:
        fitting.drop("tool_choice")
        fitting.drop("parallel_tools")
        return
    if request.tool_choice is not None:
        body["tool_choice"] = build_choice(request.tool_choice, request.tools, names)
    if request.parallel_tools is not None:
        body["parallel_tool_calls"] = request.parallel_tools


def _add_sampling(body: dict[str, Json], request: Request, target: Target, fitting: Fitting) -> None:
    if request.n != 1:
        fitting.refuse("n")
    for field in _DROPPED:
        fitting.drop(field)
    if request.max_tokens is not None:
        body["max_output_tokens"] = max(request.max_tokens, _LEAST_OUTPUT)
    for field in ("temperature", "top_p"):
        value = getattr(request, field)
        if value is None:
            continue
        if target.capabilities.sampling:
            body[field] = value
        else:
            fitting.drop(field)


def _add_reasoning(body: dict[str, Json], request: Request, target: Target, fitting: Fitting) -> None:
    able = target.capabilities
    if able.thinking == "none":
        fitting.drop("reasoning")
        return
    asked = request.reasoning
    reasoning: dict[str, Json] = {}
    if asked is not None:
        effort = Effort.NONE if asked.mode == "off" else to_effort(asked)
        if effort is not None:
            reasoning["effort"] = able.clamp_effort(effort).value
        if asked.show and asked.mode != "off":
            reasoning["summary"] = "auto"
    if reasoning:
        body["reasoning"] = reasoning
    replayed = any(item.get("type") == "reasoning" for item in body["input"] if isinstance(item, dict))
    if replayed or (asked is not None and asked.mode != "off"):
        body["include"] = [_ENCRYPTED]


def _add_format(body: dict[str, Json], request: Request, fitting: Fitting) -> None:
    output = request.output
    if output is None:
        return
    form: dict[str, Json] = {"type": "json_object"}
    if output.schema is not None:
        if not isinstance(output.schema, dict) or output.schema.get("type", "object") != "object":
            fitting.refuse("output", "the schema must describe an object for the model that answers")
            return
        name = _SCHEMA_NAME("_", output.name)[:64] or "response"
        form = {"type": "json_schema", "name": name, "schema": output.schema, "strict": bool(output.strict)}
        if output.description:
            form["description"] = output.description
    body["text"] = {"format": form}


def _add_rest(body: dict[str, Json], request: Request, fitting: Fitting) -> None:
    if request.user is not None:
        name = "safety_identifier" if fitting.name("user") == "safety_identifier" else "user"
        body[name] = _fit_user(request.user)
    if request.metadata:
        body["metadata"] = request.metadata
    if request.service_tier is not None:
        tier = "default" if request.service_tier == "standard_only" else request.service_tier.lower()
        if tier in _TIERS:
            body["service_tier"] = tier
        else:
            fitting.drop("service_tier")


def _fit_user(user: str) -> str:
    """Longer ids by their hash: they only have to stay the same."""
    if len(user) <= _LONGEST_USER:
        return user
    return hashlib.sha256(user.encode("utf-8", "surrogatepass")).hexdigest()


def _add_extra(body: dict[str, Json], request: Request, fitting: Fitting) -> None:
    """The client's own parameters, where this API has them; all of them when the client speaks it."""
    own = request.dialect == _DIALECT
    known = [name for name in request.extra if name in _SAME or (own and name != "store" and "[" not in name)]
    for name in known:
        _set_path(body, _SAME.get(name, name), request.extra[name])
    fitting.refuse_extra(known, ("store",))


def _set_path(body: dict[str, Json], path: str, value: Json) -> None:
    """`path` as `Fields` writes it: "text.verbosity"."""
    place = body
    *outer, last = path.split(".")
    for name in outer:
        place = place.setdefault(name, {})
    if last == "include" and "include" in body:
        value = [*value, *(word for word in body["include"] if word not in value)]
    place[last] = value
