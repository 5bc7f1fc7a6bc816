"""A stream on a model route, from its first substance to its end: pump after pump, until one answer ends well or nobody
can go on with it.

When an answer breaks off and the route allows it, the same question is put to somebody else, and what the client has
already is taken out of the second answer (`Stage.resume`). Meanwhile the client is kept alive. What cannot be rescued
is said in-band, and the stream is closed in good order.
"""

import asyncio
from typing import Final

from proxy.accounts.policy import Step
from proxy.accounts.rotation import Go, Rotation
from proxy.accounts.trouble import How, Trouble
from proxy.dialects.capabilities import declares
from proxy.dialects.chat import Invalid
from proxy.dialects.events import FailureKind
from proxy.dialects.rescue import can_rescue
from proxy.dialects.translate import Seen, Stage
from proxy.edge.answers import open_reading
from proxy.edge.asking import aim_to_continue
from proxy.edge.attempts import Attempts, Begun, Done
from proxy.edge.client_stream import ClientStream
from proxy.edge.question import Question
from proxy.edge.scope import Look, Scope
from proxy.edge.waiting import Keeper
from proxy.errors import PenstockError
from proxy.relay.clocks import Ticker
from proxy.relay.failover import AttemptFailed, Failover, Unfit
from proxy.relay.outcome import Attempt, EndReason, Phase, Record
from proxy.relay.ports import Answer
from proxy.relay.pump import Clocks, Pump
from proxy.relay.staged import FAILURES, StagedSink
from proxy.usage.meter import Told

_PROVIDER_ENDS: Final = frozenset({EndReason.DONE, EndReason.UPSTREAM_CUT, EndReason.IDLE})
"""How a provider ends an answer of which it has said already that it failed."""

_SILENT: Final = frozenset({EndReason.IDLE, EndReason.PROGRESS})
_RESCUED: Final = frozenset({EndReason.DONE, EndReason.UPSTREAM_CUT, *_SILENT})


class Flow:
    """One client's stream. `run` once; the lease of whoever answers is closed by then."""

    def __init__(
        self,
        scope: Scope,
        question: Question,
        stream: ClientStream,
        rotation: Rotation,
        attempts: Attempts,
        ticker: Ticker,
    ) -> None:
        self._scope = scope
        self._question = question
        self._plan = question.found.plan
        self._stream = stream
        self._rotation = rotation
        self._attempts = attempts
        self._ticker = ticker

    async def run(self, begun: Begun) -> None:
        while True:
            stage = begun.stage
            stage.withhold = self._plan.rescue != "off"
            try:
                sink, pump = await self._pump(begun)
                trouble = self._judge(begun, stage, pump)
            finally:
                self._scope.stop = self._scope.look = self._scope.time_next = None
                begun.peek.abort()
                begun.go.lease.close(self._ticker.wall(), stage.seen.usage.count())
            following = await self._rescue(stage) if self._may_rescue(stage, pump, trouble) else None
            if following is None:
                _note_end(self._scope.record, pump, stage)
                if stage.withheld:
                    await self._settle(sink)
                return
            begun.attempt.outcome, following.attempt.outcome = "rescued", "won"
            begun = following

    async def _pump(self, begun: Begun) -> tuple[StagedSink, Pump]:
        """Pump one answer; when the client leaves, read on for its cost if the route wants it."""
        scope, stage, limits = self._scope, begun.stage, self._scope.house.limits
        record, drains = scope.record, self._plan.on_disconnect == "drain"
        sink = StagedSink(self._stream, stage, lambda: pump.ended, lambda failed: pump.hurry(failed=failed))
        clocks = Clocks(limits.idle, limits.write_stall, limits.heartbeat, progress=begun.answerer.goal.progress)
        pump = Pump(begun.peek, sink, None, clocks, self._ticker, gauges=sink, lingers=drains)
        bytes_before, events_before, peeked = record.bytes_down, record.events, begun.peek.received
        scope.stop, scope.time_next = pump.interrupt, pump.time_next
        scope.look = lambda: Look(
            bytes_before + peeked + pump.received,
            events_before + stage.seen.events,
            sink.substance,
            *pump.measure(),
        )
        try:
            sink.say(begun.peek.out)
            begun.peek.out = b""
            await pump.run()
            if pump.left:
                await self._leave(pump, sink, stage, EndReason.CLIENT_GONE)
        except asyncio.CancelledError:
            if record.end is None and (stage.complete or (drains and pump.ended is None)):
                # A client may leave once it has what it wants.
                await self._leave(pump, sink, stage, EndReason.DONE if stage.complete else EndReason.CLIENT_GONE)
            raise
        finally:
            record.bytes_down += peeked + pump.received
            record.heartbeats += pump.heartbeats
            note_seen(record, begun.attempt, stage.seen)
        return sink, pump

    async def _leave(self, pump: Pump, sink: StagedSink, stage: Stage, end: EndReason) -> None:
        """The client is gone, with what it wanted or without; what its answer costs may be said behind all the rest."""
        record = self._scope.record
        record.close(end)
        record.phase = Phase.ENDED if end is EndReason.DONE else record.phase
        sink.detach()
        if self._plan.on_disconnect == "drain" and pump.ended is None:
            self._scope.stop = None
            await pump.linger(self._plan.drain_for)
        if stage.complete:
            stage.end()  # a decoder may hold finish and usage until the end mark

    def _judge(self, begun: Begun, stage: Stage, pump: Pump) -> Trouble | None:
        """What went wrong at the provider, None when nothing did."""
        failure = stage.seen.failure
        if failure is None or pump.ended not in _RESCUED:
            return None
        silent = pump.ended in _SILENT and failure is FAILURES[pump.ended]  # not one that had said why it failed
        how = How.SILENT if silent else How.ANSWER
        if failure.kind is FailureKind.DISCONNECT:
            how = How.CUT
        begun.attempt.error = failure.kind.value
        trouble = Trouble(how, begun.answerer.provider.clean(failure), committed=True)
        step = self._rotation.note(begun.go, trouble, self._ticker.wall()).step
        begun.attempt.outcome = "failed"
        return None if step is Step.GIVE_UP else trouble

    def _may_rescue(self, stage: Stage, pump: Pump, trouble: Trouble | None) -> bool:
        delivered = stage.seen.delivered
        if trouble is None or not stage.withheld or delivered is None or not delivered.plain or pump.left:
            return False
        try:
            return can_rescue(self._question.read())
        except Invalid:
            return False

    async def _rescue(self, stage: Stage) -> Begun | None:
        """Somebody who goes on with the answer, None when nobody can."""
        scope, ticker, record, plan = self._scope, self._ticker, self._scope.record, self._plan
        keeper = Keeper(self._stream, lambda: stage.keepalive, scope.house.limits.heartbeat, ticker)
        if plan.deadline:
            self._rotation.extend(ticker.wall() + plan.deadline)
        rescue = _Rescue(scope, self._question, self._rotation, self._attempts, stage)
        try:
            found = await Failover(self._rotation, rescue.ask, self._attempts.drop, ticker).run()
        except PenstockError:
            return None
        except asyncio.CancelledError:
            if record.end in FAILURES:  # ended from outside: the client is told, and the task goes on to do it
                return None
            raise
        finally:
            keeper.close()
            record.heartbeats += keeper.beats
        record.rescues += 1
        record.error, record.phase = "", Phase.STREAMING
        record.model = found.stage.seen.model if isinstance(found, Begun) else record.model
        return found if isinstance(found, Begun) else None

    async def _settle(self, sink: StagedSink) -> None:
        try:
            await sink.settle()
        except ConnectionError:
            self._scope.record.close(EndReason.CLIENT_GONE)


