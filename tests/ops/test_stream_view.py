"""What is told of the requests in flight."""

from typing import Any

import msgspec

from proxy.edge.scope import Look
from proxy.ops.stream_view import build_streams
from proxy.relay.outcome import Attempt, Phase
from proxy.types import AccountName, ClientName, ProviderName
from tests.helpers.edge import build_house, build_scope


def view(scope: Any, now: float) -> dict[str, Any]:
    (shown,) = msgspec.to_builtins(build_streams([scope], now))
    assert isinstance(shown, dict)
    return shown


def test_a_request_that_has_just_come_says_little() -> None:
    scope = build_scope(build_house())
    scope.record.started = 10.0
    shown = view(scope, 12.5)
    assert {name: shown[name] for name in ("id", "seconds", "phase", "bytes_up", "bytes_down", "events")} == {
        "id": scope.record.id, "seconds": 2.5, "phase": "accepted", "bytes_up": 0, "bytes_down": 0, "events": 0,
    }  # fmt: skip
    assert shown.keys().isdisjoint({"provider", "account", "client", "trail", "model"})


def test_a_stream_tells_who_asked_whom_and_what_has_come_so_far() -> None:
    scope = build_scope(build_house())
    record = scope.record
    record.client, record.phase, record.model_asked, record.model = ClientName("dev"), Phase.STREAMING, "fast", "gpt-5"
    record.provider, record.account, record.mount, record.dialect = ProviderName("up"), None, "chat", "openai-chat"
    record.ttft, scope.look = 0.25, lambda: Look(1234, 7, 5, 1.25, 0.0)
    shown = view(scope, 1.0)
    wanted = {
        "client": "dev", "phase": "streaming", "model_asked": "fast", "model": "gpt-5", "provider": "up",
        "route": "chat", "dialect": "openai-chat", "bytes_down": 1234, "events": 7, "still": 1.2, "ttft": 0.25,
    }  # fmt: skip
    assert {name: shown[name] for name in wanted} == wanted


def test_while_nobody_has_answered_the_last_attempt_says_who_is_asked() -> None:
    scope = build_scope(build_house())
    up = ProviderName("up")
    scope.record.attempts += [
        Attempt(up, AccountName("a"), 0.5, 429, outcome="account"), Attempt(up, AccountName("b"), started=0.5),
    ]  # fmt: skip
    shown = view(scope, 1.0)
    assert (shown["provider"], shown["account"]) == ("up", "b")
    assert [entry["account"] for entry in shown["trail"]] == ["a", "b"]
