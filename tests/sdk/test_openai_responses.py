"""What the Responses encoder writes, read by the official openai SDK: its stream helper, types and whole answers."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from proxy.dialects.answer import fold
from proxy.dialects.openai_responses import CLIENT
from tests.helpers.recordings import RECORDINGS
from tests.helpers.responses import COMPLETE, FAILED, INCOMPLETE, SAID, decode, encode, make_turn
from tests.helpers.sdk import Sdk

pytestmark = pytest.mark.sdk

STREAM = "text/event-stream; charset=utf-8"


@asynccontextmanager
async def serving(bodies: Iterable[bytes], content_type: str) -> AsyncIterator[str]:
    """A server that answers each connection's request with the next body, then 404."""
    waiting = list(bodies)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = waiting.pop(0) if waiting else None
        status = b"404 Not Found" if body is None else b"200 OK"
        writer.write(b"HTTP/1.1 %b\r\ncontent-type: %b\r\n" % (status, content_type.encode()))
        writer.write(b"connection: close\r\n\r\n" + (body or b"{}"))
        await writer.drain()
        writer.write_eof()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


async def ask(python: str, behaviour: str, bodies: Iterable[bytes], content_type: str = STREAM) -> list[Any]:
    async with serving(bodies, content_type) as base_url:
        found: list[Any] = await Sdk(python, "openai_responses_client", base_url).run(behaviour)
        return found


async def test_the_stream_helper_gathers_every_answer(openai_python: str) -> None:
    seen = await ask(openai_python, "streamed", map(encode, COMPLETE.values()))
    found = dict(zip(COMPLETE, seen, strict=True))
    assert {row["final"]["status"] for row in seen} == {"completed"}
    assert {row["types"][-1] for row in seen} == {"response.completed"}
    assert found["text"]["final"]["text"] == SAID
    assert found["text"]["final"]["model"] == "model-1"
    assert found["text"]["final"]["usage"]["input_tokens_details"]["cached_tokens"] == 3
    assert found["texts"]["final"]["text"] == SAID * 2
    kinds = [item["type"] for item in found["calls"]["final"]["output"]]
    assert kinds == ["reasoning", "message", "reasoning", "function_call", "function_call", "custom_tool_call"]
    assert [item["arguments"] for item in found["calls"]["final"]["output"][3:5]] == ['{"a":1}', "{}"]
    assert found["calls"]["final"]["output"][5]["input"] == "*** Begin Patch"
    assert found["nothing"]["final"]["output"] == []


async def test_every_event_is_of_the_sdk_s_type_and_in_order(openai_python: str) -> None:
    rows = {**COMPLETE, **INCOMPLETE}
    for name, row in zip(rows, await ask(openai_python, "raw", map(encode, rows.values())), strict=True):
        assert row["faults"] == [], name
        assert row["numbers"] == list(range(len(row["types"]))), name
    calls = (await ask(openai_python, "raw", [encode(COMPLETE["calls"])]))[0]["texts"]
    assert calls["response.function_call_arguments.delta"] == '{"a":1}{}'
    assert calls["response.custom_tool_call_input.delta"] == "*** Begin Patch"
    assert calls["response.reasoning_summary_text.delta"] == "Hmm."


async def test_an_incomplete_answer_says_why(openai_python: str) -> None:
    seen = await ask(openai_python, "streamed", map(encode, INCOMPLETE.values()))
    found = dict(zip(INCOMPLETE, seen, strict=True))
    assert {row["final"]["status"] for row in seen} == {"incomplete"}
    assert found["length"]["final"]["cause"] == "max_output_tokens"
    assert found["length-in-call"]["final"]["output"][-1]["status"] == "incomplete"
    assert found["filter"]["final"]["cause"] == "content_filter"


async def test_a_failure_is_an_error_and_a_failed_response(openai_python: str) -> None:
    for row in await ask(openai_python, "streamed", map(encode, FAILED.values())):
        assert row["types"][-2:] == ["error", "response.failed"]
        assert row["final"]["status"] == "failed"
        assert row["final"]["error"]["code"] == "rate_limit_exceeded"
        assert row["final"]["error"]["message"] == "slow down. Please try again in 12s."
        assert all(item["type"] != "function_call" for item in row["final"]["output"])


async def test_a_whole_answer_is_of_the_sdk_s_type(openai_python: str) -> None:
    rows = {**COMPLETE, **INCOMPLETE}
    bodies = [CLIENT.build_answer(fold(events), make_turn()) for events in rows.values()]
    seen = await ask(openai_python, "whole", bodies, "application/json")
    streamed = await ask(openai_python, "streamed", map(encode, rows.values()))
    for name, answer, stream in zip(rows, seen, streamed, strict=True):
        assert answer["faults"] == [], name
        assert answer["final"]["text"] == stream["final"]["text"], name
        assert answer["final"]["usage"] == stream["final"]["usage"], name


async def test_recordings_come_out_as_the_sdk_would_have_read_them(openai_python: str) -> None:
    files = sorted(RECORDINGS.glob("openai_responses/*.sse"))
    if not files:
        pytest.skip("no recordings (PENSTOCK_FIXTURES)")
    recordings = [body for body in (file.read_bytes() for file in files) if b"event: error" not in body]
    again = [encode(decode(body)) for body in recordings]
    ours = await ask(openai_python, "raw", again)
    theirs = await ask(openai_python, "raw", [body + b"\n\n" for body in recordings])  # one lacks its last blank line
    for our, their in zip(ours, theirs, strict=True):
        assert our["faults"] == []
        assert our["types"][-1] == their["types"][-1]
        for kind in our["texts"].keys() & their["texts"].keys():
            assert our["texts"][kind] == their["texts"][kind]
