"""A caller's `generateContent`, `streamGenerateContent` or `countTokens` request, read into the hub's `Request`.

Model and stream come from the path (`Asked`), the rest from the body, in camelCase or snake_case. Raises Invalid with
the place of what is wrong. What the hub has no field for is kept in `extra` under its path in the body, so that a
target says whether it can do it. Bounds are Google's (ai.google.dev/api/generate-content, GenerationConfig).
"""

from collections.abc import Mapping
from typing import Final

from proxy.dialects.chat import Asked
from proxy.dialects.fields import parse_object
from proxy.dialects.gemini.contents_in import parse_contents, parse_system
from proxy.dialects.gemini.loose import Loose
from proxy.dialects.parts import Effort, Opaque, OutputFormat, Reasoning, Request, Tool, ToolChoice, ToolMode
from proxy.dialects.schema import to_plain

DIALECT: Final = "gemini"

_NUMBERS: Final[Mapping[str, tuple[str, float, float]]] = {
    "temperature": ("temperature", 0, 2),
    "topP": ("top_p", 0, 1),
    "presencePenalty": ("presence_penalty", -2, 2),
    "frequencyPenalty": ("frequency_penalty", -2, 2),
}
_INTEGERS: Final[Mapping[str, tuple[str, int | None]]] = {
    "topK": ("top_k", 0),
    "maxOutputTokens": ("max_tokens", 0),
    "seed": ("seed", None),
    "candidateCount": ("n", 1),
}
_LEVELS: Final = {effort.name: effort for effort in Effort if effort not in (Effort.NONE, Effort.MAX)}
_MODES: Final = {
    "AUTO": ToolMode.AUTO, "ANY": ToolMode.ANY, "NONE": ToolMode.NONE, "VALIDATED": ToolMode.AUTO,
    "MODE_UNSPECIFIED": ToolMode.AUTO,
}  # fmt: skip

HINTS: Final = (
    "safetysettings", "labels", "generationconfig.mediaresolution", "generationconfig.speechconfig",
    "generationconfig.routingconfig", "generationconfig.modelselectionconfig", "generationconfig.audiotimestamp",
)  # fmt: skip
"""What asks for no other answer of another vendor's model: this one's filters, bills, routes and voices."""


def parse_request(body: bytes, asked: Asked) -> Request:
    """Raises Invalid. A token count may hold its request under `generateContentRequest`."""
    fields = Loose(parse_object(body).value, "")
    fields = fields.child("generateContentRequest") or fields
    model = asked.model or fields.text("model", None)
    if not model:
        raise fields.invalid("model", "is required")
    fields.raw("model")  # the path says it
    request = Request(model.removeprefix("models/"), [], DIALECT, stream=bool(asked.stream), include_usage=True)
    request.messages = parse_contents(fields)
    request.system = parse_system(fields)
    for group in fields.children("tools"):
        _parse_tools(group, request)
    _note(fields, "tools", "tools", request)
    _parse_choice(fields, request)
    config = fields.child("generationConfig")
    if config is not None:
        _parse_config(config, request)
    if (tier := fields.text("serviceTier", None)) is not None:
        request.service_tier = tier.lower()
        _note(fields, "serviceTier", "service_tier", request)
    request.extra.update({fields.place(name): value for name, value in fields.rest().items()})
    request.hints = frozenset(name for name in request.extra if _is_hint(name))
    return request


def _is_hint(name: str) -> bool:
    """In either spelling, members of one included: `safety_settings[0].threshold`."""
    plain = name.replace("_", "").lower()
    return plain.startswith(HINTS)


def _parse_tools(group: Loose, request: Request) -> None:
    """One object of `tools`: declarations of functions, and tools that Google's servers run."""
    for item in group.children("functionDeclarations"):
        name = item.text("name")
        if not name:
            raise item.invalid("name", "must not be empty")
        schema = item.raw("parametersJsonSchema")
        if schema is None:
            schema = to_plain(item.raw("parameters"))
        request.tools.append(Tool(name, item.text("description", ""), schema, at=item.at))
    for name, value in group.rest().items():
        if value is not None:
            request.server_tools.append(Opaque(DIALECT, {name: value}, at=group.place(name)))


