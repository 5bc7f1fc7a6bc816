"""Whether the environment asks for traces."""

import logging
import sys

import pytest

from proxy.ops.traces import choose_exporter, open_spans

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.mark.parametrize(
    ("environ", "chosen"),
    [
        ({}, ""),
        ({ENDPOINT: ""}, ""),
        ({ENDPOINT: "http://127.0.0.1:4318"}, "otlp"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, "otlp"),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "otlp"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "console"),
        ({"OTEL_TRACES_EXPORTER": "zipkin, otlp"}, "otlp"),
        ({"OTEL_TRACES_EXPORTER": "none", ENDPOINT: "http://127.0.0.1:4318"}, ""),
        ({"OTEL_SDK_DISABLED": "TRUE", ENDPOINT: "http://127.0.0.1:4318"}, ""),
        ({"OTEL_METRICS_EXPORTER": "otlp"}, ""),
    ],
)
def test_the_environment_decides(environ: dict[str, str], chosen: str) -> None:
    assert choose_exporter(environ) == chosen


def test_nothing_is_imported_where_no_traces_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "proxy.ops.spans", None)
    assert open_spans({}) is None


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "names none of otlp, console"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http/protobuf"),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "pip install 'penstock[otel]'"),
    ],
)
def test_what_cannot_be_had_is_said_once(
    environ: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "proxy.ops.spans", None)  # as if the extra were not installed
    with caplog.at_level(logging.WARNING, "penstock.traces"):
        assert open_spans(environ) is None
    (line,) = caplog.messages
    assert line.startswith("no traces: ")
    assert told in line
