"""What outlives a configuration, and a process."""

from dataclasses import replace

import pytest

from proxy.accounts.board import FORGOTTEN, AccountState, Board
from proxy.accounts.cooldown import Cooldown, Level, Spot
from proxy.types import ProviderName
from tests.helpers.troubles import Notes

P = ProviderName("p")
NOW = 1000.0
ACCOUNT = Spot(Level.ACCOUNT, P, "a")
OTHER = Spot(Level.ACCOUNT, P, "b")
MODEL = Spot(Level.MODEL, P, "a", "gpt-5")
EGRESS = Spot(Level.EGRESS, P, "direct")
PROVIDER = Spot(Level.PROVIDER, P)


def cooldown(spot: Spot, until: float = NOW + 10, *, mark: str = "", attention: bool = False) -> Cooldown:
    return Cooldown(spot, "rate_limit", "429 no", NOW, until, 1, attention, mark)


def build_board(*cooldowns: Cooldown) -> Board:
    board = Board()
    for one in cooldowns:
        board.cool(one)
    return board


def test_an_account_is_made_once() -> None:
    board = Board()
    assert board.account(P, "a") is board.account(P, "a")
    assert board.account(P, "a") is not board.account(P, "b")


def test_cool_downs_come_from_the_store_and_go_there() -> None:
    notes = Notes(cooldown(ACCOUNT), cooldown(PROVIDER))
    board = Board(notes)
    board.read({}, NOW)
    assert board.list(NOW) == [cooldown(ACCOUNT), cooldown(PROVIDER)]
    board.lift(ACCOUNT)
    board.cool(cooldown(MODEL))
    assert [*notes.kept] == [PROVIDER, MODEL]


def test_what_was_learned_with_another_key_is_dropped() -> None:
    notes = Notes(cooldown(ACCOUNT, mark="old"), cooldown(MODEL, mark="old"), cooldown(OTHER, mark="same"))
    board = Board(notes)
    board.read({(P, "a"): "new", (P, "b"): "same"}, NOW)
    assert board.list(NOW) == [cooldown(OTHER, mark="same")]
    assert [*notes.kept] == [OTHER]


def test_a_new_key_starts_afresh() -> None:
    board = Board()
    board.renew(P, {"a": "old", "b": "same"})
    for alias, spot, mark in (("a", ACCOUNT, "old"), ("b", OTHER, "same")):
        board.cool(cooldown(spot, mark=mark))
        board.account(P, alias).refusals = 1
    board.cool(cooldown(EGRESS))
    board.account(P, "a").in_flight = 3
    board.renew(P, {"a": "new", "b": "same"})
    assert [one.spot for one in board.list(NOW)] == [OTHER, EGRESS]
    assert (board.account(P, "a").refusals, board.account(P, "b").refusals) == (0, 1)
    assert board.account(P, "a").in_flight == 3
    board.cool(cooldown(ACCOUNT, mark="old"))  # a request that was under way with the old one
    assert ACCOUNT not in board.cooled(P)


def test_an_account_that_is_gone_is_not_spoken_of() -> None:
    board = Board()
    board.renew(P, {"a": "one", "b": "two"})
    board.cool(cooldown(ACCOUNT, mark="one", attention=True))
    board.renew(P, {"b": "two"})
    assert board.list(NOW) == []


def test_what_other_processes_learn_is_heard() -> None:
    notes = Notes()
    board = Board(notes)
    board.read({(P, "a"): "mark"}, NOW)
    assert notes.tell is not None
    notes.tell(PROVIDER, cooldown(PROVIDER))
    notes.tell(ACCOUNT, cooldown(ACCOUNT, mark="another"))
    assert board.list(NOW) == [cooldown(PROVIDER)]
    notes.tell(PROVIDER, None)
    notes.tell(PROVIDER, None)
    assert board.list(NOW) == []
    assert notes.kept == {}  # nothing is written back: it is there already


def test_who_needs_attention_is_told_once_until_it_was_well() -> None:
    told: list[Cooldown] = []
    board = Board(warn=told.append)
    refused = cooldown(ACCOUNT, attention=True)
    board.cool(cooldown(OTHER))
    board.cool(refused)
    board.cool(replace(refused, until=refused.until + 60))
    assert told == [refused]
    board.lift(ACCOUNT)
    board.cool(refused)
    assert told == [refused, refused]