def _parse_choice(fields: Loose, request: Request) -> None:
    config = fields.child("toolConfig")
    if config is None:
        return
    calling = config.child("functionCallingConfig")
    if calling is not None:
        word = calling.text("mode", "AUTO").upper()
        mode = _MODES.get(word)
        if mode is None:
            raise calling.invalid("mode", f"must be one of {', '.join(_MODES)}")
        names = tuple(calling.texts("allowedFunctionNames"))
        calling.raw("streamFunctionCallArguments")  # allows what nobody has to do
        request.tool_choice = ToolChoice(mode, names)
        _note(config, "functionCallingConfig", "tool_choice", request)
        _keep(calling, request)
    _keep(config, request)


def _parse_config(config: Loose, request: Request) -> None:
    for name, (field, low, high) in _NUMBERS.items():
        number = config.number(name, None, low, high)
        if number is not None:
            setattr(request, field, number)
            _note(config, name, field, request)
    for name, (field, least) in _INTEGERS.items():
        count = config.integer(name, None, least)
        # Protobuf cannot tell 0 from absent in these.
        if count is not None and (count or field == "seed"):
            setattr(request, field, count)
            _note(config, name, field, request)
    request.stop = config.texts("stopSequences")
    _note(config, "stopSequences", "stop", request)
    _parse_thinking(config, request)
    _parse_output(config, request)
    modalities = config.raw("responseModalities")
    if modalities not in (None, [], ["TEXT"], ["text"]):
        request.extra[config.place("responseModalities")] = modalities
    _keep(config, request)


def _parse_thinking(config: Loose, request: Request) -> None:
    thinking = config.child("thinkingConfig")
    if thinking is None:
        return
    show = thinking.flag("includeThoughts", None)
    budget = thinking.integer("thinkingBudget", None, -1)
    word = thinking.text("thinkingLevel", None)
    if budget is not None and word is not None:
        raise thinking.invalid("thinkingBudget", "must not be given together with thinkingLevel")
    effort: Effort | None = None
    if word is not None and word.upper() != "THINKING_LEVEL_UNSPECIFIED":
        effort = _LEVELS.get(word.upper())
        if effort is None:
            raise thinking.invalid("thinkingLevel", f"must be one of {', '.join(_LEVELS)}")
    _note(config, "thinkingConfig", "reasoning", request)
    _keep(thinking, request)
    if budget == 0:
        request.reasoning = Reasoning("off", budget=0, show=show)
    elif effort is not None or (budget is not None and budget > 0):
        request.reasoning = Reasoning("on", effort, budget, show)
    else:
        request.reasoning = Reasoning("adaptive", show=show)


def _parse_output(config: Loose, request: Request) -> None:
    mime = config.text("responseMimeType", "text/plain").lower()
    given = [name for name in ("responseJsonSchema", "_responseJsonSchema", "responseSchema") if config.has(name)]
    schema = config.raw(given[0]) if given else None
    if len(given) > 1:
        raise config.invalid(given[1], f"must not be given together with {given[0]}")
    if mime == "application/json":
        plain = to_plain(schema) if given == ["responseSchema"] else schema
        request.output = OutputFormat(plain)
        _note(config, "responseMimeType", "output", request)
    elif mime != "text/plain":
        request.extra[config.place("responseMimeType")] = mime
        if given:
            request.extra[config.place(given[0])] = schema
    elif given:
        raise config.invalid(given[0], "needs responseMimeType application/json")


def _note(fields: Loose, name: str, field: str, request: Request) -> None:
    if fields.has(name):
        request.named[field] = fields.place(name)


def _keep(fields: Loose, request: Request) -> None:
    """What nobody has read goes into `extra`, by its path."""
    request.extra.update({fields.place(name): value for name, value in fields.rest().items()})
