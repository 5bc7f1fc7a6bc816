"""How reasoning is asked for, in each form."""

from typing import Any, get_args, get_type_hints

import pytest

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.openai_chat.quirks import Quirk
from proxy.dialects.openai_chat.reasoning_out import FORMS
from proxy.dialects.parts import Effort, Reasoning

WORDS = Capabilities(efforts=tuple(Effort))
STUCK = Capabilities(off=False)
OFF, ADAPTIVE, HIGH = Reasoning("off"), Reasoning("adaptive"), Reasoning("on", Effort.HIGH)
BUDGET, ON = Reasoning("on", None, 5000), Reasoning("on")


@pytest.mark.parametrize(
    ("form", "reasoning", "capabilities", "wanted"),
    [
        ("effort", OFF, WORDS, {"reasoning_effort": "none"}),
        ("effort", OFF, Capabilities(), {"reasoning_effort": "low"}),
        ("effort", HIGH, WORDS, {"reasoning_effort": "high"}),
        ("effort", Reasoning("on", Effort.MAX), Capabilities(), {"reasoning_effort": "high"}),
        ("effort", BUDGET, WORDS, {"reasoning_effort": "medium"}),
        ("effort", Reasoning("on", None, 0), WORDS, {"reasoning_effort": "minimal"}),
        ("effort", ON, WORDS, {}),
        ("effort", ADAPTIVE, WORDS, {}),
        ("switch", OFF, WORDS, {"thinking": {"type": "disabled"}}),
        ("switch", OFF, STUCK, {"thinking": {"type": "enabled"}}),
        ("switch", HIGH, WORDS, {"thinking": {"type": "enabled"}}),
        ("switch", ADAPTIVE, WORDS, {}),
        ("qwen", OFF, WORDS, {"enable_thinking": False}),
        ("qwen", OFF, STUCK, {}),
        ("qwen", BUDGET, WORDS, {"enable_thinking": True, "thinking_budget": 5000}),
        ("qwen", HIGH, WORDS, {"enable_thinking": True, "thinking_budget": 24576}),
        ("qwen", ON, WORDS, {"enable_thinking": True}),
        ("template", OFF, WORDS, {"chat_template_kwargs": {"enable_thinking": False}}),
        ("template", OFF, STUCK, {}),
        ("template", HIGH, WORDS, {"chat_template_kwargs": {"enable_thinking": True}, "reasoning_effort": "high"}),
        ("none", HIGH, WORDS, {}),
    ],
)
def test_what_is_sent(form: str, reasoning: Reasoning, capabilities: Capabilities, wanted: dict[str, Any]) -> None:
    assert FORMS[form](reasoning, capabilities) == wanted


def test_every_form_that_a_row_may_name_is_there() -> None:
    assert set(get_args(get_type_hints(Quirk)["thinking"])) == FORMS.keys()
