"""The hub's `Request` to Code Assist: `{"model", "project", "userAgent", "request": {…}}` around Gemini's body.

Behind one address stand models of three families, and the rules for history are theirs: Gemini's calls want their
signatures, Claude's thoughts go back with theirs or not at all, GPT has none. Schemas must be in the strict subset.
The operator's project comes from the configuration (`project`); the user agent says who we are and nothing else.
"""

from typing import Final

from proxy.dialects import names
from proxy.dialects.chat import Outgoing, Target
from proxy.dialects.gemini.decode import ORIGIN_FORM
from proxy.dialects.gemini.marks import ORIGIN
from proxy.dialects.gemini.request_out import build_body
from proxy.dialects.gemini.rules import IMAGES, Rules
from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import Json, Request

CLAUDE_ORIGIN: Final = "yc"
"""Of Claude's signatures here: base64 of what Anthropic's own API would give, and of use here only."""

_PATHS: Final = {True: "/v1internal:streamGenerateContent", False: "/v1internal:generateContent"}
_COUNT_PATH: Final = "/v1internal:countTokens"
_CLAUDE_IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_USER_AGENT: Final = "penstock"


def build_request(request: Request, target: Target) -> Outgoing:
    rules = find_rules(target)
    built = build_body(request, target, rules)
    built.fitting.drop("service_tier")
    body = _fit_tool_config(built.body, rules)
    headers = _name_us(target)
    envelope: dict[str, Json] = {"model": target.model.removeprefix("models/"), "userAgent": headers["user-agent"]}
    envelope["request"] = body
    if project := target.options.get("project"):
        envelope["project"] = project
    return Outgoing(
        _PATHS[request.stream],
        encode_json(envelope),
        query="alt=sse" if request.stream else None,
        headers=headers,
        dropped=tuple(built.fitting.dropped),
        names=built.names,
        forms={**built.forms, ORIGIN_FORM: CLAUDE_ORIGIN} if rules.claude else built.forms,
    )


def build_count_request(request: Request, target: Target) -> Outgoing:
    """The endpoint knows contents only, so what stands beside them is counted as if it were said."""
    built = build_body(request, target, find_rules(target))
    name = f"models/{target.model.removeprefix('models/')}"
    beside = {key: built.body[key] for key in ("systemInstruction", "tools") if key in built.body}
    said = {"role": "user", "parts": [{"text": encode_json(beside).decode()}]}
    contents = [said, *built.body["contents"]] if beside else built.body["contents"]
    body = {"request": {"model": name, "contents": contents}}
    return Outgoing(_COUNT_PATH, encode_json(body), headers=_name_us(target), names=built.names)


def _name_us(target: Target) -> dict[str, str]:
    return {"user-agent": target.options.get("user_agent", _USER_AGENT)}


def find_rules(target: Target) -> Rules:
    able = target.capabilities
    claude = able.family == "claude"
    gemini = not claude and able.family != "gpt"
    images = _CLAUDE_IMAGES if claude else IMAGES
    return Rules(
        origin=CLAUDE_ORIGIN if claude else ORIGIN if gemini else "",
        thoughts=claude,
        sentinel=gemini and able.signed_calls,
        ids=True,
        nested=gemini and able.thinking == "level",
        references=False,
        openapi=True,
        claude=claude,
        error_key="output",
        fits=names.OPENAI,
        images=images if able.images else frozenset(),
        audio=gemini,
        extras=frozenset({"generationConfig", "toolConfig", "safetySettings"} if gemini else ()),
        infer_tools=claude,
    )


def _fit_tool_config(body: dict[str, Json], rules: Rules) -> dict[str, Json]:
    """Claude's calls obey their schemas only if told to."""
    if not rules.claude or "tools" not in body:
        return body
    config = body.get("toolConfig", {})
    calling = config.get("functionCallingConfig", {"mode": "AUTO"})
    if calling.get("mode") != "AUTO":
        return body
    return {**body, "toolConfig": {**config, "functionCallingConfig": {**calling, "mode": "VALIDATED"}}}
