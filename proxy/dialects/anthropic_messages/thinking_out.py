"""How much the model is to think, and what that leaves of the other settings.

Takes the hub's `Reasoning` and the target's capabilities, returns members of an Anthropic request. Older models think
within a budget that `max_tokens` includes, newer ones as they see fit under an effort; thinking forbids temperature and
top_k and wants a top_p of 0.95 at least (docs.anthropic.com/en/docs/build-with-claude/extended-thinking).
"""

from typing import Any, Final

from proxy.dialects.anthropic_messages.native import DIALECT
from proxy.dialects.capabilities import Capabilities, to_budget, to_effort
from proxy.dialects.chat import Target
from proxy.dialects.fitting import Fitting
from proxy.dialects.parts import Effort, Reasoning, Request

_LEAST_BUDGET: Final = 1024
_ANSWER: Final = 1024  # tokens left for the answer behind the thoughts, at least
_USUAL_BUDGET: Final = 8192
_LEAST_TOP_P: Final = 0.95  # with thinking


class Thinking:
    """thinking, effort: members of the request, None to leave them out. max_tokens: the limit that goes with them."""

    def __init__(self, request: Request, target: Target, fitting: Fitting, *, unsigned: bool) -> None:
        """unsigned: the conversation stands within a tool loop that began without thinking."""
        self._capabilities = target.capabilities
        self._native = request.dialect == DIALECT
        self.thinking: dict[str, Any] | None = None
        self.effort: str | None = None
        self.max_tokens = _fit_limit(request.max_tokens, target.capabilities)
        reasoning = request.reasoning
        if reasoning is None:
            return
        mode = target.capabilities.thinking
        if mode == "none":
            if reasoning.mode != "off":
                fitting.drop("reasoning")
        elif reasoning.mode == "off" or to_effort(reasoning) is Effort.NONE:
            self._switch_off(fitting)
        elif mode == "adaptive":
            self._adapt(reasoning)
        elif unsigned or (request.max_tokens is not None and request.max_tokens <= _ANSWER):
            fitting.drop("reasoning")
            self._switch_off(fitting)
        else:
            self._spend(reasoning, request.max_tokens is None)

    @property
    def on(self) -> bool:
        return self.thinking is not None and self.thinking["type"] != "disabled"

    def _switch_off(self, fitting: Fitting) -> None:
        if self._capabilities.off:
            self.thinking = {"type": "disabled"}
        else:
            fitting.drop("reasoning")

    def _adapt(self, reasoning: Reasoning) -> None:
        self.thinking = {"type": "adaptive"}
        # Newer models show nothing unless asked, and clients of other dialects cannot ask.
        self._show(True if reasoning.show is None and not self._native else reasoning.show)
        effort = to_effort(reasoning)
        if effort is not None:
            self.effort = self._capabilities.clamp_effort(effort).value

    def _spend(self, reasoning: Reasoning, open_end: bool) -> None:
        wanted = to_budget(reasoning)
        budget = self._capabilities.clamp_budget(_USUAL_BUDGET if wanted is None else wanted)
        if open_end or self._capabilities.family != "other":
            budget = min(budget, self._capabilities.output - _ANSWER)
        budget = max(_LEAST_BUDGET, budget)
        if self.max_tokens <= budget:
            self.max_tokens = budget + _ANSWER
        self.thinking = {"type": "enabled", "budget_tokens": budget}
        self._show(reasoning.show)
        if self._native and reasoning.effort is not None:
            self.effort = reasoning.effort.value

    def _show(self, show: bool | None) -> None:
        if self.thinking is not None and show is not None and self._capabilities.family == "claude":
            self.thinking["display"] = "summarized" if show else "omitted"


def build_sampling(request: Request, target: Target, fitting: Fitting, *, thinking: bool) -> dict[str, Any]:
    """temperature, top_p and top_k, as far as the model takes them together."""
    capabilities = target.capabilities
    built: dict[str, Any] = {}
    if request.temperature is not None:
        if capabilities.sampling and not thinking:
            built["temperature"] = min(max(request.temperature, 0), 1)
        else:
            fitting.drop("temperature")
    if request.top_p is not None:
        alone = capabilities.both or "temperature" not in built
        if capabilities.sampling and alone and (not thinking or request.top_p >= _LEAST_TOP_P):
            built["top_p"] = request.top_p
        else:
            fitting.drop("top_p")
    if request.top_k is not None:
        if capabilities.sampling and not thinking:
            built["top_k"] = request.top_k
        else:
            fitting.drop("top_k")
    return built


def _fit_limit(asked: int | None, capabilities: Capabilities) -> int:
    """Above its cap a known model refuses; of an unknown one the cap is only a guess for who gave no limit."""
    if asked is None:
        return capabilities.output
    return asked if capabilities.family == "other" else min(asked, capabilities.output)
