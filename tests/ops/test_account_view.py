"""What is told of the accounts, for boards in every state."""

from typing import Any

import msgspec
import pytest

from proxy.accounts.board import Board
from proxy.accounts.book import AccountRow, Book, Lease
from proxy.accounts.cooldown import Level
from proxy.ops.account_view import build_accounts
from proxy.types import AccountName, ProviderName
from proxy.wire.headers import Headers
from tests.helpers.cooldowns import build_cooldown, build_spot

UP = ProviderName("up")
NOW = 1_700_000_000.0
ROWS = {UP: [AccountRow(AccountName("a"), 2, 5), AccountRow(AccountName("b"), egress="10.0.0.1:3128")]}


def view(board: Board, rows: Any = ROWS) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = msgspec.to_builtins(build_accounts(rows, board, NOW))
    return shown


def cool(board: Board, *spot: Any, **fields: Any) -> None:
    board.cool(build_cooldown(build_spot(*spot), **{"since": NOW - 5, "until": NOW + 10, **fields}))


def test_accounts_that_nothing_is_held_against_are_open() -> None:
    assert view(Board()) == [
        {"provider": "up", "state": "open", "accounts": [
            {"account": "a", "state": "open", "in_flight": 0, "weight": 2, "egress": "direct", "max_streams": 5},
            {"account": "b", "state": "open", "in_flight": 0, "weight": 1, "egress": "10.0.0.1:3128"},
        ]},
    ]  # fmt: skip


def test_what_other_processes_have_in_flight_stands_beside_our_own() -> None:
    board = Board()
    board.account(UP, "a").elsewhere = 3
    a, b = view(board)[0]["accounts"]
    assert (a["in_flight"], a["elsewhere"]) == (0, 3)
    assert "elsewhere" not in b


def test_a_cooldown_says_why_since_when_until_when_and_who_may_lift_it() -> None:
    board = Board()
    cool(board, strikes=3)
    a, b = view(board)[0]["accounts"]
    assert a["state"] == "cooling"
    assert a["cooldowns"] == [
        {"level": "account", "state": "cooling", "why": "rate_limit", "detail": "429 slow down", "strikes": 3,
         "since": "2023-11-14T22:13:15.000Z", "until": "2023-11-14T22:13:30.000Z", "seconds_left": 10.0,
         "lifted_by": "time", "name": "a"},
    ]  # fmt: skip
    assert b["state"] == "open"


@pytest.mark.parametrize(
    ("fields", "state", "lifted_by", "left"),
    [
        ({"until": NOW - 1}, "half-open", "time", 0.0),
        ({"attention": True}, "attention", "operator", 10.0),
        ({"attention": True, "until": NOW - 1}, "attention", "operator", 0.0),
    ],
)
def test_what_time_alone_does_not_lift_is_told_apart(
    fields: dict[str, Any], state: str, lifted_by: str, left: float
) -> None:
    board = Board()
    cool(board, **fields)
    account = view(board)[0]["accounts"][0]
    shown = account["cooldowns"][0]
    assert (account["state"], shown["state"], shown["lifted_by"], shown["seconds_left"]) == (
        state, state, lifted_by, left,
    )  # fmt: skip


def test_one_that_is_being_tried_again_says_so() -> None:
    board = Board()
    cool(board, until=NOW - 1)
    Book(UP, ROWS[UP], board).pick(NOW)
    account = view(board)[0]["accounts"][0]
    assert (account["in_flight"], account["cooldowns"][0]["probing"]) == (1, True)


def test_a_model_of_an_account_leaves_the_account_open() -> None:
    board = Board()
    cool(board, "b", Level.MODEL, "up", "gpt-5")
    account = view(board)[0]["accounts"][1]
    assert account["state"] == "open"
    assert [(shown["level"], shown["model"]) for shown in account["cooldowns"]] == [("model", "gpt-5")]


def test_what_is_held_against_all_stands_with_the_provider() -> None:
    board = Board()
    cool(board, "10.0.0.1:3128", Level.EGRESS)
    provider = view(board)[0]
    assert (provider["state"], provider["cooldowns"][0]["name"]) == ("open", "10.0.0.1:3128")
    cool(board, "", Level.PROVIDER)
    provider = view(board)[0]
    assert provider["state"] == "cooling"
    assert {shown["level"] for shown in provider["cooldowns"]} == {"egress", "provider"}
    assert not any("cooldowns" in account for account in provider["accounts"])


def test_other_providers_have_nothing_to_do_with_it() -> None:
    board = Board()
    cool(board, "a", Level.ACCOUNT, "other")
    assert view(board)[0]["accounts"][0]["state"] == "open"


def test_a_provider_without_accounts_has_one_without_a_name() -> None:
    board = Board()
    cool(board, "")
    account = view(board, {UP: [AccountRow(None)]})[0]["accounts"][0]
    assert (account["account"], account["state"]) == (None, "cooling")


def test_what_is_left_of_limits_is_told() -> None:
    board, rows = Board(), [AccountRow(AccountName("a"), rpm=60, tpm=1000, models=("gpt-*",))]
    lease = Book(UP, rows, board).pick(NOW, "gpt-5", tokens=400)
    assert isinstance(lease, Lease)
    lease.learn(
        Headers((
            (b"x-ratelimit-remaining-requests", b"0"), (b"x-ratelimit-limit-requests", b"10"),
            (b"x-ratelimit-reset-requests", b"30s"), (b"x-ratelimit-remaining-tokens", b"77"),
        )),
        NOW,
    )  # fmt: skip
    lease.succeed(NOW)
    account = view(board, {UP: rows})[0]["accounts"][0]
    assert account["left"] == {"requests": 59, "tokens": 600}
    assert list(account["models"]) == ["gpt-*"]
    assert account["succeeded"] == "2023-11-14T22:13:20.000Z"
    assert account["limits"] == [
        {"bucket": "requests", "remaining": 0, "limit": 10, "reset": "2023-11-14T22:13:50.000Z"},
        {"bucket": "tokens", "remaining": 77},
    ]
    held = account["cooldowns"][0]
    assert (held["level"], held["model"], held["seconds_left"], held["lifted_by"]) == ("model", "gpt-5", 30.0, "time")
