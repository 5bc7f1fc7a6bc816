"""OpenTelemetry traces, for who wants them: whether the environment asks for any, and what to do when it does.

The `OTEL_*` variables decide, as the OpenTelemetry specification says (SDK environment variables): an exporter or an
endpoint is named, and `OTEL_SDK_DISABLED` is not `true`. The packages are an extra (`penstock[otel]`) and are only
imported then; where they are missing the proxy serves without traces and says so once. Spans are in `spans.py`.
"""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from proxy.ops.spans import Spans

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_KNOWN: Final = ("otlp", "console")

_LOG = logging.getLogger("penstock.traces")


def choose_exporter(environ: Mapping[str, str]) -> str:
    """`otlp`, `console`, or "" for no traces."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return ""
    names = [name.strip().lower() for name in environ.get("OTEL_TRACES_EXPORTER", "").split(",") if name.strip()]
    if not names:
        return "otlp" if any(environ.get(name) for name in _ENDPOINTS) else ""
    chosen = next((name for name in names if name in _KNOWN), "")
    if not chosen and names != ["none"]:
        _LOG.warning("no traces: OTEL_TRACES_EXPORTER names none of %s", ", ".join(_KNOWN))
    return chosen


def open_spans(environ: Mapping[str, str]) -> "Spans | None":
    """Whoever makes spans of finished requests; None where none are wanted or none can be had."""
    exporter = choose_exporter(environ)
    if not exporter:
        return None
    protocol = next((environ[name] for name in _PROTOCOLS if environ.get(name)), "http/protobuf")
    if exporter == "otlp" and protocol != "http/protobuf":
        _LOG.warning("no traces: OTLP is spoken as http/protobuf here, and the environment names another protocol")
        return None
    try:
        from proxy.ops.spans import build_spans
    except ImportError:
        _LOG.warning("no traces: OTEL_* asks for them, and the packages are missing: pip install 'penstock[otel]'")
        return None
    return build_spans(exporter, named="OTEL_SERVICE_NAME" in environ)
