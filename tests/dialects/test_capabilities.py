"""What a model can take is found by its name, and efforts and tokens are turned into each other."""

import pytest

from proxy.dialects.capabilities import BUDGETS, Capabilities, find_capabilities, to_budget, to_effort
from proxy.dialects.parts import Effort, Reasoning

ROWS: list[tuple[str, dict[str, object]]] = [
    ("claude-opus-4-1*", {"output": 3}),
    ("claude-*", {"output": 1, "family": "claude"}),
    ("claude-opus-*", {"output": 2, "images": False}),
    ("claude-x", {"output": 9}),
    ("claude-x*", {"output": 8}),
]


@pytest.mark.parametrize(
    ("model", "output", "family"),
    [
        ("claude-haiku", 1, "claude"),
        ("claude-opus-4-7", 2, "claude"),
        ("claude-opus-4-1-2025", 3, "claude"),
        ("Anthropic/Claude-Opus-4-1", 3, "claude"),
        ("a/b/claude-haiku", 1, "claude"),
        ("claude-x", 9, "claude"),  # the whole name holds over patterns of any length
        ("claude-xy", 8, "claude"),
        ("gpt-5", 8192, "other"),
    ],
)
def test_longer_patterns_hold_over_shorter_ones(model: str, output: int, family: str) -> None:
    found = find_capabilities(model, ROWS)
    assert (found.output, found.family) == (output, family)


def test_rows_replace_field_by_field() -> None:
    assert find_capabilities("claude-opus-4-1", ROWS) == Capabilities(family="claude", output=3, images=False)


@pytest.mark.parametrize(
    ("efforts", "asked", "given"),
    [
        ("low medium high", "none", "low"),
        ("low medium high", "minimal", "low"),
        ("low medium high", "max", "high"),
        ("low high", "medium", "low"),
        ("high", "low", "high"),
        ("none low", "minimal", "none"),
        ("low medium high max", "xhigh", "high"),
        ("low max", "max", "max"),
    ],
)
def test_an_effort_becomes_the_nearest_known_one(efforts: str, asked: str, given: str) -> None:
    known = Capabilities(efforts=tuple(map(Effort, efforts.split())))
    assert known.clamp_effort(Effort(asked)) is Effort(given)


@pytest.mark.parametrize(("tokens", "clamped"), [(0, 128), (128, 128), (500, 500), (99999, 32768)])
def test_a_budget_stays_in_its_range(tokens: int, clamped: int) -> None:
    assert Capabilities(budget=(128, 32768)).clamp_budget(tokens) == clamped


@pytest.mark.parametrize(
    ("reasoning", "budget", "effort"),
    [
        (Reasoning("on"), None, None),
        (Reasoning("on", Effort.HIGH), 24576, Effort.HIGH),
        (Reasoning("on", None, 5000), 5000, Effort.MEDIUM),
        (Reasoning("on", Effort.LOW, 5000), 5000, Effort.LOW),
        (Reasoning("off", None, 0), 0, Effort.NONE),
        (Reasoning("on", None, 1), 1, Effort.MINIMAL),
        (Reasoning("on", None, 1023), 1023, Effort.MINIMAL),
        (Reasoning("on", None, 1024), 1024, Effort.LOW),
        (Reasoning("on", None, 4096), 4096, Effort.LOW),
        (Reasoning("on", None, 16384), 16384, Effort.MEDIUM),
        (Reasoning("on", None, 28672), 28672, Effort.HIGH),
        (Reasoning("on", None, 28673), 28673, Effort.XHIGH),
    ],
)
def test_efforts_and_budgets_are_one(reasoning: Reasoning, budget: int | None, effort: Effort | None) -> None:
    assert to_budget(reasoning) == budget
    assert to_effort(reasoning) is effort


@pytest.mark.parametrize("effort", [effort for effort in Effort if effort is not Effort.MAX])
def test_a_budget_of_an_effort_amounts_to_it(effort: Effort) -> None:
    assert to_effort(Reasoning("on", None, BUDGETS[effort])) is effort


def test_efforts_grow() -> None:
    assert list(BUDGETS) == list(Effort)
    assert list(BUDGETS.values()) == sorted(BUDGETS.values())
