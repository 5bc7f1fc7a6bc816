"""Tables: which failure a status, a word or a phrase of a provider's error means. Data only; `failures.py` reads them.

`WORDS` are error codes, types and reasons that mean one thing under any status. `VAGUE_WORDS` say no more than a
status does and count only where there is none: within a stream or under 200. `PHRASES` are looked for in messages,
in lower case, when the status (or nothing better) gave one of the kinds beside them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from proxy.dialects.events import FailureKind

_K = FailureKind

STATUSES: Final[Mapping[int, FailureKind]] = MappingProxyType({
    400: _K.INVALID, 401: _K.AUTH, 402: _K.QUOTA, 403: _K.PERMISSION, 404: _K.NOT_FOUND, 408: _K.TIMEOUT,
    409: _K.CONFLICT, 413: _K.TOO_LARGE, 422: _K.INVALID, 429: _K.RATE_LIMIT,
    434: _K.PERMISSION, 435: _K.PERMISSION,  # Zhipu: region and policy
    451: _K.PERMISSION, 498: _K.RATE_LIMIT,  # Groq: flex tier at capacity
    499: _K.CANCELLED, 500: _K.SERVER, 501: _K.INVALID, 502: _K.BAD_GATEWAY, 503: _K.OVERLOADED, 504: _K.TIMEOUT,
    520: _K.BAD_GATEWAY, 521: _K.BAD_GATEWAY, 522: _K.TIMEOUT, 523: _K.BAD_GATEWAY, 524: _K.TIMEOUT,  # Cloudflare
    529: _K.OVERLOADED,  # Anthropic
})  # fmt: skip

WORDS: Final[Mapping[str, FailureKind]] = MappingProxyType({
    # OpenAI (platform.openai.com/docs/guides/error-codes) and Azure
    "insufficient_quota": _K.QUOTA,
    "billing_hard_limit_reached": _K.QUOTA,
    "billing_not_active": _K.QUOTA,
    "rate_limit_exceeded": _K.RATE_LIMIT,
    "context_length_exceeded": _K.CONTEXT_LENGTH,
    "string_above_max_length": _K.INVALID,
    "content_policy_violation": _K.CONTENT_FILTER,
    "content_filter": _K.CONTENT_FILTER,
    "responsibleaipolicyviolation": _K.CONTENT_FILTER,
    "moderation_blocked": _K.CONTENT_FILTER,
    "invalid_api_key": _K.AUTH,
    "model_not_found": _K.NOT_FOUND,
    "deploymentnotfound": _K.NOT_FOUND,
    "unsupported_country_region_territory": _K.PERMISSION,
    "slow_down": _K.OVERLOADED,
    # Anthropic (docs.anthropic.com/en/api/errors)
    "overloaded_error": _K.OVERLOADED,
    "billing_error": _K.QUOTA,
    "enforced_spend_limit_reached": _K.QUOTA,
    "request_too_large": _K.TOO_LARGE,
    # Google: google.rpc.ErrorInfo reasons
    "api_key_invalid": _K.AUTH,
    "api_key_expired": _K.AUTH,
    "access_token_expired": _K.AUTH,
    "quota_exhausted": _K.QUOTA,
    "model_capacity_exhausted": _K.OVERLOADED,
    # OpenRouter
    "moderation": _K.CONTENT_FILTER,
})  # fmt: skip

VAGUE_WORDS: Final[Mapping[str, FailureKind]] = MappingProxyType({
    "invalid_request_error": _K.INVALID,
    "authentication_error": _K.AUTH,
    "permission_error": _K.PERMISSION,
    "not_found_error": _K.NOT_FOUND,
    "conflict_error": _K.CONFLICT,
    "rate_limit_error": _K.RATE_LIMIT,
    "requests": _K.RATE_LIMIT,
    "tokens": _K.RATE_LIMIT,
    "timeout_error": _K.TIMEOUT,
    "timeout": _K.TIMEOUT,
    "api_error": _K.SERVER,
    "server_error": _K.SERVER,
    "internal_server_error": _K.SERVER,
    "overloaded": _K.OVERLOADED,
    "upstream_error": _K.BAD_GATEWAY,
    # google.rpc.Code
    "invalid_argument": _K.INVALID,
    "failed_precondition": _K.INVALID,
    "out_of_range": _K.INVALID,
    "unauthenticated": _K.AUTH,
    "permission_denied": _K.PERMISSION,
    "not_found": _K.NOT_FOUND,
    "aborted": _K.CONFLICT,
    "already_exists": _K.CONFLICT,
    "resource_exhausted": _K.RATE_LIMIT,
    "cancelled": _K.CANCELLED,
    "internal": _K.SERVER,
    "unknown": _K.SERVER,
    "data_loss": _K.SERVER,
    "unimplemented": _K.INVALID,
    "unavailable": _K.OVERLOADED,
    "deadline_exceeded": _K.TIMEOUT,
})  # fmt: skip

_REFUSED = frozenset({_K.INVALID, _K.TOO_LARGE, _K.SERVER})
_BUSY = frozenset({_K.RATE_LIMIT, _K.SERVER, _K.BAD_GATEWAY})

PHRASES: Final = (
    ("prompt is too long", _K.CONTEXT_LENGTH, _REFUSED),
    ("maximum context length", _K.CONTEXT_LENGTH, _REFUSED),
    ("exceeds the maximum number of tokens", _K.CONTEXT_LENGTH, _REFUSED),
    ("exceeds the context window", _K.CONTEXT_LENGTH, _REFUSED),
    ("exceed context limit", _K.CONTEXT_LENGTH, _REFUSED),
    ("context length exceeded", _K.CONTEXT_LENGTH, _REFUSED),
    ("exceeds the available context size", _K.CONTEXT_LENGTH, _REFUSED),  # llama.cpp
    ("content management policy", _K.CONTENT_FILTER, _REFUSED),  # Azure
    ("requires moderation", _K.CONTENT_FILTER, frozenset({_K.PERMISSION})),  # OpenRouter
    ("user location is not supported", _K.PERMISSION, _REFUSED),  # Google, as FAILED_PRECONDITION
    ("api key not valid", _K.AUTH, _REFUSED),
    ("overloaded", _K.OVERLOADED, _BUSY),
    ("at capacity", _K.OVERLOADED, _BUSY),
    ("credit balance is too low", _K.QUOTA, frozenset({_K.INVALID})),  # Anthropic, as a 400
)
