"""Who does not serve the next request: cool-downs through a book's eyes, half open, and over reloads and restarts."""

import pytest

from proxy.accounts.board import Board
from proxy.accounts.book import Shut
from proxy.accounts.trouble import Trouble
from proxy.dialects.events import FailureKind as K
from tests.helpers.books import NOW, P, ask_shut, build, end, row, serve, take
from tests.helpers.troubles import CONNECT, INVALID, LIMIT, OVERLOADED, REFUSED, SERVER, SILENT, Notes, answer


def test_one_that_is_cooled_down_is_passed_over() -> None:
    book = build(row("a"), row("b"))
    assert end(book, answer(K.RATE_LIMIT, 429, delay=30)) == 0
    assert serve(book, 3) == [1, 1, 1]
    assert end(book, answer(K.QUOTA, 429, delay=900)) == 1
    shut = ask_shut(book, NOW + 10)
    assert (shut.until, shut.failure.kind, shut.failure.retry_after) == (NOW + 30, K.RATE_LIMIT, 20)


def test_eighteen_days_are_an_hour() -> None:
    book = build()
    end(book, answer(K.QUOTA, 429, delay=18 * 86400.0))
    assert ask_shut(book).until == NOW + 3600


def test_a_model_is_cooled_down_alone() -> None:
    book = build()
    end(book, answer(K.RATE_LIMIT, 429, delay=30, model_only=True), model="x")
    assert ask_shut(book, model="x").until == NOW + 30
    take(book, model="y")


def test_an_overloaded_provider_locks_no_account() -> None:
    board = Board()
    book = build(row("a"), row("b"), board=board)
    end(book, OVERLOADED)
    shut = ask_shut(book)
    assert (shut.until, shut.failure.kind, shut.failure.status) == (NOW + 2, K.OVERLOADED, 503)
    assert take(book, accounts_only=True).account == "b"
    probe = take(book, NOW + 2)
    probe.succeed(NOW + 2)
    assert serve(book, 2) in ([0, 1], [1, 0])


def test_two_accounts_on_one_dead_egress_blame_the_egress() -> None:
    book = build(row("a", egress="x:1"), row("b", egress="x:1"), row("c", egress="y:1"))
    assert end(book, CONNECT) == 0
    assert serve(book, 3) == [2, 2, 2]
    assert end(book, CONNECT) == 2
    shut = ask_shut(book)
    assert (shut.until, shut.failure.kind) == (NOW + 1, K.BAD_GATEWAY)
    assert {take(book, accounts_only=True).index for _ in range(3)} == {0, 1, 2}


@pytest.mark.parametrize("trouble", [INVALID, answer(K.CONTENT_FILTER, 400), answer(K.NOT_FOUND, 404), SERVER])
def test_some_failures_keep_nobody_from_serving(trouble: Trouble) -> None:
    book = build()
    end(book, trouble)
    take(book)


def test_all_keys_refused_needs_the_operator() -> None:
    book = build(row("a"), row("b"))
    assert [end(book, REFUSED), end(book, REFUSED)] == [0, 1]
    shut = ask_shut(book)
    assert (shut.until, shut.failure.kind, shut.failure.status) == (None, K.UNUSABLE, 503)
    assert take(book, NOW + 900).probe  # rarely, but tried


@pytest.mark.parametrize(("limit", "overload", "until", "kind"), [(10, 5, 10, K.RATE_LIMIT), (5, 10, 10, K.OVERLOADED)])
def test_the_last_hurdle_counts(limit: float, overload: float, until: float, kind: K) -> None:
    book = build()
    first, second = take(book), take(book)
    first.fail(answer(K.RATE_LIMIT, 429, delay=limit), NOW, 0)
    second.fail(answer(K.OVERLOADED, 503, delay=overload), NOW, 0)
    assert (ask_shut(book).until, ask_shut(book).failure.kind) == (NOW + until, kind)


# Half open


def test_half_open_lets_one_through_at_a_time() -> None:
    book = build()
    end(book, LIMIT)
    assert ask_shut(book, NOW + 0.9).until == NOW + 1
    probe = take(book, NOW + 1)
    assert probe.probe
    assert ask_shut(book, NOW + 1).until == NOW + 2  # look again
    probe.succeed(NOW + 1.1)
    assert not take(book, NOW + 1.1).probe
    assert not take(book, NOW + 1.1).probe


def test_a_probe_that_fails_cools_down_for_longer() -> None:
    book = build()
    end(book, LIMIT)
    probe = take(book, NOW + 1)
    probe.fail(LIMIT, NOW + 1.5, 0.5)
    assert ask_shut(book, NOW + 2).until == NOW + 3.5
    probe.close(NOW + 5)
    assert take(book, NOW + 5).probe


