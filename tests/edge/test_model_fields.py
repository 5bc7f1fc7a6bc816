"""Which fields an answer of a model route has: ours, and those of a provider's that mean something to its client."""

from dataclasses import replace

import pytest

from proxy.dialects.events import Failure, FailureKind
from proxy.edge.asking import Asking, aim
from proxy.edge.model_fields import (
    build_fields,
    build_overhead_field,
    build_pass_fields,
    build_retry_fields,
    build_stream_fields,
    build_tried_fields,
)
from proxy.edge.model_routes import find_route
from proxy.edge.question import understand
from proxy.edge.scope import Scope
from proxy.relay.outcome import Attempt, Record
from proxy.relay.ports import Answer
from proxy.types import AccountName, ProviderName, RequestId
from proxy.wire.headers import Headers
from tests.helpers.edge import build_model_house, build_scope

HOUSE = build_model_house({"oai": "openai-chat", "ant": "anthropic", "gem": "gemini"}, {})
CHAT = "/v1/chat/completions"


def ask(target: str = CHAT, model: str = "oai/m", body: bytes = b"") -> tuple[Scope, Asking]:
    scope = build_scope(HOUSE, "POST", target)
    path, mark, query = target.partition("?")
    scope.query = query if mark else None
    route = scope.route = find_route("POST", path, scope.query, scope.head.headers)
    assert route is not None
    data = body or b'{"model":"%b","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}' % model.encode()
    question = understand(scope, route, data, 0)
    return scope, aim(scope, question, question.found.goals[0])


def test_an_answer_says_which_request_it_is_of_and_who_gave_it() -> None:
    scope, asking = ask()
    record = scope.record
    record.begin(asking.provider.name, AccountName("spare"), 0.0)
    record.begin(asking.provider.name, AccountName("main"), 1.0)
    record.model = "m-2026"
    assert build_fields(scope, asking.question, asking.answerer) == [
        (b"x-request-id", b"req_1"),
        (b"x-penstock-request-id", b"req_1"),
        (b"x-penstock-model-asked", b"oai/m"),
        (b"x-penstock-provider", b"oai"),
        (b"x-penstock-account", b"main"),
        (b"x-penstock-attempts", b"2"),
        (b"x-penstock-model", b"m-2026"),
    ]


def test_an_answer_that_nobody_has_begun_says_what_was_asked() -> None:
    scope, asking = ask()
    assert build_fields(scope, asking.question) == [
        (b"x-request-id", b"req_1"),
        (b"x-penstock-request-id", b"req_1"),
        (b"x-penstock-model-asked", b"oai/m"),
    ]


def test_anthropic_s_sdk_finds_the_id_where_it_looks() -> None:
    scope, _ = ask("/v1/messages", "ant/m")
    assert build_fields(scope)[0] == (b"request-id", b"req_1")


def test_an_account_that_there_is_not_is_not_named() -> None:
    scope, asking = ask()
    scope.record.begin(asking.provider.name, None, 0.0)
    fields = dict(build_fields(scope, asking.question, asking.answerer))
    assert fields[b"x-penstock-attempts"] == b"1"
    assert not {b"x-penstock-account", b"x-penstock-model"} & set(fields)


def test_of_a_request_that_nobody_was_asked_nobody_is_named() -> None:
    scope, _ = ask()
    assert build_tried_fields(scope.record) == []


def test_when_to_come_back_is_said_as_sdks_read_it() -> None:
    fields = dict(build_retry_fields(Failure(FailureKind.RATE_LIMIT, "later", 429, retry_after=1.5)))
    assert {name.lower(): value for name, value in fields.items()} == {
        b"retry-after": b"2",
        b"retry-after-ms": b"1500",
        b"x-should-retry": b"true",
    }
    assert build_retry_fields(Failure(FailureKind.INVALID, "no", 400)) == [(b"x-should-retry", b"false")]


def test_what_every_answer_of_the_route_carries_is_there_also_without_a_provider() -> None:
    scope, _ = ask()
    scope.own_fields = [(b"Vary", b"Origin")]
    assert build_fields(scope) == [(b"x-request-id", b"req_1"), (b"x-penstock-request-id", b"req_1"), *scope.own_fields]


def test_what_was_dropped_is_named() -> None:
    scope, asking = ask()
    asking = replace(asking, turn=replace(asking.turn, outgoing=replace(asking.turn.outgoing, dropped=("seed", "é\n"))))
    assert dict(build_fields(scope, asking.question, asking.answerer))[b"x-penstock-dropped"] == b"seed, ??"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("oai/a b", b"oai/a b"), ("oai/模\r\nX: y", b"oai/???X: y"), ("oai/" + 508 * "x" + "yy", b"oai/" + 508 * b"x")],
)
def test_a_name_from_outside_stays_one_line_of_plain_text(name: str, shown: bytes) -> None:
    scope, asking = ask()
    asking.question.model = scope.record.model = name
    fields = dict(build_fields(scope, asking.question, asking.answerer))
    assert fields[b"x-penstock-model-asked"] == fields[b"x-penstock-model"] == shown


