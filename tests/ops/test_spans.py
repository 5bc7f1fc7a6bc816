"""Spans of finished requests: times, names and attributes from the record alone; and a real collector gets them."""

import asyncio
import gzip
import threading
from typing import Any

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from proxy.dialects.events import Usage
from proxy.ops.spans import Spans
from proxy.ops.traces import open_spans
from proxy.relay.outcome import Attempt, EndReason, Record
from proxy.types import AccountName, ClientName, ProviderName, RequestId
from proxy.usage.meter import Told

UP = ProviderName("up")
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def told() -> tuple[Spans, InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    return Spans(SimpleSpanProcessor(exporter)), exporter


def build_record(**fields: Any) -> Record:
    record = Record(
        RequestId("req_1"), 50.0, 1_700_000_000.0, method="POST", remote="127.0.0.1", mount="/v1/chat/completions",
        dialect="openai-chat", status=200, end=EndReason.DONE, duration=2.0, client=ClientName("dev"), ttft=0.5,
        model_asked="fast", model="gpt-5-2026", finish="stop", usage=Usage(10, 4, None, 20, 5), usage_source="reported",
        cost=0.25, events=7,
    )  # fmt: skip
    record.attempts = [
        Attempt(UP, AccountName("a"), 0.25, 429, "rate_limit", "gpt-5", 0.0, "account"),
        Attempt(UP, AccountName("b"), 0.2, 200, "", "gpt-5", 0.3, "won"),
    ]
    for name, value in fields.items():
        setattr(record, name, value)
    return record


def write(told: tuple[Spans, InMemorySpanExporter], **fields: Any) -> dict[str, ReadableSpan]:
    """By account; the request's own under ""."""
    spans, exporter = told
    spans.write(build_record(**fields))
    return {str((span.attributes or {}).get("penstock.account", "")): span for span in exporter.get_finished_spans()}


def seconds(span: ReadableSpan) -> tuple[float, float]:
    assert span.start_time is not None
    assert span.end_time is not None
    begin = 1_700_000_000
    return round(span.start_time / 1e9 - begin, 3), round(span.end_time / 1e9 - begin, 3)


def test_a_request_and_each_of_its_attempts_is_a_span(told: tuple[Spans, InMemorySpanExporter]) -> None:
    spans = write(told)
    whole, first, second = spans[""], spans["a"], spans["b"]
    assert (whole.name, whole.kind, whole.parent) == ("POST /v1/chat/completions", SpanKind.SERVER, None)
    assert [(span.name, span.kind) for span in (first, second)] == [("chat gpt-5", SpanKind.CLIENT)] * 2
    assert first.parent is not None
    assert {first.parent.span_id, first.context.trace_id} == {whole.context.span_id, whole.context.trace_id}
    assert [seconds(span) for span in (whole, first, second)] == [(0.0, 2.0), (0.0, 0.25), (0.3, 2.0)]
    assert [span.status.status_code for span in (whole, first, second)] == [
        StatusCode.UNSET, StatusCode.ERROR, StatusCode.UNSET,
    ]  # fmt: skip


def test_the_answer_is_told_by_whoever_gave_it(told: tuple[Spans, InMemorySpanExporter]) -> None:
    spans = write(told)
    answer = dict(spans["b"].attributes or {})
    assert answer == {
        "penstock.outcome": "won", "penstock.account": "b", "http.response.status_code": 200,
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "up", "gen_ai.request.model": "gpt-5",
        "gen_ai.response.model": "gpt-5-2026", "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.time_to_first_chunk": 0.5, "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 20, "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.reasoning.output_tokens": 5, "penstock.usage_source": "reported",
    }  # fmt: skip
    assert "gen_ai.response.model" not in (spans["a"].attributes or {})
    whole = spans[""].attributes or {}
    assert (whole["penstock.client"], whole["penstock.cost"], whole["penstock.end_reason"]) == ("dev", 0.25, "done")


@pytest.mark.parametrize(
    ("mount", "dialect", "name"),
    [
        ("/v1/embeddings", "openai-chat", "embeddings gpt-5"),
        ("/v1beta/models", "gemini", "generate_content gpt-5"),
        ("/v1/messages", "anthropic", "chat gpt-5"),
    ],
)
def test_an_attempt_is_named_by_what_it_does(
    told: tuple[Spans, InMemorySpanExporter], mount: str, dialect: str, name: str
) -> None:
    assert write(told, mount=mount, dialect=dialect)["b"].name == name


def test_on_a_mount_nothing_is_said_of_models(told: tuple[Spans, InMemorySpanExporter]) -> None:
    attempt = Attempt(UP, AccountName("a"), 0.1, 200)
    span = write(told, mount="/up", dialect="raw", attempts=[attempt], usage=None, model="")["a"]
    assert span.name == "POST up"
    assert not any(name.startswith("gen_ai.") for name in span.attributes or {})


@pytest.mark.parametrize(
    ("end", "status", "code"),
    [
        (EndReason.UPSTREAM_CUT, 200, StatusCode.ERROR),
        (EndReason.REFUSED, 401, StatusCode.UNSET),
        (EndReason.REFUSED, 503, StatusCode.ERROR),
        (EndReason.CLIENT_GONE, 200, StatusCode.UNSET),
        (EndReason.KILLED, 200, StatusCode.ERROR),
    ],
)
def test_a_failure_is_one_of_ours_or_of_the_providers(
    told: tuple[Spans, InMemorySpanExporter], end: EndReason, status: int, code: StatusCode
) -> None:
    assert write(told, end=end, status=status)[""].status.status_code is code


def test_an_attempt_that_was_rescued_ended_when_the_next_one_began(told: tuple[Spans, InMemorySpanExporter]) -> None:
    attempts = [Attempt(UP, AccountName("a"), 0.1, 200, "disconnect", "m", 0.0, "rescued"),
                Attempt(UP, AccountName("b"), 0.1, 200, "", "m", 1.2, "won")]  # fmt: skip
    assert seconds(write(told, attempts=attempts)["a"]) == (0.0, 1.2)


@pytest.mark.parametrize("outcome", ["failed", "mismatch", "rescued"])
def test_an_attempt_that_broke_off_at_last_ended_with_the_request(
    told: tuple[Spans, InMemorySpanExporter], outcome: str
) -> None:
    attempts = [Attempt(UP, AccountName("a"), 0.1, 200, "disconnect", "m", 0.25, outcome)]
    assert seconds(write(told, attempts=attempts)["a"]) == (0.25, 2.0)


def test_of_several_answers_each_has_its_own_tokens(told: tuple[Spans, InMemorySpanExporter]) -> None:
    attempts = [Attempt(UP, AccountName(name), 0.1, 200, "", "m", 0.0, outcome) for name, outcome in
                (("a", "rescued"), ("b", "won"))]  # fmt: skip
    for attempt, count in zip(attempts, (3, 4), strict=True):
        attempt.told = Told(Usage(output=count), 0, 0, complete=True)
    spans = write(told, attempts=attempts, rescues=1)
    assert [(spans[name].attributes or {})["gen_ai.usage.output_tokens"] for name in "ab"] == [3, 4]


def test_a_client_that_traces_is_the_parent(told: tuple[Spans, InMemorySpanExporter]) -> None:
    span = write(told, traceparent=f"00-{TRACE}-{PARENT}-01")[""]
    assert span.parent is not None
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, PARENT)


