"""A row at its place."""

import pytest

from proxy.accounts.board import AccountState
from proxy.accounts.cooldown import Level, Spot
from proxy.accounts.seat import AccountRow, Seat
from proxy.types import AccountName, ProviderName

P = ProviderName("p")


@pytest.mark.parametrize(
    ("level", "spot"),
    [
        (Level.MODEL, Spot(Level.MODEL, P, "a", "gpt-5")),
        (Level.ACCOUNT, Spot(Level.ACCOUNT, P, "a")),
        (Level.EGRESS, Spot(Level.EGRESS, P, "proxy.example:3128")),
        (Level.PROVIDER, Spot(Level.PROVIDER, P)),
    ],
)
def test_spots(level: Level, spot: Spot) -> None:
    seat = Seat(P, AccountRow(AccountName("a"), egress="proxy.example:3128"), AccountState())
    assert seat.find_spot(level, "gpt-5") == spot


@pytest.mark.parametrize(
    ("row", "limited"),
    [(AccountRow(None), False), (AccountRow(None, max_streams=1), True), (AccountRow(None, rpm=1), True),
     (AccountRow(None, tpm=1), True), (AccountRow(None, weight=9), False)],
)  # fmt: skip
def test_limited(row: AccountRow, limited: bool) -> None:
    assert Seat(P, row, AccountState()).limited is limited
