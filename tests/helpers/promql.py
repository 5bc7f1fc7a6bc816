"""As much of PromQL as the dashboard and the alerts speak, evaluated over scrapes: enough to see that a query finds its
metrics and labels, and what it makes of them.

`History` holds scrapes with their times; `History.ask(query, at)` gives the resulting vector, labels to value, or a
number. What is not understood raises SyntaxError, so no query passes unread. `rate` and `increase` go from the first to
the last sample of the window without Prometheus' extrapolation, a restart of the process counted in.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from tests.helpers.promql_values import Labels, Value, Vector, as_number, as_vector, combine, find_quantile, keep
from tests.helpers.scraped import Scrape

STALE: Final = 300.0
"""Seconds after which a sample says nothing of now, as in Prometheus."""

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.]))|(?P<window>\d+[smhd])|(?P<name>[A-Za-z_:][\w:]*)"
    r'|(?P<text>"(?:[^"\\]|\\.)*")|(?P<sign>=~|!~|!=|==|<=|>=|[-+*/<>=(){}\[\],]))'
)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LEVELS: Final = (("or",), ("and", "unless"), ("==", "!=", "<=", ">=", "<", ">"), ("+", "-"), ("*", "/"))
_AGGREGATES: Final[Mapping[str, Callable[[list[float]], float]]] = {
    "sum": sum, "max": max, "min": min, "count": len,
}  # fmt: skip
_MATCH: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "=~": lambda value, pattern: re.fullmatch(pattern, value) is not None,
    "!~": lambda value, pattern: re.fullmatch(pattern, value) is None,
}


@dataclass
class History:
    """selected: the names of metrics that were asked for."""

    scrapes: list[tuple[float, Scrape]] = field(default_factory=list)
    selected: set[str] = field(default_factory=set)

    def add(self, at: float, scrape: Scrape) -> None:
        self.scrapes.append((at, scrape))

    def ask(self, query: str, at: float | None = None) -> Value:
        """At the last scrape unless said otherwise."""
        return _Query(self, query, self.scrapes[-1][0] if at is None else at).run()

    def select(self, name: str, matchers: list[tuple[str, str, str]], since: float, at: float) -> "Samples":
        """What was seen in the time, by series."""
        self.selected.add(name)
        found: Samples = {}
        for time, scrape in self.scrapes:
            if since <= time <= at:
                for sample in scrape.samples:
                    if sample.name == name and all(
                        _MATCH[sign](sample.labels.get(label, ""), value) for label, sign, value in matchers
                    ):
                        found.setdefault(frozenset(sample.labels.items()), []).append((time, sample.value))
        return found


Samples = dict[Labels, list[tuple[float, float]]]


class _Query:
    """One query: recursive descent that evaluates as it reads."""

    def __init__(self, history: History, text: str, at: float) -> None:
        self._history = history
        self._at = at
        self._tokens = list(_tokenise(text))

    def run(self) -> Value:
        value = self._read_binary(0)
        if self._tokens:
            raise SyntaxError(f"unread: {self._tokens}")
        return value

    def _read_binary(self, level: int) -> Value:
        if level == len(_LEVELS):
            return self._read_one()
        left = self._read_binary(level + 1)
        while self._peek() in _LEVELS[level]:
            sign = self._take()
            on = self._read_names() if self._peek() == "on" and self._take() else None
            left = combine(sign, left, self._read_binary(level + 1), on)
        return left

    def _read_one(self) -> Value:
        token = self._take()
        if token == "(":
            value = self._read_binary(0)
            self._expect(")")
            return value
        if token == "-":
            return combine("*", -1.0, self._read_one(), None)
        if token[0].isdigit():
            return float(token)
        if token in _AGGREGATES:
            return self._read_aggregate(_AGGREGATES[token])
        if self._peek() == "(":
            return self._read_call(token)
        samples = self._read_selector(token, STALE)
        return {labels: seen[-1][1] for labels, seen in samples.items()}

    def _read_aggregate(self, fold: Callable[[list[float]], float]) -> Vector:
        by = self._read_names() if self._peek() == "by" and self._take() else frozenset()
        (vector,) = self._read_arguments()
        groups: dict[Labels, list[float]] = {}
        for labels, value in as_vector(vector).items():
            groups.setdefault(keep(labels, by), []).append(value)
        return {labels: float(fold(values)) for labels, values in groups.items()}

    def _read_call(self, name: str) -> Value:
        if name in ("rate", "increase"):
            return self._read_change(per_second=name == "rate")
        if name == "label_replace":
            return self._read_replace()
        arguments = self._read_arguments()
        if name == "vector":
            return {frozenset(): as_number(arguments[0])}
        if name == "absent":
            return {} if arguments[0] else {frozenset(): 1.0}
        if name == "histogram_quantile":
            return find_quantile(as_number(arguments[0]), as_vector(arguments[1]))
        raise SyntaxError(f"unknown function {name}")

    def _read_change(self, *, per_second: bool) -> Vector:
        self._expect("(")
        samples = self._read_selector(self._take(), None)
        self._expect(")")
        return {
            labels: _sum_rises(seen) / (seen[-1][0] - seen[0][0] if per_second else 1.0)
            for labels, seen in samples.items()
            if len(seen) > 1
        }

    def _read_replace(self) -> Vector:
        self._expect("(")
        vector, texts = as_vector(self._read_binary(0)), []
        while self._take() == ",":
            texts.append(self._read_text())
        target, form, source, pattern = texts
        found = {}
        for labels, value in vector.items():
            match = re.fullmatch(pattern, dict(labels).get(source, ""))
            new = match.expand(re.sub(r"\$(\d)", r"\\\1", form)) if match else None
            found[labels if new is None else frozenset({**dict(labels), target: new}.items())] = value
        return found

    def _read_selector(self, name: str, within: float | None) -> Samples:
        matchers = []
        if self._peek() == "{":
            self._take()
            while self._peek() != "}":
                matchers.append((self._take(), self._take(), self._read_text()))
                if self._peek() == ",":
                    self._take()
            self._take()
        if within is None:
            self._expect("[")
            window = self._take()
            within = float(window[:-1]) * _UNITS[window[-1]]
            self._expect("]")
        return self._history.select(name, matchers, self._at - within, self._at)

    def _read_arguments(self) -> list[Value]:
        self._expect("(")
        found = [self._read_binary(0)]
        while self._peek() == ",":
            self._take()
            found.append(self._read_binary(0))
        self._expect(")")
        return found

    def _read_names(self) -> frozenset[str]:
        self._expect("(")
        names = set()
        while self._peek() != ")":
            names.add(self._take())
            if self._peek() == ",":
                self._take()
        self._take()
        return frozenset(names)

    def _read_text(self) -> str:
        return self._take()[1:-1].replace('\\"', '"').replace("\\\\", "\\")

    def _peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _take(self) -> str:
        if not self._tokens:
            raise SyntaxError("it ends too early")
        return self._tokens.pop(0)

    def _expect(self, token: str) -> None:
        if (found := self._take()) != token:
            raise SyntaxError(f"{found} where {token} was expected")


def _tokenise(text: str) -> Iterable[str]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise SyntaxError(text[at:])
        yield match[0].strip()
        at = match.end()


def _sum_rises(seen: list[tuple[float, float]]) -> float:
    pairs = pairwise(value for _, value in seen)
    return sum(later - earlier if later >= earlier else later for earlier, later in pairs)
