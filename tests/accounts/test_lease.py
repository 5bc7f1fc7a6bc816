"""What is learned from a request, and what it gives back."""

import pytest

from proxy.accounts.board import Board
from proxy.accounts.book import AccountRow, Book, Lease, Shut
from proxy.accounts.cooldown import Cooldown, Level
from proxy.accounts.policy import Step, Verdict
from proxy.accounts.trouble import How, Trouble
from proxy.dialects.events import Failure, FailureKind
from proxy.wire.headers import NO_FIELDS, Headers
from tests.helpers.books import NOW, P, row, take
from tests.helpers.books import build as build_book
from tests.helpers.troubles import CONNECT, CUT, INVALID, LIMIT, OVERLOADED, REFUSED, SERVER, SILENT, answer

EMPTY = Headers(((b"x-ratelimit-remaining-requests", b"0"), (b"x-ratelimit-reset-requests", b"7s")))
FULL = Headers(((b"x-ratelimit-remaining-requests", b"9"), (b"x-ratelimit-reset-requests", b"7s")))


def build(board: Board, *rows: AccountRow) -> Book:
    return build_book(*(rows or (row("a", mark="m"),)), board=board)


def end(book: Book, trouble: Trouble, now: float, model: str = "") -> Verdict:
    """One request that fails as soon as it is made."""
    lease = take(book, now, model)
    verdict = lease.fail(trouble, now, 0.5)
    lease.close(now)
    return verdict


def list_levels(board: Board, now: float = NOW) -> list[Level]:
    return [cooldown.spot.level for cooldown in board.list(now)]


def test_it_counts_until_it_is_closed_once() -> None:
    board = Board()
    one, two = take(book := build(board)), take(book)
    state = board.account(P, "a")
    assert state.in_flight == 2
    one.close(NOW)
    one.close(NOW)
    assert state.in_flight == 1
    two.close(NOW)
    assert state.in_flight == 0
    assert (one.index, one.account, one.probe, one.sticky) == (0, "a", False, None)


def test_a_cool_down_says_why() -> None:
    board = Board()
    trouble = Trouble(How.ANSWER, Failure(FailureKind.RATE_LIMIT, "slow down " * 100, 429, retry_after=7))
    end(build(board), trouble, NOW)
    [known] = board.list(NOW)
    assert known == Cooldown(known.spot, "rate_limit", known.detail, NOW, NOW + 7, 1, False, "m")
    assert known.detail.startswith("429 slow down")
    assert len(known.detail) == 200


@pytest.mark.parametrize("trouble", [CONNECT, OVERLOADED, SILENT])
def test_the_mark_is_only_told_of_what_it_is_to_blame_for(trouble: Trouble) -> None:
    board = Board()
    end(build(board), trouble, NOW)
    assert [cooldown.mark for cooldown in board.list(NOW)] == [""]


def test_strikes_count_what_is_in_a_row() -> None:
    board = Board()
    book = build(board)
    assert end(book, LIMIT, NOW).seconds == 1
    assert end(book, LIMIT, NOW + 1).seconds == 2
    assert end(book, LIMIT, NOW + 3).seconds == 4
    take(book, NOW + 7).succeed(NOW + 7)
    assert board.list(NOW + 7) == []
    assert end(book, LIMIT, NOW + 8).seconds == 1


def test_fifty_refused_at_once_are_one_strike() -> None:
    board = Board()
    book = build(board)
    leases = [take(book) for _ in range(50)]
    for number, lease in enumerate(leases):
        assert lease.fail(LIMIT, NOW + number / 100, 0.5).seconds == 1
        lease.close(NOW + 1)
    [known] = board.list(NOW)
    assert known.strikes == 1
    assert known.until == pytest.approx(NOW + 1.49)


def test_models_have_strikes_of_their_own() -> None:
    board = Board()
    book = build(board)
    trouble = answer(FailureKind.RATE_LIMIT, 429, model_only=True)
    assert end(book, trouble, NOW, "x").seconds == 1
    assert end(book, trouble, NOW + 1, "x").seconds == 2
    assert end(book, trouble, NOW + 1, "y").seconds == 1


def test_a_success_from_before_the_cool_down_proves_nothing() -> None:
    board = Board()
    book = build(board)
    early, late = take(book), take(book, NOW + 1)
    late.fail(OVERLOADED, NOW + 2, 0)
    early.succeed(NOW + 2.5)
    early.close(NOW + 3)
    assert list_levels(board) == [Level.PROVIDER]


def test_any_answer_shows_that_the_egress_works() -> None:
    board = Board()
    book = build(board)
    end(book, CONNECT, NOW)
    end(book, SILENT, NOW + 1)
    assert list_levels(board) == [Level.EGRESS, Level.PROVIDER]
    end(book, OVERLOADED, NOW + 3)
    assert list_levels(board) == [Level.PROVIDER]


@pytest.mark.parametrize(("trouble", "levels"), [(INVALID, []), (LIMIT, [Level.ACCOUNT]), (SERVER, [Level.PROVIDER])])
def test_a_sensible_answer_shows_that_the_provider_works(trouble: Trouble, levels: list[Level]) -> None:
    board = Board()
    book = build(board)
    end(book, OVERLOADED, NOW)
    end(book, trouble, NOW + 2)
    assert list_levels(board) == levels


def test_a_401_at_an_account_that_has_just_worked_is_the_requests() -> None:
    board = Board()
    book = build(board)
    take(book).succeed(NOW)
    assert end(book, REFUSED, NOW + 5) == Verdict(Step.ACCOUNT)
    assert board.list(NOW + 5) == []
    assert end(book, REFUSED, NOW + 6).attention
    assert [cooldown.attention for cooldown in board.list(NOW + 6)] == [True]


