"""Failures as answers in the caller's dialect, on the routes where models are asked.

Those of the proxy's own codes that dialects have a form for become its kinds; the others are put as on a mount.
"""

from collections.abc import Mapping
from typing import Final

from proxy.dialects.chat import Invalid
from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.registry import CLIENTS
from proxy.edge.downstream import Fields, WholeAnswer
from proxy.edge.model_routes import ModelRoute
from proxy.edge.scope import Scope
from proxy.errors import Code
from proxy.relay.outcome import EndReason

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

_AT_PROVIDER: Final = frozenset({
    FailureKind.UPSTREAM_AUTH, FailureKind.QUOTA, FailureKind.RATE_LIMIT, FailureKind.OVERLOADED, FailureKind.SERVER,
    FailureKind.BAD_GATEWAY, FailureKind.DISCONNECT, FailureKind.TIMEOUT,
})  # fmt: skip


def map_code(code: Code) -> Failure | None:
    """The proxy's own refusal, or an upstream's fault; None when dialects have no form for it."""
    kind = _KINDS.get(code.status)
    return None if kind is None else Failure(kind, code.message, code.status, code.slug)


def map_invalid(invalid: Invalid) -> Failure:
    return Failure(FailureKind.INVALID, str(invalid), 400, param=invalid.param)


def build_failure(scope: Scope, route: ModelRoute, failure: Failure, extra: Fields, *, close: bool) -> WholeAnswer:
    """The answer for `failure`, noted in the request's record."""
    record = scope.record
    client = CLIENTS[route.dialect]
    status, headers, body = client.build_error(failure, record.id)
    record.status = status
    record.error = record.error or failure.kind.value
    record.close(EndReason.ERROR if failure.kind in _AT_PROVIDER else EndReason.REFUSED)
    identity = record.id.encode()
    fields = [
        (b"Content-Type", b"application/json"),
        (b"Cache-Control", b"no-store"),
        (scope.dialect.request_id_header.encode(), identity),
        (b"x-penstock-request-id", identity),
        *((name.encode(), value.encode()) for name, value in headers.items()),
        *scope.own_fields,
        *extra,
    ]
    return WholeAnswer(status, _once(fields), body, close=close)


def _once(fields: Fields) -> Fields:
    """The last of the fields of one name stands."""
    return list({name.lower(): (name, value) for name, value in fields}.values())
