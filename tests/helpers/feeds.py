"""Ways to cut a byte stream, for whatever reads one piece by piece: it must not matter where the cuts are."""

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st

fuzz = settings(max_examples=150, deadline=None, database=None)
"""Enough to find a wrong branch in a parser of this size, in well under a second."""

CutBytes = tuple[bytes, list[bytes]]
"""A stream, and the same in pieces."""


def every_cut(data: bytes) -> Iterator[list[bytes]]:
    """Whole, byte by byte, with empty pieces between, and in two at every place."""
    yield [data]
    yield one_by_one(data)
    yield [piece for byte in one_by_one(data) for piece in (byte, b"")]
    for at in range(1, len(data)):
        yield [data[:at], data[at:]]


def one_by_one(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


@st.composite
def cut_anywhere(draw: st.DrawFn, streams: st.SearchStrategy[bytes]) -> CutBytes:
    """A drawn stream with drawn cuts."""
    data = draw(streams)
    places = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    edges = [0, *places, len(data)]
    return data, [data[start:end] for start, end in pairwise(edges)]
