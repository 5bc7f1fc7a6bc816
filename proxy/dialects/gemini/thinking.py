"""What is asked of reasoning, as `thinkingConfig`: a level for Gemini 3, a budget for everything else that thinks.

Never both: Google refuses that. (ai.google.dev/gemini-api/docs/thinking)
"""

from typing import Final

from proxy.dialects.capabilities import Capabilities, to_budget, to_effort
from proxy.dialects.parts import Effort, Json, Reasoning

DYNAMIC: Final = -1
"""A budget that the model chooses itself."""


def build_thinking(reasoning: Reasoning, able: Capabilities, shown: bool) -> dict[str, Json]:
    """`shown`: whether a client that did not say wants to see thoughts. {} for a model that cannot think."""
    if able.thinking == "none":
        return {}
    off = is_off(reasoning)
    show = reasoning.show if reasoning.show is not None else shown
    config: dict[str, Json] = {"includeThoughts": show and not off}
    if able.thinking == "level":
        effort = Effort.MINIMAL if off else to_effort(reasoning)
        if effort is not None and able.efforts:
            # Gemini 3 cannot be told not to think: the least it knows is what comes next.
            config["thinkingLevel"] = able.clamp_effort(effort).name
        return config
    config["thinkingBudget"] = find_budget(reasoning, able)
    return config


def find_budget(reasoning: Reasoning, able: Capabilities) -> int:
    """Tokens, 0 for none, DYNAMIC where the client left it open."""
    if is_off(reasoning):
        return 0 if able.off else able.budget[0]
    tokens = to_budget(reasoning)
    return DYNAMIC if tokens is None else able.clamp_budget(tokens)


def is_off(reasoning: Reasoning) -> bool:
    return reasoning.mode == "off" or to_budget(reasoning) == 0
