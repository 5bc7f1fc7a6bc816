"""What is asked of models beside answers: counts of tokens, embeddings, and which there are."""

import pytest

from proxy.relay.outcome import EndReason
from tests.helpers.models import build_reply, read_error, recorded
from tests.helpers.rawhttp import fetch

SAID = {"messages": [{"role": "user", "content": "hello there, how are you?"}]}
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "hello there, how are you?"}]}]}
COUNT = "/v1/messages/count_tokens"


async def test_a_count_is_estimated_where_the_provider_has_none() -> None:
    async with recorded() as (proxy, upstream):
        reply = await fetch(proxy.port, COUNT, body={"model": "openai", **SAID})
        assert (reply.status, reply.headers["x-penstock-estimated"]) == (200, "true")
        assert 3 < reply.json["input_tokens"] < 30
        google = await fetch(proxy.port, "/v1beta/models/openai:countTokens", body=CONTENTS)
        assert 3 < google.json["totalTokens"] < 30
        assert upstream.connections == 0
        record = await proxy.wait_record()
        assert (record.end, record.status, record.provider) == (EndReason.DONE, 200, "openai")


@pytest.mark.parametrize(
    ("model", "answer", "target"),
    [
        ("claude", b'{"input_tokens" : 41}', b"/v1/messages/count_tokens"),
        ("gemini", b'{"totalTokens" : 41,"new":1}', b"/v1beta/models/m1:countTokens"),
    ],
)
async def test_a_count_is_the_provider_s_own_where_it_has_one(
    model: str, answer: bytes, target: bytes, pull: bool
) -> None:
    async with recorded(pull=pull) as (proxy, upstream):
        upstream.answer = lambda seen: build_reply(answer)
        anthropic = await fetch(proxy.port, COUNT, body={"model": model, **SAID})
        google = await fetch(proxy.port, f"/v1beta/models/{model}:countTokens", body=CONTENTS)
        assert (anthropic.json["input_tokens"], google.json["totalTokens"]) == (41, 41)
        assert answer in (anthropic.body, google.body), "who speaks the provider's dialect gets its bytes"
        assert "x-penstock-estimated" not in anthropic.headers
        assert [seen.target for seen in upstream.requests] == [target, target]


async def test_what_is_no_count_is_none() -> None:
    async with recorded() as (proxy, upstream):
        upstream.answer = lambda seen: build_reply(b'{"totalTokens":"many"}')
        reply = await fetch(proxy.port, COUNT, body={"model": "gemini", **SAID})
        assert reply.status == 500
        assert "no count" in read_error("claude", reply)


async def test_embeddings_pass_byte_for_byte(pull: bool) -> None:
    body = b'{"input":["a"] , "model":"openai", "dimensions":3}'
    async with recorded(pull=pull) as (proxy, upstream):
        upstream.answer = lambda seen: build_reply(b'{"data" : [] }', 200, "x-a: 1")
        reply = await fetch(proxy.port, "/v1/embeddings", body=body)
        assert (reply.status, reply.body, reply.headers["x-a"]) == (200, b'{"data" : [] }', "1")
        (seen,) = upstream.requests
        assert (seen.target, seen.body) == (b"/embeddings", body.replace(b'"openai"', b'"m1"'))
        refused = await fetch(proxy.port, "/v1/embeddings", body={"model": "claude", "input": "a"})
        assert refused.status == 400
        assert "embeddings" in read_error("openai", refused)


NAMES = ["openai", "claude", "gemini"]


async def test_models_are_listed_for_openai_and_anthropic_in_one_shape() -> None:
    async with recorded() as (proxy, _):
        plain = await fetch(proxy.port, "/v1/models")
        anthropic = await fetch(proxy.port, "/v1/models?limit=1000", headers="anthropic-version: 2023-06-01\r\n")
        assert plain.json == anthropic.json
        assert [entry["id"] for entry in plain.json["data"]] == NAMES
        assert {entry["object"] for entry in plain.json["data"]} == {"model"}
        assert {entry["type"] for entry in plain.json["data"]} == {"model"}
        assert (plain.json["object"], plain.json["has_more"]) == ("list", False)
        assert (plain.json["first_id"], plain.json["last_id"]) == ("openai", "gemini")
        assert "x-request-id" in plain.headers
        assert "request-id" in anthropic.headers


@pytest.mark.parametrize(
    ("target", "fields"),
    [("/v1beta/models", ""), ("/v1/models", "x-goog-api-key: k\r\n"), ("/v1/models?key=k", "")],
)
async def test_models_are_listed_for_google_in_its_own(target: str, fields: str) -> None:
    async with recorded() as (proxy, _):
        reply = await fetch(proxy.port, target, headers=fields)
        assert [entry["name"] for entry in reply.json["models"]] == [f"models/{name}" for name in NAMES]


async def test_one_model_is_shown_if_it_can_be_asked() -> None:
    async with recorded() as (proxy, _):
        for name in ("openai", "openai/anything", "openai%2Fanything"):
            reply = await fetch(proxy.port, f"/v1/models/{name}")
            assert (reply.status, reply.json["id"]) == (200, name.replace("%2F", "/"))
        google = await fetch(proxy.port, "/v1beta/models/claude")
        assert google.json["name"] == "models/claude"
        unknown = await fetch(proxy.port, "/v1/models/nope")
        assert unknown.status == 404
        assert read_error("openai", unknown)
        assert (await fetch(proxy.port, "/v1beta/models/nope")).json["error"]["status"] == "NOT_FOUND"
