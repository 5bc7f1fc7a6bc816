"""Which streams have a read timed."""

from collections.abc import Callable

from proxy.edge.streams import Streams
from proxy.ops.metrics.delay import MOST, ChunkDelay
from tests.helpers.edge import build_house, build_scope

HOUSE = build_house()


def fill(streams: Streams, count: int) -> list[Callable[[float], None]]:
    """So many streams, and who was asked to time its next read."""
    asked: list[Callable[[float], None]] = []
    for _ in range(count):
        scope = build_scope(HOUSE)
        scope.time_next = asked.append
        streams.enter(scope)
    return asked


def test_each_of_a_few_streams_is_timed() -> None:
    streams, delays = Streams(), list[float]()
    asked = fill(streams, 3)
    streams.enter(build_scope(HOUSE))  # it does not flow yet
    ChunkDelay(streams, delays.append).sample()
    for note in asked:
        note(0.5)
    assert delays == [0.5, 0.5, 0.5]


def test_of_many_streams_some_are_timed() -> None:
    streams = Streams()
    asked = fill(streams, 10 * MOST)
    ChunkDelay(streams, list[float]().append).sample()
    assert len(asked) == MOST


def test_with_no_stream_there_is_nothing_to_time() -> None:
    ChunkDelay(Streams(), list[float]().append).sample()
