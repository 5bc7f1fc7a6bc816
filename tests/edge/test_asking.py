"""A request understood: what of it stays as it came, and what is refused. What is built anew: test_asking_anew.py."""

import json
from typing import Any

import pytest

from proxy.dialects.chat import Declined, Invalid
from proxy.dialects.events import FailureKind
from tests.helpers.asking import CHAT, DIALECTS, MESSAGES, MODELS, RESPONSES, SAID, ask, sent
from tests.helpers.edge import build_model_house

# The bytes of a client that speaks its provider's dialect.

ODD = (
    b' {\n\t"zeta" : 1.50e+3, "model"\t:  "%b" ,"n":123456789012345678901234567890,'
    b'"deep":{"model":"x"},"lone":"\\ud800","dup":1,"dup":2,"messages":[{"role":"user","content":"\xe2\x80\xa8\\u0041"}],'
    b'"max_tokens":5 } \r\n'
)


@pytest.mark.parametrize(
    ("target", "asked", "model"),
    [
        (CHAT, "gpt-best", "gpt-5"),
        (CHAT, "oai/gpt-5", "gpt-5"),
        ("/api/v1/chat/completions", "orr/z-ai/glm-4.7", "z-ai/glm-4.7"),
        (MESSAGES, "ant/claude-x", "claude-x"),
        (MESSAGES + "/count_tokens", "ant/claude-x", "claude-x"),
        (RESPONSES, "rsp/o3", "o3"),
    ],
)
def test_the_model_is_replaced_and_every_other_byte_stays(target: str, asked: str, model: str) -> None:
    asking = ask(target, ODD % asked.encode())
    assert asking.same
    assert sent(asking) == ODD % model.encode()
    assert (asking.model, asking.turn.request.stream) == (asked, False)


def test_a_body_whose_model_keeps_its_name_is_the_very_body() -> None:
    body = ODD % b"claude-sonnet"
    asking = ask(MESSAGES, body)
    assert sent(asking) is body
    assert asking.provider.name == "ant"


@pytest.mark.parametrize("written", ['"gpt-\\u0062est"', '"gpt-best"'])
def test_a_name_is_what_it_decodes_to(written: str) -> None:
    assert json.loads(sent(ask(CHAT, b'{"model":%b,"messages":[]}' % written.encode())))["model"] == "gpt-5"


def test_of_two_names_the_last_counts_and_is_the_one_replaced() -> None:
    asking = ask(CHAT, b'{"model":"ant/x","model":"gpt-best"}')
    assert sent(asking) == b'{"model":"ant/x","model":"gpt-5"}'


def test_a_model_s_name_is_encoded_where_it_is_put() -> None:
    assert json.loads(sent(ask(CHAT, b'{"model":"oai/a\\"b\\\\c"}')))["model"] == 'a"b\\c'
    body = b'{"contents":[]}'
    assert ask("/v1beta/models/gem%2Fa%2Fb%3Fc:generateContent", body).target == (
        "/base/v1beta/models/a%2Fb%3Fc:generateContent"
    )


@pytest.mark.parametrize(
    ("target", "model", "path"),
    [
        (CHAT, "gpt-best", "/base/chat/completions"),
        ("/chat/completions?a=b", "gpt-best", "/base/chat/completions?a=b"),
        ("/api/chat/completions", "orr/x", "/base/chat/completions"),
        (RESPONSES + "?x", "rsp/x", "/base/responses?x"),
        ("/v1/v1/messages?beta=true", "ant/x", "/base/v1/messages?beta=true"),
        ("/messages/count_tokens?beta=true", "ant/x", "/base/v1/messages/count_tokens?beta=true"),
        ("/v1/embeddings", "oai/x", "/base/embeddings"),
    ],
)
def test_the_path_is_the_provider_s_and_the_query_the_client_s(target: str, model: str, path: str) -> None:
    assert ask(target, {"model": model}).target == path


