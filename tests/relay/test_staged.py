"""The sink that speaks a client's dialect: what its ends mean, and when the pump is told to hurry."""

import pytest

from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.reading import Reading
from proxy.dialects.translate import Seen, Stage
from proxy.relay.outcome import EndReason
from proxy.relay.staged import FAILURES, UNKNOWN, StagedSink
from tests.helpers.fakes import FakeSink, Step


class FakeStage:
    """Says what it is fed in brackets; b"finish" and b"fail" are what they say."""

    def __init__(self) -> None:
        self.seen = Seen()
        self.keepalive = b": k\n"
        self.complete = False
        self.ended = False
        self.progress = 0
        self.withhold = self.withheld = self.mismatch = False
        self.failed: Failure | None = None

    def feed(self, data: bytes) -> bytes:
        self.progress += data != b"half"
        self.seen.substance = self.progress
        self.complete = self.complete or data == b"finish"
        if data == b"fail":
            self.seen.failure, self.ended = Failure(FailureKind.SERVER, "x"), True
        return b"" if data == b"half" else b"<%b>" % data

    def end(self) -> bytes:
        return b"</>"

    def fail(self, failure: Failure) -> bytes:
        self.failed = failure
        if self.withhold:
            self.withheld = True
            return b"<.>"
        return b"" if self.ended else b"<!>"

    def settle(self) -> bytes:
        was, self.withheld = self.withheld, False
        return b"<!>" if was else b""

    def resume(self, reading: Reading, *, continues: bool) -> Stage:
        raise NotImplementedError


class Rig:
    """A StagedSink between fakes. `hurried`: how the pump was told to hurry."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.inner = FakeSink(self.steps)
        self.stage = FakeStage()
        self.reason: EndReason | None = None
        self.hurried: list[bool] = []
        self.sink = StagedSink(self.inner, self.stage, lambda: self.reason, self.hurried.append)


def test_what_the_stage_makes_of_it_is_written() -> None:
    rig = Rig()
    assert rig.sink.write(b"a")
    assert rig.sink.write(b"half")
    assert rig.steps == [("write", b"<a>")]
    assert (rig.sink.written, rig.sink.substance) == (1, 1)


def test_a_client_that_reads_slowly_is_reported() -> None:
    rig = Rig()
    rig.inner.full = True
    assert not rig.sink.write(b"a")
    assert rig.sink.write(b"half"), "nothing was written that could be too much"


def test_what_was_said_before_is_written_as_it_stands() -> None:
    rig = Rig()
    assert rig.sink.say(b"peeked")
    assert rig.sink.say(b"")
    assert rig.steps == [("write", b"peeked")]


@pytest.mark.parametrize(("word", "failed"), [(b"finish", False), (b"fail", True)])
def test_the_pump_is_told_to_hurry_once_and_after_the_client_was_told(word: bytes, failed: bool) -> None:
    rig = Rig()
    rig.sink.write(b"a")
    assert rig.hurried == []
    rig.sink.write(word)
    rig.sink.write(b"b")
    assert rig.hurried == [failed]


def test_an_end_that_was_said_before_the_first_write_hurries_too() -> None:
    rig = Rig()
    rig.stage.complete = True
    rig.sink.say(b"")
    assert rig.hurried == [False]


def test_the_keep_alive_is_the_stage_s_and_none_when_it_has_none() -> None:
    rig = Rig()
    assert rig.sink.keep_alive(b"the pump's")
    rig.stage.keepalive = b""
    assert rig.sink.keep_alive(b"the pump's")
    assert rig.steps == [("write", b": k\n")]


async def test_a_clean_end_is_what_the_stage_makes_of_it() -> None:
    rig = Rig()
    await rig.sink.finish()
    assert rig.steps == [("write", b"</>"), "finish"]
    assert rig.stage.failed is None


@pytest.mark.parametrize("reason", [*FAILURES, EndReason.ERROR, EndReason.KILLED, None])
async def test_any_other_end_is_said_in_band_and_the_answer_ends_in_good_order(reason: EndReason | None) -> None:
    rig = Rig()
    rig.reason = reason
    await rig.sink.abort()
    assert rig.steps == [("write", b"<!>"), "finish"]
    assert rig.stage.failed is (FAILURES.get(reason, UNKNOWN) if reason else UNKNOWN)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (EndReason.UPSTREAM_CUT, FailureKind.DISCONNECT),
        (EndReason.IDLE, FailureKind.TIMEOUT),
        (EndReason.DRAIN, FailureKind.OVERLOADED),
    ],
)
def test_what_an_end_is_called(reason: EndReason, kind: FailureKind) -> None:
    assert FAILURES[reason].kind is kind


async def test_nothing_is_said_after_the_stage_has_ended() -> None:
    rig = Rig()
    rig.sink.write(b"fail")
    await rig.sink.abort()
    assert rig.steps == [("write", b"<fail>"), "finish"]


async def test_the_rest_is_the_client_s_sink() -> None:
    rig = Rig()
    rig.inner.unsent = 7
    assert rig.sink.count_unsent() == 7
    rig.sink.flush()
    await rig.sink.drain()
    rig.sink.kill()
    assert rig.steps == ["flush", "drain", "kill"]


async def test_a_client_that_is_gone_at_the_end_is_told_of_as_ever() -> None:
    rig = Rig()
    rig.inner.lose()
    with pytest.raises(ConnectionResetError):
        await rig.sink.finish()


# A failure that is withheld.


async def test_a_failure_that_is_withheld_leaves_the_stream_open() -> None:
    rig = Rig()
    rig.stage.withhold = True
    rig.reason = EndReason.UPSTREAM_CUT
    await rig.sink.abort()
    assert rig.steps == [("write", b"<.>")], "what was said before the failure goes out"
    await rig.sink.settle()
    assert rig.steps[1:] == [("write", b"<!>"), "finish"]


async def test_it_is_said_at_once_when_nobody_withholds_it() -> None:
    rig = Rig()
    await rig.sink.abort()
    assert rig.steps == [("write", b"<!>"), "finish"]


async def test_a_client_that_is_gone_by_then_is_told_of() -> None:
    rig = Rig()
    rig.stage.withhold = True
    await rig.sink.abort()
    rig.inner.lose()
    with pytest.raises(ConnectionResetError):
        await rig.sink.settle()


async def test_what_is_written_and_what_is_of_substance_are_counted_apart() -> None:
    rig = Rig()
    for data in (b"a", b"half", b"b"):
        rig.sink.write(data)
    assert (rig.sink.written, rig.sink.substance) == (2, 2)
    rig.sink.keep_alive(b"")
    rig.sink.say(b"peeked")
    assert (rig.sink.written, rig.sink.substance) == (3, 2)


# A client that is gone, of an answer that is read on.


async def test_a_detached_sink_is_written_to_as_ever_and_nobody_hears_it() -> None:
    rig = Rig()
    rig.inner.lose()
    rig.sink.detach()
    assert rig.sink.write(b"a")
    assert rig.sink.keep_alive(b"")
    assert rig.sink.count_unsent() == 0
    rig.sink.flush()
    rig.sink.write(b"finish")
    await rig.sink.drain()
    await rig.sink.finish()
    await rig.sink.abort()
    rig.sink.kill()
    assert rig.steps == []
    assert rig.hurried == [False]
    assert rig.sink.substance == 2
