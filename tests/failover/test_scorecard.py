"""The scorecard counts a scenario only when everything of it has passed."""

from tests.failover.run import Result, Scenario
from tests.failover.scenarios import SCENARIOS
from tests.failover.scorecard import build_card, build_table


def make(scenario: Scenario, *complaints: str, client: str = "gemini", stream: bool = True) -> Result:
    return Result(scenario, client, stream, complaints, (3, 1), 0.25, 1.5)


def find(label: str) -> Scenario:
    return next(scenario for scenario in SCENARIOS if scenario.label == label)


def test_a_scenario_is_passed_when_every_variant_and_form_is() -> None:
    one, off, other = find("S08"), find("S08 off"), find("S03")
    passed = [make(one), make(one, stream=False), make(off), make(other)]
    assert "2/2" in build_card(passed, "x")
    assert "1/2" in build_card([*passed[:2], make(off, "short"), make(other)], "x")
    assert "1/2" in build_card([make(one), make(one, "late", stream=False), make(off), make(other)], "x")


def test_every_complaint_is_told_with_its_place() -> None:
    card = build_card([make(find("S08 off"), "not clear", "not bounded")], "x")
    assert card.splitlines()[-2:] == ["S08 off, gemini, stream: not clear", "S08 off, gemini, stream: not bounded"]
    assert "FAIL" in card


def test_attempts_gap_and_time_are_the_largest_and_a_form_that_was_not_run_is_no_failure() -> None:
    card = build_card([make(find("S10")), make(find("S10"), client="anthropic")], "x")
    row = next(line for line in card.splitlines() if line.startswith("S10"))
    assert "FAIL" not in row
    assert row.split()[-3:] == ["3+1", "0.2", "1.5"]


def test_the_table_has_a_row_for_each_variant() -> None:
    head, rule, *rows = build_table([make(find("S08")), make(find("S08 off"), "short")]).splitlines()
    assert head.count("|") == rule.count("|") == rows[0].count("|")
    assert rows[1].startswith("| S08 off | the same, without rescue | FAIL, - |")
    assert rows[2].startswith("|  | scenarios passed | 0/1 |")
