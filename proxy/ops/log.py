"""Log lines: one per request, written from its record, and the few things the process says about itself.

Three formats carry the same fields: `json`, `logfmt` and `text` for people. Under systemd each line starts with its
priority (sd-daemon(3)); nothing that came from outside can start a line, because control characters are escaped.
What foreign libraries log is cut down to class and place: their texts quote requests.
"""

import asyncio
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final, TextIO

import msgspec

from proxy.dialects import json_text
from proxy.dialects.events import Usage
from proxy.ops.times import format_time
from proxy.ops.trail import Try, build_trail, format_word, is_telling, to_ms
from proxy.relay.outcome import EndReason, Record

FLUSH_AFTER: Final = 0.05
"""Seconds a finished request's line may wait: not seen by a person, and at 3,000 requests a second 150 in a write."""

_OWN: Final = "penstock"
_LOOKING: Final = ("GET", "HEAD")
_NO_USAGE: Final = Usage()
_PRIORITIES: Final = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}
_FAILURES: Final = frozenset({EndReason.ERROR, EndReason.KILLED})
_WARNINGS: Final = frozenset({
    EndReason.UPSTREAM_CUT, EndReason.CONNECT, EndReason.FIRST_BYTE, EndReason.IDLE, EndReason.WRITE_STALL,
    EndReason.LIMIT,
})  # fmt: skip


