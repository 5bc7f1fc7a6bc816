"""Vectors of labels and values, and what a PromQL query does with them: joins, comparisons, arithmetic, quantiles."""

import math
import operator
from collections.abc import Mapping
from typing import Final

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
Value = Vector | float

_COMPARE: Final = {"==": operator.eq, "!=": operator.ne, "<=": operator.le, ">=": operator.ge, "<": operator.lt,
                   ">": operator.gt}  # fmt: skip


def divide(left: float, right: float) -> float:
    return left / right if right else math.nan


_COUNT: Final = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": divide}


def combine(sign: str, left: Value, right: Value, on: frozenset[str] | None) -> Value:
    if sign in ("or", "and", "unless"):
        return _join(sign, as_vector(left), as_vector(right), on)
    if isinstance(left, float) and isinstance(right, float):
        return float(_COUNT[sign](left, right))
    if isinstance(left, float):
        return _filter(sign, {labels: (left, value) for labels, value in as_vector(right).items()}, keep=1)
    if isinstance(right, float):
        return _filter(sign, {labels: (value, right) for labels, value in left.items()}, keep=0)
    others = {_match(labels, on): value for labels, value in right.items()}
    pairs = {labels: (value, others[key]) for labels, value in left.items() if (key := _match(labels, on)) in others}
    return _filter(sign, pairs, keep=0)


def _join(sign: str, left: Vector, right: Vector, on: frozenset[str] | None) -> Vector:
    here, there = {_match(labels, on) for labels in left}, {_match(labels, on) for labels in right}
    if sign == "or":
        return left | {labels: value for labels, value in right.items() if _match(labels, on) not in here}
    return {labels: value for labels, value in left.items() if (_match(labels, on) in there) is (sign == "and")}


def _filter(sign: str, pairs: Mapping[Labels, tuple[float, float]], *, keep: int) -> Vector:
    """Arithmetic, or those for which the comparison holds."""
    if sign in _COUNT:
        return {labels: _COUNT[sign](*pair) for labels, pair in pairs.items()}
    return {labels: pair[keep] for labels, pair in pairs.items() if _COMPARE[sign](*pair)}


def _match(labels: Labels, on: frozenset[str] | None) -> Labels:
    return labels if on is None else keep(labels, on)


def keep(labels: Labels, names: frozenset[str]) -> Labels:
    return frozenset(pair for pair in labels if pair[0] in names)


def as_vector(value: Value) -> Vector:
    if isinstance(value, float):
        raise SyntaxError("a number where a vector was expected")
    return value


def as_number(value: Value) -> float:
    if not isinstance(value, float):
        raise SyntaxError("a vector where a number was expected")
    return value


def find_quantile(share: float, buckets: Vector) -> Vector:
    """Linear within the bucket, as Prometheus does it; NaN where nothing was observed."""
    series: dict[Labels, list[tuple[float, float]]] = {}
    for labels, value in buckets.items():
        bound = float(dict(labels)["le"])
        series.setdefault(frozenset(pair for pair in labels if pair[0] != "le"), []).append((bound, value))
    return {labels: _find_quantile(share, sorted(rows)) for labels, rows in series.items()}


def _find_quantile(share: float, rows: list[tuple[float, float]]) -> float:
    total = rows[-1][1]
    if not total:
        return math.nan
    rank = share * total
    index = next(index for index, (_, count) in enumerate(rows) if count >= rank)
    if rows[index][0] == math.inf:
        return rows[-2][0]
    low, under = rows[index - 1] if index else (0.0, 0.0)
    high, count = rows[index]
    return low + (high - low) * divide(rank - under, count - under)
