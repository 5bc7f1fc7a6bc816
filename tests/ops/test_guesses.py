"""Wrong tokens, by who showed them and when."""

import pytest

from proxy.ops.guesses import MOST_WRONG, WITHIN, Guesses


def guess(guesses: Guesses, remote: str, count: int, now: float = 0.0) -> None:
    for number in range(count):
        guesses.note(remote, b"%d" % number, now + number)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("10.0.0.1", "10.0.0.2", False),
        ("unix", "unix", True),
    ],
)
def test_who_is_whom(one: str, other: str, same: bool) -> None:
    guesses = Guesses()
    guess(guesses, one, MOST_WRONG)
    assert bool(guesses.count_wait(other, 10.0)) is same


def test_the_wait_is_until_the_first_of_them_is_old() -> None:
    guesses = Guesses()
    guess(guesses, "a", MOST_WRONG - 1)
    assert guesses.count_wait("a", 9.0) == 0
    guesses.note("a", b"last", 9.0)
    assert guesses.count_wait("a", 9.5) == int(WITHIN - 9.5) + 1
    assert guesses.count_wait("a", WITHIN) == 0
    guesses.note("a", b"another", WITHIN)
    assert guesses.count_wait("a", WITHIN) == 2
