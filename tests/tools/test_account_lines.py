"""The accounts as a table."""

from typing import Any

import pytest

from proxy.tools.account_lines import format_accounts, format_duration

OPEN = {"state": "open", "in_flight": 0, "weight": 1, "egress": "direct"}
COOLING = {"level": "account", "state": "cooling", "why": "rate_limit", "detail": "429 slow down", "until": "x",
           "seconds_left": 42.0, "lifted_by": "time"}  # fmt: skip


def table(*accounts: dict[str, Any], cooldowns: Any = ()) -> list[list[str]]:
    """The cells of every line but the first."""
    answer = {"providers": [{"provider": "up", "state": "open", "accounts": accounts, "cooldowns": cooldowns}]}
    lines = format_accounts(answer).splitlines()
    assert lines[0].startswith("NAME")
    starts = [lines[0].index(name) for name in lines[0].split()]
    ends = [*starts[1:], None]
    return [[line[start:end].strip() for start, end in zip(starts, ends, strict=True)] for line in lines[1:]]


def test_columns_without_a_word_are_left_out() -> None:
    answer = {"providers": [{"provider": "up", "state": "open", "accounts": [{"account": "a", **OPEN}]}]}
    assert format_accounts(answer) == "NAME  STATE  IN-FLIGHT  EGRESS\nup/a  open   0          direct"


def test_a_provider_without_accounts_stands_by_its_name() -> None:
    assert table({"account": None, **OPEN}) == [["up", "open", "0", "direct"]]


def test_a_cooldown_says_for_how_long_and_why() -> None:
    account = {"account": "a", **OPEN, "state": "cooling", "in_flight": 2, "max_streams": 5}
    rows = table({**account, "cooldowns": [{**COOLING, "strikes": 3}]}, {"account": "b", **OPEN})
    assert rows == [
        ["up/a", "cooling", "2/5", "in 42 s", "direct", "rate_limit (3 in a row): 429 slow down"],
        ["up/b", "open", "0", "", "direct", ""],
    ]


def test_requests_of_other_processes_are_told_apart() -> None:
    rows = table({"account": "a", **OPEN, "in_flight": 2, "elsewhere": 3, "max_streams": 50})
    assert rows[0][2] == "2+3/50"


def test_each_model_that_is_left_alone_has_a_line() -> None:
    cooldowns = [{**COOLING, "level": "model", "model": "gpt-5"}, {**COOLING, "level": "model", "detail": ""}]
    rows = table({"account": "a", **OPEN, "cooldowns": cooldowns})
    assert [row[:2] for row in rows] == [["up/a", "open"], ["up/a gpt-5", "cooling"], ["up/a any model", "cooling"]]
    assert [row[-1] for row in rows] == ["", "rate_limit: 429 slow down", "rate_limit"]


def test_what_is_held_against_all_comes_first() -> None:
    shared = [{**COOLING, "level": "provider"}, {**COOLING, "level": "egress", "name": "10.0.0.1:3128"}]
    rows = table({"account": "a", **OPEN}, cooldowns=shared)
    assert [row[0] for row in rows] == ["up (all)", "up (egress)", "up/a"]
    assert rows[1][4] == "10.0.0.1:3128"


@pytest.mark.parametrize(
    ("fields", "state", "end"),
    [
        ({"state": "half-open", "seconds_left": 0.0}, "half-open", "slow down"),
        ({"state": "half-open", "seconds_left": 0.0, "probing": True}, "half-open, tried now", "slow down"),
        ({"state": "attention", "lifted_by": "operator"}, "attention", "only `--clear` or a new key helps"),
    ],
)
def test_what_may_be_done_is_said(fields: dict[str, Any], state: str, end: str) -> None:
    row = table({"account": "a", **OPEN, "cooldowns": [{**COOLING, **fields}]})[0]
    assert row[1] == state
    assert row[-1].endswith(end)


def test_what_is_left_is_what_the_provider_says_or_else_what_is_configured() -> None:
    limits = [{"bucket": "requests", "remaining": 3, "limit": 10}, {"bucket": "tokens", "remaining": 77}]
    left = {"left": {"requests": 59}}
    rows = table({"account": "a", **OPEN, **left, "limits": limits}, {"account": "b", **OPEN, **left})
    assert [row[3] for row in rows] == ["requests 3/10, tokens 77", "requests 59"]


def test_what_a_provider_said_cannot_drive_the_terminal() -> None:
    text = format_accounts({"providers": [{"provider": "up", "accounts": [
        {"account": "a", **OPEN, "cooldowns": [{**COOLING, "detail": "\x1b[2J\nup/b  open\u202e"}]},
    ]}]})  # fmt: skip
    assert "\\x1b[2J\\nup/b  open\\u202e" in text
    assert len(text.splitlines()) == 2


def test_nothing_configured_is_said() -> None:
    assert format_accounts({"providers": []}) == "no providers are configured"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (42.0, "42 s"), (59.7, "1 min"), (3600.0, "1 h"), (3905.0, "1 h 5 min"), (1555200.0, "18 d"),
     (86461.0, "1 d 1 min")],
)  # fmt: skip
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
