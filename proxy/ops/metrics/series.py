"""Where finished requests are counted: series by the values of their labels, in plain dictionaries.

The official client's own counters check and lock on every call, which makes thirty microseconds per record; here is one
thread, and it is eight. What they are told is collected in the official client's form, which writes the page.
"""

from bisect import bisect_left
from collections.abc import Sequence

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.utils import floatToGoString

Values = tuple[str, ...]
"""Of a family's labels, in their order."""


class Counts:
    """A family of counters. name: without `_total`. says: what it counts."""

    __slots__ = ("_labels", "_name", "_rows", "_says")

    def __init__(self, name: str, says: str, *labels: str) -> None:
        self._name = name
        self._says = says
        self._labels = labels
        self._rows: dict[Values, float] = {}
        if not labels:
            self.add((), 0)

    def add(self, values: Values, amount: float) -> None:
        """With an amount of 0 the series is there from now on."""
        self._rows[values] = self._rows.get(values, 0.0) + amount

    def collect(self) -> Metric:
        family = CounterMetricFamily(self._name, self._says, labels=self._labels)
        for values, amount in self._rows.items():
            family.add_metric(values, amount)
        return family


class Spread:
    """A family of histograms. bounds: the upper ends of its buckets, rising; one for all above them is added."""

    __slots__ = ("_bounds", "_labels", "_name", "_rows", "_says")

    def __init__(self, name: str, says: str, bounds: Sequence[float], *labels: str) -> None:
        self._name = name
        self._says = says
        self._bounds = tuple(bounds)
        self._labels = labels
        self._rows: dict[Values, list[float]] = {} if labels else {(): self._build_row()}

    def note(self, values: Values, amount: float) -> None:
        """One observation; an amount on a bound is within it."""
        row = self._rows.get(values)
        if row is None:
            row = self._rows[values] = self._build_row()
        row[bisect_left(self._bounds, amount)] += 1
        row[-1] += amount

    def collect(self) -> Metric:
        family = HistogramMetricFamily(self._name, self._says, labels=self._labels)
        names = [*map(floatToGoString, self._bounds), "+Inf"]
        for values, row in self._rows.items():
            so_far, buckets = 0.0, []
            for name, count in zip(names, row, strict=False):
                so_far += count
                buckets.append((name, so_far))
            family.add_metric(values, buckets, row[-1])
        return family

    def _build_row(self) -> list[float]:
        """The buckets, each by itself, and the sum."""
        return [0.0] * (len(self._bounds) + 2)
