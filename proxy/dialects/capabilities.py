"""What a model can take, by its name: data that a configuration may override, never code.

The defaults stand in `capabilities.toml` beside this file, read by the configuration and passed in as values.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

from proxy.dialects.parts import Effort, Reasoning

BUDGETS = {
    Effort.NONE: 0, Effort.MINIMAL: 512, Effort.LOW: 1024, Effort.MEDIUM: 8192, Effort.HIGH: 24576,
    Effort.XHIGH: 32768, Effort.MAX: 65536,
}  # fmt: skip
"""Tokens of reasoning for an effort; low to high as Google's OpenAI endpoint has them
(ai.google.dev/gemini-api/docs/openai)."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """family: whose signatures and history rules hold: claude, gemini, gpt, or other.

    thinking: how reasoning is asked for: none, effort (a word), budget (tokens), adaptive (effort, or the model
    decides), level (Gemini 3). efforts: the words it takes. budget: least and most tokens. off: can be switched off.
    sampling: takes temperature, top_p and top_k. both: temperature and top_p together. output: most tokens of output,
    for dialects that want a number. context: tokens of prompt and answer together, 0 when not known. prefill: continues
    an assistant message. images: takes them. json_tools: takes a JSON output format beside tools. json_schema: takes a
    schema for its output. signed_calls: refuses tool calls of the current turn without a signature.
    """

    family: str = "other"
    thinking: Literal["none", "effort", "budget", "adaptive", "level"] = "effort"
    efforts: tuple[Effort, ...] = (Effort.LOW, Effort.MEDIUM, Effort.HIGH)
    budget: tuple[int, int] = (1024, 32768)
    off: bool = True
    sampling: bool = True
    both: bool = True
    output: int = 8192
    context: int = 0
    prefill: bool = True
    images: bool = True
    json_tools: bool = True
    json_schema: bool = True
    signed_calls: bool = False

    def clamp_effort(self, effort: Effort) -> Effort:
        """The nearest word that the model takes, the lower of two."""
        order = list(Effort)
        wanted = order.index(effort)
        return min(self.efforts, key=lambda known: (abs(order.index(known) - wanted), order.index(known)))

    def clamp_budget(self, tokens: int) -> int:
        low, high = self.budget
        return max(low, min(tokens, high))


Row = tuple[str, dict[str, object]]
"""A pattern, and what it says."""


def find_capabilities(model: str, rows: Sequence[Row]) -> Capabilities:
    """The defaults overridden by every row whose pattern (`claude-opus-4-*`, case ignored, a vendor's prefix up to the
    last slash too) matches: those that say less first, whole names last."""
    found = Capabilities()
    for values in _list_matching(model, rows):
        found = replace(found, **values)  # type: ignore[arg-type]
    return found


def declares(model: str, rows: Sequence[Row], flag: str) -> bool:
    """Whether a flag is set, and not by default only: somebody has said so of this model."""
    given = [values[flag] for values in _list_matching(model, rows) if flag in values]
    return bool(given) and given[-1] is True


def _list_matching(model: str, rows: Sequence[Row]) -> list[dict[str, object]]:
    name = model.lower()
    short = name.rpartition("/")[2]
    return [
        values
        for pattern, values in sorted(rows, key=_rank)
        if fnmatchcase(name, pattern.lower()) or fnmatchcase(short, pattern.lower())
    ]


def _rank(row: Row) -> tuple[bool, int]:
    literal = sum(sign not in "*?[]" for sign in row[0])
    return literal == len(row[0]), literal


def to_budget(reasoning: Reasoning) -> int | None:
    """Tokens asked for: the budget, or the effort's; None when the client left it open."""
    if reasoning.budget is not None:
        return reasoning.budget
    return None if reasoning.effort is None else BUDGETS[reasoning.effort]


def to_effort(reasoning: Reasoning) -> Effort | None:
    """The effort asked for, or the one that the budget amounts to; None when left open."""
    if reasoning.effort is not None or reasoning.budget is None:
        return reasoning.effort
    for limit, effort in ((0, Effort.NONE), (1023, Effort.MINIMAL), (4096, Effort.LOW), (16384, Effort.MEDIUM),
                          (28672, Effort.HIGH)):  # fmt: skip
        if reasoning.budget <= limit:
            return effort
    return Effort.XHIGH
