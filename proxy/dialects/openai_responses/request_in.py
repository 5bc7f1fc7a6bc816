"""A body of `POST /v1/responses` to a `Request` (openai-python, types/responses/response_create_params.py).

Takes the bytes, returns the hub's request, raises `Invalid` with the path of what is wrong. This server keeps no
responses, so what refers to stored ones is refused by name, and `store: true` becomes a parameter that nobody misses.
What has no field in the hub stands in `extra` under its path ("text.verbosity"); knows nothing of who will answer.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from proxy.dialects.chat import Asked, Invalid
from proxy.dialects.fields import Fields, parse_object
from proxy.dialects.openai_responses.items_in import parse_input
from proxy.dialects.openai_responses.tools_in import parse_tool_choice, parse_tools
from proxy.dialects.parts import Effort, OutputFormat, Reasoning, Request, Text

DIALECT: Final = "openai-responses"
LOGPROBS: Final = "message.output_text.logprobs"

_STATE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "previous_response_id": "this server keeps no responses: send the whole input",
        "conversation": "this server keeps no conversations: send the whole input",
        "prompt": "this server keeps no prompts: send instructions and input",
    }
)

HINTS: Final = frozenset({
    "store", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "safety_identifier", "user",
    "client_metadata", "access_programs", "truncation", "max_tool_calls", "image", "text.verbosity",
    "reasoning.context", "stream_options.include_obfuscation",
})  # fmt: skip
"""Nobody misses them where they are unknown; Codex sends half of them."""

_IDLE: Final[Mapping[str, object]] = MappingProxyType({
    "background": False, "store": False, "truncation": "disabled", "top_logprobs": 0, "reasoning.context": "auto",
    "reasoning.mode": "standard", "stream_options.include_obfuscation": False,
})  # fmt: skip
"""Values that ask for what happens anyway."""


def parse_request(body: bytes, asked: Asked) -> Request:
    fields = parse_object(body)
    for name, why in _STATE.items():
        if fields.raw(name) is not None:
            raise fields.invalid(name, why)
    if fields.flag("background", False):
        raise fields.invalid("background", "this server keeps no responses: use stream")
    stream = fields.flag("stream", False) if asked.stream is None else asked.stream
    model = fields.text("model") if asked.model is None else asked.model
    request = Request(model, [], DIALECT, stream, hints=HINTS)
    _parse_plain(fields, request)
    _parse_user(fields, request)
    _parse_reasoning(fields.child("reasoning"), request)
    _parse_text(fields.child("text"), request)
    parse_tools(fields, request)
    parse_input(fields, request)
    parse_tool_choice(fields, request)
    _parse_include(fields, request)
    options = fields.child("stream_options")
    if options is not None:
        keep_rest(options, request)
    keep_rest(fields, request)
    return request


def keep_rest(fields: Fields, request: Request) -> None:
    """What nobody has read goes into `extra`, but for null and what asks for nothing."""
    for name, value in fields.rest().items():
        place = fields.place(name)
        if value is not None and (place not in _IDLE or value != _IDLE[place]):
            request.extra[place] = value


def _note(fields: Fields, request: Request, name: str, field: str) -> None:
    if fields.has(name):
        request.named[field] = fields.place(name)


def _parse_plain(fields: Fields, request: Request) -> None:
    instructions = fields.text("instructions", None)
    if instructions:
        request.system.append(Text(instructions, at="instructions"))
        request.named["system"] = "instructions"
    request.max_tokens = fields.integer("max_output_tokens", None, low=1)
    request.temperature = fields.number("temperature", None, 0, 2)
    request.top_p = fields.number("top_p", None, 0, 1)
    request.parallel_tools = fields.flag("parallel_tool_calls", None)
    request.service_tier = fields.text("service_tier", None)
    request.metadata = _parse_metadata(fields)
    for name, field in (
        ("max_output_tokens", "max_tokens"),
        ("temperature", "temperature"),
        ("top_p", "top_p"),
        ("parallel_tool_calls", "parallel_tools"),
        ("service_tier", "service_tier"),
        ("metadata", "metadata"),
    ):
        _note(fields, request, name, field)


def _parse_metadata(fields: Fields) -> dict[str, str]:
    child = fields.child("metadata")
    return {} if child is None else {name: child.text(name) for name in child.value}


def _parse_user(fields: Fields, request: Request) -> None:
    """`user` is the older name of `safety_identifier`; who gives both means the newer."""
    for name in ("safety_identifier", "user"):
        value = fields.text(name, None)
        if value is None:
            continue
        if request.user is None:
            request.user = value
            request.named["user"] = name
        else:
            request.extra[name] = value


def _parse_reasoning(fields: Fields | None, request: Request) -> None:
    if fields is None:
        return
    word = fields.choice("effort", None, *(effort.value for effort in Effort))
    older = fields.text("generate_summary", None)
    summary = fields.text("summary", older)
    keep_rest(fields, request)
    if word is None and summary is None:
        return
    effort = None if word is None else Effort(word)
    show = None if summary is None else summary != "none"
    mode = "adaptive" if effort is None else "off" if effort is Effort.NONE else "on"
    request.reasoning = Reasoning(mode, effort, show=show)  # type: ignore[arg-type]
    request.named["reasoning"] = "reasoning"


def _parse_text(fields: Fields | None, request: Request) -> None:
    if fields is None:
        return
    form = fields.child("format")
    if form is not None:
        kind = form.choice("type", "text", "text", "json_object", "json_schema")
        if kind == "json_object":
            request.output = OutputFormat()
        elif kind == "json_schema":
            schema = form.child("schema")
            if schema is None:
                raise form.invalid("schema", "is required")
            name, strict = form.text("name"), form.flag("strict", None)
            request.output = OutputFormat(dict(schema.value), name, strict, form.text("description", ""))
        if request.output is not None:
            request.named["output"] = "text.format"
        keep_rest(form, request)
    keep_rest(fields, request)


def _parse_include(fields: Fields, request: Request) -> None:
    """Encrypted reasoning is always given. Other words add to the items of server tools, which are named themselves
    where nobody runs them; only log probabilities are a thing of their own."""
    words = fields.array("include", [])
    if not all(isinstance(word, str) for word in words):
        raise Invalid("include", "must be an array of strings")
    if LOGPROBS in words:
        request.extra["include"] = words