def test_one_that_lasts_longer_stays() -> None:
    board = build_board(cooldown(ACCOUNT, NOW + 10))
    board.cool(cooldown(ACCOUNT, NOW + 5))
    assert board.list(NOW) == [cooldown(ACCOUNT, NOW + 10)]
    board.cool(cooldown(ACCOUNT, NOW + 20))
    assert board.list(NOW) == [cooldown(ACCOUNT, NOW + 20)]


def test_over_is_half_open_until_it_is_forgotten() -> None:
    notes = Notes()
    board = Board(notes)
    board.cool(cooldown(ACCOUNT))
    board.cool(cooldown(OTHER, attention=True))
    assert len(board.list(NOW + 10 + FORGOTTEN)) == 2
    assert board.list(NOW + 11 + FORGOTTEN) == [cooldown(OTHER, attention=True)]
    assert [*notes.kept] == [OTHER]


def test_the_next_one_takes_the_forgotten_along() -> None:
    """Nobody has to ask for the list."""
    board = build_board(cooldown(ACCOUNT))
    later = NOW + 11 + FORGOTTEN
    board.cool(Cooldown(OTHER, "rate_limit", "", later, later + 1))
    assert [*board.cooled(P)] == [OTHER]


def test_old_ones_are_not_read() -> None:
    notes = Notes(cooldown(ACCOUNT))
    board = Board(notes)
    board.read({}, NOW + 11 + FORGOTTEN)
    assert not board.cooled(P)
    assert not notes.kept


@pytest.mark.parametrize(
    ("alias", "left"),
    [("a", [OTHER, EGRESS, PROVIDER]), ("b", [ACCOUNT, MODEL, EGRESS, PROVIDER]),
     ("c", [ACCOUNT, OTHER, MODEL, EGRESS, PROVIDER]), ("", [])],
)  # fmt: skip
def test_clear(alias: str, left: list[Spot]) -> None:
    board = build_board(*map(cooldown, (ACCOUNT, OTHER, MODEL, EGRESS, PROVIDER)))
    elsewhere = cooldown(Spot(Level.PROVIDER, ProviderName("q")))
    board.cool(elsewhere)
    assert board.clear(P, alias, NOW) == 5 - len(left)
    assert [one.spot for one in board.list(NOW)] == [*left, elsewhere.spot]
    assert board.clear(P, alias, NOW) == 0


def test_clear_lifts_what_empty_buckets_hold_back() -> None:
    board = Board()
    board.account(P, "a").hold("gpt-5", NOW + 5, NOW)
    board.account(P, "a").hold("gpt-4", NOW + 1, NOW)
    assert board.clear(P, "b", NOW + 2) == 0
    assert board.clear(P, "a", NOW + 2) == 1
    assert board.account(P, "a").held == {}


def test_clear_ends_rows_and_refusals() -> None:
    board = Board()
    board.account(P, "a").refusals = 1
    board.extend_row(P, NOW)
    board.clear(P, "", NOW)
    assert board.account(P, "a").refusals == 0
    assert board.count_row(P, NOW) == 0


def test_a_probe_belongs_to_one() -> None:
    board = build_board(cooldown(ACCOUNT))
    one, two = object(), object()
    board.start_probe(ACCOUNT, one)
    board.end_probe(ACCOUNT, two)
    assert board.is_probed(ACCOUNT)
    board.end_probe(ACCOUNT, one)
    assert not board.is_probed(ACCOUNT)
    board.start_probe(ACCOUNT, two)
    board.lift(ACCOUNT)
    assert not board.is_probed(ACCOUNT)


def test_strikes_before_a_request() -> None:
    board = build_board(Cooldown(ACCOUNT, "rate_limit", "", NOW, NOW + 8, 3))
    assert board.count_strikes(ACCOUNT, NOW + 8) == 3
    assert board.count_strikes(ACCOUNT, NOW - 1) == 2  # of the same trouble
    assert board.count_strikes(OTHER, NOW) == 0


def test_failures_in_a_row_are_not_hours_apart() -> None:
    board = Board()
    board.extend_row(P, NOW)
    board.extend_row(P, NOW + 60)
    assert board.count_row(P, NOW + 120) == 2
    assert board.count_row(P, NOW + 121) == 0
    board.extend_row(P, NOW + 121)
    assert board.count_row(P, NOW + 121) == 1
    board.end_row(P)
    assert board.count_row(P, NOW + 121) == 0


def test_names_that_callers_invent_take_no_room() -> None:
    state = AccountState()
    for number in range(1000):
        state.hold(str(number), NOW + 5, NOW)
    assert len(state.held) <= 64
    state.hold("gpt-5", NOW + 20, NOW + 10)
    assert state.held == {"gpt-5": NOW + 20}