@pytest.mark.parametrize(
    "text",
    ["", "x", f"ff-{TRACE}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE}-01"],
)
def test_a_parent_that_is_none_is_ignored(told: tuple[Spans, InMemorySpanExporter], text: str) -> None:
    assert write(told, traceparent=text)[""].parent is None


def test_one_that_the_client_does_not_sample_is_not_sampled(told: tuple[Spans, InMemorySpanExporter]) -> None:
    assert write(told, traceparent=f"00-{TRACE}-{PARENT}-00") == {}


def test_the_operators_own_requests_are_no_traffic(told: tuple[Spans, InMemorySpanExporter]) -> None:
    assert write(told, door="admin") == {}


async def test_a_collector_gets_them_when_the_process_ends(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    got: list[ExportTraceServiceRequest] = []

    async def collect(request: web.Request) -> web.Response:
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        got.append(ExportTraceServiceRequest.FromString(body))
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", collect)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{unused_tcp_port}"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    try:
        spans = open_spans(environ)
        assert spans is not None
        spans.write(build_record())
        async with asyncio.timeout(10):
            await spans.close()
    finally:
        await runner.cleanup()
    (resource,) = got[0].resource_spans
    assert {pair.key: pair.value.string_value for pair in resource.resource.attributes}["service.name"] == "penstock"
    names = [span.name for span in resource.scope_spans[0].spans]
    assert sorted(names) == ["POST /v1/chat/completions", "chat gpt-5", "chat gpt-5"]


async def test_a_collector_that_hangs_does_not_hold_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    class Hanging(SimpleSpanProcessor):
        def shutdown(self) -> None:
            answered.wait()

    monkeypatch.setattr("proxy.ops.spans.CLOSE_WAIT", 0.05)
    spans = Spans(Hanging(InMemorySpanExporter()))
    async with asyncio.timeout(5):
        await spans.close()
    hanging = [thread for thread in threading.enumerate() if thread.name == "penstock-spans"]
    assert [thread.daemon for thread in hanging] == [True]
    answered.set()
    hanging[0].join()
