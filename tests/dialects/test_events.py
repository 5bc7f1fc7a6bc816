"""Usage snapshots add up field by field; the rest of the events is data."""

import pytest

from proxy.dialects.events import Usage


@pytest.mark.parametrize(
    ("first", "later", "merged"),
    [
        (Usage(), Usage(), Usage()),
        (Usage(1, 2, 3, 4, 5, 6.0), Usage(), Usage(1, 2, 3, 4, 5, 6.0)),
        (Usage(), Usage(1, 2, 3, 4, 5, 6.0), Usage(1, 2, 3, 4, 5, 6.0)),
        (Usage(1, 2, 3, 4, 5, 6.0), Usage(0, 0, 0, 0, 0, 0.0), Usage(0, 0, 0, 0, 0, 0.0)),
        (Usage(input=9, output=1), Usage(output=7, cost=0.5), Usage(input=9, output=7, cost=0.5)),
    ],
)
def test_the_later_snapshot_holds_where_it_knows(first: Usage, later: Usage, merged: Usage) -> None:
    assert first.merge(later) == merged
