"""A request understood that is built anew; pages, counts and embeddings; and which fields go to a provider."""

import json

import pytest

from proxy.dialects.capability_rows import build_rows
from proxy.dialects.chat import Invalid
from proxy.edge.asking import USER_AGENT
from tests.helpers.asking import CHAT, DIALECTS, MESSAGES, MODELS, SAID, ask, sent
from tests.helpers.edge import build_model_house

# Translated requests.


@pytest.mark.parametrize("target", [CHAT, "/api/v1/chat/completions", MESSAGES])
@pytest.mark.parametrize("provider", DIALECTS)
def test_every_provider_is_asked_by_every_client_for_its_own_name_of_the_model(target: str, provider: str) -> None:
    asking = ask(target, {"model": f"{provider}/some-model", "max_tokens": 5, "messages": SAID})
    assert asking.provider.name == provider
    assert asking.model == f"{provider}/some-model"
    assert b"some-model" in sent(asking) + asking.target.encode()
    assert provider.encode() + b"/some" not in sent(asking) + asking.target.encode()
    assert asking.target.startswith("/base/")
    assert (asking.turn.seed, asking.turn.created) == ("req_1", 1700000000)


def test_glm_is_no_openai_and_is_asked_anew() -> None:
    assert not ask(CHAT, {"model": "glm/glm-4.7", "messages": SAID}).same


def test_what_the_model_table_drops_is_dropped_and_named() -> None:
    body = {"messages": SAID, "max_tokens": 5, "logit_bias": {"1": 1}}
    assert ask(CHAT, {"model": "thrifty", **body}).turn.outgoing.dropped == ("logit_bias",)
    with pytest.raises(Invalid) as caught:
        ask(CHAT, {"model": "claude-x", **body})
    assert caught.value.param == "logit_bias"


def test_capabilities_decide_what_a_model_is_sent() -> None:
    rows = build_rows({"some-*": {"output": 1234}})
    asking = ask(CHAT, {"model": "ant/some-m", "messages": SAID}, house=build_model_house(DIALECTS, MODELS, rows=rows))
    assert json.loads(sent(asking))["max_tokens"] == 1234


# Pages.

PAGE = {"id": "c1", "messages": [{"id": "1", "role": "user", "parts": [{"type": "text", "text": "hi"}]}]}


def test_a_page_that_names_no_model_gets_the_first_that_is_configured() -> None:
    asking = ask("/api/chat", PAGE)
    assert (asking.model, asking.provider.name, asking.stream) == ("gpt-best", "oai", True)
    assert ask("/api/chat", {**PAGE, "model": "ant/x"}).provider.name == "ant"


def test_a_page_without_any_configured_model_must_name_one() -> None:
    house = build_model_house(DIALECTS, {"claude-*": {"targets": ["ant/*"]}})
    for target, body, method in (("/api/chat", PAGE, "POST"), ("/api/stream?prompt=hi", b"", "GET")):
        with pytest.raises(Invalid) as caught:
            ask(target, body, house=house, method=method)
        assert caught.value.param == "model"


def test_what_an_app_adds_for_itself_does_not_stop_its_request() -> None:
    asking = ask("/api/chat", {**PAGE, "model": "ant/x", "customKey": {"a": 1}, "trigger": "submit-message"})
    assert b"customKey" not in sent(asking)


def test_an_event_source_asks_in_its_query() -> None:
    asking = ask("/api/stream?prompt=what+is+1%2B1&model=ant%2Fx", method="GET")
    assert (asking.model, asking.stream) == ("ant/x", True)
    assert b"what is 1+1" in sent(asking)
    assert ask("/api/stream?prompt=hi", method="GET").model == "gpt-best"
    assert ask("/api/stream?prompt=hi&model=", method="GET").model == "gpt-best"


# Counting and embedding.


@pytest.mark.parametrize(
    ("target", "model", "counts", "path"),
    [
        (MESSAGES + "/count_tokens", "ant/x", True, "/base/v1/messages/count_tokens"),
        (MESSAGES + "/count_tokens", "gem/x", True, "/base/v1beta/models/x:countTokens"),
        (MESSAGES + "/count_tokens", "oai/x", False, "/base"),
        (MESSAGES + "/count_tokens", "glm/x", False, "/base"),
    ],
)
def test_tokens_are_counted_by_a_provider_that_does_so(target: str, model: str, counts: bool, path: str) -> None:
    asking = ask(target, {"model": model, "messages": SAID})
    assert (asking.counts, asking.target) == (counts, path)
    assert not asking.stream