@pytest.mark.parametrize("trouble", [None, INVALID])
def test_a_probe_that_says_nothing_leaves_its_place(trouble: Trouble | None) -> None:
    book = build()
    end(book, LIMIT)
    probe = take(book, NOW + 1)
    if trouble is not None:
        probe.fail(trouble, NOW + 1, 0)
    else:
        probe.close(NOW + 1)
    again = take(book, NOW + 1)
    assert again.probe
    probe.close(NOW + 1)
    assert isinstance(book.pick(NOW + 1), Shut)  # the late close of the first did not free the second's place


def test_a_probe_that_succeeds_late_does_not_keep_its_place() -> None:
    """A straggler has cooled the account down again meanwhile; the probe's stream may go on for minutes."""
    book = build()
    straggler = take(book)
    end(book, LIMIT)
    probe = take(book, NOW + 1)
    straggler.fail(answer(K.RATE_LIMIT, 429, delay=5), NOW + 2, 0)
    probe.succeed(NOW + 3)
    assert ask_shut(book, NOW + 3).until == NOW + 7
    assert take(book, NOW + 7).probe


def test_one_probe_of_the_provider_for_all_its_accounts() -> None:
    book = build(row("a"), row("b"), row("c"))
    end(book, OVERLOADED)
    assert take(book, NOW + 2).probe
    assert ask_shut(book, NOW + 2).failure.kind is K.OVERLOADED


def test_a_healthy_account_serves_while_another_is_probed() -> None:
    book = build(row("a"), row("b"), strategy="fill-first")
    end(book, LIMIT)
    assert [take(book, NOW + 1).index for _ in range(3)] == [0, 1, 1]


def test_a_probe_on_a_mount_asks_of_the_account_only() -> None:
    book = build()
    end(book, OVERLOADED)
    assert not take(book, NOW + 2, accounts_only=True).probe
    assert take(book, NOW + 2).probe


def test_a_cool_down_can_be_lifted_under_a_probe() -> None:
    board = Board()
    book = build(board=board)
    end(book, LIMIT)
    probe = take(book, NOW + 1)
    assert board.clear(P, "a", NOW + 1) == 1
    assert not take(book, NOW + 1).probe
    probe.close(NOW + 1)


def test_clear_works_at_once() -> None:
    board = Board()
    book = build(row("a"), row("b"), board=board)
    end(book, REFUSED)
    end(book, REFUSED)
    assert board.clear(P, "b", NOW) == 1
    assert take(book).account == "b"


# Reload and restart


def test_a_new_configuration_forgets_nothing() -> None:
    board = Board()
    old = build(row("a", mark="1", rpm=2), row("b", mark="2"), board=board)
    lease = take(old)
    end(old, LIMIT)
    new = build(row("b", mark="2"), row("a", mark="1", rpm=3, max_streams=2), row("c"), board=board)
    assert {take(new).index for _ in range(2)} == {1, 2}
    assert isinstance(new.pick(NOW, skip=frozenset({2})), Shut)  # b is cooled down, a has two requests in flight
    lease.close(NOW)
    assert take(new, skip=frozenset({2})).account == "a"


def test_a_new_limit_is_no_reason_for_a_second_burst() -> None:
    board = Board()
    assert serve(build(row("a", rpm=60), board=board), 60) == [0] * 60
    book = build(row("a", rpm=61), board=board)
    take(book)
    assert ask_shut(book).failure.kind is K.RATE_LIMIT
    take(build(row("a"), board=board))


def test_a_restart_keeps_cool_downs() -> None:
    notes = Notes()
    board = Board(notes)
    end(build(row("a", mark="1"), board=board), answer(K.QUOTA, 429, delay=900))
    again = Board(notes)
    again.read({(P, "a"): "1"}, NOW + 5)
    assert ask_shut(build(row("a", mark="1"), board=again), NOW + 5).until == NOW + 900
    other = Board(notes)
    other.read({(P, "a"): "2"}, NOW + 5)
    take(build(row("a", mark="2"), board=other), NOW + 5)


@pytest.mark.parametrize(
    ("began", "answered", "stopped"),
    [
        (NOW - 5, NOW - 0.5, False),  # another one, a moment ago
        (NOW - 5, NOW - 2, True),  # too long ago to say anything
        (NOW + 1, NOW + 1, False),  # one that began later
    ],
)
def test_one_failure_among_good_answers_stops_nobody(began: float, answered: float, stopped: bool) -> None:
    book = build()
    good = take(book, began)
    failing = take(book, NOW)
    good.succeed(answered)
    failing.fail(SILENT, NOW + 1.2 if began > NOW else NOW, 0)
    assert isinstance(book.pick(NOW + 1.3), Shut) is stopped


def test_an_answer_that_breaks_off_does_not_speak_for_its_provider() -> None:
    book = build()
    lease = take(book)
    lease.succeed(NOW)
    lease.fail(SILENT, NOW + 0.5, 0)
    assert ask_shut(book, NOW + 0.6).until == NOW + 2.5
