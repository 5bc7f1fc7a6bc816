"""Google Gemini: reads its requests into an `Ask`, writes a `Script` in its wire form. Pure; no I/O, no
clock.

Shapes as in the API reference (ai.google.dev/api/generate-content). The path decides whether it streams;
`alt=sse` gives events with CRLF line ends, without it the stream is one JSON array that grows, and there is no end mark
but the array's bracket. Models of generations 1 and 2, by their name, call without ids and without signatures; those of
generation 3 want theirs back.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from proxy.demo.answer import JSON, SSE, BadAsk, Piece, Request, build_sse
from proxy.demo.gemini_answer import NEW, OLD, Voice, build_response, iterate_responses
from proxy.demo.gemini_contents import Family, read_contents
from proxy.demo.gemini_options import OLD as OLD_MODELS
from proxy.demo.gemini_options import Limits, read_choice, read_config, read_tools
from proxy.demo.reading import GOOGLE, Fields, parse_body
from proxy.demo.script import Ask, Script

NAME: Final = "gemini"
# "v1" as well: Google's npm client asks there. One segment, so that no other dialect's path is caught.
PATH: Final = re.compile(
    r"/v1(?:beta)?/models/(?P<model>[^/:]{1,128}):(?P<verb>streamGenerateContent|generateContent|countTokens)"
)
SHOWN: Final = "/v1beta/models/demo:streamGenerateContent?alt=sse (or without alt; or :generateContent, :countTokens)"
REQUEST_ID: Final = None
EOL: Final = b"\r\n"
SIGNED: Final = re.compile(r"gemini-3.*")
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
OVERLOADED: Final = "The model is overloaded. Please try again later."


def parse_request(request: Request, path: re.Match[str]) -> Ask:
    """The request as an `Ask`. Raises `BadAsk`."""
    body = Fields(parse_body(request.body), "", GOOGLE)
    counting = path["verb"] == "countTokens"
    if counting and (inner := body.child("generateContentRequest")):
        body.close()
        inner.need_text("model")
        body = inner
    model = path["model"]
    return read_ask(request, body, model, path["verb"], Family(signed=SIGNED.fullmatch(model) is not None), Limits())


def read_ask(request: Request, body: Fields, model: str, verb: str, family: Family, limits: Limits) -> Ask:
    """A request for content, whatever it was wrapped in. Raises `BadAsk`."""
    talk = read_contents(body, family)
    declared = read_tools(body, model, limits)
    tools, mode = read_choice(body, declared)
    config = read_config(body, model, declared, limits)
    for setting in body.children("safetySettings"):
        setting.need_text("category")
        setting.need_text("threshold")
        setting.close()
    if body.has("cachedContent"):
        raise BadAsk("CachedContent not found (or permission denied)", 403)
    body.skip("serviceTier", "labels", "store")
    body.close()
    return Ask(
        model=model,
        serial=request.serial,
        now=request.now,
        stream=verb == "streamGenerateContent",
        max_tokens=config.limit,
        tools=tools,
        must_call=mode == "ANY",
        may_call=mode != "NONE",
        as_array=("alt", "sse") not in request.head.query,
        think=config.thinks,
        show=config.shows,
        output=config.output,
        counting=verb == "countTokens",
        **talk.fields(),
    )


def stream_type(ask: Ask) -> str:
    """The Content-Type of a streamed answer."""
    return JSON if ask.as_array else SSE.partition(";")[0]


def build_stream(ask: Ask, script: Script) -> Iterator[Piece]:
    """The answer as events, or as the pieces of a JSON array."""
    return frame(ask, iterate_responses(ask, script, _voice(ask)))


def frame(ask: Ask, responses: Iterator[dict[str, Any]]) -> Iterator[Piece]:
    """Responses as events, or as the pieces of a JSON array."""
    opening = b"["
    for response in responses:
        data = msgspec.json.encode(response)
        yield Piece(opening + data if ask.as_array else build_sse(data))
        opening = b"\n,\n"
    if ask.as_array:
        yield Piece(b"]\n", is_end_mark=True)


def build_whole(ask: Ask, script: Script) -> bytes:
    """The answer as one JSON object."""
    return msgspec.json.encode(build_response(ask, script, _voice(ask)))


def build_count(ask: Ask) -> bytes:
    """How many tokens the request has."""
    details = [{"modality": "TEXT", "tokenCount": ask.prompt_tokens}]
    return msgspec.json.encode({"totalTokens": ask.prompt_tokens, "promptTokensDetails": details})


def build_error(status: int, message: str, _serial: int) -> bytes:
    """An error body."""
    name = ERROR_STATUSES.get(status, "INTERNAL" if status >= 500 else "FAILED_PRECONDITION")
    return msgspec.json.encode({"error": {"code": status, "message": message, "status": name}})


def build_failure(ask: Ask, _script: Script, sent: int) -> Iterator[Piece]:
    """What ends a stream that fails: an error where a response would stand, the bracket with it in an array."""
    error = build_error(503, OVERLOADED, 0)
    if ask.as_array:
        yield Piece((b"\n,\n" if sent else b"[") + error + b"]\n")
    else:
        yield Piece(build_sse(error))


def build_failed(_ask: Ask) -> bytes:
    """A whole answer that fails has no form but an error status. Raises `BadAsk`."""
    raise BadAsk(OVERLOADED, 503)


def _voice(ask: Ask) -> Voice:
    return OLD if OLD_MODELS.fullmatch(ask.model) else NEW
