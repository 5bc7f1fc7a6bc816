"""Where the name of a model leads: an entry of `[models]` with this name, the longest pattern that fits, or
`provider/model`.

Built once from a `Config`, asked for every request: a dictionary first, then patterns from long to short (those of one
length in the order of the file). `*` in a pattern stands for any text, and nothing else in it has a meaning. What an
entry leaves open is filled in from `[limits]` at once, so that nobody behind it asks twice.
"""

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final, TypeVar

from proxy.config.model import Config, Limits, Model, Override
from proxy.config.syntax import MAX_MODEL

MOST_NEAR: Final = 3
"""Names that are offered for one that is not known."""

ASKED: Final = "*"
"""Stands in a target for the name that was asked for."""

_NOTHING: Final = Override()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Goal:
    """provider: the name of one that is configured. model: what it calls the model.

    tier: goals of one tier share the requests by weight. first_byte, ttft, progress: seconds, 0.0 is off.
    """

    provider: str
    model: str
    tier: int
    weight: int
    first_byte: float
    ttft: float
    progress: float
    drop_params: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """How far one request goes. deadline: seconds until the answer begins, 0.0 is off. hedge_after: seconds; None when
    requests are not hedged, or when hedge_p95 says that the target's own times decide."""

    attempts: int
    deadline: float
    rescue: str
    hedge_after: float | None
    hedge_p95: bool
    hedge_budget: float
    on_disconnect: str
    drain_for: float


@dataclass(frozen=True, slots=True)
class Found:
    """goals: at least one, the lowest tier first, those of one tier in the order of the configuration. entry: the name
    or pattern in `[models]` that led there, or `provider/*`: budgets are kept by it."""

    goals: tuple[Goal, ...]
    plan: Plan
    entry: str

    def name(self, asked: str) -> "Found":
        """The goals that keep the name that was asked for, with this name."""
        if all(goal.model != ASKED for goal in self.goals):
            return self
        goals = (replace(goal, model=asked) if goal.model == ASKED else goal for goal in self.goals)
        return replace(self, goals=tuple(goals))


class ModelTable:
    """`names`: those that can be asked for as they stand, in the order of the configuration."""

    def __init__(self, config: Config) -> None:
        limits = config.limits
        entries = {name: _resolve(name, model, limits) for name, model in config.models.items()}
        self._exact = {name: found for name, found in entries.items() if "*" not in name}
        patterns = sorted((name for name in entries if "*" in name), key=len, reverse=True)
        self._patterns = [(_compile(name), entries[name]) for name in patterns]
        bare = [name for name, provider in config.providers.items() if provider.dialect != "raw"]
        self._providers = {name: _resolve(f"{name}/*", Model(targets=(f"{name}/*",)), limits) for name in bare}
        self._known = list(entries)
        self.names = tuple(self._exact)

    def find(self, asked: str) -> Found | None:
        """Who answers for the model `asked`; None when nobody does."""
        if len(asked) > MAX_MODEL:
            return None
        found = self._exact.get(asked) or self._find_pattern(asked)
        if found is not None:
            return found.name(asked)
        provider, _, model = asked.partition("/")
        found = self._providers.get(provider)
        return found.name(model) if found and model else None

    def suggest(self, asked: str) -> list[str]:
        """The nearest of what could have been asked for, patterns among them; [] when nothing is near."""
        asked = asked[:MAX_MODEL]
        provider, slash, model = asked.partition("/")
        near = get_close_matches(asked, self._known, MOST_NEAR)
        if slash and model:
            near += [f"{name}/{model}" for name in get_close_matches(provider, self._providers, MOST_NEAR)]
        return near[:MOST_NEAR]

    def _find_pattern(self, asked: str) -> Found | None:
        return next((found for pattern, found in self._patterns if pattern.fullmatch(asked)), None)


def _compile(name: str) -> re.Pattern[str]:
    first, *middle, last = map(re.escape, name.split("*"))
    # The first place where a part fits is as good as any, and atomic groups look for no other (as fnmatch has them).
    return re.compile(first + "".join(f"(?>.*?{part})" for part in middle) + ".*" + last, re.DOTALL)


def _resolve(entry: str, model: Model, limits: Limits) -> Found:
    """An entry with every limit that it leaves open, names that were asked for still to be put in."""
    goals = [_aim(place, target, model, limits) for place, target in enumerate(model.targets, 1)]
    hedge = model.hedge_after
    plan = Plan(
        attempts=_first(model.attempts, limits.attempts),
        deadline=_first(model.deadline, limits.deadline),
        rescue=model.rescue,
        hedge_after=hedge if isinstance(hedge, float) and hedge else None,
        hedge_p95=hedge == "p95",
        hedge_budget=model.hedge_budget,
        on_disconnect=model.on_disconnect,
        drain_for=model.drain_for,
    )
    return Found(tuple(sorted(goals, key=lambda goal: goal.tier)), plan, entry)


def _aim(place: int, target: str, model: Model, limits: Limits) -> Goal:
    """place: of the target in the list, from 1."""
    override = model.overrides.get(target, _NOTHING)
    provider, _, name = target.partition("/")
    return Goal(
        provider,
        name,
        tier=_first(override.tier, place),
        weight=override.weight,
        first_byte=_first(override.first_byte, model.first_byte, limits.first_byte),
        ttft=_first(override.ttft, model.ttft, limits.ttft),
        progress=_first(override.progress, model.progress, limits.progress),
        drop_params=frozenset(_first(override.drop_params, model.drop_params)),
    )


def _first(*choices: T | None) -> T:
    """The first that was given; the last always is."""
    return next(choice for choice in choices if choice is not None)
