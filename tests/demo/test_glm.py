"""GLM's own: what its chunks look like, what it does not take, its codes."""

from typing import Any

import pytest

from proxy.demo import DemoUpstream
from tests.helpers.demo_dialects import PNG, Wish, find_speaker

GLM = find_speaker("glm")
TOOL = {"type": "function", "function": {"name": "w", "parameters": {"type": "object", "properties": {"city": {}}}}}


async def test_finish_reason_is_absent_until_the_last_chunk_which_has_the_usage(demo: DemoUpstream) -> None:
    reply = await GLM.fetch(demo.port, Wish("think"), stream=True)
    *chunks, last = reply.data
    assert all("finish_reason" not in chunk["choices"][0] and "usage" not in chunk for chunk in chunks)
    assert all(chunk["choices"][0]["delta"]["role"] == "assistant" for chunk in chunks)
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0
    assert reply.headers["content-type"] == "text/event-stream;charset=UTF-8"
    assert reply.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(("more", "count"), [({}, 1), ({"tool_stream": True}, 3)])
async def test_a_call_comes_whole_unless_fragments_are_asked_for(demo: DemoUpstream, more: Any, count: int) -> None:
    body = {**GLM.build(Wish("weather"), True), "tools": [TOOL], **more}
    chunks = (await GLM.send(demo.port, body, stream=True)).data
    parts = [part for chunk in chunks for part in chunk["choices"][0]["delta"].get("tool_calls", [])]
    assert len(parts) == count
    assert len({part["id"] for part in parts}) == 1
    assert "".join(part["function"]["arguments"] for part in parts) == '{"city":"Paris"}'


@pytest.mark.parametrize(
    "more",
    [
        {"max_completion_tokens": 5},
        {"temperature": 1.5},
        {"top_p": 0},
        {"stop": ["a", "b"]},
        {"stop": "a"},
        {"tools": [TOOL], "tool_choice": "required"},
        {"tools": [TOOL], "tool_choice": "none"},
        {"parallel_tool_calls": True},
        {"seed": 1},
        {"n": 1},
        {"user": "somebody"},
        {"user_id": "short"},
        {"response_format": {"type": "json_schema"}},
        {"reasoning_effort": "some"},
        {"thinking": {"type": "adaptive"}},
    ],
)
async def test_not_taken(demo: DemoUpstream, more: Any) -> None:
    reply = await GLM.send(demo.port, {**GLM.build(Wish(), False), **more})
    assert (reply.status, reply.json["error"]["code"]) == (400, "1210")
    assert "type" not in reply.json["error"]


async def test_only_some_models_see(demo: DemoUpstream) -> None:
    body = GLM.build(Wish(image=PNG), False)
    for model, status in (("glm-4.6v", 200), ("glm-4.5v-air", 200), ("glm-4.6", 400), ("glm-5.3", 400), ("demo", 200)):
        assert (await GLM.send(demo.port, {**body, "model": model})).status == status, model


@pytest.mark.parametrize(("status", "code"), [(401, "1000"), (429, "1302"), (500, "1234"), (503, "1305")])
async def test_codes_are_strings(demo: DemoUpstream, status: int, code: str) -> None:
    reply = await GLM.fetch(demo.port, Wish(), stream=True, query=f"&status={status}")
    assert reply.json["error"]["code"] == code


async def test_coding_plan_has_a_path_of_its_own(demo: DemoUpstream) -> None:
    from dataclasses import replace

    coding = replace(GLM, path="/api/coding/paas/v4/chat/completions")
    assert (await coding.send(demo.port, GLM.build(Wish(), False))).status == 200
