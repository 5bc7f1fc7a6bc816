"""What went wrong, as the caller's SDK reads it."""

from typing import Any

import pytest

from proxy.dialects.chat import Declined, Invalid
from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.failures import FORMS
from proxy.edge.downstream import WholeAnswer
from proxy.edge.failures import ENDS, build_failure, close_record, map_code, map_error, map_invalid
from proxy.edge.model_routes import find_route
from proxy.edge.scope import Scope
from proxy.errors import Code, PenstockError, UpstreamFault
from proxy.relay.failover import Exhausted
from proxy.relay.outcome import EndReason
from proxy.types import ProviderName
from proxy.wire.headers import NO_FIELDS
from tests.helpers.edge import build_house, build_scope
from tests.helpers.rawhttp import Reply, parse_head

PATHS = {
    "openai-chat": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "openrouter": "/api/v1/chat/completions",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/m:generateContent",
    "ui-message": "/api/chat",
    "event-source": "/api/stream",
}


def build(dialect: str, failure: Failure, *extra: tuple[bytes, bytes], scope: Scope | None = None) -> Reply:
    scope = scope or build_scope(build_house())
    route = scope.route = find_route("POST", PATHS[dialect], None, NO_FIELDS)
    assert route is not None
    answer = build_failure(scope, route, failure, list(extra), close=False)
    return read(answer)


def read(answer: WholeAnswer) -> Reply:
    head, _, body = answer.encode_closing().partition(b"\r\n\r\n")
    reply = parse_head(head)
    reply.body = body
    return reply


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Code.BAD_REQUEST, FailureKind.INVALID),
        (Code.BODY, FailureKind.INVALID),
        (Code.UNAUTHORIZED, FailureKind.AUTH),
        (Code.FORBIDDEN, FailureKind.PERMISSION),
        (Code.NOT_FOUND, FailureKind.NOT_FOUND),
        (Code.BODY_TOO_LARGE, FailureKind.TOO_LARGE),
        (Code.INTERNAL, FailureKind.SERVER),
        (Code.REFUSED, FailureKind.BAD_GATEWAY),
        (Code.CUT, FailureKind.BAD_GATEWAY),
        (Code.TOKEN, FailureKind.BAD_GATEWAY),
        (Code.BUSY, FailureKind.OVERLOADED),
        (Code.DRAINING, FailureKind.OVERLOADED),
        (Code.CONNECT_TIMEOUT, FailureKind.TIMEOUT),
        (Code.FIRST_BYTE_TIMEOUT, FailureKind.TIMEOUT),
    ],
)
def test_a_code_that_dialects_have_a_word_for_becomes_its_kind(code: Code, kind: FailureKind) -> None:
    failure = map_code(code)
    assert failure is not None
    assert (failure.kind, failure.message, failure.status) == (kind, code.message, code.status)
    assert FORMS[kind].status == code.status


@pytest.mark.parametrize(
    "code",
    [Code.METHOD, Code.REQUEST_TIMEOUT, Code.TARGET_TOO_LONG, Code.UPGRADE, Code.HEADERS_TOO_LARGE, Code.LOOP],
)
def test_what_is_about_http_keeps_its_status_and_is_no_kind(code: Code) -> None:
    assert map_code(code) is None


def test_an_invalid_request_names_its_field() -> None:
    failure = map_invalid(Invalid("messages[1].role", "must be a string"))
    assert (failure.kind, failure.status, failure.param) == (FailureKind.INVALID, 400, "messages[1].role")
    assert failure.message == "messages[1].role: must be a string"


@pytest.mark.parametrize("dialect", PATHS)
@pytest.mark.parametrize("kind", FailureKind)
def test_every_kind_in_every_dialect(dialect: str, kind: FailureKind) -> None:
    scope = build_scope(build_house())
    reply = build(dialect, Failure(kind, "it went wrong"), scope=scope)
    form = FORMS[kind]
    statuses = {"anthropic": form.anthropic_status, "gemini": form.gemini_status}
    assert reply.status == scope.record.status == statuses.get(dialect, form.status)
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-penstock-request-id"] == "req_1"
    assert reply.headers["request-id" if dialect == "anthropic" else "x-request-id"] == "req_1"
    assert find_message(dialect, reply.json) == "it went wrong"
    assert "req_1" in reply.body.decode()
    assert scope.record.error == kind.value
    assert scope.record.end in (EndReason.ERROR, EndReason.REFUSED)


