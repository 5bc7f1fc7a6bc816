"""For whom an answer can be rescued, and what is asked of who goes on."""

import pytest

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Target
from proxy.dialects.json_text import decode_json
from proxy.dialects.parts import Message, OutputFormat, Reasoning, Request, Text
from proxy.dialects.registry import PROVIDERS
from proxy.dialects.rescue import build_continuation, can_rescue


def ask(**fields: object) -> Request:
    request = Request("m", [Message("user", (Text("Count"),))], "openai-chat", stream=True, max_tokens=100)
    for name, value in fields.items():
        setattr(request, name, value)
    return request


def test_half_a_structured_answer_and_one_of_several_are_lost() -> None:
    assert can_rescue(ask())
    assert not can_rescue(ask(output=OutputFormat()))
    assert not can_rescue(ask(n=2))


@pytest.mark.parametrize(("text", "sent"), [("One two", "One two"), ("One \n\t", "One"), (" One", " One")])
def test_a_continuation_ends_with_the_text(text: str, sent: str) -> None:
    request = ask(reasoning=Reasoning("on", budget=2000))
    built = build_continuation(request, text)
    assert built.messages == [*request.messages, Message("assistant", (Text(sent),))]
    assert built.reasoning is None
    assert (built.model, built.max_tokens, built.stream) == ("m", 100, True)
    assert (len(request.messages), request.reasoning) == (1, Reasoning("on", budget=2000))


@pytest.mark.parametrize("text", ["", " \n"])
def test_nothing_is_not_continued(text: str) -> None:
    request = ask()
    assert build_continuation(request, text) == request


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_is_asked_with_the_text_last(provider: str) -> None:
    request = build_continuation(ask(), "One two \n")
    body = PROVIDERS[provider].build_request(request, Target("m", Capabilities())).body
    assert body.rindex(b'"One two"') > body.rindex(b'"Count"')
    assert decode_json(body)
