"""Header fields of answers on model routes: the proxy's own, and the few of a provider's that go on."""

from typing import Final

from proxy.dialects.registry import CLIENTS
from proxy.edge.asking import Asking
from proxy.edge.downstream import Fields
from proxy.edge.scope import Scope
from proxy.relay.ports import Answer
from proxy.wire.headers import filter_response

_JSON_ARRAY: Final = "application/json; charset=UTF-8"

_REPLACED: Final = frozenset({
    b"date", b"server", b"content-type", b"cache-control", b"x-accel-buffering", b"content-encoding", b"alt-svc",
    b"strict-transport-security", b"set-cookie", b"vary", b"x-request-id", b"request-id",
})  # fmt: skip
"""What a provider says of its own connection, or what is said anew here."""


def build_fields(scope: Scope, asking: Asking | None = None) -> Fields:
    """Ids, who answered, what was left out, and what pages need."""
    record = scope.record
    identity = record.id.encode()
    fields = [(scope.dialect.request_id_header.encode(), identity), (b"x-penstock-request-id", identity)]
    if asking is not None:
        fields.append((b"x-penstock-provider", asking.provider.name.encode()))
        fields.append((b"x-penstock-model-asked", _plain(asking.model)))
        if record.model:
            fields.append((b"x-penstock-model", _plain(record.model)))
        if record.account is not None:
            fields.append((b"x-penstock-account", record.account.encode()))
        if asking.turn.outgoing.dropped:
            fields.append((b"x-penstock-dropped", _plain(", ".join(asking.turn.outgoing.dropped))))
    return [*fields, *scope.own_fields]


def build_pass_fields(asking: Asking, answer: Answer) -> Fields:
    """The provider's fields for a client of its own dialect, without any that shows a key of ours; and its type."""
    secrets = asking.provider.secrets
    fields = [
        pair
        for pair in filter_response(answer.headers)
        if pair[0].lower() not in _REPLACED
        and not pair[0].lower().startswith(b"access-control-")
        and not any(secret in pair[1] for secret in secrets)
    ]
    kind = answer.headers.get_first(b"content-type")
    return [*fields, (b"Content-Type", kind)] if kind is not None else fields


def build_stream_fields(asking: Asking) -> Fields:
    """What the head of a stream needs, whoever answers (nginx's X-Accel-Buffering, RFC 9111 5.2.2)."""
    client = CLIENTS[asking.route.dialect]
    kind = _JSON_ARRAY if asking.turn.array else client.content_type
    more = getattr(client, "stream_headers", {})
    return [
        (b"Content-Type", kind.encode()),
        (b"Cache-Control", b"no-cache, no-transform"),
        (b"X-Accel-Buffering", b"no"),
        *((name.encode(), value.encode()) for name, value in more.items()),
    ]


def _plain(text: str) -> bytes:
    """Visible ASCII only: a name comes from outside, and a field is one line."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text[:512]).encode()
