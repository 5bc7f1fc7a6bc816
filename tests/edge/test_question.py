"""A request on a model route, as far as it is understood before it is known who answers. More of what is refused, and
what a target is sent, is in test_asking.py."""

import json
from typing import Any

import pytest

from proxy.dialects.chat import Declined, Invalid
from proxy.edge.question import Question, understand
from proxy.types import ClientName
from proxy.usage.allowance import Allowance
from tests.helpers.asking import CHAT, DIALECTS, HOUSE, MESSAGES, MODELS, RESPONSES, SAID, build_asking_scope
from tests.helpers.edge import build_model_house

GEMINI = "/v1beta/models/gemini-best:"


def ask(
    target: str, body: Any = b"", *fields: tuple[bytes, bytes], method: str = "POST", house: Any = HOUSE
) -> Question:
    scope = build_asking_scope(target, *fields, method=method, house=house)
    assert scope.route is not None
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return understand(scope, scope.route, data, 1700000000)


def test_all_who_may_answer_are_found() -> None:
    question = ask(CHAT, {"model": "gpt-best", "messages": SAID, "stream": True})
    assert [(goal.provider, goal.model) for goal in question.found.goals] == [("oai", "gpt-5"), ("ant", "claude")]
    assert (question.model, question.stream, question.id, question.created) == ("gpt-best", True, "req_1", 1700000000)


@pytest.mark.parametrize(
    ("target", "body", "stream"),
    [
        (CHAT, {"model": "gpt-best"}, False),
        (CHAT, {"model": "gpt-best", "stream": False}, False),
        (MESSAGES, {"model": "gpt-best", "stream": True}, True),
        (RESPONSES, {"model": "gpt-best", "stream": True}, True),
        (GEMINI + "generateContent", {"contents": [], "stream": True}, False),
        (GEMINI + "streamGenerateContent", {"contents": []}, True),
        ("/api/chat", {"model": "gpt-best", "messages": []}, True),
        (MESSAGES + "/count_tokens", {"model": "gpt-best"}, False),
    ],
)
def test_whether_a_stream_is_wanted(target: str, body: Any, stream: bool) -> None:
    assert ask(target, body).stream is stream


def test_a_page_that_names_no_model_gets_the_first() -> None:
    assert ask("/api/chat", {"messages": []}).model == "gpt-best"
    assert ask("/api/stream?prompt=hi", method="GET").model == "gpt-best"
    assert ask("/api/stream?prompt=hi&model=thrifty", method="GET").model == "thrifty"


def test_where_there_is_none_a_page_has_to_name_one() -> None:
    house = build_model_house(DIALECTS, {})
    with pytest.raises(Invalid) as caught:
        ask("/api/chat", {"messages": []}, house=house)
    assert caught.value.param == "model"
    assert ask("/api/chat", {"messages": [], "model": "oai/x"}, house=house).model == "oai/x"


def test_a_model_that_nobody_has_is_declined_before_the_rest_is_read() -> None:
    with pytest.raises(Declined) as caught:
        ask(CHAT, {"model": "nothing", "messages": "wrong"})
    assert caught.value.failure.status == 404


def test_a_model_that_is_not_for_this_client_is_as_good_as_none() -> None:
    house = build_model_house(DIALECTS, MODELS)
    ann = ClientName("ann")
    house.shared.allowances.renew({ann: Allowance(models=("thrifty", "oai/*"))})

    def ask_as_ann(target: str, body: Any, method: str = "POST") -> Question:
        scope = build_asking_scope(target, house=house, method=method)
        scope.record.client = ann
        assert scope.route is not None
        return understand(scope, scope.route, json.dumps(body).encode(), 0)

    assert ask_as_ann(CHAT, {"model": "thrifty"}).model == "thrifty"
    assert ask_as_ann("/api/chat", {"messages": []}).model == "thrifty"
    assert ask_as_ann(CHAT, {"model": "oai/gpt-5"}).model == "oai/gpt-5"
    for model in ("gpt-best", "gpt-bset", "claude-5", "ant/claude"):
        with pytest.raises(Declined) as caught:
            ask_as_ann(CHAT, {"model": model})
        assert caught.value.failure.status == 404
        assert "gpt-best" not in caught.value.failure.message


# Read when it is wanted, and let go of.


def test_the_request_is_parsed_once_and_only_when_it_is_wanted() -> None:
    wrong = ask(CHAT, {"model": "gpt-best", "messages": "wrong"})
    with pytest.raises(Invalid):
        wrong.read()
    question = ask(CHAT, {"model": "gpt-best", "messages": SAID})
    request = question.read()
    assert question.read() is request
    assert len(request.messages) == 1


def test_a_count_is_read_as_one() -> None:
    body = {"model": "ant/x", "messages": SAID}
    with pytest.raises(Invalid):
        ask(MESSAGES, body).read()  # an answer needs max_tokens
    assert len(ask(MESSAGES + "/count_tokens", body).read().messages) == 1


def test_the_members_of_a_body_can_be_looked_at() -> None:
    assert ask(CHAT, {"model": "gpt-best", "user": "u"}).read_fields() == {"model": "gpt-best", "user": "u"}
    for body in (b"", b"[1]", b"{"):
        assert ask("/api/stream?prompt=hi", body, method="GET").read_fields() == {}


def test_what_was_asked_is_let_go_of() -> None:
    question = ask(CHAT, {"model": "gpt-best", "messages": SAID})
    question.read()
    question.forget()
    assert question.body == b""
    with pytest.raises(Invalid):
        question.read()


@pytest.mark.parametrize(
    ("target", "array"),
    [
        (GEMINI + "streamGenerateContent", True),
        (GEMINI + "streamGenerateContent?alt=sse", False),
        (GEMINI + "generateContent", False),
    ],
)
def test_a_turn_for_who_waits_is_in_the_form_that_was_asked_for(target: str, array: bool) -> None:
    turn = ask(target, {"contents": []}).open_turn()
    assert (turn.array, turn.request.model, turn.request.stream) == (array, "gemini-best", "stream" in target)
