"""An account's standing: the worst of what is held against it."""

from typing import Any

import pytest

from proxy.accounts.book import AccountRow
from proxy.accounts.cooldown import Cooldown, Level
from proxy.ops.metrics.accounts import ATTENTION, COOLING, HALF_OPEN, OPEN, judge_account, name_account
from proxy.types import AccountName, ProviderName
from tests.helpers.cooldowns import build_cooldown, build_spot

NOW = 1.8e9
UP = ProviderName("up")
ROW = AccountRow(AccountName("a"), egress="proxy.example:3128")


def cool(
    name: str = "a", level: Level = Level.ACCOUNT, provider: str = "up", *, left: float = 60.0, **fields: Any
) -> Cooldown:
    return build_cooldown(build_spot(name, level, provider), since=NOW - 1, until=NOW + left, **fields)


@pytest.mark.parametrize(
    ("cooldowns", "standing"),
    [
        ([], (OPEN, 0.0)),
        ([cool()], (COOLING, 60.0)),
        ([cool(left=-5.0)], (HALF_OPEN, 0.0)),
        ([cool(left=9.0, attention=True)], (ATTENTION, 9.0)),
        ([cool("", Level.PROVIDER)], (COOLING, 60.0)),
        ([cool("proxy.example:3128", Level.EGRESS)], (COOLING, 60.0)),
        ([cool(left=-5.0), cool("", Level.PROVIDER, left=7.0)], (COOLING, 7.0)),
        ([cool(left=5.0, attention=True), cool("", Level.PROVIDER, left=7.0)], (ATTENTION, 7.0)),
    ],
)
def test_the_worst_counts(cooldowns: list[Cooldown], standing: tuple[int, float]) -> None:
    assert judge_account(UP, ROW, cooldowns, NOW) == standing


@pytest.mark.parametrize(
    "cooldown",
    [
        cool("b"),
        cool(provider="upper"),
        cool("", Level.PROVIDER, "upper"),
        cool("direct", Level.EGRESS),
        cool("a", Level.MODEL),
        cool("a", Level.EGRESS),
    ],
)
def test_what_is_another_s_does_not_count(cooldown: Cooldown) -> None:
    assert judge_account(UP, ROW, [cooldown], NOW) == (OPEN, 0.0)


def test_a_provider_without_accounts_has_one_all_the_same() -> None:
    row = AccountRow(None)
    assert (name_account(UP, row), name_account(UP, ROW)) == ("up", "up/a")
    assert judge_account(UP, row, [cool("")], NOW) == (COOLING, 60.0)
