"""The waits between connections."""

from proxy.tools.backoff import LONGEST, SERVER_MOST, START, Backoff


def take(backoff: Backoff, count: int) -> list[float]:
    return [backoff.take() for _ in range(count)]


def test_waits_double_up_to_the_longest() -> None:
    assert take(Backoff(), 7) == [1.0, 2.0, 4.0, 8.0, 16.0, LONGEST, LONGEST]


def test_an_event_starts_the_waits_again() -> None:
    backoff = Backoff()
    take(backoff, 3)
    backoff.reset()
    assert take(backoff, 2) == [START, 2 * START]


def test_the_server_names_the_first_wait() -> None:
    backoff = Backoff()
    backoff.ask_for(0.25)
    assert take(backoff, 3) == [0.25, 0.5, 1.0]


def test_the_same_wish_again_does_not_stop_the_doubling() -> None:
    backoff = Backoff()
    backoff.ask_for(2.0)
    backoff.take()
    backoff.ask_for(2.0)
    assert backoff.take() == 4.0


def test_a_wish_above_the_longest_wait_is_kept() -> None:
    backoff = Backoff()
    backoff.ask_for(45.0)
    assert take(backoff, 3) == [45.0, 45.0, 45.0]


def test_wishes_beyond_reason_are_bounded() -> None:
    backoff = Backoff()
    backoff.ask_for(1e12)
    assert backoff.base == SERVER_MOST
    backoff.ask_for(-1.0)
    assert backoff.base == 0.0


def test_no_wait_at_all_is_granted_once_and_then_doubles_from_something() -> None:
    backoff = Backoff()
    backoff.ask_for(0.0)
    assert take(backoff, 3) == [0.0, 0.2, 0.4]
