"""How responses end, both ways."""

import pytest

from proxy.dialects.events import Finish, Kind, Reason
from proxy.dialects.openai_responses.reasons import find_cause, map_finish


@pytest.mark.parametrize(
    ("status", "cause", "kinds", "expected"),
    [
        ("completed", "", {Kind.TEXT}, Finish(Reason.STOP, "completed")),
        ("completed", "", {Kind.TEXT, Kind.TOOL}, Finish(Reason.TOOL_USE, "completed")),
        ("completed", "", {Kind.REFUSAL}, Finish(Reason.REFUSAL, "completed")),
        ("incomplete", "max_output_tokens", {Kind.TOOL}, Finish(Reason.LENGTH, "max_output_tokens")),
        ("incomplete", "content_filter", set(), Finish(Reason.CONTENT_FILTER, "content_filter")),
        ("incomplete", "steered", {Kind.TEXT}, Finish(Reason.OTHER, "steered")),
        ("incomplete", "", set(), Finish(Reason.OTHER, "incomplete")),
        ("", "", set(), Finish(Reason.STOP, "")),
    ],
)
def test_a_status_becomes_a_finish(status: str, cause: str, kinds: set[Kind], expected: Finish) -> None:
    assert map_finish(status, cause, frozenset(kinds)) == expected


@pytest.mark.parametrize("reason", Reason)
def test_only_what_cuts_an_answer_is_incomplete(reason: Reason) -> None:
    cut = {Reason.LENGTH, Reason.CONTEXT_FULL, Reason.CONTENT_FILTER, Reason.REFUSAL}
    assert (find_cause(reason, frozenset({Kind.TEXT})) is not None) == (reason in cut)
    assert find_cause(Reason.REFUSAL, frozenset({Kind.REFUSAL})) is None
