"""What a request has used: whose word it is, and what is filled in."""

from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.events import Usage
from proxy.usage.meter import ESTIMATED, MOST, PARTIAL, REPORTED, Metered, Told, add_costs, meter, total


def test_what_the_provider_reported_at_the_end_stands() -> None:
    usage = Usage(10, 4, 2, 30, 20, 0.5)
    assert meter(Told(usage, 4000, 0, complete=True), 99) == Metered(usage, REPORTED)
    assert meter(Told(Usage(output=3), 12, 12, complete=True), 99) == Metered(Usage(output=3), REPORTED)


def test_an_answer_without_text_needs_no_count_of_its_output() -> None:
    assert meter(Told(Usage(10), 0, 0, complete=True), 99) == Metered(Usage(10), REPORTED)
    assert meter(Told(Usage(10), 4, 0, complete=True), 99) == Metered(Usage(10, output=1), PARTIAL)


def test_of_what_broke_off_the_rest_is_estimated() -> None:
    # As Anthropic begins: the input, and an output of one token before any text.
    assert meter(Told(Usage(10, 4, output=1), 400, 0, complete=False), 99) == Metered(Usage(10, 4, output=101), PARTIAL)
    # As Gemini goes on: what was counted by then is not estimated again.
    assert meter(Told(Usage(10, output=80), 400, 360, complete=False), 99) == Metered(Usage(10, output=90), PARTIAL)
    assert meter(Told(Usage(output=80), 400, 400, complete=False), 99) == Metered(Usage(99, output=80), PARTIAL)


def test_where_nothing_was_said_all_is_estimated() -> None:
    for complete in (True, False):
        assert meter(Told(Usage(), 401, 0, complete=complete), 99) == Metered(Usage(99, output=101), ESTIMATED)


def test_several_answers_are_summed() -> None:
    one, other = Metered(Usage(10, 4, None, 3, None, 0.5), REPORTED), Metered(Usage(20, None, None, 4, 1), REPORTED)
    assert total([one]) is one
    assert total([one, other]) == Metered(Usage(30, 4, None, 7, 1, 0.5), REPORTED)


def test_a_sum_is_as_sure_as_its_parts() -> None:
    reported, partial, estimated = (Metered(Usage(1), source) for source in (REPORTED, PARTIAL, ESTIMATED))
    assert total([reported, estimated]).source == PARTIAL
    assert total([reported, partial]).source == PARTIAL
    assert total([estimated, estimated]).source == ESTIMATED


def test_costs_are_summed_as_far_as_they_are_known() -> None:
    assert add_costs([]) is None
    assert add_costs([None]) is None
    assert add_costs([None, 0.25, 0.5]) == 0.75
    assert add_costs([0.0]) == 0.0


counts = st.none() | st.integers()


@given(st.builds(Usage, counts, counts, counts, counts, counts, st.none() | st.floats()), st.booleans())
def test_no_number_of_a_provider_s_leaves_its_bounds(usage: Usage, complete: bool) -> None:
    found = meter(Told(usage, 8, 0, complete=complete), 5).usage
    for count in (found.input, found.cache_read, found.cache_write, found.output, found.reasoning, found.cost):
        assert count is None or 0 <= count <= MOST + 2
