"""What tokens cost: a table of prices by `provider/model`, `*` in either for any text.

An exact name goes before a pattern and a longer pattern before a shorter one. `find_cost` gives an amount in the
currency of the table, or None where neither the table nor the provider tells. A cost that the provider itself has told
goes before any price: it knows its discounts.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from proxy.dialects.events import Usage
from proxy.wire.patterns import compile_pattern

_MILLION: Final = 1e6

_MOST_NAMES: Final = 1024
"""Names that are remembered with their price; where any name leads to a provider, callers invent them."""


class Price(Struct, frozen=True, kw_only=True):
    """For a million tokens. None: cached_input and cache_write as input, reasoning as output."""

    input: float
    output: float
    cached_input: float | None = None
    cache_write: float | None = None
    reasoning: float | None = None


class PriceTable:
    def __init__(self, prices: Mapping[str, Price] | None = None) -> None:
        prices = prices or {}
        self._exact = {name: price for name, price in prices.items() if "*" not in name}
        patterns = sorted((name for name in prices if "*" in name), key=len, reverse=True)
        self._patterns = [(compile_pattern(name), prices[name]) for name in patterns]
        self._found: dict[str, Price | None] = {}

    def find_price(self, provider: str, model: str) -> Price | None:
        name = f"{provider}/{model}"
        if name in self._exact or not self._patterns:
            return self._exact.get(name)
        if name not in self._found:
            if len(self._found) >= _MOST_NAMES:
                self._found.clear()
            self._found[name] = next((price for known, price in self._patterns if known.fullmatch(name)), None)
        return self._found[name]

    def find_cost(self, provider: str, model: str, usage: Usage) -> float | None:
        """What `usage` cost at `provider`, whose name for the model is `model`."""
        if usage.cost is not None:
            return usage.cost
        price = self.find_price(provider, model)
        return None if price is None or usage.count() is None else _count_cost(price, usage)


def _count_cost(price: Price, usage: Usage) -> float:
    """Each token once: those read from a cache and written to it are part of the input, reasoning of the output."""
    prompt, answer = usage.input or 0, usage.output or 0
    read = min(usage.cache_read or 0, prompt)
    written = min(usage.cache_write or 0, prompt - read)
    thought = min(usage.reasoning or 0, answer)
    rows = (
        (prompt - read - written, price.input),
        (read, _choose(price.cached_input, price.input)),
        (written, _choose(price.cache_write, price.input)),
        (answer - thought, price.output),
        (thought, _choose(price.reasoning, price.output)),
    )
    return sum(count * rate for count, rate in rows) / _MILLION


def _choose(own: float | None, otherwise: float) -> float:
    return otherwise if own is None else own