class _Rescue:
    """What a rescue asks: to go on where the answer ended, of those who can, or for all of it once more."""

    def __init__(self, scope: Scope, question: Question, rotation: Rotation, attempts: Attempts, broken: Stage) -> None:
        self._scope = scope
        self._question = question
        self._rotation = rotation
        self._attempts = attempts
        self._broken = broken
        self._opened: Stage | None = None

    async def ask(self, go: Go) -> Begun | Done:
        """As Attempts.ask."""
        goal, delivered = self._question.found.goals[go.candidate], self._broken.seen.delivered
        continues = declares(goal.model, self._scope.house.rows, "prefill")
        if self._question.found.plan.rescue == "continue" and continues and delivered is not None:
            try:
                return await self._continue(go, delivered.text)
            except Invalid:
                pass
            except AttemptFailed as failed:
                if failed.trouble.failure.kind is not FailureKind.INVALID:
                    raise
                failed.attempt.outcome = Step.AGAIN.value  # it does not go on after all: all of it once more
        return await self._restart(go)

    async def _continue(self, go: Go, text: str) -> Begun | Done:
        asking = aim_to_continue(self._scope, self._question, self._question.found.goals[go.candidate], text)
        return await self._attempts.put(
            asking, go, lambda answer: self._broken.resume(open_reading(asking, answer), continues=True)
        )

    async def _restart(self, go: Go) -> Begun | Done:
        asking = self._attempts.aim(go)

        def open_stage(answer: Answer) -> Stage:
            self._opened = self._broken.resume(open_reading(asking, answer), continues=False)
            return self._opened

        try:
            return await self._attempts.put(asking, go, open_stage)
        except AttemptFailed as failed:
            if self._opened is None or not self._opened.mismatch:
                raise
            self._rotation.stop()  # a second answer that differs is nobody's fault, and a third would differ too
            failed.attempt.outcome = "mismatch"
            raise Unfit(failed.error) from None


def _note_end(record: Record, pump: Pump, stage: Stage) -> None:
    """What ended the pump, in the light of what was said: a finish makes any end a good one."""
    failure = stage.seen.failure
    if pump.fault is not None:
        record.detail = pump.fault.detail
    record.phase = Phase.ENDED if stage.complete else record.phase
    if pump.ended is None:
        return
    if failure is not None and failure is not FAILURES.get(pump.ended) and pump.ended in _PROVIDER_ENDS:
        record.close(EndReason.UPSTREAM_CUT if failure.kind is FailureKind.DISCONNECT else EndReason.ERROR)
    elif stage.complete and pump.ended is EndReason.UPSTREAM_CUT:
        record.close(EndReason.LATE_CUT)
    elif stage.complete and pump.ended in _SILENT:
        record.close(EndReason.DONE)  # only the provider's connection was still open
    else:
        record.close(pump.ended)


def note_seen(record: Record, attempt: Attempt, seen: Seen, *, whole: bool = False) -> None:
    """What the answer of `attempt` has told; a rescued request has several. whole: it is no stream, and all there."""
    attempt.told = Told(seen.usage, seen.size, seen.counted, whole or seen.finish is not None)
    record.finish = seen.finish.reason.value if seen.finish is not None else ""
    record.model = seen.model
    record.usage = seen.usage
    record.events += seen.events
    record.malformed += seen.malformed
    if seen.failure is not None:
        record.error = seen.failure.kind.value
