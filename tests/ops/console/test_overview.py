"""Where requests may lead, as it is shown."""

import msgspec

from proxy.config.load import build_config
from proxy.ops.account_view import AccountView, CooldownView, ProviderView
from proxy.ops.console.overview import MountView, RouteView, Target, forget_seconds, list_mounts, list_routes

CONFIG = build_config(
    [
        (
            "test",
            {
                "providers": {
                    "a": {"dialect": "openai-chat", "base_url": "https://a.example/v1"},
                    "b": {"dialect": "anthropic", "base_url": "https://b.example"},
                    "r": {"dialect": "raw", "base_url": "https://r.example"},
                },
                "models": {
                    "fast": {
                        "targets": ["a/x", "b/y", "a/z"],
                        "rescue": "restart",
                        "overrides": {"a/z": {"tier": 1, "weight": 3}},
                    },
                    "gpt-*": {"targets": ["a/*"]},
                },
                "mounts": {"/r": {"provider": "r", "auth": "none"}},
            },
        )
    ],
    {},
)


def test_routes_are_listed_with_their_targets_in_the_order_they_are_tried() -> None:
    assert list_routes(CONFIG) == [
        RouteView("fast", "name", "restart", [Target("a", "x", 1, 1), Target("a", "z", 1, 3), Target("b", "y", 2, 1)]),
        RouteView("gpt-*", "pattern", "off", [Target("a", "*", 1, 1)]),
        RouteView("a/*", "provider", "off", [Target("a", "*", 1, 1)]),
        RouteView("b/*", "provider", "off", [Target("b", "*", 1, 1)]),
    ]


def test_mounts_are_listed() -> None:
    assert list_mounts(CONFIG) == [MountView("/r", "r", "raw", "none")]


def test_what_changes_by_itself_is_left_out() -> None:
    cooldown = CooldownView("account", "cooling", "x", "y", "2026-01-01T00:00:00.000Z", 5.0, "time")
    account = AccountView(account="k", state="cooling", in_flight=0, weight=1, egress="", cooldowns=[cooldown])
    bare = AccountView(account="l", state="open", in_flight=0, weight=1, egress="")
    view = forget_seconds(msgspec.to_builtins(ProviderView("a", "open", [account, bare], [cooldown])))
    assert "seconds_left" not in str(view)
    assert view["cooldowns"][0]["until"] == view["accounts"][0]["cooldowns"][0]["until"] == cooldown.until
