"""Failures as answers in the caller's dialect, on the routes where models are asked.

Those of the proxy's own codes that dialects have a form for become its kinds; the others are put as on a mount.
"""

from collections.abc import Mapping
from typing import Final

from proxy.dialects.chat import Declined, Invalid
from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.registry import CLIENTS
from proxy.edge.downstream import Fields, WholeAnswer
from proxy.edge.model_fields import build_tried_fields
from proxy.edge.model_routes import ModelRoute
from proxy.edge.scope import Scope
from proxy.errors import Code, PenstockError, UpstreamFault
from proxy.relay.failover import Exhausted
from proxy.relay.outcome import EndReason, Record

_KINDS: Final[Mapping[int, FailureKind]] = {
    400: FailureKind.INVALID,
    401: FailureKind.AUTH,
    403: FailureKind.PERMISSION,
    404: FailureKind.NOT_FOUND,
    413: FailureKind.TOO_LARGE,
    500: FailureKind.SERVER,
    502: FailureKind.BAD_GATEWAY,
    503: FailureKind.OVERLOADED,
    504: FailureKind.TIMEOUT,
}
"""By status. What is not listed is about HTTP, and no dialect has a word for it."""

ENDS: Final = {
    Code.BUSY: EndReason.LIMIT,
    Code.MEMORY: EndReason.LIMIT,
    Code.DESCRIPTORS: EndReason.LIMIT,
    Code.COOLING: EndReason.LIMIT,
    Code.CLIENT_STREAMS: EndReason.LIMIT,
    Code.CLIENT_REQUESTS: EndReason.LIMIT,
    Code.CLIENT_TOKENS: EndReason.LIMIT,
    Code.CLIENT_TOKENS_PER_DAY: EndReason.LIMIT,
    Code.CLIENT_COST_PER_DAY: EndReason.LIMIT,
    Code.DRAINING: EndReason.DRAIN,
    Code.CONNECT_TIMEOUT: EndReason.CONNECT,
    Code.REFUSED: EndReason.CONNECT,
    Code.DNS: EndReason.CONNECT,
    Code.TLS: EndReason.CONNECT,
    Code.UNREACHABLE: EndReason.CONNECT,
    Code.GUARDED: EndReason.CONNECT,
    Code.PROXY: EndReason.CONNECT,
    Code.CUT: EndReason.UPSTREAM_CUT,
    Code.FIRST_BYTE_TIMEOUT: EndReason.FIRST_BYTE,
    Code.TTFT_TIMEOUT: EndReason.TTFT,
    Code.IDLE_TIMEOUT: EndReason.IDLE,
    Code.PROTOCOL: EndReason.ERROR,
    Code.TOKEN: EndReason.ERROR,
    Code.UNUSABLE: EndReason.ERROR,
    Code.ANSWER_TOO_LARGE: EndReason.ERROR,
    Code.INTERNAL: EndReason.ERROR,
}
"""Whatever is not listed was refused for what the client sent."""

_UNKNOWN: Final = Failure(FailureKind.SERVER, "the answer could not be completed", 500)

_AT_PROVIDER: Final = frozenset({
    FailureKind.UPSTREAM_AUTH, FailureKind.QUOTA, FailureKind.RATE_LIMIT, FailureKind.OVERLOADED, FailureKind.SERVER,
    FailureKind.BAD_GATEWAY, FailureKind.DISCONNECT, FailureKind.TIMEOUT, FailureKind.UNUSABLE,
})  # fmt: skip


def map_code(code: Code) -> Failure | None:
    """The proxy's own refusal, or an upstream's fault; None when dialects have no form for it."""
    kind = _KINDS.get(code.status)
    return None if kind is None else Failure(kind, code.message, code.status, code.slug)


def map_error(error: PenstockError) -> Failure:
    """Whatever was raised instead of an answer."""
    match error:
        case Exhausted() | Declined():
            return error.failure
        case UpstreamFault():
            return map_code(error.code) or _UNKNOWN
        case Invalid():
            return map_invalid(error)
    return _UNKNOWN


def close_record(record: Record, failure: Failure, code: Code | None = None) -> None:
    """Why the request was over: an upstream's fault by its code, a provider's error by its kind."""
    record.error = record.error or (code.slug if code else failure.kind.value)
    reason = EndReason.ERROR if failure.kind in _AT_PROVIDER else EndReason.REFUSED
    record.close(ENDS.get(code, reason) if code else reason)


def map_invalid(invalid: Invalid) -> Failure:
    return Failure(FailureKind.INVALID, str(invalid), 400, param=invalid.param)


def build_failure(scope: Scope, route: ModelRoute, failure: Failure, extra: Fields, *, close: bool) -> WholeAnswer:
    """The answer for `failure`, noted in the request's record."""
    record = scope.record
    client = CLIENTS[route.dialect]
    status, headers, body = client.build_error(failure, record.id)
    record.status = status
    close_record(record, failure)
    identity = record.id.encode()
    fields = [
        (b"Content-Type", b"application/json"),
        (b"Cache-Control", b"no-store"),
        (scope.dialect.request_id_header.encode(), identity),
        (b"x-penstock-request-id", identity),
        *((name.encode(), value.encode()) for name, value in headers.items()),
        *build_tried_fields(record),
        *scope.own_fields,
        *extra,
    ]
    return WholeAnswer(status, _once(fields), body, close=close)


def _once(fields: Fields) -> Fields:
    """The last of the fields of one name stands."""
    return list({name.lower(): (name, value) for name, value in fields}.values())