# A provider's fields for a client of its own dialect.


JSON = (b"Content-Type", b"application/json; charset=utf-8")


def passed(*fields: tuple[bytes, bytes], secrets: tuple[bytes, ...] = ()) -> list[tuple[bytes, bytes]]:
    """Of an answer in JSON, but for its type."""
    found = passed_all(*fields, JSON, secrets=secrets)
    assert found[-1] == JSON
    return found[:-1]


def passed_all(*fields: tuple[bytes, bytes], secrets: tuple[bytes, ...] = ()) -> list[tuple[bytes, bytes]]:
    _, asking = ask()
    asking = replace(asking, provider=replace(asking.provider, secrets=secrets))
    return build_pass_fields(asking, Answer(200, "OK", Headers(fields), None, None))


@pytest.mark.parametrize(
    "pair",
    [
        (b"x-ratelimit-remaining-requests", b"59"),
        (b"anthropic-ratelimit-tokens-remaining", b"1"),
        (b"Retry-After", b"7"),
        (b"openai-processing-ms", b"12"),
        (b"x-should-retry", b"false"),
    ],
)
def test_what_an_sdk_reads_goes_on_in_its_own_spelling(pair: tuple[bytes, bytes]) -> None:
    assert passed(pair) == [pair]


@pytest.mark.parametrize(
    "name",
    [
        b"Date", b"Server", b"Cache-Control", b"X-Accel-Buffering", b"Content-Encoding", b"Alt-Svc", b"Set-Cookie",
        b"Strict-Transport-Security", b"Vary", b"X-Request-Id", b"Request-Id", b"Access-Control-Allow-Origin",
        b"access-control-expose-headers", b"Connection", b"Transfer-Encoding", b"Content-Length", b"Keep-Alive",
    ],
)  # fmt: skip
def test_what_a_provider_says_of_its_own_connection_does_not(name: bytes) -> None:
    assert passed((name, b"x")) == []


def test_a_field_that_a_provider_names_as_of_the_connection_stays() -> None:
    assert passed((b"Connection", b"X-Hop"), (b"X-Hop", b"1"), (b"X-End", b"2")) == [(b"X-End", b"2")]


def test_a_field_that_shows_a_key_of_ours_stays() -> None:
    fields = ((b"X-Echo", b"Bearer sk-secret-1"), (b"X-Other", b"fine"), (b"X-sk-secret-1", b"1"))
    assert passed(*fields, secrets=(b"sk-secret-1",)) == [fields[1]]


def test_the_type_is_the_provider_s_and_stands_once() -> None:
    assert passed_all((b"content-type", JSON[1])) == [JSON]


def test_a_page_of_a_provider_s_is_a_stranger_here() -> None:
    sandbox = (b"Content-Security-Policy", b"sandbox")
    assert passed_all((b"content-type", b"text/html")) == [sandbox, (b"Content-Type", b"text/html")]
    assert passed_all() == [sandbox]


# The head of a stream.


@pytest.mark.parametrize(
    ("target", "model", "kind"),
    [
        (CHAT, "gem/m", b"text/event-stream; charset=utf-8"),
        ("/v1/messages", "oai/m", b"text/event-stream; charset=utf-8"),
        ("/v1beta/models/oai/m:streamGenerateContent?alt=sse", "", b"text/event-stream; charset=utf-8"),
        ("/v1beta/models/oai/m:streamGenerateContent", "", b"application/json; charset=UTF-8"),
    ],
)
def test_the_head_of_a_stream_is_the_same_whoever_answers(target: str, model: str, kind: bytes) -> None:
    body = b"" if model else b'{"contents":[{"parts":[{"text":"hi"}]}]}'
    _, asking = ask(target, model, body)
    assert build_stream_fields(asking.question) == [
        (b"Content-Type", kind),
        (b"Cache-Control", b"no-cache, no-transform"),
        (b"X-Accel-Buffering", b"no"),
    ]


def test_a_page_s_sdk_is_told_which_stream_this_is() -> None:
    said = b'[{"id":"1","role":"user","parts":[{"type":"text","text":"x"}]}]'
    _, asking = ask("/api/chat", "", b'{"model":"oai/m","messages":%b}' % said)
    fields = dict(build_stream_fields(asking.question))
    assert fields[b"x-vercel-ai-ui-message-stream"] == b"v1"
    assert fields[b"Content-Type"] == b"text/event-stream; charset=utf-8"


def test_what_was_waited_for_the_proxy_is_told() -> None:
    record = Record(RequestId("req_1"), 100.0, 0.0)
    record.attempts = [
        Attempt(ProviderName("a"), None, 1.0, started=0.25),
        Attempt(ProviderName("b"), None, 2.0, started=1.5),
    ]
    assert build_overhead_field(record, record.attempts[1], 103.5123) == (b"x-penstock-overhead-ms", b"262.3")
    assert build_overhead_field(record, record.attempts[1], 100.0)[1] == b"0.0"
