"""What went wrong, said once for all dialects: any provider's error answer to a `Failure`, and a kind to its forms.

`parse_failure` takes the status, the header fields and the bytes of an error answer, `parse_error_value` an error
object out of a stream; neither raises, whatever a provider sends. The status gives a first kind, words of the body
refine it. `FORMS` says how each kind looks to the clients of each dialect, `retry_fields` what their SDKs are told
about trying again. There is no clock here: times of day count from the answer's own Date field.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from proxy.dialects.delays import find_delay
from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.failure_scope import is_model_only
from proxy.dialects.failure_text import read_message
from proxy.dialects.failure_words import PHRASES, STATUSES, VAGUE_WORDS, WORDS
from proxy.dialects.json_text import decode_json
from proxy.dialects.parts import Json
from proxy.wire.headers import NO_FIELDS, Headers

__all__ = ["FORMS", "Form", "find_delay", "parse_error_value", "parse_failure", "retry_fields"]

Codes = Mapping[str, FailureKind]
_NO_CODES: Final[Codes] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Form:
    """How a kind is put in OpenAI's, Anthropic's and Gemini's error bodies and statuses."""

    status: int
    openai_type: str
    openai_code: str | None
    anthropic_status: int
    anthropic_type: str
    gemini_status: int
    gemini_name: str


_K = FailureKind

# 529 is Anthropic's own status for overload. Where a vendor has no status for a kind, its nearest one stands.
FORMS: Final[Mapping[FailureKind, Form]] = MappingProxyType({
    _K.INVALID: Form(400, "invalid_request_error", None, 400, "invalid_request_error", 400, "INVALID_ARGUMENT"),
    _K.CONTEXT_LENGTH: Form(
        400, "invalid_request_error", "context_length_exceeded", 400, "invalid_request_error", 400, "INVALID_ARGUMENT"),
    _K.CONTENT_FILTER: Form(
        400, "invalid_request_error", "content_filter", 400, "invalid_request_error", 400, "INVALID_ARGUMENT"),
    _K.AUTH: Form(
        401, "invalid_request_error", "invalid_api_key", 401, "authentication_error", 401, "UNAUTHENTICATED"),
    _K.UPSTREAM_AUTH: Form(502, "server_error", None, 500, "api_error", 500, "INTERNAL"),
    _K.QUOTA: Form(
        429, "insufficient_quota", "insufficient_quota", 429, "rate_limit_error", 429, "RESOURCE_EXHAUSTED"),
    _K.PERMISSION: Form(403, "permission_error", None, 403, "permission_error", 403, "PERMISSION_DENIED"),
    _K.NOT_FOUND: Form(404, "invalid_request_error", "model_not_found", 404, "not_found_error", 404, "NOT_FOUND"),
    _K.CONFLICT: Form(409, "invalid_request_error", None, 409, "conflict_error", 409, "ABORTED"),
    _K.TOO_LARGE: Form(413, "invalid_request_error", None, 413, "request_too_large", 400, "INVALID_ARGUMENT"),
    _K.RATE_LIMIT: Form(
        429, "rate_limit_error", "rate_limit_exceeded", 429, "rate_limit_error", 429, "RESOURCE_EXHAUSTED"),
    _K.TIMEOUT: Form(504, "timeout", None, 504, "timeout_error", 504, "DEADLINE_EXCEEDED"),
    _K.OVERLOADED: Form(503, "server_error", "overloaded", 529, "overloaded_error", 503, "UNAVAILABLE"),
    _K.SERVER: Form(500, "server_error", None, 500, "api_error", 500, "INTERNAL"),
    _K.BAD_GATEWAY: Form(502, "server_error", "upstream_error", 500, "api_error", 503, "UNAVAILABLE"),
    _K.DISCONNECT: Form(502, "server_error", "upstream_error", 500, "api_error", 503, "UNAVAILABLE"),
    _K.UNUSABLE: Form(503, "server_error", "no_usable_account", 503, "api_error", 503, "UNAVAILABLE"),
    _K.CANCELLED: Form(499, "server_error", "cancelled", 499, "api_error", 499, "CANCELLED"),
})  # fmt: skip

