"""OpenRouter: reads its requests into an `Ask`, writes a `Script` in its wire form. Pure; no I/O, no clock.

OpenAI's shape with what stands in recordings of openrouter.ai: comments before and between the events, `provider` and
`native_finish_reason`, reasoning twice (`reasoning` to read, `reasoning_details` to send back, in the form of the
vendor before the slash of the model's name), the finish chunk twice, the second time with usage and cost. A failing
stream has `error` beside the chunk's usual fields. Fields it does not know it ignores, as the service does.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from proxy.demo import signing
from proxy.demo.answer import SSE, Piece, Request, build_sse
from proxy.demo.chat_messages import Rules, read_messages
from proxy.demo.chat_options import EFFORTS, read_choice, read_format, read_stream, read_tools
from proxy.demo.openai_chat import build_calls, build_usage, call_id
from proxy.demo.reading import OPENAI, Fields, parse_body
from proxy.demo.script import Ask, Script

NAME: Final = "openrouter"
PATH: Final = re.compile(r"/api/v1/chat/completions")
SHOWN: Final = "/api/v1/chat/completions"
REQUEST_ID: Final = "x-generation-id"
EOL: Final = b"\n"
COMMENT: Final = Piece(b": OPENROUTER PROCESSING\n\n", is_event=False)
COMMENT_EVERY: Final = 8  # events between two comments
STOPS: Final = {
    "stop": "stop", "length": "length", "tool": "tool_calls", "refusal": "content_filter", "blocked": "content_filter"
}  # fmt: skip
NATIVE: Final[Mapping[str, Mapping[str, str]]] = {
    "anthropic": {"stop": "end_turn", "length": "max_tokens", "tool": "tool_use", "refusal": "refusal",
                  "blocked": "refusal"},
    "google": {"stop": "STOP", "length": "MAX_TOKENS", "tool": "STOP", "refusal": "SAFETY", "blocked": "SAFETY"},
    "openai": {"stop": "completed", "length": "max_output_tokens", "tool": "completed", "refusal": "content_filter",
               "blocked": "content_filter"},
}  # fmt: skip
COST: Final = 0.000001  # US dollars for a token, in or out
FAILURE: Final = {"code": 502, "message": "Provider returned error", "metadata": {"provider_name": "Demo"}}


def parse_request(request: Request, _path: re.Match[str]) -> Ask:
    """The request as an `Ask`. Raises `BadAsk`."""
    body = Fields(parse_body(request.body), "", OPENAI)
    fallbacks = body.texts("models")
    model = body.text("model") or next(iter(fallbacks), "")
    if not model:
        raise body.missing("model")
    talk = read_messages(body, RULES)
    tools, choice = read_choice(body, read_tools(body))
    streams, _ = read_stream(body)
    output = read_format(body, talk)
    thinks, show = _read_reasoning(body)
    limit, old = body.whole("max_completion_tokens", 1), body.whole("max_tokens", 1)
    body.number("temperature", 0, 2)
    body.number("top_p", 0, 1)
    body.whole("top_k", 0)
    body.child("provider")
    return Ask(
        model=model,
        serial=request.serial,
        now=request.now,
        stream=streams,
        max_tokens=limit if limit is not None else old,
        tools=tools,
        must_call=choice == "required",
        may_call=choice != "none",
        one_call=body.flag("parallel_tool_calls") is False,
        think=thinks,
        show=show,
        output=output,
        **talk.fields(),
    )


def _read_reasoning(body: Fields) -> tuple[bool | None, bool]:
    """Whether reasoning is asked for, and whether it is to be shown."""
    effort = body.choice("reasoning_effort", EFFORTS)
    wanted = body.child("reasoning")
    if wanted is None:
        return (None if effort is None else effort != "none"), body.flag("include_reasoning") is not False
    inner, budget = wanted.choice("effort", EFFORTS), wanted.whole("max_tokens", 1)
    if inner is not None and budget is not None:
        raise wanted.bad("effort", "cannot be given together with 'reasoning.max_tokens'")
    enabled = wanted.flag("enabled")
    wanted.skip("summary")
    hidden = wanted.flag("exclude") is True
    thinks = inner != "none" and enabled is not False
    if inner is None and budget is None and enabled is None:
        return None, not hidden
    return thinks, not hidden


def _check_details(message: Fields) -> None:
    """Details that came back: whatever has a signature must be just as it was issued."""
    for detail in message.children("reasoning_details"):
        kind = detail.need_text("type")
        signature, data = detail.text("signature"), detail.text("data")
        if kind == "reasoning.text" and signature:
            if not signing.is_signed(signature, signing.ANTHROPIC, detail.text("text") or ""):
                raise detail.bad("signature", "Invalid `signature` in `thinking` block")
        elif kind == "reasoning.encrypted" and not any(
            signing.is_issued(data or "", issuer) for issuer in (signing.GOOGLE, signing.OPENAI)
        ):
            raise detail.bad("data", "could not be verified")


RULES: Final = Rules(
    frozenset({"developer", "system", "user", "assistant", "tool"}),
    extras=frozenset({"reasoning", "reasoning_content", "reasoning_details", "images"}),
    id_length=64,
    parts=frozenset({"cache_control"}),
    check_extras=_check_details,
)


def stream_type(_ask: Ask) -> str:
    """The Content-Type of a streamed answer."""
    return SSE.partition(";")[0]


def build_stream(ask: Ask, script: Script) -> Iterator[Piece]:
    """The answer as events, with comments before and between them."""
    yield COMMENT
    yield COMMENT
    for count, piece in enumerate(_events(ask, script), 1):
        yield piece
        if count % COMMENT_EVERY == 0:
            yield COMMENT
    yield Piece(build_sse(b"[DONE]"), is_end_mark=True)


def _events(ask: Ask, script: Script) -> Iterator[Piece]:
    if ask.show:
        for delta in _reasoning_deltas(ask, script):
            yield _chunk(ask, {"content": "", "role": "assistant", **delta})
    for word in script.words:
        yield _chunk(ask, {"content": word, "role": "assistant"})
    for index, call in enumerate(script.calls):
        start = {"id": call_id(ask, index), "type": "function", "function": {"name": call.name, "arguments": ""}}
        yield _chunk(ask, _call(index, start))
        for fragment in call.fragments:
            yield _chunk(ask, _call(index, {"function": {"arguments": fragment}}))
    delta = {"content": "", "role": "assistant"}
    yield _chunk(ask, delta, script.stop)
    yield _chunk(ask, delta, script.stop, usage=_usage(script))


def _reasoning_deltas(ask: Ask, script: Script) -> Iterator[dict[str, Any]]:
    """Fragments of the details, each with the text of it once more where it has one."""
    vendor = _vendor(ask)
    for thought in script.thoughts:
        yield {"reasoning": thought, "reasoning_details": [_text_detail(vendor, thought)]}
    for detail in _sealed_details(ask, script):
        yield {"reasoning": None, "reasoning_details": [detail]}


def _text_detail(vendor: str, text: str) -> dict[str, Any]:
    if vendor == "openai":
        return {"type": "reasoning.summary", "summary": text, "format": "openai-responses-v1", "index": 0}
    form = "google-gemini-v1" if vendor == "google" else "anthropic-claude-v1"
    return {"type": "reasoning.text", "text": text, "format": form, "index": 0}


def _sealed_details(ask: Ask, script: Script) -> Iterator[dict[str, Any]]:
    """What is to come back: a signature without text, or encrypted data."""
    vendor = _vendor(ask)
    if vendor == "google" and script.calls:
        call = script.calls[0]
        data = signing.sign(signing.GOOGLE, signing.call_text(call.name, call.value))
        form = {"format": "google-gemini-v1", "id": call_id(ask, 0), "index": 1}
        yield {"type": "reasoning.encrypted", "data": data, **form}
    elif vendor == "openai" and script.thoughts:
        data = signing.sign(signing.OPENAI, script.thought)
        form = {"format": "openai-responses-v1", "id": f"rs_demo{ask.serial:06d}", "index": 1}
        yield {"type": "reasoning.encrypted", "data": data, **form}
    elif vendor == "anthropic" and script.thoughts:
        signature = signing.sign(signing.ANTHROPIC, script.thought)
        yield {"type": "reasoning.text", "signature": signature, "format": "anthropic-claude-v1", "index": 0}


def build_whole(ask: Ask, script: Script) -> bytes:
    """The answer as one JSON object, behind the blank lines that keep a connection alive."""
    message: dict[str, Any] = {"role": "assistant", "content": script.text, "refusal": None, "reasoning": None}
    if script.thoughts and ask.show:
        message["reasoning"] = script.thought
    if ask.show and (details := _whole_details(ask, script)):
        message["reasoning_details"] = details
    if script.calls:
        message["tool_calls"] = [{**call, "index": index} for index, call in enumerate(build_calls(ask, script))]
    choice = {"index": 0, "logprobs": None, **_finish(ask, script.stop), "message": message}
    body = {**_frame(ask, "chat.completion"), "choices": [choice], "usage": _usage(script)}
    return b"\n         \n\n         \n" + msgspec.json.encode(body)


def _whole_details(ask: Ask, script: Script) -> list[dict[str, Any]]:
    details = [_text_detail(_vendor(ask), script.thought)] if script.thoughts else []
    for detail in _sealed_details(ask, script):
        if details and detail["index"] == details[0]["index"]:
            details[0].update(detail)
        else:
            details.append(detail)
    return details


def build_error(status: int, message: str, _serial: int) -> bytes:
    """An error body: the status as its code."""
    return msgspec.json.encode({"error": {"code": status, "message": message}, "user_id": "user_demo"})


def build_failure(ask: Ask, script: Script, _sent: int) -> Iterator[Piece]:
    """What ends a stream that fails: a chunk like any other, but for `error`; the end mark follows all the same."""
    choice = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "error"}
    choice["native_finish_reason"] = "error"
    chunk = {**_frame(ask, "chat.completion.chunk"), "error": FAILURE, "choices": [choice], "usage": _usage(script)}
    yield Piece(build_sse(msgspec.json.encode(chunk)))
    yield Piece(build_sse(b"[DONE]"), is_end_mark=True)


def build_failed(ask: Ask) -> bytes:
    """A whole answer that fails: an error where its choice would be complete, under status 200."""
    choice = {"index": 0, "error": FAILURE, "finish_reason": "error", "message": {"role": "assistant", "content": ""}}
    return msgspec.json.encode({**_frame(ask, "chat.completion"), "choices": [choice]})


def _vendor(ask: Ask) -> str:
    vendor = ask.model.partition("/")[0]
    return vendor if vendor in NATIVE else "anthropic"


def _finish(ask: Ask, stop: str | None) -> dict[str, str | None]:
    if stop is None:
        return {"finish_reason": None, "native_finish_reason": None}
    return {"finish_reason": STOPS[stop], "native_finish_reason": NATIVE[_vendor(ask)][stop]}


def _frame(ask: Ask, kind: str) -> dict[str, Any]:
    frame = {"id": f"gen-demo{ask.serial:06d}", "object": kind, "created": ask.now}
    return {**frame, "model": ask.model, "provider": "Demo"}


def _chunk(ask: Ask, delta: dict[str, Any], stop: str | None = None, **more: Any) -> Piece:
    choice = {"index": 0, "delta": delta, **_finish(ask, stop)}
    chunk = {**_frame(ask, "chat.completion.chunk"), "choices": [choice], **more}
    return Piece(build_sse(msgspec.json.encode(chunk)))


def _call(index: int, part: dict[str, Any]) -> dict[str, Any]:
    return {"content": None, "role": "assistant", "tool_calls": [{"index": index, **part}]}


def _usage(script: Script) -> dict[str, Any]:
    usage = build_usage(script)
    usage["prompt_tokens_details"]["cache_write_tokens"] = 0
    return {**usage, "cost": round(COST * usage["total_tokens"], 9), "is_byok": False}
