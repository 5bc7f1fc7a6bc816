"""Which conversation a request is of: by a client's own name for it, or by how the conversation began."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.edge.question import understand
from proxy.edge.sessions import HEADERS, find_session
from tests.helpers.asking import CHAT, MESSAGES, RESPONSES, build_asking_scope

GEMINI = "/v1beta/models/gemini-best:generateContent"
PAGE = "/api/chat"
SAID = {"role": "user", "content": "hi"}
ANSWER = {"role": "assistant", "content": "hello"}
BODY = {"model": "gpt-best", "messages": [SAID]}


def find(target: str, body: Any, *fields: tuple[bytes, bytes]) -> str:
    scope = build_asking_scope(target, *fields)
    assert scope.route is not None
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return find_session(understand(scope, scope.route, data, 0))


# A client's own name.


@pytest.mark.parametrize("field", HEADERS)
def test_each_header_that_names_a_session_does(field: str) -> None:
    plain = find(CHAT, BODY)
    one, other = (find(CHAT, BODY, (field.title().encode(), value)) for value in (b"s-1", b"s-2"))
    assert len({plain, one, other}) == 3
    assert find(CHAT, {**BODY, "messages": [ANSWER]}, (field.encode(), b"s-1")) == one
    assert find(CHAT, BODY, (field.encode(), b"")) == plain


def test_of_two_headers_the_more_particular_counts() -> None:
    both = find(CHAT, BODY, (HEADERS[-1].encode(), b"b"), (HEADERS[0].encode(), b"a"))
    assert both == find(CHAT, BODY, (HEADERS[0].encode(), b"a"))


@pytest.mark.parametrize(
    ("target", "body", "member"),
    [
        (CHAT, BODY, "prompt_cache_key"),
        (RESPONSES, {"model": "gpt-best", "input": "hi"}, "prompt_cache_key"),
        (PAGE, {"model": "gpt-best", "messages": [{"role": "user", "parts": []}]}, "id"),
    ],
)
def test_a_body_s_own_hint_counts(target: str, body: dict[str, Any], member: str) -> None:
    plain = find(target, body)
    one, other = find(target, {**body, member: "c-1"}), find(target, {**body, member: "c-2"})
    assert len({plain, one, other}) == 3
    for nothing in ("", None, 5, ["c-1"]):
        assert find(target, {**body, member: nothing}) == plain


def test_a_header_counts_more_than_the_body() -> None:
    field = (HEADERS[0].encode(), b"s-1")
    assert find(CHAT, {**BODY, "prompt_cache_key": "c"}, field) == find(CHAT, BODY, field)


def test_a_value_is_kept_as_a_hash_only() -> None:
    found = find(CHAT, BODY, (HEADERS[0].encode(), b"customer-4711"))
    assert len(found) == 24
    assert int(found, 16)


@pytest.mark.parametrize("value", [b"\xff\xfe", "é".encode(), b"x" * 10_000])
def test_any_value_is_one(value: bytes) -> None:
    assert find(CHAT, BODY, (HEADERS[0].encode(), value)) != find(CHAT, BODY)


@pytest.mark.parametrize("body", [b'"prompt_cache_key":"\\ud800"', b'"messages":[{"content":"\\ud800"}]'])
def test_half_a_character_is_as_good_as_any(body: bytes) -> None:
    assert find(CHAT, b'{"model":"gpt-best",%b}' % body) != ""


# How it began.

TEXT = {"parts": [{"text": "hi"}], "role": "user"}
OTHER = {"parts": [{"text": "ho"}], "role": "user"}
MODEL = {"parts": [{"text": "hello"}], "role": "model"}


def chat(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"model": "gpt-best", "messages": list(messages), **more}


def say(text: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": text}


TURNS: list[tuple[str, Any, Any, Any]] = [
    (CHAT, chat(SAID), chat(SAID, ANSWER, say("and?")), chat(say("ho"))),
    (
        CHAT,
        chat(say("be brief", "system"), SAID),
        chat(say("be brief", "system"), SAID, ANSWER, say("and?")),
        chat(say("be brief", "system"), say("ho")),
    ),
    (
        CHAT,
        chat(say("be brief", "developer"), SAID),
        chat(say("be brief", "developer"), SAID, ANSWER),
        chat(say("be long", "developer"), SAID),
    ),
    (MESSAGES, chat(SAID, system="be brief"), chat(SAID, ANSWER, system="be brief"), chat(SAID, system="be long")),
    (RESPONSES, {"model": "gpt-best", "input": "hi"}, {"model": "gpt-best", "input": "hi", "stream": True}, chat(SAID)),
    (
        RESPONSES,
        {"model": "gpt-best", "input": [SAID], "instructions": "be brief"},
        {"model": "gpt-best", "input": [SAID, ANSWER, say("and?")], "instructions": "be brief"},
        {"model": "gpt-best", "input": [SAID], "instructions": "be long"},
    ),
    (GEMINI, {"contents": [TEXT]}, {"contents": [TEXT, MODEL, OTHER]}, {"contents": [OTHER]}),
    (
        GEMINI,
        {"contents": [TEXT], "systemInstruction": TEXT},
        {"contents": [TEXT, MODEL], "systemInstruction": TEXT},
        {"contents": [TEXT], "systemInstruction": OTHER},
    ),
    (
        GEMINI,
        {"contents": [TEXT], "system_instruction": TEXT},
        {"contents": [TEXT, MODEL], "system_instruction": TEXT},
        {"contents": [TEXT], "system_instruction": OTHER},
    ),
]


@pytest.mark.parametrize(("target", "first", "later", "another"), TURNS)
def test_a_conversation_is_one_from_turn_to_turn_and_another_is_another(
    target: str, first: Any, later: Any, another: Any
) -> None:
    assert find(target, first) == find(target, later) != ""
    assert find(target, another) not in ("", find(target, first))


def test_the_settings_of_a_request_are_no_part_of_it() -> None:
    assert find(CHAT, chat(SAID)) == find(CHAT, chat(SAID, temperature=0.5, stream=True, tools=[]))


def test_how_it_is_written_is_no_part_of_it() -> None:
    body = b'{ "model":"gpt-best" ,\n"messages":[ {"role" : "user","content":"h\\u0069"} ] }'
    assert find(CHAT, body) == find(CHAT, chat(SAID))


@pytest.mark.parametrize(
    "body",
    [
        {"model": "gpt-best"},
        {"model": "gpt-best", "messages": []},
        {"model": "gpt-best", "messages": None, "system": ""},
        {"model": "gpt-best", "messages": "", "input": 5},
    ],
)
def test_of_nothing_no_session_is_made(body: Any) -> None:
    assert find(CHAT, body) == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON, JSON)
def test_whatever_stands_there_the_same_is_the_same(system: Any, messages: Any, contents: Any) -> None:
    body = {"model": "gpt-best", "system": system, "messages": messages, "contents": contents}
    assert find(CHAT, body) == find(CHAT, body)
