"""Who looks on: watchers that come and go at a client's stream, and a tape at an upstream's."""

from collections.abc import Callable

import pytest

from proxy.errors import Code, UpstreamFault
from proxy.relay.outcome import EndReason
from proxy.relay.watching import TapedSource, Watchers
from tests.helpers.fakes import FakeSource, Step
from tests.helpers.tapes import FakeTake


class FakeStream:
    watch: Callable[[bytes], None] | None = None

    def write(self, data: bytes) -> None:
        if self.watch is not None:
            self.watch(data)


class FakeWatcher:
    def __init__(self) -> None:
        self.told = b""
        self.end: EndReason | None = None

    def sent(self, data: bytes) -> None:
        assert self.end is None
        self.told += data

    def ended(self, reason: EndReason) -> None:
        self.end = reason


def test_each_is_told_while_it_is_there() -> None:
    stream, watchers, first, second = FakeStream(), Watchers(), FakeWatcher(), FakeWatcher()
    watchers.attach(stream)
    stream.write(b"a")
    watchers.add(first)
    stream.write(b"b")
    watchers.add(second)
    stream.write(b"c")
    watchers.remove(first)
    watchers.remove(first)
    stream.write(b"d")
    assert (first.told, second.told) == (b"bc", b"cd")
    assert len(watchers) == 1
    watchers.close(EndReason.DONE)
    stream.write(b"e")
    assert (first.end, second.end, second.told) == (None, EndReason.DONE, b"cd")


def test_one_that_waits_for_the_stream_is_told_from_its_first_byte() -> None:
    stream, watchers, watcher = FakeStream(), Watchers(), FakeWatcher()
    watchers.add(watcher)
    watchers.attach(stream)
    stream.write(b"a")
    assert watcher.told == b"a"


def test_a_stream_that_nobody_looks_at_tells_nobody() -> None:
    stream, watchers, watcher = FakeStream(), Watchers(), FakeWatcher()
    watchers.attach(stream)
    assert stream.watch is None
    watchers.add(watcher)
    watchers.remove(watcher)
    assert stream.watch is None


def test_one_may_leave_while_it_is_told() -> None:
    class Leaving(FakeWatcher):
        def sent(self, data: bytes) -> None:
            super().sent(data)
            watchers.remove(self)

    stream, watchers, leaving, staying = FakeStream(), Watchers(), Leaving(), FakeWatcher()
    watchers.attach(stream)
    watchers.add(leaving)
    watchers.add(staying)
    stream.write(b"a")
    stream.write(b"b")
    assert (leaving.told, staying.told) == (b"a", b"ab")


class FakeReceiver:
    def __init__(self, take: FakeTake) -> None:
        self._take = take
        self.told: list[object] = []

    def feed(self, data: bytes) -> None:
        assert self._take.steps[-1] == data  # the take is told first
        self.told.append(data)

    def end(self) -> None:
        self.told.append(None)

    def fail(self, fault: UpstreamFault) -> None:
        self.told.append(fault)


CUT = UpstreamFault(Code.PROTOCOL)


@pytest.mark.parametrize("end", ["end", "fail", "abort"])
def test_a_taped_source_tells_its_take_and_its_receiver(end: str) -> None:
    steps: list[Step] = []
    source, take = FakeSource(steps, held=[b"a"]), FakeTake()
    taped, receiver = TapedSource(source, take), FakeReceiver(take)
    taped.start(receiver)
    source.feed(b"b")
    taped.pause()
    taped.resume()
    match end:
        case "end":
            source.end()
            expected: tuple[object, list[object]] = (None, [b"a", b"b", None])
        case "fail":
            source.fail(CUT)
            expected = (CUT, [b"a", b"b", CUT])
        case _:
            taped.abort()
            expected = ("aborted", [b"a", b"b"])
    taped.abort()  # what holds a source closes it, whatever has ended it
    assert take.steps == [b"a", b"b", expected[0]]
    assert receiver.told == expected[1]
    assert steps == ["start", "pause", "resume", "abort"]


def test_what_comes_after_the_end_was_recorded_still_reaches_the_receiver() -> None:
    source, take = FakeSource([], held=[b"a"]), FakeTake()
    taped, receiver = TapedSource(source, take), FakeReceiver(take)
    taped.start(receiver)
    taped.abort()
    source.end()
    assert take.steps == [b"a", "aborted"]
    assert receiver.told == [b"a", None]
