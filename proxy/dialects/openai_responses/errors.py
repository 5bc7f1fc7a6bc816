"""Errors of the Responses API: whole answers in OpenAI's form, and within a stream the two events that end it.

A stream that fails says `error`, which openai-python hands out as an event, and then `response.failed`, which Codex
and the SDK's helper take their exception from (openai-python, types/responses/response_error_event.py and
response_failed_event.py). Codex tells errors apart by `code` and finds the delay in the message.
"""

from typing import Final

from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.failures import FORMS, parse_failure, retry_fields
from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import Json
from proxy.wire.headers import Headers

_K = FailureKind

CODES: Final = {
    "invalid_prompt": _K.INVALID,
    "invalid_encrypted_content": _K.INVALID,
    "invalid_image": _K.INVALID,
    "invalid_image_format": _K.INVALID,
    "invalid_base64_image": _K.INVALID,
    "invalid_image_url": _K.INVALID,
    "invalid_image_mode": _K.INVALID,
    "image_too_large": _K.INVALID,
    "image_too_small": _K.INVALID,
    "image_parse_error": _K.INVALID,
    "image_file_too_large": _K.INVALID,
    "image_file_not_found": _K.INVALID,
    "empty_image_file": _K.INVALID,
    "unsupported_image_media_type": _K.INVALID,
    "failed_to_download_image": _K.INVALID,
    "bio_policy": _K.CONTENT_FILTER,
    "image_content_policy_violation": _K.CONTENT_FILTER,
    "misalignment_policy_violation": _K.CONTENT_FILTER,
    "server_is_overloaded": _K.OVERLOADED,
}
"""Codes that only this API has (openai-python, types/responses/response_error.py)."""


def parse_error(status: int, headers: Headers, body: bytes) -> Failure:
    """An error answer, or an error body under 200."""
    return parse_failure(status, headers, body, CODES)


def build_error(failure: Failure, request_id: str) -> tuple[int, dict[str, str], bytes]:
    """Status, header fields and body of an answer that failed before it began."""
    form = FORMS[failure.kind]
    error: dict[str, Json] = {
        "message": failure.message,
        "type": form.openai_type,
        "param": failure.param or None,
        "code": form.openai_code,
    }
    return form.status, retry_fields(failure), encode_json({"error": error, "request_id": request_id})


def build_stream_error(failure: Failure) -> tuple[bytes, bytes]:
    """The members of the `error` event, and the `error` of the failed response."""
    form = FORMS[failure.kind]
    code = form.openai_code or ("server_error" if form.status >= 500 else "invalid_prompt")
    message = failure.message
    if failure.retry_after is not None and "try again in" not in message:
        message = f"{message.rstrip('.')}. Please try again in {failure.retry_after:g}s."
    # Both are members of one event each: without the braces, and whole.
    event = encode_json({"code": code, "message": message, "param": failure.param or None})[1:-1]
    return event, encode_json({"code": code, "message": message})