WAITING: Final = frozenset({_K.RATE_LIMIT, _K.QUOTA, _K.OVERLOADED, _K.TIMEOUT, _K.SERVER, _K.BAD_GATEWAY})
"""Kinds for which a delay means something."""

RETRIED: Final = frozenset({
    _K.RATE_LIMIT, _K.OVERLOADED, _K.TIMEOUT, _K.SERVER, _K.BAD_GATEWAY, _K.DISCONNECT, _K.CONFLICT,
})  # fmt: skip
"""Kinds that may go away by themselves."""

LIMITS: Final = frozenset({_K.RATE_LIMIT, _K.QUOTA})
"""Kinds that are an account's: of all its models, or of one."""

LONG_DELAY: Final = 60.0
"""Seconds: a limit that lasts longer is a quota, since nobody holds a request for it. OpenAI's and Anthropic's SDKs
ignore a retry-after above this."""


def parse_failure(status: int, headers: Headers, body: bytes, codes: Codes = _NO_CODES) -> Failure:
    """An error answer of any provider. codes: what the provider's own error codes mean, they count first."""
    try:
        value = decode_json(body)
    except ValueError:
        value = body.decode("utf-8", "replace")
    return _build(value, status, headers, codes)


def parse_error_value(value: Json, status: int = 0, codes: Codes = _NO_CODES) -> Failure:
    """An error out of a stream, decoded: the object with `error` in it, or what stands there."""
    return _build(value, status, NO_FIELDS, codes)


def retry_fields(failure: Failure) -> dict[str, str]:
    """Header fields that the SDKs of OpenAI and Anthropic obey."""
    delay = failure.retry_after
    soon = delay is None or not math.isfinite(delay) or delay <= LONG_DELAY
    fields = {"x-should-retry": "true" if failure.kind in RETRIED and soon else "false"}
    if delay is not None and math.isfinite(delay) and delay >= 0:
        fields["retry-after"] = str(math.ceil(delay))
        fields["retry-after-ms"] = str(math.ceil(delay * 1000))
    return fields


def find_error(value: Json) -> Json:
    """The error within what a provider sent: the object itself, or a text. An array is a Gemini answer without SSE,
    `response` a failed one of OpenAI's Responses, `choices` a whole answer of OpenRouter."""
    if isinstance(value, list):
        return find_error(value[0]) if value and isinstance(value[0], dict | str) else None
    if not isinstance(value, dict):
        return value
    if value.get("error"):
        return value["error"] if isinstance(value["error"], dict) else value  # xAI: a text, and `code` beside it
    response, choices = value.get("response"), value.get("choices")
    if isinstance(response, dict) and response.get("error"):
        return response["error"]
    if isinstance(choices, list) and choices and isinstance(choices[0], dict) and choices[0].get("error"):
        return choices[0]["error"]
    return value


def _build(value: Json, status: int, headers: Headers, codes: Codes) -> Failure:
    error = find_error(value)
    message = read_message(error)
    words = list(_iterate_words(error))
    status = _read_status(error, status)
    kind = _find_kind(status, words, message.lower(), codes)
    delay = find_delay(headers, error) if kind in WAITING else None
    if kind is FailureKind.RATE_LIMIT and delay is not None and delay > LONG_DELAY:
        kind = FailureKind.QUOTA
    fields = error if isinstance(error, dict) else {}
    param = fields.get("param")
    return Failure(
        kind,
        message or SAYINGS[kind],
        status,
        _read_code(fields),
        delay,
        param if isinstance(param, str) else "",
        kind in LIMITS and is_model_only(error, message),
    )


