"""A provider's answer on a model route, given to the client: an error, something else, a whole answer, a stream."""

from typing import Final

from aiohttp import web

from proxy.dialects.chat import CountingProvider, Declined
from proxy.dialects.events import Failure, FailureKind, Start
from proxy.dialects.json_text import decode_json
from proxy.dialects.registry import END_MARKS
from proxy.dialects.translate import Passage, Reading, Seen, Stage, Translation, build_whole
from proxy.edge.asking import Asking
from proxy.edge.client_stream import open_stream
from proxy.edge.downstream import Downstream, WholeAnswer
from proxy.edge.model_fields import build_fields, build_pass_fields, build_stream_fields
from proxy.edge.scope import Scope
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import EndReason, Phase, Record
from proxy.relay.peek import Peek, collect
from proxy.relay.ports import Answer
from proxy.relay.pump import Clocks, Pump
from proxy.relay.staged import FAILURES, StagedSink

HEARTBEAT: Final = 10.0
"""Seconds of silence after which a stream's client is kept waiting: proxies and load balancers between drop a silent
connection after 20 at the earliest."""

LARGEST_ERROR: Final = 1024 * 1024
"""Bytes of a provider's error that are read: more than any has ever said."""

_PROVIDER_ENDS: Final = frozenset({EndReason.DONE, EndReason.UPSTREAM_CUT, EndReason.IDLE})
"""How a provider ends an answer of which it has said already that it failed."""

_JSON: Final = (b"Content-Type", b"application/json")


async def answer_error(scope: Scope, asking: Asking, answer: Answer, ticker: Ticker) -> web.StreamResponse:
    """The provider's error: as it came where the client speaks its dialect, else in the client's. Raises Declined."""
    body = await collect(answer.source, ticker, scope.house.limits.idle, LARGEST_ERROR)
    readable = not is_compressed(answer)
    failure = asking.side.parse_error(answer.status, answer.headers, body if readable else b"")
    record = scope.record
    record.error = failure.kind.value
    # A refusal of our key is none of the client's business.
    if not (asking.same and readable) or failure.kind is FailureKind.UPSTREAM_AUTH:
        raise Declined(failure)
    record.status, record.phase = answer.status, Phase.ENDED
    record.close(EndReason.ERROR if answer.status >= 429 else EndReason.REFUSED)
    return _build_passed(scope, asking, answer, body)


async def answer_other(scope: Scope, asking: Asking, answer: Answer, ticker: Ticker) -> web.StreamResponse:
    """A count of tokens, or embeddings. Raises Declined."""
    body = await collect(answer.source, ticker, scope.house.limits.idle)
    if asking.same:
        return _note_whole(scope, asking, answer, body)
    count = asking.side.parse_count(body) if isinstance(asking.side, CountingProvider) else None
    if count is None:
        raise Declined(Failure(FailureKind.BAD_GATEWAY, "the provider's answer is no count of tokens", 502))
    scope.record.phase = Phase.ENDED
    return WholeAnswer(200, [_JSON, *build_fields(scope, asking)], asking.client.build_count(count))


async def answer_whole(scope: Scope, asking: Asking, answer: Answer, ticker: Ticker) -> web.StreamResponse:
    """One JSON document. Raises Declined for an answer that failed, however it was said."""
    body = await collect(answer.source, ticker, scope.house.limits.idle)
    reading = Reading(asking.side, asking.turn, streamed=_is_event_stream(answer), max_event=max(len(body), 1))
    events = reading.feed(body)
    events += reading.end()
    seen, built = build_whole(asking.client, asking.turn, events)
    _note_seen(scope.record, seen)
    passes = asking.same and not _is_event_stream(answer)
    unread = seen.failure is not None and seen.failure.kind is FailureKind.BAD_GATEWAY and passes and _is_json(body)
    if seen.failure is not None and not unread:
        raise Declined(seen.failure)
    if passes:  # also what nobody here can read: the client asked for it in this dialect
        return _note_whole(scope, asking, answer, body)
    scope.record.bytes_down, scope.record.phase = len(built), Phase.ENDED
    return WholeAnswer(200, [_JSON, *build_fields(scope, asking)], built)


