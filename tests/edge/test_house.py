"""Mounts and clients of one configuration, found."""

import hashlib

import pytest

from proxy.edge.house import Shared
from proxy.types import ClientName
from tests.helpers.edge import build_house


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
