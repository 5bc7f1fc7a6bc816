"""`generationConfig`: limits, sampling, reasoning and the form of the answer (ai.google.dev/api/generate-content).

Returns it with what has to be said in words instead, where a model takes no JSON mode or no schema.
"""

from typing import Final

from proxy.dialects.chat import Target
from proxy.dialects.fitting import Fitting
from proxy.dialects.gemini.rules import Rules, note
from proxy.dialects.gemini.thinking import DYNAMIC, build_thinking, find_budget
from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import Json, Reasoning, Request
from proxy.dialects.schema import to_openapi

_STOPS: Final = 5  # the API's limit
_SAMPLING: Final = {"temperature": "temperature", "top_p": "topP", "top_k": "topK"}
_OTHERS: Final = {"presence_penalty": "presencePenalty", "frequency_penalty": "frequencyPenalty", "seed": "seed"}
_CLAUDE_DEFAULT: Final = 8192
_ROOM: Final = 4096  # tokens of answer beside a budget of thoughts, where the client set no limit
_LEAST_ROOM: Final = 1024


def build_config(request: Request, target: Target, rules: Rules, fitting: Fitting) -> tuple[dict[str, Json], list[str]]:
    config: dict[str, Json] = {}
    if request.max_tokens is not None:
        config["maxOutputTokens"] = request.max_tokens
    stops = [stop for stop in request.stop if stop]
    if stops:
        config["stopSequences"] = stops[:_STOPS]
    if len(stops) > _STOPS:
        fitting.drop("stop")
    _add_thinking(request, target, rules, fitting, config)
    _add_sampling(request, target, rules, fitting, config)
    return config, _add_output(request, target, rules, fitting, config)


def _add_sampling(request: Request, target: Target, rules: Rules, fitting: Fitting, config: dict[str, Json]) -> None:
    able = target.capabilities
    # Claude takes no sampling while it thinks (docs.anthropic.com, extended thinking).
    thinks = rules.claude and "thinkingConfig" in config
    for field, name in _SAMPLING.items():
        value = getattr(request, field)
        if value is None:
            continue
        if not able.sampling or thinks or (field == "top_p" and not able.both and request.temperature is not None):
            fitting.drop(field)
        else:
            config[name] = min(value, 1) if rules.claude and field == "temperature" else value
    for field, name in _OTHERS.items():
        value = getattr(request, field)
        if value is not None and rules.claude:
            fitting.drop(field)
        elif value is not None:
            config[name] = value


def _add_thinking(request: Request, target: Target, rules: Rules, fitting: Fitting, config: dict[str, Json]) -> None:
    reasoning = request.reasoning
    if reasoning is None:
        return
    if rules.claude:
        _add_claude_thinking(request, reasoning, target, fitting, config)
        return
    # Only Google's own callers ask for thoughts by a switch; to others a thinking model shows them.
    thinking = build_thinking(reasoning, target.capabilities, shown=request.dialect != "gemini")
    if thinking:
        config["thinkingConfig"] = thinking
    elif reasoning.mode != "off":
        fitting.drop("reasoning")


def _add_claude_thinking(
    request: Request, reasoning: Reasoning, target: Target, fitting: Fitting, config: dict[str, Json]
) -> None:
    """A budget below the limit of the whole answer; where that leaves no room, no thinking."""
    able = target.capabilities
    budget = find_budget(reasoning, able)
    if reasoning.mode == "off" or budget == 0 or able.thinking == "none":
        if reasoning.mode != "off":
            fitting.drop("reasoning")
        return
    budget = _CLAUDE_DEFAULT if budget == DYNAMIC else budget
    limit = request.max_tokens
    if limit is not None and limit <= _LEAST_ROOM:
        note(fitting, fitting.name("reasoning"))
        return
    if limit is None:
        limit = max(able.output, budget + _ROOM)
    config["maxOutputTokens"] = max(limit, budget + _LEAST_ROOM)
    show = reasoning.show if reasoning.show is not None else request.dialect != "gemini"
    config["thinkingConfig"] = {"includeThoughts": show, "thinkingBudget": budget}


def _add_output(request: Request, target: Target, rules: Rules, fitting: Fitting, config: dict[str, Json]) -> list[str]:
    """The form of the answer. Returns what the model has to be told about it."""
    output, able = request.output, target.capabilities
    if output is None:
        return []
    if request.tools and not able.json_tools:
        note(fitting, fitting.name("output"))
        return [_say_json(output.schema)]
    config["responseMimeType"] = "application/json"
    if output.schema is None:
        return []
    if not able.json_schema:
        return [_say_json(output.schema)]
    if rules.openapi:
        config["responseSchema"] = to_openapi(output.schema, claude=rules.claude)
    else:
        config["responseJsonSchema"] = output.schema
    return []


def _say_json(schema: Json) -> str:
    said = "Answer with one JSON object and nothing else."
    if schema is None:
        return said
    return f"{said} It must match this JSON Schema: {encode_json(schema).decode()}"