class AccessLine(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The fields of an access line, in their order; what says nothing is left out. Times in milliseconds.

    No body, key or query is among them.
    """

    level: str
    ts: str
    request_id: str
    door: str = "public"
    remote: str
    client: str | None = None
    method: str = ""
    route: str = ""
    dialect: str = ""
    model: str = ""
    model_asked: str = ""
    provider: str | None = None
    account: str | None = None
    status: int = 0
    end_reason: str
    phase: str = ""
    error: str = ""
    detail: str = ""
    finish: str = ""
    ttfb_ms: float | None = None
    ttft_ms: float | None = None
    duration_ms: float
    bytes_up: int
    bytes_down: int
    events: int
    heartbeats: int = 0
    tap_failed: bool = False
    malformed: int = 0
    tokens_in: int | None = None
    tokens_cached: int | None = None
    tokens_cache_write: int | None = None
    tokens_out: int | None = None
    tokens_reasoning: int | None = None
    usage_source: str = ""
    cost: float | None = None
    attempts: int
    rescues: int = 0
    hedges: int = 0
    trail: list[Try] | None = None


def build_line(record: Record, level: str) -> AccessLine:
    """The line of a finished request."""
    end, usage = record.end or EndReason.DONE, record.usage or _NO_USAGE
    return AccessLine(
        level=level,
        ts=format_time(record.wall),
        request_id=record.id,
        door=record.door,
        remote=record.remote,
        client=record.client,
        method=record.method,
        route=record.mount,
        dialect=record.dialect,
        model=record.model,
        model_asked=record.model_asked,
        provider=record.provider,
        account=record.account,
        status=record.status,
        end_reason=end.value,
        phase=record.phase.value if end is EndReason.CLIENT_GONE else "",
        error=record.error,
        detail=record.detail,
        finish=record.finish,
        ttfb_ms=None if record.first_byte is None else to_ms(record.first_byte),
        ttft_ms=None if record.ttft is None else to_ms(record.ttft),
        duration_ms=to_ms(record.duration),
        bytes_up=record.bytes_up,
        bytes_down=record.bytes_down,
        events=record.events,
        heartbeats=record.heartbeats,
        tap_failed=record.tap_failed,
        malformed=record.malformed,
        tokens_in=usage.input,
        tokens_cached=usage.cache_read,
        tokens_cache_write=usage.cache_write,
        tokens_out=usage.output,
        tokens_reasoning=usage.reasoning,
        usage_source=record.usage_source,
        cost=record.cost,
        attempts=len(record.attempts),
        rescues=record.rescues,
        hedges=record.hedges,
        trail=build_trail(record.attempts) if is_telling(record.attempts) else None,
    )


def build_fields(record: Record, level: str) -> dict[str, Any]:
    """The same as names and values."""
    return _flatten(build_line(record, level))


def _flatten(line: AccessLine) -> dict[str, Any]:
    """One text or number per field: the trail as a word per attempt."""
    fields: dict[str, Any] = msgspec.to_builtins(line)
    if line.trail is not None:
        fields["trail"] = " ".join(map(format_word, line.trail))
    return fields


class AccessLog:
    """Writes the lines of finished requests, gathered for FLUSH_AFTER seconds: one system call for many."""

    def __init__(
        self, form: str, level: str, stream: TextIO = sys.stderr, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._encode = _LINE_ENCODERS[choose_format(form, stream)]
        self._priorities = _is_journal(stream, environ)
        self._level = logging.getLevelName(level.upper())
        self._stream = stream
        self._lines: list[str] = []

    def write(self, record: Record) -> None:
        level = _choose_level(record)
        if level < self._level:
            return
        name = logging.getLevelName(level)
        line = self._encode(build_line(record, name.lower()))
        if not self._lines:
            asyncio.get_running_loop().call_later(FLUSH_AFTER, self.flush)
        self._lines.append(f"<{_PRIORITIES[name]}>{line}\n" if self._priorities else line + "\n")

    def flush(self) -> None:
        """Write what was gathered. A stream that fails loses lines, never a request."""
        lines, self._lines = self._lines, []
        try:
            self._stream.write("".join(lines))
            self._stream.flush()
        except (OSError, ValueError):
            return


def _choose_level(record: Record) -> int:
    if record.end in _FAILURES:
        return logging.ERROR
    if record.door == "admin" and record.method in _LOOKING and record.status < 400:
        return logging.DEBUG  # who only looks, every second, says nothing of any client
    return logging.WARNING if record.end in _WARNINGS else logging.INFO


class Formatter(logging.Formatter):
    """Any log record to one line."""

    def __init__(self, encode: Callable[[Mapping[str, Any]], str], *, priorities: bool) -> None:
        super().__init__()
        self._encode = encode
        self._priorities = priorities

    def format(self, record: logging.LogRecord) -> str:
        fields = {"ts": format_time(record.created), **_describe(record)}
        line = self._encode({"level": record.levelname.lower(), **fields})
        return f"<{_PRIORITIES.get(record.levelname, 6)}>{line}" if self._priorities else line


def _describe(record: logging.LogRecord) -> dict[str, Any]:
    """Our own messages whole; of others only who spoke, and of exceptions class and place: texts quote requests."""
    own = record.name == _OWN or record.name.startswith(_OWN + ".")
    fields: dict[str, Any] = {"logger": record.name}
    fields["message"] = record.getMessage() if own else f"{record.levelname.lower()} from {record.name}"
    if request_id := getattr(record, "request_id", None):
        fields["request_id"] = request_id
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        fields["exception"] = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)
        fields["at"] = " < ".join(f"{os.path.basename(f.filename)}:{f.lineno}" for f in reversed(frames[-5:]))
    return fields


def encode_json(fields: Mapping[str, Any] | AccessLine) -> str:
    try:
        return msgspec.json.encode(fields).decode()
    except UnicodeEncodeError:  # a lone surrogate, in the name of a model for one: it leaves as its escape
        return json_text.encode_json(msgspec.to_builtins(fields)).decode()


def encode_logfmt(fields: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={_quote(value)}" for name, value in fields.items())


def encode_text(fields: Mapping[str, Any]) -> str:
    """For people: time, level, then what matters first."""
    rest = {name: value for name, value in fields.items() if name not in ("ts", "level", "message", "logger")}
    head = f"{str(fields['ts'])[11:23]} {fields['level']!s:7}"
    message = fields.get("message")
    return " ".join(part for part in (head, message and _escape(str(message)), encode_logfmt(rest)) if part)


_ENCODERS: Final = {"json": encode_json, "logfmt": encode_logfmt, "text": encode_text}
_LINE_ENCODERS: Final[Mapping[str, Callable[[AccessLine], str]]] = {
    "json": encode_json,
    "logfmt": lambda line: encode_logfmt(_flatten(line)),
    "text": lambda line: encode_text(_flatten(line)),
}


def set_up(form: str, level: str, stream: TextIO = sys.stderr, environ: Mapping[str, str] = os.environ) -> None:
    """Send everything that is logged to `stream`. form: auto, json, logfmt or text."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Formatter(_ENCODERS[choose_format(form, stream)], priorities=_is_journal(stream, environ)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_OWN).setLevel(level.upper())
    logging.raiseExceptions = False  # a full pipe must not write tracebacks into itself


def choose_format(form: str, stream: TextIO) -> str:
    """What `auto` means for this stream."""
    if form == "auto":
        return "text" if stream.isatty() else "json"
    return form


def _is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether `stream` leads to the journal (systemd.exec(5), $JOURNAL_STREAM: device and inode of the socket)."""
    named = environ.get("JOURNAL_STREAM", "")
    if not named:
        return False
    try:
        stat = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return named == f"{stat.st_dev}:{stat.st_ino}"


def _quote(value: object) -> str:
    text = _escape(str(value).lower() if isinstance(value, bool) else str(value))
    return f'"{text}"' if not text or any(char in text for char in ' "=') else text


def _escape(text: str) -> str:
    """No control character and no quote survives: a line stays one line."""
    if text.isprintable() and '"' not in text:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())[1:-1]
