"""Header fields of answers on model routes: the proxy's own, and the few of a provider's that go on."""

from typing import Final

from proxy.dialects.events import Failure
from proxy.dialects.failures import retry_fields
from proxy.edge.asking import Answerer, Asking
from proxy.edge.documents import build_sandbox
from proxy.edge.downstream import Fields
from proxy.edge.question import Question
from proxy.edge.scope import Scope
from proxy.relay.outcome import Attempt, Record
from proxy.relay.ports import Answer
from proxy.wire.headers import filter_response

_JSON_ARRAY: Final = "application/json; charset=UTF-8"

_REPLACED: Final = frozenset({
    b"date", b"server", b"content-type", b"cache-control", b"x-accel-buffering", b"content-encoding", b"alt-svc",
    b"strict-transport-security", b"set-cookie", b"vary", b"x-request-id", b"request-id",
})  # fmt: skip
"""What a provider says of its own connection, or what is said anew here."""


def build_fields(scope: Scope, question: Question | None = None, answerer: Answerer | None = None) -> Fields:
    """Ids, what was asked for, who answered after how many attempts, what was left out, and what pages need."""
    record = scope.record
    identity = record.id.encode()
    fields = [(scope.dialect.request_id_header.encode(), identity), (b"x-penstock-request-id", identity)]
    if question is not None:
        fields.append((b"x-penstock-model-asked", _plain(question.model)))
    if answerer is not None:
        fields += build_tried_fields(record)
        if record.model:
            fields.append((b"x-penstock-model", _plain(record.model)))
        if answerer.dropped:
            fields.append((b"x-penstock-dropped", _plain(", ".join(answerer.dropped))))
    return [*fields, *scope.own_fields]


def build_tried_fields(record: Record) -> Fields:
    """Who was asked last, and the how manieth that was; [] while nobody was."""
    if not record.attempts:
        return []
    fields = [(b"x-penstock-provider", record.provider.encode())] if record.provider is not None else []
    if record.account is not None:
        fields.append((b"x-penstock-account", record.account.encode()))
    return [*fields, (b"x-penstock-attempts", b"%d" % len(record.attempts))]


def build_overhead_field(record: Record, won: Attempt, now: float) -> tuple[bytes, bytes]:
    """What the client waited for the proxy and not for a provider, until `now` on the record's clock: before the first
    attempt went out, and since the one that won has answered. Milliseconds."""
    seconds = record.attempts[0].started + now - record.started - won.started - won.seconds
    return b"x-penstock-overhead-ms", b"%.1f" % (max(seconds, 0.0) * 1000)


def build_pass_fields(asking: Asking, answer: Answer) -> Fields:
    """The provider's fields for a client of its own dialect, without any that shows a key of ours; and its type."""
    secrets = asking.provider.secrets
    fields = [
        pair
        for pair in filter_response(answer.headers)
        if pair[0].lower() not in _REPLACED
        and not pair[0].lower().startswith(b"access-control-")
        and not any(secret in pair[0] or secret in pair[1] for secret in secrets)
    ]
    kind = answer.headers.get_first(b"content-type")
    fields += build_sandbox(kind)
    return [*fields, (b"Content-Type", kind)] if kind is not None else fields


def build_retry_fields(failure: Failure) -> Fields:
    """When to try again, as the SDKs read it."""
    return [(name.encode(), value.encode()) for name, value in retry_fields(failure).items()]


def build_stream_fields(question: Question) -> Fields:
    """What the head of a stream needs, whoever answers (nginx's X-Accel-Buffering, RFC 9111 5.2.2)."""
    client = question.client
    kind = _JSON_ARRAY if question.route.array else client.content_type
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
