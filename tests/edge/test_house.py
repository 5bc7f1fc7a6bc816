"""Mounts and clients of one configuration, found."""

import hashlib
from dataclasses import replace

import pytest

from proxy.dialects.events import Failure, FailureKind
from proxy.edge.house import Shared
from proxy.types import ClientName
from proxy.usage.allowance import Allowance
from tests.helpers.edge import build_house, build_model_house


def digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


@pytest.mark.parametrize(
    ("path", "prefix"),
    [("/up", "/up"), ("/up/a", "/up"), ("/up/chat", "/up/chat"), ("/up/chat/x", "/up/chat"), ("/up/chatter", "/up")],
)
def test_the_longest_mount_wins(path: str, prefix: str) -> None:
    mount = build_house("/up", "/up/chat", "/other").find_mount(path)
    assert mount is not None
    assert mount.prefix == prefix


@pytest.mark.parametrize("path", ["/", "/upper", "/%75p", "", "//up"])
def test_what_no_mount_covers_is_found_nowhere(path: str) -> None:
    assert build_house("/up").find_mount(path) is None


def test_a_client_is_known_by_the_digest_of_its_key() -> None:
    house = build_house(clients={digest("one"): "a", digest("two"): "b"})
    assert house.find_client("one") == ClientName("a")
    assert house.find_client("two") == ClientName("b")
    for key in ("", "on", "onee", "ONE", "\udcff"):
        assert house.find_client(key) is None


def test_a_route_s_hedges_have_one_budget_until_its_share_is_changed() -> None:
    shared = Shared()
    budget = shared.find_hedges("m", 0.05)
    assert shared.find_hedges("m", 0.05) is budget
    assert shared.find_hedges("other", 0.05) is not budget
    assert shared.find_hedges("m", 0.1) is not budget


def test_what_may_be_tried_again_is_a_share_of_all_requests() -> None:
    for share, more in ((0.0, 0), (0.5, 20)):
        shared = Shared(share)
        for _ in range(100):
            shared.retries.deposit(1000.0)
        free = 30  # three a second, for ten seconds
        assert sum(shared.retries.withdraw(1000.0) for _ in range(100)) == free + more


def test_a_client_finds_the_models_that_are_for_it() -> None:
    models = {name: {"targets": ["p/x"]} for name in ("gpt-5", "gpt-5-mini", "claude-5", "gpt-oss-*")}
    house = build_model_house({"p": "openai-chat"}, models)
    ann, bob = ClientName("ann"), ClientName("bob")
    house.shared.allowances.renew({ann: Allowance(models=("gpt-5", "p/*")), bob: Allowance()})
    assert house.list_models(ann) == ["gpt-5"]
    for anybody in (bob, None):
        assert house.list_models(anybody) == ["gpt-5", "gpt-5-mini", "claude-5"]
        assert house.find_model(anybody, "gpt-5-mini") is not None
        assert house.find_model(anybody, "nothing") is None
    asked = ("gpt-5", "gpt-5-mini", "gpt-oss-1", "p/y", "p", "nothing")
    assert [name for name in asked if house.find_model(ann, name)] == ["gpt-5", "p/y"]
    assert set(house.suggest_models(bob, "gpt-5-min")) == {"gpt-5", "gpt-5-mini"}
    assert house.suggest_models(ann, "gpt-5-min") == ["gpt-5"]


def test_no_key_of_a_provider_stands_in_what_it_is_said_to_have_answered() -> None:
    provider = next(iter(build_model_house({"oai": "openai-chat"}, {"a": {"targets": ["oai/m"]}}).providers.values()))
    provider = replace(provider, secrets=(b"tank-key-1", b"tank-key-2"))
    said = Failure(FailureKind.RATE_LIMIT, "tank-key-2 is slow, tank-key-1 too", 429, retry_after=2.0)
    assert provider.clean(said) == Failure(FailureKind.RATE_LIMIT, "<key> is slow, <key> too", 429, retry_after=2.0)
    other = Failure(FailureKind.SERVER, "it is down")
    assert provider.clean(other) is other
