"""What a client may ask for, and how much, before any work is done. Whole requests are in tests/e2e."""

import json
from typing import Any

import pytest

from proxy.dialects.chat import Declined, Invalid
from proxy.dialects.events import FailureKind, Usage
from proxy.edge.granting import admit_mount, admit_question, close_grant
from proxy.edge.house import House
from proxy.edge.question import understand
from proxy.edge.scope import Scope
from proxy.errors import Code, Refused
from proxy.relay.outcome import EndReason
from proxy.types import ClientName, ProviderName
from proxy.usage.allowance import DAY, Allowance, Denied
from proxy.usage.prices import Price, PriceTable
from tests.helpers.asking import CHAT, DIALECTS, MESSAGES, MODELS, RESPONSES, build_asking_scope
from tests.helpers.edge import build_house, build_model_house, build_scope

ANN = ClientName("ann")
NOON = 20_000 * DAY + DAY / 2
PRICES = PriceTable({"oai/gpt-5": Price(input=1e6, output=0.0)})  # one for each token


def build_limited(**limits: Any) -> House:
    house = build_model_house(DIALECTS, MODELS, prices=PRICES, rows=[("gpt-5", {"context": 200_000})])
    house.shared.allowances.renew({ANN: Allowance(**limits)})
    return house


def admit(house: House, body: dict[str, Any], target: str = CHAT, client: ClientName | None = ANN) -> Scope:
    scope = build_asking_scope(target, house=house)
    scope.record.client = client
    assert scope.route is not None
    question = understand(scope, scope.route, json.dumps({"model": "gpt-best", **body}).encode(), 0)
    admit_question(scope, question, NOON)
    return scope


SAID: dict[str, Any] = {"messages": [{"role": "user", "content": "x" * 332}]}  # 400 bytes with the rest: 100 tokens


@pytest.mark.parametrize(
    ("limits", "code", "kind", "retry_after"),
    [
        ({"max_streams": 1}, Code.CLIENT_STREAMS, FailureKind.RATE_LIMIT, 1.0),
        ({"rpm": 1}, Code.CLIENT_REQUESTS, FailureKind.RATE_LIMIT, 60.0),
        ({"tpm": 100}, Code.CLIENT_TOKENS, FailureKind.RATE_LIMIT, 60.0),
        ({"tokens_per_day": 100}, Code.CLIENT_TOKENS_PER_DAY, FailureKind.QUOTA, DAY / 2),
        ({"cost_per_day": 100.0}, Code.CLIENT_COST_PER_DAY, FailureKind.QUOTA, DAY / 2),
    ],
)
def test_who_is_over_a_limit_is_told_which_and_when_to_come_back(
    limits: dict[str, Any], code: Code, kind: FailureKind, retry_after: float
) -> None:
    house = build_limited(**limits)
    assert admit(house, SAID).grant is not None
    scope = build_asking_scope(CHAT, house=house)
    with pytest.raises(Declined) as caught:
        admit(house, SAID)
    failure = caught.value.failure
    assert (failure.kind, failure.status, failure.code, failure.message) == (kind, 429, code.slug, code.message)
    assert failure.retry_after == pytest.approx(retry_after)
    scope = build_scope(build_house("/up"))
    scope.house.shared.allowances.renew({ANN: Allowance(**limits)})
    scope.house.shared.allowances.admit(ANN, NOON, 200, 200.0)
    scope.record.client = ANN
    with pytest.raises(Refused) as refused:
        admit_mount(scope, NOON)
    assert (refused.value.code, scope.grant) == (code, None)
    assert int(refused.value.headers["Retry-After"]) == pytest.approx(retry_after, abs=1)


def test_a_refusal_is_noted() -> None:
    house = build_limited(max_streams=1)
    admit(house, SAID)
    scope = build_asking_scope(CHAT, house=house)
    scope.record.client = ANN
    assert scope.route is not None
    question = understand(scope, scope.route, json.dumps({"model": "gpt-best"}).encode(), 0)
    with pytest.raises(Declined):
        admit_question(scope, question, NOON)
    assert (scope.record.error, scope.record.end, scope.grant) == ("client_max_streams", EndReason.LIMIT, None)


def test_nobody_is_held_to_anything_where_there_are_no_clients() -> None:
    house = build_limited(max_streams=1)
    for _ in range(3):
        assert admit(house, SAID, client=None).grant is None
    scope = build_scope(build_house("/up"))
    admit_mount(scope, NOON)
    assert scope.grant is None


