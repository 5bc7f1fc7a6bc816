"""The hub's `Request` to a `generateContent` request (ai.google.dev/api/generate-content).

`build_body` writes the body by an endpoint's `Rules`, `build_request` puts it behind the public API's path; whether
an answer is streamed is said by the path alone. What Google has no counterpart for is refused by the client's own
name, or dropped and listed where nobody misses it. Raises Invalid.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from proxy.dialects.chat import Outgoing, Target
from proxy.dialects.fitting import Fitting
from proxy.dialects.gemini.contents_out import build_contents
from proxy.dialects.gemini.rules import Rules, find_rules, note
from proxy.dialects.gemini.sampling import build_config
from proxy.dialects.gemini.tools_out import build_tools, find_forms, find_names
from proxy.dialects.json_text import encode_json
from proxy.dialects.names import NameMap
from proxy.dialects.normalise import normalise
from proxy.dialects.parts import Json, Part, Request, ToolResult

DIALECT: Final = "gemini"

HINTS: Final = frozenset({
    "store", "metadata", "user", "safety_identifier", "truncation", "stream_options", "client_metadata", "include",
    "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "access_programs", "max_tool_calls",
    "stream_options.include_obfuscation", "text.verbosity", "verbosity", "reasoning.context", "prediction",
    "cache_control", "context_management", "speed", "inference_geo", "citations",
})  # fmt: skip
"""Parameters of other dialects that steer caches, records and tone, never what is answered: dropped."""

_TIERS: Final = {
    "default": "standard", "standard": "standard", "standard_only": "standard", "flex": "flex", "priority": "priority",
    "auto": "",
}  # fmt: skip
_STEERING: Final = frozenset({"safetySettings", "labels"})
"""Of Gemini's callers: what another model's filters and another vendor's bills do without."""
_NO_COUNTERPART: Final = ("user", "metadata")


@dataclass(frozen=True, slots=True)
class Built:
    """body: of the request. names, forms, dropped: as in `Outgoing`."""

    body: dict[str, Json]
    names: NameMap
    forms: dict[str, str]
    fitting: Fitting


def build_request(request: Request, target: Target) -> Outgoing:
    """For generativelanguage.googleapis.com; the base URL names no version."""
    built = build_body(request, target, find_rules(target))
    fitting = built.fitting
    tier = request.service_tier
    if tier is not None:
        word = _TIERS.get(tier)
        if word is None:
            fitting.refuse("service_tier")
        elif word:
            built.body["serviceTier"] = word
    path = f"/v1beta/{_name_model(target.model)}:{'streamG' if request.stream else 'g'}enerateContent"
    return Outgoing(
        path,
        encode_json(built.body),
        query="alt=sse" if request.stream else None,
        dropped=tuple(fitting.dropped),
        names=built.names,
        forms=built.forms,
    )


def build_count_request(request: Request, target: Target) -> Outgoing:
    """A request for the number of tokens that the conversation takes."""
    built = build_body(request, target, find_rules(target))
    name = _name_model(target.model)
    body = {"generateContentRequest": {"model": name, **built.body}}
    return Outgoing(f"/v1beta/{name}:countTokens", encode_json(body), names=built.names)


def build_body(request: Request, target: Target, rules: Rules) -> Built:
    fitting = Fitting(request, target)
    if request.n > 1:
        fitting.refuse("n", "one answer is given to one request")
    if request.parallel_tools is False:
        fitting.drop("parallel_tools")
    for field in _NO_COUNTERPART:
        fitting.drop(field)
    _note_hints(request, fitting)
    messages = normalise(request, alternate=True, results_in_user=True, mid_system=False)
    names = NameMap(find_names(request), rules.fits)
    contents = build_contents(messages, rules, target, names, fitting)
    config, instructions = build_config(request, target, rules, fitting)
    body: dict[str, Json] = {}
    system = [{"text": text.text} for text in request.system if text.text]
    system += [{"text": text} for text in instructions]
    if system:
        body["systemInstruction"] = {"role": "user", "parts": system}
    body["contents"] = contents
    body.update(build_tools(request, messages, rules, names, fitting))
    if config:
        body["generationConfig"] = config
    _add_extras(request, rules, fitting, body)
    return Built(body, names, find_forms(request), fitting)


def _note_hints(request: Request, fitting: Fitting) -> None:
    """Google caches by itself and has no strict tools; who sends the hints loses nothing."""
    parts: list[Part] = [part for message in request.messages for part in message.parts]
    inner = [part for result in parts if isinstance(result, ToolResult) for part in result.content]
    hinted = any(part.cache for part in (*request.system, *parts, *inner))
    if hinted or any(tool.cache for tool in request.tools):
        note(fitting, "cache_control")
    if any(tool.strict for tool in request.tools):
        note(fitting, "strict")


def _add_extras(request: Request, rules: Rules, fitting: Fitting, body: dict[str, Json]) -> None:
    """What a Gemini caller gave and the hub has no field for goes along, where the endpoint knows it."""
    if request.dialect != DIALECT:
        fitting.refuse_extra(droppable=HINTS)
        return
    known = {name: steps for name in request.extra if (steps := _split(name))[0] in rules.extras}
    steering = {name for name in request.extra if _split(name)[0] in _STEERING}
    fitting.refuse_extra(known=known, droppable=steering)
    for name, (head, *rest) in known.items():
        value = request.extra[name]
        if value is None:
            continue
        place: dict[str, Any] = body
        for step, inner in zip((head, *rest), rest, strict=False):
            place = place.setdefault(step, {})
            head = inner
        place[head] = value


def _split(name: str) -> list[str]:
    """The steps of a path in the caller's body, in the spelling that the body here has."""
    return [_SPELLINGS.get(step, step) for step in name.removeprefix("generateContentRequest.").split(".")]


_SPELLINGS: Final = {
    "generation_config": "generationConfig", "tool_config": "toolConfig", "safety_settings": "safetySettings",
    "cached_content": "cachedContent", "thinking_config": "thinkingConfig",
    "function_calling_config": "functionCallingConfig",
}  # fmt: skip


def _name_model(model: str) -> str:
    """The resource: a tuned model says itself that it is none of `models/`."""
    name = model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"
    return quote(name, safe="/")