@pytest.mark.parametrize(
    ("target", "path", "stream", "array"),
    [
        ("/v1beta/models/gemini-best:generateContent", "gemini-3-pro:generateContent", False, False),
        ("/models/gem/x:streamGenerateContent?alt=sse&a=1", "x:streamGenerateContent?alt=sse&a=1", True, False),
        ("/v1/models/gem%2Fx:streamGenerateContent", "x:streamGenerateContent?alt=sse", True, True),
        ("/v1beta/models/gem/x:streamGenerateContent?alt=json&a=1", "x:streamGenerateContent?a=1&alt=sse", True, True),
        ("/v1beta/models/gem/x:countTokens", "x:countTokens", False, False),
    ],
)
def test_a_gemini_stream_is_always_asked_for_as_events(target: str, path: str, stream: bool, array: bool) -> None:
    body = b'{"contents" : [ ]}'
    asking = ask(target, body)
    assert asking.target == "/base/v1beta/models/" + path
    assert sent(asking) is body
    assert (asking.same, asking.stream, asking.turn.array) == (True, stream, array)


# What cannot pass.


@pytest.mark.parametrize(
    ("target", "body"),
    [
        (CHAT, b""),
        (CHAT, b"{"),
        (CHAT, b"\xff"),
        (CHAT, b"[]"),
        (MESSAGES, b'"model"'),
        (RESPONSES, b"null"),
        ("/v1beta/models/gem/x:generateContent", b"{"),
        ("/v1beta/models/ant/x:generateContent", b"[1]"),
        ("/v1beta/models/gem/x:countTokens", b"[1]"),
        ("/v1/embeddings", b"nope"),
        ("/api/chat", b"nope"),
    ],
)
def test_a_body_that_is_no_object_is_refused(target: str, body: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        ask(target, body)
    assert "body" in str(caught.value)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": SAID}, "model"),
        ({"model": None, "messages": SAID}, "model"),
        ({"model": "", "messages": SAID}, "model"),
        ({"model": 5}, "model"),
        ({"model": ["gpt-best"]}, "model"),
        ({"model": "gpt-best", "stream": "yes"}, "stream"),
        ({"model": "gpt-best", "stream": 1}, "stream"),
    ],
)
def test_model_and_stream_are_read_also_where_the_rest_is_not(body: Any, param: str) -> None:
    with pytest.raises(Invalid) as caught:
        ask(CHAT, body)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gpt-bset", "; did you mean gpt-best?"),
        ("gem1/x", "; did you mean gem/x?"),
        ("nothing like it", ""),
        ("x" * 100_000, ""),
        ("oai/", ""),
        ("../oai/x", ""),
    ],
)
def test_an_unknown_model_is_declined_with_the_nearest_names(name: str, hint: str) -> None:
    with pytest.raises(Declined) as caught:
        ask(CHAT, {"model": name, "messages": SAID})
    failure = caught.value.failure
    assert (failure.kind, failure.param) == (FailureKind.NOT_FOUND, "model")
    assert failure.message == f"there is no model of this name{hint}"


# Whose signatures and members may pass.


@pytest.mark.parametrize("target", [MESSAGES, MESSAGES + "/count_tokens"])
def test_another_dialect_s_signature_takes_a_request_off_the_byte_path(target: str) -> None:
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": "gw1.g.AAAA"}
    said = [*SAID, {"role": "assistant", "content": [thinking, {"type": "text", "text": "x"}]}, *SAID]
    asking = ask(target, {"model": "ant/x", "max_tokens": 5, "messages": said})
    assert not asking.same
    assert b"gw1." not in sent(asking)
    assert json.loads(sent(asking))["model"] == "x"


@pytest.mark.parametrize("member", ["reasoning_content", "reasoning_details", "extra_content"])
@pytest.mark.parametrize(("quirks", "passes"), [("openai", False), ("azure", False), ("compatible", True)])
def test_members_that_openai_refuses_do_not_reach_it(member: str, quirks: str, passes: bool) -> None:
    house = build_model_house(DIALECTS, MODELS, options={"quirks": quirks})
    answer = {"role": "assistant", "content": "a", member: [] if member == "reasoning_details" else None}
    asking = ask(CHAT, {"model": "oai/x", "messages": [*SAID, answer, *SAID]}, house=house)
    assert asking.same is passes
    assert (member.encode() in sent(asking)) is passes