def _read_status(error: Json, status: int) -> int:
    """The HTTP status; under 200, or within a stream, the one that the error names."""
    if status >= 400 or not isinstance(error, dict):
        return status
    for name in ("status_code", "code", "status"):
        number = error.get(name)
        if isinstance(number, str) and number.isascii() and number.isdecimal() and len(number) == 3:
            number = int(number)
        if isinstance(number, int) and 400 <= number < 600:
            return number
    return status


def _read_code(fields: Mapping[str, Json]) -> str:
    """The provider's own word: the most telling one comes first."""
    for name in ("code", "type", "status"):
        word = fields.get(name)
        if isinstance(word, str) and word and not word.isspace():
            return word[:64]
    code = fields.get("code")
    return str(code) if isinstance(code, int) and not isinstance(code, bool) and abs(code) < 1 << 63 else ""


def _find_kind(status: int, words: list[str], message: str, codes: Codes) -> FailureKind:
    for word in words:
        if word in codes:
            return _at_provider(codes[word])
    for table in (WORDS, VAGUE_WORDS if status < 400 else {}):
        for word in words:
            if (known := table.get(word.lower())) is not None:
                return _at_provider(known)
    base = STATUSES.get(status, FailureKind.SERVER if status >= 500 or status < 400 else FailureKind.INVALID)
    for phrase, kind, over in PHRASES:
        if base in over and phrase in message:
            return _at_provider(kind)
    return _at_provider(base)


def _at_provider(kind: FailureKind) -> FailureKind:
    """The key that a provider refuses is ours, not the caller's."""
    return FailureKind.UPSTREAM_AUTH if kind is FailureKind.AUTH else kind


def _iterate_words(error: Json) -> Iterator[str]:
    """Everything in an error that names its kind, the most particular first."""
    if not isinstance(error, dict):
        return
    given, metadata = error.get("details"), error.get("metadata")
    details = [detail for detail in (given if isinstance(given, list) else [given]) if isinstance(detail, dict)]
    for detail in details:
        yield from _iterate_quotas(detail)
    for detail in details:
        yield from _words(detail, "reason", "error_code")  # google.rpc.ErrorInfo; Anthropic
    if isinstance(metadata, dict):
        yield from _words(metadata, "error_type")
    yield from _words(error, "code", "type", "status")


def _iterate_quotas(detail: Mapping[str, Json]) -> Iterator[str]:
    """google.rpc.QuotaFailure: one that counts by the day will not do for today."""
    violations = detail.get("violations")
    for violation in violations if isinstance(violations, list) else ():
        if isinstance(violation, dict) and "PerDay" in str(violation.get("quotaId")):
            yield "quota_exhausted"


def _words(fields: Mapping[str, Json], *names: str) -> Iterator[str]:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str):
            yield value
        elif isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
            yield str(value)


SAYINGS: Final[Mapping[FailureKind, str]] = MappingProxyType({
    _K.INVALID: "the provider refused the request",
    _K.CONTEXT_LENGTH: "the conversation is too long for the model",
    _K.CONTENT_FILTER: "the provider's content filter refused the request",
    _K.AUTH: "the key is not valid",
    _K.UPSTREAM_AUTH: "the provider refused the proxy's credential",
    _K.QUOTA: "the provider's quota is used up",
    _K.PERMISSION: "the provider does not permit this",
    _K.NOT_FOUND: "the provider does not know this model or address",
    _K.CONFLICT: "the provider reports a conflict with another request",
    _K.TOO_LARGE: "the request is too large for the provider",
    _K.RATE_LIMIT: "the provider's rate limit is reached",
    _K.TIMEOUT: "the provider took too long",
    _K.OVERLOADED: "the provider is overloaded",
    _K.SERVER: "the provider failed",
    _K.BAD_GATEWAY: "the provider could not be reached or answered nonsense",
    _K.DISCONNECT: "the provider ended the answer before it was complete",
    _K.UNUSABLE: "no account at the provider can be used",
    _K.CANCELLED: "the request was cancelled",
})  # fmt: skip
"""What is said when the provider says nothing readable."""
