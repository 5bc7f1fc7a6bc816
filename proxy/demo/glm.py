"""GLM (Zhipu, Z.ai): reads its requests into an `Ask`, writes a `Script` in its wire form. Pure; no I/O, no clock.

OpenAI's shape with its own habits, as recorded from api.z.ai: `role` on every chunk, the key `finish_reason` absent
until the last, which has the usage too; reasoning first, as `reasoning_content`; each call whole in one chunk unless
`tool_stream` asks for fragments. Takes less than OpenAI (docs.z.ai/api-reference/llm/chat-completion): no `developer`,
no null content, one stop sequence, no choice of tools but `auto`, no schema for the answer. Error codes are strings.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from proxy.demo.answer import SSE, Piece, Request, build_sse
from proxy.demo.chat_messages import Rules, read_messages
from proxy.demo.chat_options import EFFORTS, read_stream, read_tools
from proxy.demo.openai_chat import build_calls
from proxy.demo.reading import Fields, Style, parse_body
from proxy.demo.script import Ask, Script
from proxy.demo.talk import Talk

NAME: Final = "glm"
PATH: Final = re.compile(r"/api/(?:coding/)?paas/v4/chat/completions")
SHOWN: Final = "/api/paas/v4/chat/completions"
REQUEST_ID: Final = None
EOL: Final = b"\n"
STOPS: Final = {
    "stop": "stop", "length": "length", "tool": "tool_calls", "refusal": "sensitive", "blocked": "sensitive"
}  # fmt: skip
CODES: Final = {401: "1000", 402: "1113", 403: "1220", 404: "1211", 413: "1261", 429: "1302", 503: "1305"}
RULES: Final = Rules(
    frozenset({"system", "user", "assistant", "tool"}),
    null_content=False,
    names=False,
    empty=False,
    extras=frozenset({"reasoning_content"}),
    id_length=64,
)
STYLE: Final = Style(
    missing="messages parameter is illegal: {at} is required",
    wrong="API call parameter error: {at} {what}",
    unknown="API call parameter error: {at} is not known",
)
BLIND: Final = re.compile(r"glm-[0-9.]+(?!.*v).*")
"""Models of the family without a "v" after their number see no images."""


def parse_request(request: Request, _path: re.Match[str]) -> Ask:
    """The request as an `Ask`. Raises `BadAsk`."""
    body = Fields(parse_body(request.body), "", STYLE)
    model = body.need_text("model")
    talk = read_messages(body, RULES)
    if talk.media and BLIND.fullmatch(model):
        raise body.bad("messages", "should not have images with this model")
    tools = read_tools(body)
    body.choice("tool_choice", ("auto",))
    streams, _ = read_stream(body)
    thinking = body.child("thinking")
    thinks = None
    if thinking is not None:
        thinks = thinking.choice("type", ("enabled", "disabled")) == "enabled"
        thinking.flag("clear_thinking")
        thinking.close()
    effort = body.choice("reasoning_effort", EFFORTS)
    if effort is not None:
        thinks = effort != "none" and thinks is not False
    limit = body.whole("max_tokens", 1)
    output = _read_format(body, talk)
    _read_rest(body)
    return Ask(
        model=model,
        serial=request.serial,
        now=request.now,
        stream=streams,
        max_tokens=limit,
        tools=tools,
        think=thinks,
        output=output,
        options=frozenset({"tool_stream"} if body.flag("tool_stream") else ()),
        **talk.fields(),
    )


def _read_format(body: Fields, talk: Talk) -> Any:
    """With `json_object` the answer follows a schema in the instructions, as a model would."""
    wanted = body.child("response_format")
    if wanted is None:
        return None
    kind = wanted.choice("type", ("text", "json_object"))
    wanted.close()
    return talk.find_schema() if kind == "json_object" else None


def _read_rest(body: Fields) -> None:
    body.number("temperature", 0, 1)
    body.number("top_p", 0.01, 1)
    body.texts("stop", 1)
    body.flag("do_sample")
    body.flag("tool_stream")
    user = body.text("user_id")
    if user is not None and not 6 <= len(user) <= 128:
        raise body.bad("user_id", "should have 6 to 128 characters")
    body.text("request_id")
    body.close()


def stream_type(_ask: Ask) -> str:
    """The Content-Type of a streamed answer."""
    return SSE.replace("; ", ";").replace("utf-8", "UTF-8")


def build_stream(ask: Ask, script: Script) -> Iterator[Piece]:
    """The answer as events."""
    for thought in script.thoughts:
        yield _chunk(ask, {"role": "assistant", "reasoning_content": thought})
    for word in script.words:
        yield _chunk(ask, {"role": "assistant", "content": word})
    for index, call in enumerate(script.calls):
        pieces = call.fragments if "tool_stream" in ask.options else (call.arguments,)
        for piece in pieces:
            function = {"name": call.name, "arguments": piece}
            part = {"id": _call_id(ask, index), "index": index, "type": "function", "function": function}
            yield _chunk(ask, {"tool_calls": [part]})
    choice = {"index": 0, "finish_reason": STOPS[script.stop], "delta": {"role": "assistant", "content": ""}}
    yield _event({**_frame(ask, "chat.completion.chunk"), "choices": [choice], "usage": _usage(script)})
    yield Piece(build_sse(b"[DONE]"), is_end_mark=True)


def build_whole(ask: Ask, script: Script) -> bytes:
    """The answer as one JSON object."""
    message: dict[str, Any] = {"content": script.text, "role": "assistant"}
    if script.thoughts:
        message["reasoning_content"] = script.thought
    if script.calls:
        message["tool_calls"] = [
            {**call, "id": _call_id(ask, index), "index": index} for index, call in enumerate(build_calls(ask, script))
        ]
    choice = {"finish_reason": STOPS[script.stop], "index": 0, "message": message}
    frame = _frame(ask, "chat.completion")
    return msgspec.json.encode({"choices": [choice], **frame, "request_id": frame["id"], "usage": _usage(script)})


def build_error(status: int, message: str, _serial: int) -> bytes:
    """An error body: a code in a string, no type."""
    code = CODES.get(status, "1234" if status >= 500 else "1214" if "messages" in message else "1210")
    return msgspec.json.encode({"error": {"code": code, "message": message}})


def build_failure(ask: Ask, _script: Script, _sent: int) -> Iterator[Piece]:
    """What ends a stream that fails: a finish reason of its own, then the end mark as if nothing had happened."""
    choice = {"index": 0, "finish_reason": "network_error", "delta": {"role": "assistant", "content": ""}}
    yield _event({**_frame(ask, "chat.completion.chunk"), "choices": [choice]})
    yield Piece(build_sse(b"[DONE]"), is_end_mark=True)


def build_failed(_ask: Ask) -> bytes:
    """A whole answer that fails: an error body under status 200, as reported of this API."""
    return build_error(503, "The model is overloaded. Please try again later.", 0)


def _call_id(ask: Ask, index: int) -> str:
    return f"call_{ask.now}{ask.serial:06d}{index}"


def _frame(ask: Ask, kind: str) -> dict[str, Any]:
    return {"id": f"2026demo{ask.serial:06d}", "created": ask.now, "object": kind, "model": ask.model}


def _chunk(ask: Ask, delta: dict[str, Any]) -> Piece:
    return _event({**_frame(ask, "chat.completion.chunk"), "choices": [{"index": 0, "delta": delta}]})


def _event(chunk: dict[str, Any]) -> Piece:
    return Piece(build_sse(msgspec.json.encode(chunk)))


def _usage(script: Script) -> dict[str, Any]:
    return {
        "prompt_tokens": script.input_tokens,
        "completion_tokens": script.output_tokens,
        "total_tokens": script.input_tokens + script.output_tokens,
        "prompt_tokens_details": {"cached_tokens": script.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": script.reasoning_tokens},
    }
