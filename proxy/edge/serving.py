"""One question, asked of its route's targets until one answers, and that answer given to the client.

Until an answer has substance everything that fails leads to the next attempt, and the last failure becomes a status; a
client that has waited long is kept alive meanwhile, and then the failure is said in-band. A whole answer is collected
first, so it never breaks off.
"""

import asyncio
from typing import Final

from aiohttp import web

from proxy.dialects.chat import Declined
from proxy.edge.answers import Refusal
from proxy.edge.attempts import Attempts, Begun, Done
from proxy.edge.client_stream import ClientStream
from proxy.edge.downstream import Downstream, Fields, WholeAnswer
from proxy.edge.failures import close_record, map_error
from proxy.edge.flow import Flow, note_seen
from proxy.edge.model_fields import (
    build_fields,
    build_overhead_field,
    build_retry_fields,
    build_stream_fields,
    build_tried_fields,
)
from proxy.edge.model_routes import Ask
from proxy.edge.question import Question
from proxy.edge.routing import build_hedging, build_rotation
from proxy.edge.scope import Scope
from proxy.edge.waiting import Waiting
from proxy.errors import PenstockError, UpstreamFault
from proxy.relay.clocks import Ticker
from proxy.relay.failover import Exhausted, Failover
from proxy.relay.outcome import EndReason, Phase
from proxy.relay.staged import FAILURES

_RETRY: Final = frozenset({b"retry-after", b"retry-after-ms", b"x-should-retry"})

_FROM_OUTSIDE: Final = frozenset({EndReason.DRAIN, EndReason.KILLED})


class Serving:
    """Run it once."""

    def __init__(self, request: web.BaseRequest, scope: Scope, question: Question, ticker: Ticker) -> None:
        self._request = request
        self._scope = scope
        self._question = question
        self._ticker = ticker
        self._rotation = build_rotation(scope, question, ticker)
        self._rescues = question.found.plan.rescue != "off"
        self._attempts = Attempts(scope, question, ticker, track=self._rescues)
        self._waiting = self._hold() if question.stream and question.route.ask is Ask.CHAT else None

    async def run(self) -> web.StreamResponse:
        """Raises Declined, Invalid or UpstreamFault while a failure can be a status."""
        waiting, record = self._waiting, self._scope.record
        try:
            return await self._serve()
        except asyncio.CancelledError:
            # Ended from outside: a client that waits is told. One that has left cannot be.
            if record.end not in _FROM_OUTSIDE:
                raise
            failure = FAILURES[record.end]
            if waiting is not None and waiting.began:
                return await waiting.fail(failure)
            if record.first_byte is not None:
                raise
            raise Declined(failure) from None
        except PenstockError as error:
            if waiting is None or not waiting.began:
                return self._refuse(error)
            fault = error.error if isinstance(error, Exhausted) else error
            failure = map_error(error)
            close_record(record, failure, fault.code if isinstance(fault, UpstreamFault) else None)
            return await waiting.fail(failure)
        except ConnectionError:
            record.close(EndReason.CLIENT_GONE)  # it left just before something was written
            raise
        finally:
            if waiting is not None:
                waiting.close()
                record.heartbeats += waiting.beats

    async def _serve(self) -> web.StreamResponse:
        scope, record = self._scope, self._scope.record
        record.phase = Phase.QUEUED
        hedging = build_hedging(scope, self._question, self._ticker)
        failover = Failover(self._rotation, self._attempts.ask, self._attempts.drop, self._ticker, hedging)
        won = await failover.run()
        record.provider, record.account = won.answerer.provider.name, won.go.lease.account
        won.attempt.outcome = "won"
        record.error = ""
        return self._answer_whole(won) if isinstance(won, Done) else await self._answer_stream(won)

    def _answer_whole(self, won: Done) -> WholeAnswer:
        record, whole = self._scope.record, won.whole
        tokens = None
        if whole.seen is not None:
            note_seen(record, won.attempt, whole.seen, whole=True)
            tokens = whole.seen.usage.count()
        won.go.lease.close(self._ticker.wall(), tokens)
        record.bytes_down, record.phase = whole.received, Phase.ENDED
        fields = [*whole.fields, *self._build_answer_fields(won)]
        return WholeAnswer(whole.status, fields, whole.body)

    async def _answer_stream(self, won: Begun) -> web.StreamResponse:
        scope, record, question = self._scope, self._scope.record, self._question
        now = self._ticker.now()
        record.model, record.ttft = won.stage.seen.model, now - record.started
        scope.house.shared.latencies.note((won.answerer.provider.name, won.answerer.goal.model), won.attempt.seconds)
        fields = [*build_stream_fields(question), *self._build_answer_fields(won)]
        try:
            response, stream = await self._take(fields)
        except BaseException:
            self._attempts.drop(won)
            raise
        record.status, record.phase = 200, Phase.STREAMING
        flow = Flow(scope, question, stream, self._rotation, self._attempts, self._ticker)
        if not self._rescues:  # a stream lives for minutes, and a request with its images can be large
            self._attempts.forget()
            question.forget()
            scope.forget_fields()
        await flow.run(won)
        return response

    def _build_answer_fields(self, won: Begun | Done) -> Fields:
        overhead = build_overhead_field(self._scope.record, won.attempt, self._ticker.now())
        return [*build_fields(self._scope, self._question, won.answerer), overhead]

    async def _take(self, fields: Fields) -> tuple[Downstream, ClientStream]:
        if self._waiting is None:
            raise LookupError("only a stream has a client that waits")
        response, stream = await self._waiting.take(fields)
        if self._scope.record.first_byte is None:
            self._scope.record.first_byte = self._ticker.now() - self._scope.record.started
        return response, stream

    def _hold(self) -> Waiting:
        scope, limits = self._scope, self._scope.house.limits
        record = scope.record

        def open_head() -> Fields:
            record.status, record.first_byte = 200, self._ticker.now() - record.started
            return [*build_stream_fields(self._question), *build_fields(scope, self._question)]

        return Waiting(
            self._request, self._question, open_head, self._ticker, limits.hold_status, limits.heartbeat, record.started
        )

    def _refuse(self, error: PenstockError) -> web.StreamResponse:
        """The answer that says why there is none. Raises what others put into a form."""
        if not isinstance(error, Exhausted):
            raise error
        last, failure = error.error, error.failure
        if isinstance(last, UpstreamFault):
            raise last
        if not isinstance(last, Refusal) or last.passed is None:
            self._scope.record.error = ""
            raise Declined(failure)
        passed, record = last.passed, self._scope.record
        record.error = failure.kind.value
        record.status, record.phase = passed.status, Phase.ENDED
        record.close(EndReason.ERROR if passed.status >= 429 else EndReason.REFUSED)
        fields = passed.fields
        if error.retry_after is not None:
            fields = [pair for pair in fields if pair[0].lower() not in _RETRY]
            fields += build_retry_fields(failure)
        fields = [*fields, *build_tried_fields(record), *build_fields(self._scope, self._question)]
        return WholeAnswer(passed.status, fields, passed.body)
