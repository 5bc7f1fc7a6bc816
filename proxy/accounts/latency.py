"""How long each model of each provider takes to say its first word, as far as the last answers show.

`Latencies.note` takes one measured time, `p95` gives what all but one in twenty stay below, or None while too few are
known to say. Only answers that came are noted: who never answered has no time. Bounded in both directions: samples
per key, and keys.
"""

from collections import deque
from typing import Final

from proxy.types import ProviderName

Key = tuple[ProviderName, str]
"""Provider and model."""

FEWEST: Final = 20
"""Samples: with fewer, the 95th of a hundred would be the slowest one seen."""

LAST: Final = 200
"""Samples kept for a key: ten above the 95th percentile, and old ones are soon forgotten when a provider changes."""

MOST_KEYS: Final = 1000
"""Model names can be a caller's own: the one that was noted longest ago goes first. 200 floats each, 8 MB in all."""


class Latencies:
    __slots__ = ("_samples",)

    def __init__(self) -> None:
        self._samples: dict[Key, deque[float]] = {}

    def note(self, key: Key, seconds: float) -> None:
        samples = self._samples.pop(key, None)
        if samples is None:
            samples = deque(maxlen=LAST)
            if len(self._samples) >= MOST_KEYS:
                del self._samples[next(iter(self._samples))]
        samples.append(seconds)
        self._samples[key] = samples

    def p95(self, key: Key) -> float | None:
        """Nearest rank: a time that was really measured."""
        samples = self._samples.get(key)
        if samples is None or len(samples) < FEWEST:
            return None
        return sorted(samples)[-(-len(samples) * 95 // 100) - 1]