def test_a_gemini_client_s_count_is_translated_too() -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    asking = ask("/v1beta/models/ant%2Fx:countTokens", body)
    assert (asking.counts, asking.target) == (True, "/base/v1/messages/count_tokens")


@pytest.mark.parametrize("provider", ["oai", "rsp", "orr", "glm"])
def test_embeddings_pass_to_the_openai_family(provider: str) -> None:
    body = b'{"input" : ["a"], "model":"%b/e-1","x":1}' % provider.encode()
    asking = ask("/v1/embeddings", body)
    assert sent(asking) == b'{"input" : ["a"], "model":"e-1","x":1}'
    assert (asking.target, asking.same, asking.stream) == ("/base/embeddings", True, False)


@pytest.mark.parametrize("provider", ["ant", "gem", "cas"])
def test_embeddings_of_anyone_else_are_refused(provider: str) -> None:
    with pytest.raises(Invalid) as caught:
        ask("/v1/embeddings", {"model": f"{provider}/x", "input": "a"})
    assert caught.value.param == "model"


# Fields for the provider.

CLAUDE_CODE = (
    (b"anthropic-version", b"2023-06-01"),
    (b"anthropic-beta", b"a-2025,b-2026"),
    (b"user-agent", b"claude-cli/2.1"),
    (b"x-claude-code-session-id", b"s1"),
    (b"accept", b"application/json"),
    (b"content-type", b"application/json; charset=utf-8"),
)
ANT = {"model": "ant/x", "max_tokens": 5, "messages": SAID}


def test_a_client_of_the_provider_s_dialect_has_its_say() -> None:
    headers = ask(MESSAGES, ANT, *CLAUDE_CODE).headers
    for pair in CLAUDE_CODE[:5]:
        assert headers.count(pair) == 1
    assert [value for name, value in headers if name == b"content-type"] == [b"application/json"]
    assert (b"accept-encoding", b"identity") in headers
    assert len({name for name, _ in headers}) == len(headers)


@pytest.mark.parametrize("version", [b"2023-06-01", b"2026-10-21"])
def test_the_version_that_a_client_names_goes_along_and_a_missing_one_is_put_in(version: bytes) -> None:
    assert (b"anthropic-version", b"2023-06-01") in ask(MESSAGES, ANT).headers
    named = [value for name, value in ask(MESSAGES, ANT, (b"Anthropic-Version", version)).headers
             if name == b"anthropic-version"]  # fmt: skip
    assert named == [version]


def test_a_field_that_stands_twice_goes_twice() -> None:
    twice = ((b"anthropic-beta", b"a"), (b"anthropic-beta", b"b"))
    assert [pair for pair in ask(MESSAGES, ANT, *twice).headers if pair[0] == b"anthropic-beta"] == list(twice)


@pytest.mark.parametrize("model", ["oai/x", "gem/x"])
def test_nothing_of_a_client_of_another_dialect_goes_along(model: str) -> None:
    names = dict(ask(MESSAGES, {**ANT, "model": model}, *CLAUDE_CODE).headers)
    assert set(names) == {b"accept", b"user-agent", b"content-type", b"accept-encoding"}
    assert names[b"user-agent"] == USER_AGENT.encode()


def test_the_hop_is_named_to_every_provider() -> None:
    via = (b"via", b"1.1 here")
    for model in ("ant/x", "gem/x"):
        assert via in ask(MESSAGES, {**ANT, "model": model}, via).headers


def test_an_answer_remembers_who_was_asked_for() -> None:
    asking = ask(CHAT, {"model": "gpt-best", "messages": SAID, "stream": True})
    assert (asking.route.dialect, asking.model, asking.stream) == ("openai-chat", "gpt-best", True)
    assert ask(CHAT, {"model": "claude-7", "stream": True, "messages": SAID}).stream
