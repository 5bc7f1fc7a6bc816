"""Any request, built for a provider and parsed as if from a client of that dialect: it asks for the same."""

from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Asked, Invalid, Outgoing, Target
from proxy.dialects.parts import Message, Request, Text
from proxy.dialects.registry import PROVIDERS
from tests.helpers.crossing import BOTH, find_client, find_provider
from tests.helpers.request_strategies import describe_request, requests

ABLE: Final = {
    "openai-chat": Capabilities(family="gpt"),
    "openai-responses": Capabilities(family="gpt"),
    "anthropic": Capabilities(family="claude", thinking="adaptive"),
    "gemini": Capabilities(family="gemini", thinking="level"),
    "openrouter": Capabilities(),
}
DROPPED: Final = {"openai-responses": ["stop"]}
"""What a dialect has no place for, and nobody misses."""

quick = settings(max_examples=60, deadline=None, database=None)
thorough = settings(max_examples=200, deadline=None, database=None)


def go_there_and_back(dialect: str, request: Request) -> tuple[Outgoing, Request]:
    target = Target("model-1", ABLE[dialect])
    outgoing = find_provider(dialect).build_request(request, target)
    in_path = dialect == "gemini"
    asked = Asked("model-1", "stream" in outgoing.path) if in_path else Asked()
    return outgoing, find_client(dialect).parse_request(outgoing.body, asked)


def expect(dialect: str, request: Request) -> dict[str, Any]:
    wanted = describe_request(request)
    most, temperature, stop = wanted["limits"]
    if dialect == "anthropic" and most is None:  # it has to be said there
        most = ABLE[dialect].output
    wanted["limits"] = most, temperature, [] if "stop" in DROPPED.get(dialect, ()) else stop
    return wanted


def check(dialect: str, request: Request) -> None:
    outgoing, again = go_there_and_back(dialect, request)
    assert describe_request(again) == expect(dialect, request)
    assert list(outgoing.dropped) == [name for name in DROPPED.get(dialect, ()) if name in request.named]
    # What was understood once is understood for good.
    assert describe_request(go_there_and_back(dialect, again)[1]) == expect(dialect, request)


@pytest.mark.parametrize("dialect", BOTH)
@quick
@given(requests())
def test_a_request_asks_for_the_same_there_and_back(dialect: str, request: Request) -> None:
    check(dialect, request)


@pytest.mark.long
@pytest.mark.parametrize("dialect", BOTH)
@thorough
@given(requests())
def test_many_requests_ask_for_the_same_there_and_back(dialect: str, request: Request) -> None:
    check(dialect, request)


@pytest.mark.parametrize("client", BOTH)
@quick
@given(request=requests(), provider=st.sampled_from(list(PROVIDERS)))
def test_what_one_dialect_says_every_provider_understands(client: str, provider: str, request: Request) -> None:
    """Over any client's dialect: nothing is refused that all have in common."""
    _, again = go_there_and_back(client, request)
    options = {"project": "p"}
    outgoing = find_provider(provider).build_request(again, Target("model-1", Capabilities(), options=options))
    assert outgoing.body.startswith(b"{")
    # Responses has no stop sequences, GLM leaves the choice of tools to the model, and Claude does not begin to think
    # behind calls that it made without.
    missed = {again.named.get(name) for name in ("stop", "tool_choice", "reasoning")}
    assert set(outgoing.dropped) <= {*missed, "store"}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("client", BOTH)
def test_what_nobody_knows_is_refused_by_its_name_or_dropped_where_that_is_wanted(client: str, provider: str) -> None:
    request = Request("m", [Message("user", (Text("hi"),))], client, extra={"novelty": 1}, named={})
    if client == provider:
        return  # of its own dialect a provider knows more than we do
    target = Target("model-1", Capabilities(), options={"project": "p"})
    with pytest.raises(Invalid) as refused:
        find_provider(provider).build_request(request, target)
    assert refused.value.param == "novelty"
    outgoing = find_provider(provider).build_request(request, replace(target, drop=frozenset({"novelty"})))
    assert outgoing.dropped == ("novelty",)
    assert b"novelty" not in outgoing.body