async def answer_stream(
    request: web.BaseRequest, scope: Scope, asking: Asking, answer: Answer, ticker: Ticker
) -> web.StreamResponse:
    """A stream. Raises Declined or UpstreamFault while nothing of the answer has come."""
    limits, record = scope.house.limits, scope.record
    stage = _open_stage(asking, answer)
    if answer.source is None:
        raise Declined(Failure(FailureKind.BAD_GATEWAY, "the provider's answer has no body", 502))
    peek = Peek(answer.source, stage, ticker.loop)
    failure = await peek.wait(ticker, limits.idle)
    if failure is not None:
        _note_seen(record, stage.seen)
        raise Declined(failure)
    record.model = stage.seen.model
    response = Downstream(200, "OK", [*build_stream_fields(asking), *build_fields(scope, asking)], None)
    del answer, asking  # a stream lives for minutes, and a request with its images can be large
    scope.forget_fields()
    stream = await open_stream(request, response)
    record.status, record.phase = 200, Phase.STREAMING
    record.first_byte = ticker.now() - record.started
    sink = StagedSink(stream, stage, lambda: pump.ended, lambda failed: pump.hurry(failed=failed))
    pump = Pump(peek, sink, sink, Clocks(limits.idle, limits.write_stall, HEARTBEAT), ticker)
    sink.say(peek.out)
    peek.out = b""
    scope.stop = pump.interrupt
    try:
        await pump.run()
    finally:
        scope.stop = None
        _note_end(record, pump, stage, peek.received)
    return response


def _open_stage(asking: Asking, answer: Answer) -> Stage:
    turn, client = asking.turn, asking.client
    reading = Reading(asking.side, turn, streamed=_is_event_stream(answer))
    if asking.same and not turn.array and _is_event_stream(answer):
        encoder = client.open_encoder(turn)
        encoder.encode(Start())  # a stream is only begun once its first event has come
        mark = END_MARKS.get(asking.route.dialect, b"")
        return Passage(reading, lambda: client.open_encoder(turn), encoder.keepalive, mark)
    return Translation(reading, client.open_encoder(turn))


def _note_end(record: Record, pump: Pump, stage: Stage, peeked: int) -> None:
    """What ended the pump, in the light of what was said: a finish makes any end a good one."""
    _note_seen(record, stage.seen)
    record.bytes_down = pump.received + peeked
    record.heartbeats = pump.heartbeats
    failure = stage.seen.failure
    if failure is not None:
        record.error = failure.kind.value
    if pump.fault is not None:
        record.detail = pump.fault.detail
    if pump.ended is None:
        return
    record.phase = Phase.ENDED if stage.complete else record.phase
    if failure is not None and failure is not FAILURES.get(pump.ended) and pump.ended in _PROVIDER_ENDS:
        record.close(EndReason.UPSTREAM_CUT if failure.kind is FailureKind.DISCONNECT else EndReason.ERROR)
    elif stage.complete and pump.ended is EndReason.UPSTREAM_CUT:
        record.close(EndReason.LATE_CUT)
    elif stage.complete and pump.ended is EndReason.IDLE:
        record.close(EndReason.DONE)  # only the provider's connection was still open
    else:
        record.close(pump.ended)


def _note_seen(record: Record, seen: Seen) -> None:
    record.model = seen.model
    record.usage = seen.usage
    record.events = seen.events
    record.malformed = seen.malformed
    if seen.failure is not None:
        record.error = seen.failure.kind.value


def _note_whole(scope: Scope, asking: Asking, answer: Answer, body: bytes) -> WholeAnswer:
    scope.record.bytes_down, scope.record.phase = len(body), Phase.ENDED
    return _build_passed(scope, asking, answer, body)


def _build_passed(scope: Scope, asking: Asking, answer: Answer, body: bytes) -> WholeAnswer:
    return WholeAnswer(answer.status, [*build_pass_fields(asking, answer), *build_fields(scope, asking)], body)


def is_compressed(answer: Answer) -> bool:
    """Whether the provider has compressed its answer, which it was asked not to."""
    return (answer.headers.get_first(b"content-encoding") or b"identity").strip().lower() != b"identity"


def _is_json(body: bytes) -> bool:
    try:
        decode_json(body)
    except ValueError:
        return False
    return True


def _is_event_stream(answer: Answer) -> bool:
    kind = answer.headers.get_first(b"content-type") or b""
    return kind.partition(b";")[0].strip().lower() == b"text/event-stream"
