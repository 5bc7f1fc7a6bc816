"""Google Gemini: reads its requests into an `Ask`, writes a `Script` in its wire form. Pure; no I/O, no
clock.

Shapes as in the API reference (ai.google.dev/api/generate-content). The path decides whether it streams;
`alt=sse` gives events, without it the stream is one JSON array that grows. Every event is a whole response
whose text is appended; calls come complete, the last one has `finishReason`, and there is no end mark but
the array's bracket.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from proxy.demo.answer import JSON, SSE, Piece, Request, build_sse
from proxy.demo.script import (
    Ask,
    Script,
    Tool,
    count_tokens,
    parse_body,
    parse_limit,
    parse_object,
    parse_objects,
    parse_text,
)

NAME: Final = "gemini"
# "v1" as well: Google's npm client asks there. One segment, so that no other dialect's path is caught.
PATH: Final = re.compile(r"/v1(?:beta)?/models/(?P<model>[^/:]{1,128}):(?P<verb>streamGenerateContent|generateContent)")
SHOWN: Final = "/v1beta/models/demo:streamGenerateContent?alt=sse (or without alt; or :generateContent)"
REQUEST_ID: Final = None
STOPS: Final = {"stop": "STOP", "length": "MAX_TOKENS", "tool": "STOP"}
ERROR_STATUSES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def parse_request(request: Request, path: re.Match[str]) -> Ask:
    """The request as an `Ask`. Raises `BadAsk`."""
    body = parse_body(request.body)
    contents = parse_objects(body.get("contents"))
    users = [content.get("parts") for content in contents if content.get("role") != "model"]
    texts = [text for text in map(parse_text, users) if text]
    calling = parse_object(_either(_either(body, "toolConfig"), "functionCallingConfig"))
    limit = parse_object(_either(body, "generationConfig"))
    system = parse_object(_either(body, "systemInstruction")).get("parts")
    return Ask(
        model=path["model"],
        serial=request.serial,
        now=request.now,
        stream=path["verb"] == "streamGenerateContent",
        user_text=texts[-1] if texts else "",
        prompt_tokens=count_tokens(parse_text(system), *(parse_text(content.get("parts")) for content in contents)),
        max_tokens=parse_limit(_either(limit, "maxOutputTokens"), "maxOutputTokens"),
        tools=_parse_tools(body, calling),
        must_call=calling.get("mode") == "ANY",
        may_call=calling.get("mode") != "NONE",
        after_result=any(_either(part, "functionResponse") for part in parse_objects(users[-1] if users else None)),
        as_array=("alt", "sse") not in request.head.query,
    )


def stream_type(ask: Ask) -> str:
    """The Content-Type of a streamed answer."""
    return JSON if ask.as_array else SSE


def build_stream(ask: Ask, script: Script) -> Iterator[Piece]:
    """The answer as events, or as the pieces of a JSON array."""
    opening = b"["
    for response in _responses(ask, script):
        data = msgspec.json.encode(response)
        yield Piece(opening + data if ask.as_array else build_sse(data))
        opening = b"\n,\n"
    if ask.as_array:
        yield Piece(b"]\n", is_end_mark=True)


def build_whole(ask: Ask, script: Script) -> bytes:
    """The answer as one JSON object."""
    parts = [{"text": script.text}, *_call_parts(ask, script)]
    return msgspec.json.encode(_response(ask, script, parts, script.output_tokens, STOPS[script.stop]))


def build_error(status: int, message: str, _serial: int) -> bytes:
    """An error body."""
    name = ERROR_STATUSES.get(status, "INTERNAL" if status >= 500 else "FAILED_PRECONDITION")
    return msgspec.json.encode({"error": {"code": status, "message": message, "status": name}})


def _either(fields: object, name: str) -> Any:
    """A field by its camelCase or its snake_case name: Google takes both."""
    snake = re.sub(r"([A-Z])", r"_\1", name).lower()
    found = parse_object(fields)
    return found.get(name, found.get(snake))


def _parse_tools(body: dict[str, Any], calling: dict[str, Any]) -> tuple[Tool, ...]:
    allowed = _either(calling, "allowedFunctionNames")
    tools = []
    for group in parse_objects(body.get("tools")):
        for item in parse_objects(_either(group, "functionDeclarations")):
            name = str(item.get("name", ""))
            schema = item.get("parameters", _either(item, "parametersJsonSchema"))
            if name and (not isinstance(allowed, list) or not allowed or name in allowed):
                tools.append(Tool(name, parse_object(schema)))
    return tuple(tools)


def _responses(ask: Ask, script: Script) -> Iterator[dict[str, Any]]:
    for spoken, word in enumerate(script.words, 1):
        yield _response(ask, script, [{"text": word}], spoken)
    if script.calls:
        yield _response(ask, script, _call_parts(ask, script), script.output_tokens)
    yield _response(ask, script, [{"text": ""}], script.output_tokens, STOPS[script.stop])


def _call_parts(ask: Ask, script: Script) -> list[dict[str, Any]]:
    parts = []
    for index, call in enumerate(script.calls):
        arguments = msgspec.json.decode(call.arguments)
        function = {"id": f"demo{ask.serial:06d}x{index}", "name": call.name, "args": arguments}
        parts.append({"functionCall": function})
    return parts


def _response(
    ask: Ask, script: Script, parts: list[dict[str, Any]], spoken: int, finish: str | None = None
) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": script.input_tokens,
            "candidatesTokenCount": spoken,
            "totalTokenCount": script.input_tokens + spoken,
        },
        "modelVersion": ask.model,
        "responseId": f"demo{ask.serial:06d}",
    }
