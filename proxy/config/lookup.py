"""Where the name of a model leads: an entry of `[models]` with this name, the longest pattern that fits, or
`provider/model`.

Built once from a `Config`, asked for every request: a dictionary first, then patterns from long to short (those of one
length in the order of the file). `*` in a pattern stands for any text, and nothing else in it has a meaning.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from proxy.config.model import Config, Model
from proxy.config.syntax import MAX_MODEL

MOST_NEAR: Final = 3
"""Names that are offered for one that is not known."""


@dataclass(frozen=True, slots=True)
class Goal:
    """provider: the name of one that is configured. model: what it calls the model."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class Found:
    """goals: at least one, in the order in which they are to be tried."""

    goals: tuple[Goal, ...]
    drop_params: frozenset[str] = frozenset()


class ModelTable:
    """`names`: those that can be asked for as they stand, in the order of the configuration."""

    def __init__(self, config: Config) -> None:
        self._exact = {name: entry for name, entry in config.models.items() if "*" not in name}
        patterns = [(name, entry) for name, entry in config.models.items() if "*" in name]
        patterns.sort(key=lambda row: len(row[0]), reverse=True)
        self._patterns = [(_compile(name), entry) for name, entry in patterns]
        self._providers = [name for name, provider in config.providers.items() if provider.dialect != "raw"]
        self._known = list(config.models)
        self.names = tuple(self._exact)

    def find(self, asked: str) -> Found | None:
        """Who answers for the model `asked`; None when nobody does."""
        if len(asked) > MAX_MODEL:
            return None
        entry = self._exact.get(asked) or self._find_pattern(asked)
        if entry is not None:
            return Found(tuple(_aim(target, asked) for target in entry.targets), frozenset(entry.drop_params))
        provider, _, model = asked.partition("/")
        return Found((Goal(provider, model),)) if model and provider in self._providers else None

    def suggest(self, asked: str) -> list[str]:
        """The nearest of what could have been asked for, patterns among them; [] when nothing is near."""
        asked = asked[:MAX_MODEL]
        provider, slash, model = asked.partition("/")
        near = get_close_matches(asked, self._known, MOST_NEAR)
        if slash and model:
            near += [f"{name}/{model}" for name in get_close_matches(provider, self._providers, MOST_NEAR)]
        return near[:MOST_NEAR]

    def _find_pattern(self, asked: str) -> Model | None:
        return next((entry for pattern, entry in self._patterns if pattern.fullmatch(asked)), None)


def _compile(name: str) -> re.Pattern[str]:
    first, *middle, last = map(re.escape, name.split("*"))
    # The first place where a part fits is as good as any, and atomic groups look for no other (as fnmatch has them).
    return re.compile(first + "".join(f"(?>.*?{part})" for part in middle) + ".*" + last, re.DOTALL)


def _aim(target: str, asked: str) -> Goal:
    provider, _, model = target.partition("/")
    return Goal(provider, asked if model == "*" else model)