def test_a_success_between_two_401s_makes_the_second_a_first_one() -> None:
    board = Board()
    book = build(board)
    for at in range(0, 50, 10):
        take(book, NOW + at).succeed(NOW + at)
        assert end(book, REFUSED, NOW + at + 5).level is None


@pytest.mark.parametrize(
    "trouble",
    [INVALID, answer(FailureKind.CONTENT_FILTER, 400), answer(FailureKind.CONTEXT_LENGTH, 400),
     answer(FailureKind.PERMISSION, 403)],
)  # fmt: skip
def test_the_requests_own_affair_blames_nobody(trouble: Trouble) -> None:
    board = Board()
    assert end(build(board), trouble, NOW).level is None
    assert board.list(NOW) == []


def test_the_third_accident_in_a_row_is_none() -> None:
    board = Board()
    book = build(board)
    assert [end(book, trouble, NOW).level for trouble in (SERVER, CUT, SERVER)] == [None, None, Level.PROVIDER]


def test_a_success_ends_the_row() -> None:
    book = build(Board())
    end(book, SERVER, NOW)
    end(book, SERVER, NOW)
    good = take(book)
    good.succeed(NOW)
    good.close(NOW)
    assert end(book, SERVER, NOW).step is Step.AGAIN


def test_a_sensible_answer_ends_the_row() -> None:
    book = build(Board())
    assert [end(book, trouble, NOW).level for trouble in (SERVER, SERVER, INVALID, SERVER, SERVER)] == [None] * 5


def test_a_provider_that_cuts_every_answer_is_not_well() -> None:
    book, steps = build(Board()), []
    for _ in range(3):
        lease = take(book)
        lease.succeed(NOW)
        steps.append(lease.fail(Trouble(How.CUT, CUT.failure, committed=True), NOW, 0).step)
        lease.close(NOW)
    assert steps == [Step.AGAIN, Step.AGAIN, Step.TARGET]


def test_an_empty_bucket_holds_the_model_back_until_its_reset() -> None:
    board = Board()
    book = build(board)
    take(book, NOW, "x").learn(EMPTY, NOW)
    shut = book.pick(NOW + 6.9, "x")
    assert isinstance(shut, Shut)
    assert shut.until == NOW + 7
    take(book, NOW, "y")
    take(book, NOW + 7, "x")
    assert board.account(P, "a").rates.rates[0].remaining == 0


def test_a_bucket_that_has_something_again_holds_nothing_back() -> None:
    book = build(Board())
    one, two = take(book), take(book)
    one.learn(EMPTY, NOW)
    one.learn(NO_FIELDS, NOW)
    assert isinstance(book.pick(NOW), Shut)
    two.learn(FULL, NOW)
    take(book)


def test_a_reset_in_weeks_is_not_believed() -> None:
    book = build(Board())
    weeks = Headers(((b"x-ratelimit-remaining-tokens", b"0"), (b"x-ratelimit-reset-tokens", b"18d")))
    take(book).learn(weeks, NOW)
    shut = book.pick(NOW)
    assert isinstance(shut, Shut)
    assert shut.until == NOW + 3600


def test_what_an_old_key_says_is_not_held_against_the_new_one() -> None:
    board = Board()
    old = take(build(board))
    new = build(board, row("a", mark="new"))
    old.learn(EMPTY, NOW)
    assert old.fail(REFUSED, NOW, 0).attention
    old.close(NOW)
    assert board.account(P, "a").refusals == 0
    take(new, NOW)


def test_an_old_keys_success_says_nothing_of_the_new_one() -> None:
    board = Board()
    old = take(build(board))
    new = build(board, row("a", mark="new"))
    old.succeed(NOW)
    assert end(new, REFUSED, NOW).attention


@pytest.mark.parametrize(
    ("trouble", "level"),
    [(LIMIT, Level.ACCOUNT), (answer(FailureKind.RATE_LIMIT, 429, delay=5), Level.ACCOUNT),
     (answer(FailureKind.QUOTA, 429, delay=900), Level.ACCOUNT), (answer(FailureKind.QUOTA, 402), None),
     (REFUSED, None), (OVERLOADED, Level.PROVIDER), (CONNECT, Level.EGRESS)],
)  # fmt: skip
def test_without_an_account_only_limits_are_held_back(trouble: Trouble, level: Level | None) -> None:
    board = Board()
    book = build(board, AccountRow(None))
    verdict = end(book, trouble, NOW)
    assert verdict.level is level
    assert list_levels(board) == ([] if level is None else [level])
    assert verdict.attention is False
    assert (verdict.seconds == 0) is (level is None)


def test_what_callers_bring_to_a_mount_is_their_own() -> None:
    board = Board()
    book = build(board, AccountRow(None))
    lease = take(book, accounts_only=True)
    assert lease.fail(answer(FailureKind.RATE_LIMIT, 429, delay=5), NOW, 0).level is None
    lease.learn(EMPTY, NOW)
    lease.close(NOW)
    take(book, accounts_only=True)


def test_tokens_are_settled_when_it_is_closed() -> None:
    board = Board()
    book = build(board, row("a", tpm=600))
    bucket = board.account(P, "a").tokens
    assert bucket is not None
    more, less, unknown = (book.pick(NOW, tokens=100) for _ in range(3))
    assert isinstance(more, Lease)
    assert isinstance(less, Lease)
    assert isinstance(unknown, Lease)
    assert bucket.left(NOW) == 300
    more.close(NOW, 400)
    assert bucket.left(NOW) == 0
    less.close(NOW, 0)
    less.close(NOW, 0)
    unknown.close(NOW)
    assert bucket.left(NOW) == 100