# What a stream has cost.

BOOKS = build_model_house(DIALECTS, MODELS, wants_usage=True)
ADDED = b'"stream_options":{"include_usage":true},'
STREAM = b' {"model":"oai/gpt-5", "stream" : true,\t"messages":[],"n":1.50e+3 }'


def test_a_stream_s_usage_is_asked_for_where_the_books_want_it_and_the_client_does_not() -> None:
    plain, added = ask(CHAT, STREAM), ask(CHAT, STREAM, house=BOOKS)
    assert (plain.same, plain.usage_added, added.same, added.usage_added) == (True, False, True, True)
    assert sent(plain) == STREAM.replace(b"oai/", b"")
    assert sent(added) == STREAM.replace(b"oai/", b"").replace(b"{", b"{" + ADDED, 1)
    assert added.turn.request.include_usage is False


@pytest.mark.parametrize(
    ("target", "body"),
    [
        (CHAT, {"model": "oai/gpt-5", "stream": True, "stream_options": {"include_usage": True}}),
        (CHAT, {"model": "oai/gpt-5", "stream": True, "stream_options": 7}),
        (CHAT, b'{"model":"oai/gpt-5","stream":true,"stream\\u005foptions":{"include_usage":true}}'),
        (CHAT, {"model": "oai/gpt-5"}),
        (CHAT, {"model": "oai/gpt-5", "stream": False}),
        ("/v1/embeddings", {"model": "oai/gpt-5", "stream": True}),
        ("/api/v1/chat/completions", {"model": "orr/x", "stream": True}),
        (MESSAGES, {"model": "ant/x", "stream": True}),
        (RESPONSES, {"model": "rsp/x", "stream": True}),
        ("/v1beta/models/gem/x:streamGenerateContent", {"contents": []}),
    ],
)
def test_whatever_tells_it_anyway_or_is_no_stream_is_left_as_it_is(target: str, body: Any) -> None:
    """Only one dialect leaves a client the choice."""
    plain, same = ask(target, body), ask(target, body, house=BOOKS)
    assert sent(same) == sent(plain)
    assert (same.usage_added, same.same) == (False, True)


def test_a_server_that_refuses_the_question_is_not_asked() -> None:
    house = build_model_house(DIALECTS, MODELS, options={"quirks": "mistral"}, wants_usage=True)
    asking = ask(CHAT, STREAM, house=house)
    assert (sent(asking), asking.usage_added) == (STREAM.replace(b"oai/", b""), False)


@pytest.mark.parametrize("wants", [True, False])
def test_who_asks_is_told_by_whoever_goes_on_with_the_answer(wants: bool) -> None:
    options = {"stream_options": {"include_usage": wants}}
    asking = ask(CHAT, {"model": "oai/gpt-5", "stream": True, **options}, house=BOOKS)
    assert (asking.turn.request.include_usage, asking.usage_added) == (wants, not wants)
    assert ask("/api/v1/chat/completions", {"model": "orr/x", "stream": True}).turn.request.include_usage


@pytest.mark.parametrize("provider", sorted(DIALECTS))
def test_every_stream_that_is_built_anew_tells_what_it_has_cost(provider: str) -> None:
    """By a word in the request, or, as the dialect has it, in any case."""
    for target in (CHAT, MESSAGES, RESPONSES):
        body = {"model": f"{provider}/x", "stream": True, "max_tokens": 5, "messages": SAID, "input": "hi"}
        del body["input" if target != RESPONSES else "messages"]
        if target == RESPONSES:
            body["max_output_tokens"] = body.pop("max_tokens")
        asking = ask(target, body)
        wanted = {"include_usage": True} if DIALECTS[provider] in ("openai-chat", "glm", "openrouter") else None
        assert asking.same or json.loads(sent(asking)).get("stream_options") == wanted
