"""One attempt at answering a question, up to the point where its answer is sure to begin.

`Attempts.ask` is what `relay/failover.py` loops over. It gives a Begun (a stream that has shown substance) or a Done
(a whole answer); whatever else comes of it is raised: Unfit before anything was asked, AttemptFailed after. An attempt
that ends without an answer, also by cancellation, has closed its connection.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from proxy.accounts.rotation import Go
from proxy.accounts.trouble import How, Trouble
from proxy.dialects.chat import Declined, Invalid
from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.json_text import make_unicode
from proxy.dialects.translate import Stage
from proxy.edge.answers import Whole, build_other, build_whole_answer, is_compressed, open_stage, read_refusal
from proxy.edge.asking import Answerer, Asking, aim
from proxy.edge.faults import read_fault
from proxy.edge.model_routes import Ask
from proxy.edge.question import Question
from proxy.edge.scope import Scope
from proxy.errors import PenstockError, UpstreamFault
from proxy.relay.attempt import open_attempt
from proxy.relay.clocks import Ticker
from proxy.relay.failover import AttemptFailed, Unfit
from proxy.relay.outcome import Attempt, Phase
from proxy.relay.peek import Peek
from proxy.relay.ports import Answer, UpstreamRequest
from proxy.relay.whole_upload import WholeUpload

_NO_BODY: Final = Failure(FailureKind.BAD_GATEWAY, "the provider's answer has no body", 502)
_COMPRESSED: Final = Failure(FailureKind.BAD_GATEWAY, "the provider compressed its answer unasked", 502)


OpenStage = Callable[[Answer], Stage]


@dataclass(slots=True, eq=False)
class Begun:
    """A stream whose first substance is in `peek.out`. go: whose it is; its lease is to be closed."""

    answerer: Answerer
    go: Go
    attempt: Attempt
    peek: Peek
    stage: Stage


@dataclass(slots=True, eq=False)
class Done:
    """A whole answer."""

    answerer: Answerer
    go: Go
    attempt: Attempt
    whole: Whole


class Attempts:
    """track: streams remember what was delivered, for a rescue."""

    def __init__(self, scope: Scope, question: Question, ticker: Ticker, *, track: bool = False) -> None:
        self._scope = scope
        self._question = question
        self._ticker = ticker
        self._track = track
        self._askings: dict[int, Asking] = {}

    async def ask(self, go: Go) -> Begun | Done:
        """Raises Unfit and AttemptFailed."""
        asking = self.aim(go)
        return await self.put(asking, go, lambda answer: open_stage(asking, answer, track=self._track))

    async def put(self, asking: Asking, go: Go, open_reader: OpenStage) -> Begun | Done:
        """Ask the provider of `asking`; its stream is read by the stage that `open_reader` gives."""
        scope, ticker, goal = self._scope, self._ticker, asking.goal
        opener = asking.provider.openers[go.lease.index]
        attempt = scope.record.begin(asking.provider.name, opener.account, ticker.now(), make_unicode(goal.model))
        scope.record.phase = Phase.WAITING
        upload = WholeUpload(asking.turn.outgoing.body)
        request = UpstreamRequest("POST", asking.target, asking.headers, upload, repeatable=True)
        begun = ticker.now()
        within = min(goal.first_byte or goal.ttft, goal.ttft or goal.first_byte) if asking.stream else goal.first_byte
        try:
            answer = await open_attempt(opener, request, within, ticker, attempt, scope.tape)
            go.lease.learn(answer.headers, ticker.wall())
            scope.record.phase = Phase.HELD
            won = await self._read(asking, go, attempt, answer, open_reader, begun)
        except UpstreamFault as fault:
            attempt.error = fault.code.slug
            scope.record.phase = Phase.QUEUED
            raise AttemptFailed(read_fault(fault), fault, attempt) from None
        except AttemptFailed:
            scope.record.phase = Phase.QUEUED
            raise
        except BaseException:
            attempt.outcome = "lost"
            raise
        finally:
            attempt.seconds = ticker.now() - begun
        go.lease.succeed(ticker.wall())
        return won

    def drop(self, answer: Begun | Done) -> None:
        """Nobody wants this answer any more."""
        if isinstance(answer, Begun):
            answer.peek.abort()
        answer.attempt.outcome = "lost"
        answer.go.lease.close(self._ticker.wall())

    def forget(self) -> None:
        """Nobody will be asked again."""
        self._askings.clear()

    def aim(self, go: Go) -> Asking:
        """Raises Unfit."""
        asking = self._askings.get(go.candidate)
        if asking is None:
            try:
                asking = aim(self._scope, self._question, self._question.found.goals[go.candidate])
            except Invalid as invalid:
                raise Unfit(invalid) from None
            self._askings[go.candidate] = asking
        return asking

    async def _read(
        self, asking: Asking, go: Go, attempt: Attempt, answer: Answer, open_reader: OpenStage, begun: float
    ) -> Begun | Done:
        try:
            won = await self._choose(asking, go, attempt, answer, open_reader, begun)
        except BaseException:
            if answer.source is not None:
                answer.source.abort()
            raise
        return won

    async def _choose(
        self, asking: Asking, go: Go, attempt: Attempt, answer: Answer, open_reader: OpenStage, begun: float
    ) -> Begun | Done:
        ticker, idle = self._ticker, self._scope.house.limits.idle
        if not 200 <= answer.status <= 299:
            refusal = await read_refusal(asking, answer, ticker, idle)
            raise fail(refusal.failure, refusal, attempt)
        if is_compressed(answer):
            raise fail(_COMPRESSED, Declined(_COMPRESSED), attempt)
        if asking.route.ask is Ask.CHAT and asking.stream:
            return await self._peek(asking, go, attempt, answer, open_reader, begun)
        build = build_whole_answer if asking.route.ask is Ask.CHAT else build_other
        try:
            return Done(asking.answerer, go, attempt, await build(asking, answer, ticker, idle))
        except Declined as declined:
            failure = asking.provider.clean(declined.failure)
            raise fail(failure, Declined(failure), attempt) from None

    async def _peek(
        self, asking: Asking, go: Go, attempt: Attempt, answer: Answer, open_reader: OpenStage, begun: float
    ) -> Begun:
        ticker, ttft = self._ticker, asking.goal.ttft
        if answer.source is None:
            raise fail(_NO_BODY, Declined(_NO_BODY), attempt)
        stage = open_reader(answer)
        peek = Peek(answer.source, stage, ticker.loop)
        left = max(ttft - (ticker.now() - begun), 0.001) if ttft else 0.0
        failure = await peek.wait(ticker, self._scope.house.limits.idle, left)
        if failure is not None:
            failure = asking.provider.clean(failure)
            raise fail(failure, Declined(failure), attempt)
        return Begun(asking.answerer, go, attempt, peek, stage)


def fail(failure: Failure, error: PenstockError, attempt: Attempt) -> AttemptFailed:
    """What a provider said, as a trouble."""
    attempt.error = failure.kind.value
    how = How.CUT if failure.kind is FailureKind.DISCONNECT else How.ANSWER
    return AttemptFailed(Trouble(how, failure), error, attempt)