def find_message(dialect: str, body: Any) -> Any:
    return body["error"] if dialect in ("ui-message", "event-source") else body["error"]["message"]


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        (FailureKind.INVALID, EndReason.REFUSED),
        (FailureKind.NOT_FOUND, EndReason.REFUSED),
        (FailureKind.AUTH, EndReason.REFUSED),
        (FailureKind.UPSTREAM_AUTH, EndReason.ERROR),
        (FailureKind.RATE_LIMIT, EndReason.ERROR),
        (FailureKind.OVERLOADED, EndReason.ERROR),
        (FailureKind.BAD_GATEWAY, EndReason.ERROR),
        (FailureKind.TIMEOUT, EndReason.ERROR),
    ],
)
def test_who_is_to_blame_is_in_the_record(kind: FailureKind, end: EndReason) -> None:
    scope = build_scope(build_house())
    build("anthropic", Failure(kind, "x"), scope=scope)
    assert scope.record.end is end


def test_a_reason_that_is_noted_already_stands() -> None:
    scope = build_scope(build_house())
    scope.record.error = "first_byte_timeout"
    scope.record.close(EndReason.FIRST_BYTE)
    build("openai-chat", Failure(FailureKind.TIMEOUT, "x"), scope=scope)
    assert (scope.record.error, scope.record.end) == ("first_byte_timeout", EndReason.FIRST_BYTE)


@pytest.mark.parametrize("dialect", PATHS)
def test_a_delay_is_told_to_sdks(dialect: str) -> None:
    reply = build(dialect, Failure(FailureKind.RATE_LIMIT, "slow down", retry_after=1.25))
    assert reply.headers["retry-after"] == "2"
    assert reply.headers["retry-after-ms"] == "1250"
    assert reply.headers["x-should-retry"] == "true"


def test_fields_of_the_request_s_own_go_along_and_no_name_stands_twice() -> None:
    scope = build_scope(build_house())
    scope.own_fields = [(b"Access-Control-Allow-Origin", b"https://a"), (b"Vary", b"Origin")]
    failure = Failure(FailureKind.OVERLOADED, "x", retry_after=9)
    reply = build("openai-chat", failure, (b"Retry-After", b"1"), scope=scope)
    assert reply.headers["access-control-allow-origin"] == "https://a"
    assert reply.headers["vary"] == "Origin"
    assert reply.headers["retry-after"] == "1"
    names = [line.partition(b":")[0].lower() for line in reply.raw.split(b"\r\n")[1:]]
    assert len(names) == len(set(names))


def test_who_was_asked_before_it_failed_is_named() -> None:
    scope = build_scope(build_house())
    scope.record.begin(ProviderName("up"), None, 0.0)
    reply = build("anthropic", Failure(FailureKind.OVERLOADED, "busy", 503), scope=scope)
    assert (reply.headers["x-penstock-provider"], reply.headers["x-penstock-attempts"]) == ("up", "1")
    assert "x-penstock-attempts" not in build("anthropic", Failure(FailureKind.OVERLOADED, "busy", 503)).headers


# Whatever was raised in place of an answer.

BUSY = Failure(FailureKind.OVERLOADED, "busy", 503)


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        (Exhausted(UpstreamFault(Code.CUT), BUSY, None), FailureKind.OVERLOADED, 503),
        (Declined(BUSY), FailureKind.OVERLOADED, 503),
        (UpstreamFault(Code.REFUSED), FailureKind.BAD_GATEWAY, 502),
        (UpstreamFault(Code.METHOD), FailureKind.SERVER, 500),
        (Invalid("model", "is wrong"), FailureKind.INVALID, 400),
        (PenstockError(), FailureKind.SERVER, 500),
    ],
)
def test_it_becomes_a_failure(error: PenstockError, kind: FailureKind, status: int) -> None:
    failure = map_error(error)
    assert (failure.kind, failure.status) == (kind, status)


@pytest.mark.parametrize("code", ENDS)
def test_an_upstream_s_fault_is_noted_by_its_code(code: Code) -> None:
    record = build_scope(build_house()).record
    close_record(record, BUSY, code)
    assert (record.error, record.end) == (code.slug, ENDS[code])


def test_a_fault_that_is_not_listed_is_noted_by_its_kind() -> None:
    record = build_scope(build_house()).record
    close_record(record, BUSY, Code.METHOD)
    assert record.end is EndReason.ERROR
