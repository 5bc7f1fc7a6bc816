"""Spans of finished requests: one for each, and one below it for each of its attempts.

They are made when all is over, of the one record, with the times that stand in it; so nothing happens on the way of a
request. Names and attributes are OpenTelemetry's semantic conventions for HTTP servers and for generative AI clients;
what these have no word for is under `penstock.`. A client's `traceparent` (W3C Trace Context 3.2) is the parent.
Only this file knows OpenTelemetry, and only `traces.py` imports it.
"""

import asyncio
import re
import threading
from collections.abc import Iterator, Sequence
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from proxy import __version__
from proxy.dialects.events import Usage
from proxy.relay.outcome import Attempt, EndReason, Record

_PARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_FINE: Final = frozenset({EndReason.DONE, EndReason.LATE_CUT, EndReason.CLIENT_GONE})
_FLOWED: Final = frozenset({"rescued", "failed", "mismatch"})
_OPERATIONS: Final = {"gemini": "generate_content"}
CLOSE_WAIT: Final = 3.0
"""Seconds for the last spans to be sent when the process ends; a collector that hangs shall not hold it."""

_Attribute = str | int | float | bool | Sequence[str]


def build_spans(exporter: str, *, named: bool) -> "Spans":
    """exporter: `otlp`, configured by the environment, or `console`. named: the environment names the service."""
    chosen = ConsoleSpanExporter() if exporter == "console" else OTLPSpanExporter()
    return Spans(BatchSpanProcessor(chosen), named=named)


class Spans:
    """`write` is an observer of finished requests."""

    def __init__(self, processor: SpanProcessor, *, named: bool = False) -> None:
        resource = Resource.create({} if named else {"service.name": "penstock"})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("penstock", __version__)

    def write(self, record: Record) -> None:
        if record.door == "admin":
            return
        begin = record.wall
        span = self._tracer.start_span(
            f"{record.method} {record.mount}".rstrip(),
            context=_read_parent(record.traceparent),
            kind=SpanKind.SERVER,
            attributes=dict(_describe(record)),
            start_time=_to_ns(begin),
        )
        if span.is_recording():
            below = set_span_in_context(span, Context())
            for at, attempt in enumerate(record.attempts):
                self._write_attempt(record, attempt, _find_end(record, at), below)
        if record.end not in _FINE and not (record.end is EndReason.REFUSED and record.status < 500):
            span.set_status(Status(StatusCode.ERROR, record.error or None))
        span.end(_to_ns(begin + record.duration))

    async def close(self) -> None:
        """Send what has not been sent, as far as the collector takes it."""
        # A daemon: an executor's thread would hold the process until the collector has answered.
        closing = threading.Thread(target=self._provider.shutdown, name="penstock-spans", daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, CLOSE_WAIT)

    def _write_attempt(self, record: Record, attempt: Attempt, end: float, context: Context) -> None:
        operation = "embeddings" if record.mount.endswith("/embeddings") else _OPERATIONS.get(record.dialect, "chat")
        span = self._tracer.start_span(
            f"{operation} {attempt.model}" if attempt.model else f"{record.method} {attempt.provider}",
            context=context,
            kind=SpanKind.CLIENT,
            attributes=dict(_describe_attempt(record, attempt, operation)),
            start_time=_to_ns(record.wall + attempt.started),
        )
        if attempt.error:
            span.set_status(Status(StatusCode.ERROR, attempt.error))
        span.end(_to_ns(record.wall + end))


def _describe(record: Record) -> Iterator[tuple[str, _Attribute]]:
    yield "http.request.method", record.method
    yield "http.response.status_code", record.status
    yield "http.route", record.mount
    yield "client.address", record.remote
    yield "penstock.request_id", record.id
    yield "penstock.phase", record.phase.value
    if record.end is not None:
        yield "penstock.end_reason", record.end.value
    if record.error:
        yield "error.type", record.error
    if record.client is not None:
        yield "penstock.client", record.client
    if record.cost is not None:
        yield "penstock.cost", record.cost
    yield "penstock.events", record.events
    yield "penstock.rescues", record.rescues


def _describe_attempt(record: Record, attempt: Attempt, operation: str) -> Iterator[tuple[str, _Attribute]]:
    yield "penstock.outcome", attempt.outcome
    if attempt.account is not None:
        yield "penstock.account", attempt.account
    if attempt.status is not None:
        yield "http.response.status_code", attempt.status
    if attempt.error:
        yield "error.type", attempt.error
    if not attempt.model:
        yield "penstock.provider", attempt.provider
        return
    yield "gen_ai.operation.name", operation
    yield "gen_ai.provider.name", attempt.provider
    yield "gen_ai.request.model", attempt.model
    if attempt.outcome == "won":
        yield from _describe_answer(record)
    if attempt.outcome == "won" and not record.rescues:
        yield from _describe_usage(record.usage)
        yield "penstock.usage_source", record.usage_source
    elif attempt.told is not None:  # of several answers each has its own
        yield from _describe_usage(attempt.told.usage)


def _describe_answer(record: Record) -> Iterator[tuple[str, _Attribute]]:
    if record.model:
        yield "gen_ai.response.model", record.model
    if record.finish:
        yield "gen_ai.response.finish_reasons", [record.finish]
    if record.ttft is not None:
        yield "gen_ai.response.time_to_first_chunk", record.ttft


def _describe_usage(usage: Usage | None) -> Iterator[tuple[str, _Attribute]]:
    if usage is None:
        return
    counts = {
        "input": usage.input, "output": usage.output, "cache_read.input": usage.cache_read,
        "cache_creation.input": usage.cache_write, "reasoning.output": usage.reasoning,
    }  # fmt: skip
    yield from ((f"gen_ai.usage.{name}_tokens", count) for name, count in counts.items() if count is not None)


def _find_end(record: Record, at: int) -> float:
    """Seconds after the request's start. Whose answer flowed has ended with it, or when the next one began."""
    attempt = record.attempts[at]
    if attempt.outcome == "won":
        return record.duration
    if attempt.outcome in _FLOWED:
        return record.attempts[at + 1].started if at + 1 < len(record.attempts) else record.duration
    return attempt.started + attempt.seconds


def _read_parent(text: str) -> Context:
    """The client's, where it gives a valid one; the fields behind those of version 00 are ignored."""
    found = _PARENT.match(text)
    if found is None:
        return Context()
    trace, span, flags = (int(part, 16) for part in found.groups())
    if not trace or not span:
        return Context()
    return set_span_in_context(NonRecordingSpan(SpanContext(trace, span, True, TraceFlags(flags))), Context())


def _to_ns(seconds: float) -> int:
    return int(seconds * 1e9)
