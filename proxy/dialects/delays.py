"""How long a provider wants us to wait, in seconds, wherever and however it says so.

Takes the header fields and the decoded error of an answer; the first source that says something counts. Times of day
are measured from the answer's own Date field, since there is no clock here; without one they say nothing, and neither
does a moment that has passed. Never raises.
"""

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Final

from proxy.dialects.parts import Json
from proxy.wire.headers import Headers

LONGEST: Final = 31 * 86400.0
"""Seconds: quotas are renewed monthly; a larger number is a mistake or another unit."""

_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "d": 86400.0}
_PIECE: Final = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)(ms|us|µs|ns|d|h|m|s)")
_DURATION: Final = re.compile(r"(?:\d{1,12}(?:\.\d{1,12})?(?:ms|us|µs|ns|d|h|m|s))+").fullmatch
_NUMBER: Final = re.compile(r"\d{1,15}(?:\.\d{1,15})?").fullmatch
_IN_TEXT: Final = re.compile(
    r"(?i)\b(?:try again|retry|reset)\w*\s+(?:in|after)\s+((?:\d{1,12}(?:\.\d{1,12})?\s?"
    r"(?:ms|[dhms](?![a-z])|days?|hours?|minutes?|mins?|seconds?|secs?)\s?)+)"
)
_AT_IN_TEXT: Final = re.compile(
    r"(?i)(?:\breset\w*\s+(?:at|on)|将在)\s*(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)"
)

# The provider known to write times without a zone is Zhipu: Beijing's, also in English (can1357/oh-my-pi#11014).
_NO_ZONE: Final = timezone(timedelta(hours=8))
_BUCKETS: Final = ("requests", "tokens", "input-tokens", "output-tokens")


def find_delay(headers: Headers, value: Json) -> float | None:
    """Seconds to wait, None when nothing says so. value: the error, decoded."""
    for delay in _iterate_delays(headers, value):
        if delay is not None and math.isfinite(delay) and delay >= 0:
            return min(delay, LONGEST)
    return None


def parse_duration(text: str) -> float | None:
    """`6m0s`, `1h2m3.5s`, `34.4s`, `500ms` (Go's and protobuf's durations)."""
    if not _DURATION(text):
        return None
    return math.fsum(float(number) * _UNITS[unit] for number, unit in _PIECE.findall(text))


def _iterate_delays(headers: Headers, value: Json) -> Iterator[float | None]:
    now = parse_date(_field(headers, "date"))
    yield _parse_number(_field(headers, "retry-after-ms"), 0.001)
    after = _field(headers, "retry-after")
    yield _parse_number(after)
    yield _until(parse_date(after), now)
    error = value.get("error", value) if isinstance(value, dict) else value
    fields = error if isinstance(error, dict) else {}
    yield from _iterate_details(fields.get("details"), now)
    yield from _iterate_buckets(headers, now)
    yield from _iterate_buckets(_read_inner(fields.get("metadata")), now)
    message = error if isinstance(error, str) else fields.get("message")
    if isinstance(message, str):
        yield from _iterate_text(message, now)


def _iterate_details(details: Json, now: datetime | None) -> Iterator[float | None]:
    """google.rpc.RetryInfo, then the metadata of ErrorInfo as Code Assist fills it."""
    found = [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []
    for detail in found:
        delay = detail.get("retryDelay")
        if isinstance(delay, str):
            yield parse_duration(delay)
        elif isinstance(delay, dict):  # the wire form of a Duration in some gateways
            yield _parse_number(str(delay.get("seconds", "")))
    for detail in found:
        metadata = detail.get("metadata")
        if isinstance(metadata, dict):
            yield parse_duration(str(metadata.get("quotaResetDelay")))
            yield _until(_parse_iso(str(metadata.get("quotaResetTimeStamp"))), now)


def _iterate_buckets(headers: Headers, now: datetime | None) -> Iterator[float | None]:
    """The reset of a bucket that has nothing left; the longest of them, as all have to be refilled."""
    delays = []
    for bucket in _BUCKETS:
        for remaining, reset in (
            (f"x-ratelimit-remaining-{bucket}", f"x-ratelimit-reset-{bucket}"),
            (f"anthropic-ratelimit-{bucket}-remaining", f"anthropic-ratelimit-{bucket}-reset"),
        ):
            if _field(headers, remaining) == "0":
                delays.append(parse_reset(_field(headers, reset), now))
    if _field(headers, "x-ratelimit-remaining") == "0":
        delays.append(parse_reset(_field(headers, "x-ratelimit-reset"), now))
    known = [delay for delay in delays if delay is not None]
    yield max(known, default=None)


def _read_inner(metadata: Json) -> Headers:
    """The fields that OpenRouter repeats in its error."""
    fields = metadata.get("headers") if isinstance(metadata, dict) else None
    pairs = fields.items() if isinstance(fields, dict) else ()
    return Headers(tuple((_to_bytes(name), _to_bytes(value)) for name, value in pairs if isinstance(value, str)))


def _to_bytes(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def parse_reset(text: str, now: datetime | None) -> float | None:
    """OpenAI: a duration; Anthropic: RFC 3339; OpenRouter: milliseconds since the epoch; others: seconds, of either
    kind."""
    duration = parse_duration(text)
    if duration is not None:
        return duration
    number = _parse_number(text)
    if number is None:
        return _until(_parse_iso(text), now)
    if number < 1e9:
        return number
    seconds = number / 1000 if number >= 1e11 else number
    return None if now is None else _ahead(seconds - now.timestamp())


def _iterate_text(message: str, now: datetime | None) -> Iterator[float | None]:
    message = message[:4096]
    if found := _IN_TEXT.search(message):
        yield _parse_words(found[1])
    if found := _AT_IN_TEXT.search(message):
        yield _until(_parse_iso(found[1]), now)


def _parse_words(text: str) -> float | None:
    """`20s`, `1 hour 5 minutes`, `34.07s.`"""
    pieces = re.findall(r"(\d+(?:\.\d+)?)\s?(ms|[a-z])", text.lower())
    return math.fsum(float(number) * _UNITS[unit] for number, unit in pieces if unit in _UNITS) if pieces else None


def _parse_number(text: str, unit: float = 1.0) -> float | None:
    return float(text) * unit if _NUMBER(text) else None


def parse_date(text: str) -> datetime | None:
    """RFC 9110 5.6.7."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _parse_iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=_NO_ZONE)


def _until(moment: datetime | None, now: datetime | None) -> float | None:
    if moment is None or now is None:
        return None
    return _ahead((moment - now).total_seconds())


def _ahead(seconds: float) -> float | None:
    return seconds if seconds > 0 else None


def _field(headers: Headers, name: str) -> str:
    return (headers.get_first(name.encode()) or b"").decode("latin-1").strip()
