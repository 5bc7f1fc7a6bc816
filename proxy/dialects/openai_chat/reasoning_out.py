"""How the servers of the family are asked to reason: one form each, by the name that a `Quirk` gives it.

A form takes what the client asked and what the model can do, and returns members of the request; none when the server
has no switch for it. Efforts are clamped to the model's words, budgets become efforts and back.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from proxy.dialects.capabilities import Capabilities, to_budget, to_effort
from proxy.dialects.parts import Effort, Json, Reasoning

Form = Callable[[Reasoning, Capabilities], dict[str, Json]]


def find_effort(reasoning: Reasoning, capabilities: Capabilities) -> str | None:
    """The word for `reasoning_effort`; None to leave it to the model. Who cannot be switched off thinks least."""
    if reasoning.mode == "off":
        return capabilities.clamp_effort(Effort.NONE).value
    effort = to_effort(reasoning)
    if effort is None:
        return None
    return capabilities.clamp_effort(max(effort, Effort.MINIMAL, key=list(Effort).index)).value


def build_effort(reasoning: Reasoning, capabilities: Capabilities) -> dict[str, Json]:
    """OpenAI and most of the others."""
    word = find_effort(reasoning, capabilities)
    return {} if word is None else {"reasoning_effort": word}


def build_switch(reasoning: Reasoning, capabilities: Capabilities) -> dict[str, Json]:
    """DeepSeek and Moonshot: on or off."""
    if reasoning.mode == "adaptive":
        return {}
    off = reasoning.mode == "off" and capabilities.off
    return {"thinking": {"type": "disabled" if off else "enabled"}}


def _build_qwen(reasoning: Reasoning, capabilities: Capabilities) -> dict[str, Json]:
    if reasoning.mode == "off":
        return {"enable_thinking": False} if capabilities.off else {}
    budget = to_budget(reasoning)
    found: dict[str, Json] = {"enable_thinking": True}
    return found if budget is None else {**found, "thinking_budget": capabilities.clamp_budget(budget)}


def _build_template(reasoning: Reasoning, capabilities: Capabilities) -> dict[str, Json]:
    """vLLM: a switch for templates that have one, the effort for models that know it (gpt-oss)."""
    if reasoning.mode == "off":
        return {"chat_template_kwargs": {"enable_thinking": False}} if capabilities.off else {}
    return {"chat_template_kwargs": {"enable_thinking": True}, **build_effort(reasoning, capabilities)}


def _build_none(reasoning: Reasoning, capabilities: Capabilities) -> dict[str, Json]:
    return {}


FORMS: Final[Mapping[str, Form]] = MappingProxyType({
    "effort": build_effort,
    "switch": build_switch,
    "qwen": _build_qwen,
    "template": _build_template,
    "none": _build_none,
})  # fmt: skip