def test_what_was_used_is_put_in_place_of_what_was_guessed() -> None:
    house = build_limited(tokens_per_day=101, cost_per_day=201.0)
    scope = admit(house, SAID)
    scope.record.usage, scope.record.cost = Usage(input=90, output=10), 200.0
    close_grant(scope, NOON)
    scope = admit(house, SAID)
    close_grant(scope, NOON)  # failed: nothing was used
    scope = admit(house, SAID)
    scope.record.cost = 1.0
    close_grant(scope, NOON)
    with pytest.raises(Declined, match="quota"):
        admit(house, SAID)


@pytest.mark.parametrize(
    ("end", "asked", "lets_in"),
    [
        (EndReason.CLIENT_GONE, True, False),
        (EndReason.CLIENT_GONE, False, True),
        (EndReason.ERROR, True, True),
    ],
)
def test_who_leaves_before_the_answer_begins_has_used_the_prompt(end: EndReason, asked: bool, lets_in: bool) -> None:
    """The provider has it, and bills it: else prompts would be free for who hangs up in time."""
    house = build_limited(tokens_per_day=100, cost_per_day=100.0)
    scope = admit(house, SAID)
    if asked:
        scope.record.begin(ProviderName("oai"), None, 0.0)
    scope.record.close(end)
    close_grant(scope, NOON)
    close_grant(scope, NOON)
    assert isinstance(house.shared.allowances.admit(ANN, NOON), Denied) is not lets_in


def test_without_a_grant_nothing_is_closed() -> None:
    close_grant(build_scope(build_house()), NOON)


def test_a_count_of_tokens_uses_none() -> None:
    house = build_limited(rpm=2, tpm=1000, tokens_per_day=100)
    admit(house, SAID, MESSAGES + "/count_tokens")
    admit(house, SAID, MESSAGES + "/count_tokens")
    with pytest.raises(Declined) as caught:
        admit(house, SAID, MESSAGES + "/count_tokens")
    assert caught.value.failure.code == "client_rpm"


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo" + "A" * 4_000_000}}


@pytest.mark.parametrize(
    ("part", "least", "most"),
    [(IMAGE, 1000, 3000), ({**IMAGE, "type": "nonsense"}, 100_000, 200_001)],
    ids=["read", "what cannot be read"],
)
def test_the_bytes_of_an_image_are_not_taken_for_text(part: dict[str, Any], least: int, most: int) -> None:
    """What the model cannot take in any case is not counted either."""
    for limit, is_over in ((least, True), (most, False)):
        house = build_limited(tokens_per_day=limit)
        admit(house, {"messages": [{"role": "user", "content": [part]}]})
        assert isinstance(house.shared.allowances.admit(ANN, NOON), Denied) is is_over


TWICE = b'{"model":"claude-x","messages":[],"model":"gpt-best"}'
ESCAPED = b'{"mod\\u0065l":"claude-x","model":"gpt-best"}'
NEXT = b'{"model":"gpt-best","models":["openai/gpt-5-pro"]}'


@pytest.mark.parametrize("target", [CHAT, "/api/v1/chat/completions", RESPONSES])
@pytest.mark.parametrize(("body", "param"), [(TWICE, "model"), (ESCAPED, "model"), (NEXT, "models")])
def test_who_may_not_ask_for_every_model_names_one(body: bytes, param: str, target: str) -> None:
    """Another reader may take the first of two; OpenRouter goes on with the next of a list."""
    for models, refused in (((), False), (("gpt-*",), True)):
        house = build_limited(models=models, max_streams=1)
        scope = build_asking_scope(target, house=house)
        scope.record.client = ANN
        assert scope.route is not None
        question = understand(scope, scope.route, body, 0)
        if not refused:
            admit_question(scope, question, NOON)
            continue
        with pytest.raises(Invalid) as caught:
            admit_question(scope, question, NOON)
        assert caught.value.param == param
        assert scope.grant is None


@pytest.mark.parametrize(
    ("target", "body"),
    [
        (CHAT, b'{"model":"gpt-best","messages":[{"model":1,"models":[]}]}'),
        ("/api/stream?prompt=hi&model=gpt-best", b""),
        ("/v1beta/models/gpt-best:generateContent", b'{"contents":[]}'),
    ],
)
def test_one_model_is_one_wherever_it_is_named(target: str, body: bytes) -> None:
    house = build_limited(models=("gpt-*",))
    scope = build_asking_scope(target, house=house, method="POST" if body else "GET")
    scope.record.client = ANN
    assert scope.route is not None
    admit_question(scope, understand(scope, scope.route, body, 0), NOON)
    assert scope.grant is not None


def test_models_of_others_are_on_no_mount() -> None:
    scope = build_scope(build_house("/up"))
    scope.house.shared.allowances.renew({ANN: Allowance(models=("gpt-*",))})
    scope.record.client = ANN
    with pytest.raises(Refused) as refused:
        admit_mount(scope, NOON)
    assert refused.value.code is Code.FORBIDDEN
