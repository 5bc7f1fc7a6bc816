"""What the demo has produced, request by request: the other side of somebody's books.

A `Bill` is what a whole answer costs, taken from its script before anything of it is sent; a `Product` is one request
with its bill, what became of it, and how far it came. A word counts as one token (see `script.py`), so the numbers
are exact. The last `KEPT` are told at `GET /produced`, as a JSON array in the order in which they ended.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

import msgspec

from proxy.demo.script import Ask, Script

KEPT: Final = 10_000
"""Requests: 3 MB. A test that counts thousands of them wants all."""


class End(Enum):
    """What became of an answer. LEFT: the peer was gone before the end. SHORT: it ended cleanly, and too early."""

    LEFT = "left"
    COMPLETE = "complete"
    REFUSED = "refused"
    FAILED = "failed"
    SHORT = "short"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Bill:
    """Tokens of a whole answer. told: the answer says so itself, at its end."""

    model: str
    stream: bool
    told: bool
    input: int
    cached: int
    output: int
    reasoning: int


@dataclass(frozen=True, slots=True)
class Product:
    """One request. number: counts from 1. route: who answered, "none" for nobody. events: how many were sent, in how
    many bytes of a body. bill: None where no model was asked."""

    number: int
    route: str
    status: int | None
    events: int
    bytes: int
    end: End
    bill: Bill | None


def build_bill(ask: Ask, script: Script) -> Bill:
    return Bill(
        ask.model,
        ask.stream,
        not ask.stream or ask.with_usage,
        script.input_tokens,
        script.cached_tokens,
        script.output_tokens,
        script.reasoning_tokens,
    )


def encode_products(products: Iterable[Product]) -> bytes:
    """A JSON array, one request per line."""
    return b"[" + b",\n".join(msgspec.json.encode(product) for product in products) + b"]\n"
