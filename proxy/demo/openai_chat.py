"""OpenAI Chat Completions: reads its requests into an `Ask`, writes a `Script` in its wire form. Pure; no
I/O, no clock.

Shapes as in the API reference (platform.openai.com/docs/api-reference/chat) and as its SDKs read them: role
first, one chunk with `finish_reason`, usage in a chunk of its own without choices, `[DONE]` last. Its models keep their
thoughts to themselves; one whose name begins with "deepseek" shows them as `reasoning_content`, as that family does.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from proxy.demo.answer import SSE, BadAsk, Piece, Request, build_sse
from proxy.demo.chat_messages import Rules, read_messages
from proxy.demo.chat_options import EFFORTS, read_choice, read_format, read_stop, read_stream, read_tools
from proxy.demo.reading import OPENAI, Fields, parse_body
from proxy.demo.script import Ask, Script

NAME: Final = "openai-chat"
PATH: Final = re.compile(r"/v1/chat/completions")
SHOWN: Final = "/v1/chat/completions"
REQUEST_ID: Final = "x-request-id"
EOL: Final = b"\n"
STOPS: Final = {
    "stop": "stop", "length": "length", "tool": "tool_calls", "refusal": "stop", "blocked": "content_filter"
}  # fmt: skip
ERROR_TYPES: Final = {401: "authentication_error", 429: "requests"}
FAILURE: Final = {
    "message": "The server had an error while processing your request.",
    "type": "server_error",
    "param": None,
    "code": None,
}
RULES: Final = Rules(frozenset({"developer", "system", "user", "assistant", "tool", "function"}))
OPEN_RULES: Final = Rules(RULES.roles, extras=frozenset({"reasoning_content", "reasoning"}))
REASONING: Final = re.compile(r"(o[1-9]|gpt-5).*")
PLAIN: Final = re.compile(r"(gpt-[34]).*")
OPEN: Final = re.compile(r"deepseek.*")
NOT_LOOKED_AT: Final = (
    "functions", "function_call", "user", "safety_identifier", "metadata", "store", "service_tier",
    "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "verbosity", "modalities", "audio",
    "prediction", "web_search_options", "moderation", "logit_bias",
)  # fmt: skip


def parse_request(request: Request, _path: re.Match[str]) -> Ask:
    """The request as an `Ask`. Raises `BadAsk`."""
    body = Fields(parse_body(request.body), "", OPENAI)
    model = body.need_text("model")
    talk = read_messages(body, OPEN_RULES if OPEN.fullmatch(model) else RULES)
    declared = read_tools(body)
    tools, choice = read_choice(body, declared)
    parallel = body.flag("parallel_tool_calls")
    if parallel is not None and not declared:
        raise body.bad("parallel_tool_calls", "is only allowed when 'tools' are specified")
    streams, usage = read_stream(body)
    output = read_format(body, talk)
    effort = _read_effort(body, model)
    limit = _read_limit(body, model)
    _read_sampling(body, model)
    body.skip(*NOT_LOOKED_AT)
    body.close()
    return Ask(
        model=model,
        serial=request.serial,
        now=request.now,
        stream=streams,
        max_tokens=limit,
        tools=tools,
        must_call=choice == "required",
        may_call=choice != "none",
        one_call=parallel is False,
        with_usage=usage,
        think=None if effort is None else effort != "none",
        show=OPEN.fullmatch(model) is not None,
        output=output,
        **talk.fields(),
    )


def _read_effort(body: Fields, model: str) -> str | None:
    effort = body.choice("reasoning_effort", EFFORTS)
    if effort is not None and PLAIN.fullmatch(model):
        raise BadAsk("Unrecognized request argument supplied: reasoning_effort")
    return effort


def _read_limit(body: Fields, model: str) -> int | None:
    limit, old = body.whole("max_completion_tokens", 1), body.whole("max_tokens", 1)
    if old is not None and REASONING.fullmatch(model):
        raise body.bad("max_tokens", "is not supported with this model, use 'max_completion_tokens' instead")
    if old is not None and limit is not None:
        raise body.bad("max_tokens", "is not supported at the same time as 'max_completion_tokens'")
    return limit if limit is not None else old


def _read_sampling(body: Fields, model: str) -> None:
    given = {
        "temperature": body.number("temperature", 0, 2),
        "top_p": body.number("top_p", 0, 1),
        "presence_penalty": body.number("presence_penalty", -2, 2),
        "frequency_penalty": body.number("frequency_penalty", -2, 2),
    }
    for name, value in given.items():
        if REASONING.fullmatch(model) and value is not None and (name, value) != ("temperature", 1):
            raise body.bad(name, "is not supported with this model")
    body.whole("seed")
    body.whole("n", 1, 128)
    body.flag("logprobs")
    body.whole("top_logprobs", 0, 20)
    read_stop(body, 4)


def stream_type(_ask: Ask) -> str:
    """The Content-Type of a streamed answer."""
    return SSE


def build_stream(ask: Ask, script: Script) -> Iterator[Piece]:
    """The answer as events."""
    yield _chunk(ask, {"role": "assistant", "content": "", "refusal": None})
    for thought in script.thoughts if ask.show else ():
        yield _chunk(ask, {"reasoning_content": thought})
    field = "refusal" if script.stop == "refusal" else "content"
    for word in script.words:
        yield _chunk(ask, {field: word})
    for index, call in enumerate(script.calls):
        function = {"name": call.name, "arguments": ""}
        yield _chunk(ask, _call(index, {"id": call_id(ask, index), "type": "function", "function": function}))
        for fragment in call.fragments:
            yield _chunk(ask, _call(index, {"function": {"arguments": fragment}}))
    yield _chunk(ask, {}, STOPS[script.stop])
    if ask.with_usage:
        yield _event({**_frame(ask, "chat.completion.chunk"), "choices": [], "usage": build_usage(script)})
    yield Piece(build_sse(b"[DONE]"), is_end_mark=True)


def build_whole(ask: Ask, script: Script) -> bytes:
    """The answer as one JSON object."""
    refuses = script.stop == "refusal"
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if refuses else script.text,
        "refusal": script.text if refuses else None,
        "annotations": [],
    }
    if script.thoughts and ask.show:
        message["reasoning_content"] = script.thought
    if script.calls:
        message["tool_calls"] = build_calls(ask, script)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": STOPS[script.stop]}
    return msgspec.json.encode({**_frame(ask, "chat.completion"), "choices": [choice], "usage": build_usage(script)})


def build_error(status: int, message: str, _serial: int) -> bytes:
    """An error body."""
    kind = ERROR_TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    code = "rate_limit_exceeded" if status == 429 else None
    return msgspec.json.encode({"error": {"message": message, "type": kind, "param": None, "code": code}})


def build_failure(_ask: Ask, _script: Script, _sent: int) -> Iterator[Piece]:
    """What ends a stream that fails: an object with nothing but `error`, and no end mark."""
    yield Piece(build_sse(msgspec.json.encode({"error": FAILURE})))


def build_failed(_ask: Ask) -> bytes:
    """A whole answer that fails has no form but an error status. Raises `BadAsk`."""
    raise BadAsk(str(FAILURE["message"]), 500)


def build_calls(ask: Ask, script: Script) -> list[dict[str, Any]]:
    """The calls of a whole message."""
    return [
        {"id": call_id(ask, index), "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for index, call in enumerate(script.calls)
    ]


def call_id(ask: Ask, index: int) -> str:
    return f"call_demo{ask.serial:06d}x{index}"


def build_usage(script: Script) -> dict[str, Any]:
    """Reasoning is part of the completion, what a cache held part of the prompt."""
    return {
        "prompt_tokens": script.input_tokens,
        "completion_tokens": script.output_tokens,
        "total_tokens": script.input_tokens + script.output_tokens,
        "prompt_tokens_details": {"cached_tokens": script.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": script.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _frame(ask: Ask, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-demo{ask.serial:06d}",
        "object": kind,
        "created": ask.now,
        "model": ask.model,
        "service_tier": "default",
        "system_fingerprint": "fp_demo",
    }


def _chunk(ask: Ask, delta: dict[str, Any], finish: str | None = None) -> Piece:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    usage = {"usage": None} if ask.with_usage else {}
    return _event({**_frame(ask, "chat.completion.chunk"), "choices": [choice], **usage})


def _event(chunk: dict[str, Any]) -> Piece:
    return Piece(build_sse(msgspec.json.encode(chunk)))


def _call(index: int, part: dict[str, Any]) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, **part}]}
