"""What is asked of reasoning, by the kind of model."""

from dataclasses import replace
from typing import Any

import pytest

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.gemini.thinking import build_thinking
from proxy.dialects.parts import Effort, Reasoning
from tests.helpers.gemini import GEMINI_3, GEMINI_25

PRO = replace(GEMINI_25, budget=(128, 32768), off=False)


@pytest.mark.parametrize(
    ("reasoning", "able", "config"),
    [
        (Reasoning("on", Effort.LOW), GEMINI_25, {"thinkingBudget": 1024}),
        (Reasoning("on", budget=5000), GEMINI_25, {"thinkingBudget": 5000}),
        (Reasoning("on", budget=50000), GEMINI_25, {"thinkingBudget": 24576}),
        (Reasoning("on", Effort.XHIGH), PRO, {"thinkingBudget": 32768}),
        (Reasoning("on", budget=1), PRO, {"thinkingBudget": 128}),
        (Reasoning("adaptive"), GEMINI_25, {"thinkingBudget": -1}),
        (Reasoning("on"), GEMINI_25, {"thinkingBudget": -1}),
        (Reasoning("adaptive", Effort.MEDIUM), GEMINI_25, {"thinkingBudget": 8192}),
        (Reasoning("off"), GEMINI_25, {"thinkingBudget": 0}),
        (Reasoning("off"), PRO, {"thinkingBudget": 128}),
        (Reasoning("on", Effort.NONE), GEMINI_25, {"thinkingBudget": 0}),
        (Reasoning("on", Effort.LOW), GEMINI_3, {"thinkingLevel": "LOW"}),
        (Reasoning("on", Effort.MEDIUM), GEMINI_3, {"thinkingLevel": "LOW"}),
        (Reasoning("on", Effort.MAX), GEMINI_3, {"thinkingLevel": "HIGH"}),
        (Reasoning("on", budget=20000), GEMINI_3, {"thinkingLevel": "HIGH"}),
        (Reasoning("off"), GEMINI_3, {"thinkingLevel": "LOW"}),
        (Reasoning("adaptive"), GEMINI_3, {}),
        (Reasoning("on"), GEMINI_3, {}),
    ],
)
def test_a_level_or_a_budget(reasoning: Reasoning, able: Capabilities, config: dict[str, Any]) -> None:
    off = reasoning.mode == "off" or reasoning.effort is Effort.NONE
    assert build_thinking(reasoning, able, shown=True) == {"includeThoughts": not off, **config}


@pytest.mark.parametrize(
    ("show", "shown", "included"), [(None, True, True), (None, False, False), (True, False, True), (False, True, False)]
)
def test_who_sees_thoughts(show: bool | None, shown: bool, included: bool) -> None:
    assert build_thinking(Reasoning("on", show=show), GEMINI_25, shown=shown)["includeThoughts"] is included


def test_a_model_that_cannot_think_is_not_asked() -> None:
    assert build_thinking(Reasoning("on"), Capabilities(thinking="none"), shown=True) == {}
