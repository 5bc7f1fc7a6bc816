"""OpenAI Responses: writes a `Script` in its wire form; `responses_request.py` reads its requests. Pure; no I/O, no
clock.

Shapes as recorded from api.openai.com: named events with a running `sequence_number`, items that are added, grow and
are done one after the other, the whole response once more in the last event, no end mark. The `encrypted_content` of a
reasoning item is final only in its `done`. A failing stream says so twice, in `error` and in `response.failed`.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

import msgspec

from proxy.demo import signing
from proxy.demo.answer import SSE, Piece, Request, build_sse
from proxy.demo.openai_chat import build_error as build_error
from proxy.demo.openai_chat import call_id
from proxy.demo.reading import OPENAI, Fields, parse_body
from proxy.demo.responses_request import (
    INCLUDES,
    read_choice,
    read_format,
    read_input,
    read_reasoning,
    read_rest,
    read_tools,
)
from proxy.demo.script import Ask, Call, Script

NAME: Final = "openai-responses"
PATH: Final = re.compile(r"/v1/responses")
SHOWN: Final = "/v1/responses"
REQUEST_ID: Final = "x-request-id"
EOL: Final = b"\n"
ENCRYPTED: Final = "encrypted"
PRELIMINARY: Final = "preliminary"  # issuer of the encrypted_content that must not be sent back
INCOMPLETE: Final = {"length": "max_output_tokens", "blocked": "content_filter"}
FAILURE: Final = {"code": "server_error", "message": "The server had an error while processing your request."}

Event = tuple[str, dict[str, Any]]


def parse_request(request: Request, _path: re.Match[str]) -> Ask:
    """The request as an `Ask`. Raises `BadAsk`."""
    body = Fields(parse_body(request.body), "", OPENAI)
    model = body.need_text("model")
    talk = read_input(body)
    tools, choice = read_choice(body, read_tools(body))
    output = read_format(body, talk)
    thinks, show = read_reasoning(body)
    includes = body.texts("include")
    if not set(includes) <= set(INCLUDES):
        raise body.bad("include", "has an unknown value")
    ask = Ask(
        model=model,
        serial=request.serial,
        now=request.now,
        stream=body.flag("stream") is True,
        max_tokens=body.whole("max_output_tokens", 16),
        tools=tools,
        must_call=choice == "required",
        may_call=choice != "none",
        one_call=body.flag("parallel_tool_calls") is False,
        think=thinks,
        show=show,
        output=output,
        options=frozenset({ENCRYPTED} if "reasoning.encrypted_content" in includes else ()),
        **talk.fields(),
    )
    read_rest(body, model)
    return ask


def stream_type(_ask: Ask) -> str:
    """The Content-Type of a streamed answer."""
    return SSE


def build_stream(ask: Ask, script: Script) -> Iterator[Piece]:
    """The answer as events."""
    opened = {"response": _response(ask, script, "in_progress", [])}
    items = list(_items(ask, script))
    events = chain(
        [("response.created", opened), ("response.in_progress", opened)],
        chain.from_iterable(_item_events(ask, script, index, item) for index, item in enumerate(items)),
        [_last(ask, script, items)],
    )
    for number, (name, fields) in enumerate(events):
        yield _piece(name, fields, number)


def _last(ask: Ask, script: Script, items: list[dict[str, Any]]) -> Event:
    status = "incomplete" if script.stop in INCOMPLETE else "completed"
    return f"response.{status}", {"response": _response(ask, script, status, items)}


def build_whole(ask: Ask, script: Script) -> bytes:
    """The answer as one JSON object."""
    _, fields = _last(ask, script, list(_items(ask, script)))
    return msgspec.json.encode(fields["response"])


def build_failure(ask: Ask, script: Script, sent: int) -> Iterator[Piece]:
    """What ends a stream that fails."""
    error = {"type": "server_error", **FAILURE, "param": None}
    yield _piece("error", {"error": error}, sent)
    yield _piece("response.failed", {"response": _failed(ask, script)}, sent + 1)


def build_failed(ask: Ask) -> bytes:
    """A whole answer that fails: a response with that status, under HTTP status 200."""
    return msgspec.json.encode(_failed(ask, Script((), (), "stop", ask.prompt_tokens, 0)))


def _failed(ask: Ask, script: Script) -> dict[str, Any]:
    return {**_response(ask, script, "failed", []), "error": FAILURE, "usage": None}


def _items(ask: Ask, script: Script) -> Iterator[dict[str, Any]]:
    """The output, complete."""
    if script.thoughts:
        yield _reasoning(ask, script)
    if script.words:
        status = "incomplete" if script.stop == "length" else "completed"
        part = _part(script, script.text)
        yield {"id": f"msg_demo{ask.serial:06d}", "type": "message", "status": status, "role": "assistant",
               "content": [part]}  # fmt: skip
    for index, call in enumerate(script.calls):
        yield _function_call(ask, index, call)


def _reasoning(ask: Ask, script: Script, issuer: str = signing.OPENAI) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": script.thought}] if ask.show else []
    item: dict[str, Any] = {"id": f"rs_demo{ask.serial:06d}", "type": "reasoning", "content": [], "summary": summary}
    if ENCRYPTED in ask.options:
        item["encrypted_content"] = signing.sign(issuer, script.thought)
    return item


def _function_call(ask: Ask, index: int, call: Call) -> dict[str, Any]:
    ids = {"id": f"fc_demo{ask.serial:06d}x{index}", "call_id": call_id(ask, index)}
    return {"type": "function_call", "status": "completed", **ids, "name": call.name, "arguments": call.arguments}


def _part(script: Script, text: str) -> dict[str, Any]:
    if script.stop == "refusal":
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _item_events(ask: Ask, script: Script, index: int, item: dict[str, Any]) -> Iterator[Event]:
    """How one item grows."""
    place = {"output_index": index}
    at = {"item_id": item["id"], **place}
    if item["type"] == "reasoning":
        begun = {**_reasoning(ask, script, PRELIMINARY), "summary": []}
        inner = _summary_events(script, at) if ask.show else iter(())
    elif item["type"] == "message":
        begun = {**item, "status": "in_progress", "content": []}
        inner = _text_events(script, at)
    else:
        begun = {**item, "status": "in_progress", "arguments": ""}
        call = script.calls[int(item["id"].rpartition("x")[2])]
        inner = _argument_events(call, at)
    yield "response.output_item.added", {**place, "item": begun}
    yield from inner
    yield "response.output_item.done", {**place, "item": item}


def _summary_events(script: Script, at: dict[str, Any]) -> Iterator[Event]:
    where = {**at, "summary_index": 0}
    whole = {"type": "summary_text", "text": script.thought}
    yield "response.reasoning_summary_part.added", {**where, "part": {"type": "summary_text", "text": ""}}
    for thought in script.thoughts:
        yield "response.reasoning_summary_text.delta", {**where, "delta": thought}
    yield "response.reasoning_summary_text.done", {**where, "text": script.thought}
    yield "response.reasoning_summary_part.done", {**where, "part": whole}


def _text_events(script: Script, at: dict[str, Any]) -> Iterator[Event]:
    where = {**at, "content_index": 0}
    refuses = script.stop == "refusal"
    kind = "refusal" if refuses else "output_text"
    logprobs: dict[str, Any] = {} if refuses else {"logprobs": []}
    yield "response.content_part.added", {**where, "part": _part(script, "")}
    for word in script.words:
        yield f"response.{kind}.delta", {**where, "delta": word, **logprobs}
    yield f"response.{kind}.done", {**where, "refusal" if refuses else "text": script.text, **logprobs}
    yield "response.content_part.done", {**where, "part": _part(script, script.text)}


def _argument_events(call: Call, at: dict[str, Any]) -> Iterator[Event]:
    for fragment in call.fragments:
        yield "response.function_call_arguments.delta", {**at, "delta": fragment}
    yield "response.function_call_arguments.done", {**at, "arguments": call.arguments}


def _piece(name: str, fields: dict[str, Any], number: int) -> Piece:
    return Piece(build_sse(msgspec.json.encode({"type": name, **fields, "sequence_number": number}), name))


def _response(ask: Ask, script: Script, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    reason = INCOMPLETE.get(script.stop) if status == "incomplete" else None
    return {
        "id": f"resp_demo{ask.serial:06d}",
        "object": "response",
        "created_at": ask.now,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None if reason is None else {"reason": reason},
        "instructions": None,
        "max_output_tokens": ask.max_tokens,
        "model": ask.model,
        "output": output,
        "parallel_tool_calls": not ask.one_call,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None if status == "in_progress" else _usage(script),
        "user": None,
        "metadata": {},
    }


def _usage(script: Script) -> dict[str, Any]:
    return {
        "input_tokens": script.input_tokens,
        "input_tokens_details": {"cached_tokens": script.cached_tokens},
        "output_tokens": script.output_tokens,
        "output_tokens_details": {"reasoning_tokens": script.reasoning_tokens},
        "total_tokens": script.input_tokens + script.output_tokens,
    }
