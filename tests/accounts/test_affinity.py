"""Sessions stay with their account."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.accounts.affinity import rank_for

NAMES = [b"a", b"b", b"c", b"d", b"e"]


def test_places_are_the_same_for_ever() -> None:
    """Written down: a change would move every conversation of every instance at the next upgrade."""
    assert [rank_for(f"session-{number}", NAMES, [1] * 5)[0] for number in range(12)] == [
        2, 3, 0, 0, 1, 1, 2, 2, 0, 2, 1, 1,
    ]  # fmt: skip


@given(
    session=st.text(),
    weights=st.lists(st.integers(1, 100), min_size=1, max_size=8),
    data=st.data(),
)
def test_an_account_that_goes_takes_only_its_own_sessions_with_it(
    session: str, weights: list[int], data: st.DataObject
) -> None:
    names = [str(number).encode() for number in range(len(weights))]
    before = rank_for(session, names, weights)
    assert sorted(before) == list(range(len(weights)))
    gone = data.draw(st.integers(0, len(weights) - 1))
    left = [place for place in range(len(weights)) if place != gone]
    after = rank_for(session, [names[place] for place in left], [weights[place] for place in left])
    assert [left[place] for place in after] == [place for place in before if place != gone]


def test_shares_go_by_weight() -> None:
    weights = [1, 2, 5]
    homes = Counter(rank_for(f"s{number}", NAMES[:3], weights)[0] for number in range(8000))
    assert [homes[place] / 1000 for place in range(3)] == pytest.approx(weights, rel=0.1)


def test_a_session_may_be_called_anything() -> None:
    assert len(rank_for("\ud800\0\n", NAMES, [1] * 5)) == 5
