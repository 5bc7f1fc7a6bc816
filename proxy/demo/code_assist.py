"""Google Code Assist: Gemini's requests and responses in an envelope, for models of three families. Pure; no I/O, no
clock.

Shapes as recorded from cloudcode-pa.googleapis.com: the model stands in the body, `request` holds what Gemini's body
would, every event has the response under `response`, line ends are CRLF. Claude's first event is empty, its signature
is base64 of Anthropic's and stands behind the thoughts; GPT has no signatures and says its usage after the finish.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from proxy.demo import signing
from proxy.demo.answer import Piece, Request
from proxy.demo.gemini import EOL as EOL
from proxy.demo.gemini import REQUEST_ID as REQUEST_ID
from proxy.demo.gemini import build_count as build_count
from proxy.demo.gemini import build_error as build_error
from proxy.demo.gemini import build_failed as build_failed
from proxy.demo.gemini import build_failure as build_failure
from proxy.demo.gemini import frame, read_ask
from proxy.demo.gemini import stream_type as stream_type
from proxy.demo.gemini_answer import NEW, Voice, build_response, iterate_responses
from proxy.demo.gemini_contents import Family
from proxy.demo.gemini_options import Limits
from proxy.demo.reading import GOOGLE, Fields, parse_body
from proxy.demo.schemas import CLAUDE
from proxy.demo.script import Ask, Script

NAME: Final = "code-assist"
PATH: Final = re.compile(r"/v1internal:(?P<verb>streamGenerateContent|generateContent|countTokens)")
SHOWN: Final = "/v1internal:streamGenerateContent?alt=sse (or :generateContent, :countTokens)"

# By how a model's name begins: how its signatures are checked, what its schemas may hold, how it answers.
FAMILIES: Final[tuple[tuple[str, Family, Limits, Voice], ...]] = (
    (
        "claude",
        Family(signing.ANTHROPIC, sentinel=False, wrapped=True),
        Limits(CLAUDE, json_schema=False),
        Voice("toolu_vrtx_", "req_vrtx_", "thoughts", "text", counts_thoughts=False),
    ),
    ("gpt", Family("", sentinel=False), Limits(json_schema=False), Voice("call_", "", "", "bare", late_usage=True)),
    ("", Family(signed=True), Limits(), NEW),
)


def parse_request(request: Request, path: re.Match[str]) -> Ask:
    """The request as an `Ask`. Raises `BadAsk`."""
    body = Fields(parse_body(request.body), "", GOOGLE)
    inner = body.need_child("request")
    counting = path["verb"] == "countTokens"
    if counting:
        model = inner.need_text("model").removeprefix("models/")
    else:
        model = body.need_text("model")
        body.need_text("project")
        body.skip("requestId", "userAgent", "requestType", "userPromptId", "enabledCreditTypes")
    body.close()
    inner.skip("sessionId")
    _, family, limits, _ = _find_family(model)
    ask = read_ask(request, inner, model, path["verb"], family, limits)
    _check_budget(inner, model, ask)
    return ask


def _check_budget(inner: Fields, model: str, ask: Ask) -> None:
    """Claude's own rule, which its host passes on."""
    config = inner.child("generationConfig")
    thinking = config.child("thinkingConfig") if config else None
    budget = thinking.whole("thinkingBudget") if thinking else None
    if config and model.startswith("claude") and budget is not None and budget >= (ask.max_tokens or budget + 1):
        raise config.bad("maxOutputTokens", "must be greater than the thinking budget")


def build_stream(ask: Ask, script: Script) -> Iterator[Piece]:
    """The answer as events, or as the pieces of a JSON array."""
    responses = iterate_responses(ask, script, _find_family(ask.model)[3])
    return frame(ask, (_wrap(ask, response) for response in responses))


def build_whole(ask: Ask, script: Script) -> bytes:
    """The answer as one JSON object."""
    return msgspec.json.encode(_wrap(ask, build_response(ask, script, _find_family(ask.model)[3])))


def _wrap(ask: Ask, response: dict[str, Any]) -> dict[str, Any]:
    return {"response": response, "traceId": f"{ask.serial:016x}", "metadata": {}}


def _find_family(model: str) -> tuple[str, Family, Limits, Voice]:
    return next(row for row in FAMILIES if model.startswith(row[0]))
