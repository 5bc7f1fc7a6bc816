"""One attempt at answering a question: what it gives and what it raises. Its clocks, and what is left of it when it is
called off: test_attempt_clocks.py."""

import pytest

from proxy.accounts.trouble import How
from proxy.dialects.chat import Declined
from proxy.dialects.events import FailureKind
from proxy.edge.answers import Refusal
from proxy.edge.attempts import Begun, Done
from proxy.errors import Code, UpstreamFault
from proxy.relay.failover import Unfit
from proxy.relay.outcome import Phase
from tests.helpers.attempted import EVENTS, JSON, Asked, Bureau, ask
from tests.helpers.fakes import reach
from tests.helpers.models import PROVIDERS, WHOLE, encode

K = FailureKind
SPOKEN = PROVIDERS["openai"]
BEGUN = SPOKEN.opening + SPOKEN.texts[0]
PING = b": ping\n\n"


# Answers.


async def test_a_stream_is_begun_with_its_first_substance() -> None:
    one = await ask()
    phases = [one.bureau.scope.record.phase]
    one.bureau.ticker.advance(2)
    source = one.desk.answer(EVENTS)
    await reach(source.started)
    phases.append(one.bureau.scope.record.phase)
    assert phases == [Phase.WAITING, Phase.HELD]
    source.feed(SPOKEN.opening)
    one.bureau.ticker.advance(1)
    source.feed(SPOKEN.texts[0])
    won = await one.result()
    assert isinstance(won, Begun)
    assert won.peek.out == BEGUN
    assert (won.go, won.answerer.provider.name, won.attempt) == (one.go, "oai", one.noted)
    assert (one.noted.model, one.noted.status, one.noted.seconds) == ("m1", 200, 3.0)
    assert (one.noted.account, one.noted.started, one.noted.outcome) == ("main", 0.0, "")
    assert source.aborted == 0
    assert one.bureau.count_in_flight() == 1
    assert one.bureau.board.account(one.desk.name, "main").succeeded == one.bureau.ticker.wall()


async def test_a_whole_answer_is_done() -> None:
    one = await ask(body={"stream": False})
    one.desk.answer(JSON, body=[WHOLE["openai"], None])
    won = await one.result()
    assert isinstance(won, Done)
    assert (won.whole.body, won.whole.status) == (WHOLE["openai"], 200)


async def test_each_target_is_sent_what_it_wants() -> None:
    bureau = Bureau()
    for candidate in (0, 1):
        one = await Asked(bureau, candidate).begin()
        one.desk.refuse(UpstreamFault(Code.CUT))
        await one.failure()
    first, second = bureau.desks["oai"].asked[0], bureau.desks["ant"].asked[0]
    assert (first.target, second.target) == ("/base/chat/completions", "/base/v1/messages")
    assert first.upload is not None
    assert b'"model":"m1"' in (first.upload.take_whole() or b"")
    assert [attempt.model for attempt in bureau.scope.record.attempts] == ["m1", "m2"]


async def test_a_target_that_is_asked_again_is_sent_all_of_it_again() -> None:
    bureau, bodies = Bureau(), []
    for _ in range(2):
        one = await Asked(bureau).begin()
        upload = one.desk.asked[-1].upload
        assert upload is not None
        bodies.append(upload.take_whole())
        one.desk.refuse(UpstreamFault(Code.CUT))
        await one.failure()
    assert bodies[0] == bodies[1]
    assert bodies[0]


async def test_what_is_said_is_followed_where_a_rescue_is_wanted() -> None:
    for track in (True, False):
        one = await ask(track=track)
        one.desk.answer(EVENTS, body=[BEGUN])
        won = await one.result()
        assert isinstance(won, Begun)
        delivered = won.stage.seen.delivered
        assert (delivered.text if delivered else None) == ("Hel" if track else None)


async def test_what_an_answer_s_head_says_of_limits_is_learned() -> None:
    one = await ask()
    fields = ((b"x-ratelimit-remaining-requests", b"0"), (b"x-ratelimit-reset-requests", b"7s"))
    one.desk.answer(EVENTS, *fields, body=[BEGUN])
    await one.result()
    held = one.bureau.board.account(one.desk.name, "main").held
    assert held == {"m1": one.bureau.ticker.wall() + 7}


# Failures.


@pytest.mark.parametrize(
    ("code", "how"),
    [(Code.REFUSED, How.CONNECT), (Code.CUT, How.CUT), (Code.TOKEN, How.ANSWER), (Code.FIRST_BYTE_TIMEOUT, How.SILENT)],
)
async def test_what_its_connection_does(code: Code, how: How) -> None:
    one = await ask()
    fault = UpstreamFault(code)
    one.desk.refuse(fault)
    failed = await one.failure()
    assert (failed.trouble.how, failed.error, one.noted.error) == (how, fault, code.slug)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, K.RATE_LIMIT), (401, K.UPSTREAM_AUTH), (500, K.SERVER), (503, K.OVERLOADED), (400, K.INVALID)],
)
async def test_a_status_of_the_provider_s(status: int, kind: FailureKind) -> None:
    one = await ask()
    source = one.desk.answer(
        JSON, status=status, body=[encode({"error": {"message": "no", "type": "x", "code": None}}), None]
    )
    failed = await one.failure()
    assert (failed.trouble.how, failed.trouble.failure.kind, failed.trouble.committed) == (How.ANSWER, kind, False)
    assert isinstance(failed.error, Refusal)
    assert (one.noted.status, one.noted.error) == (status, kind.value)
    assert source.aborted


@pytest.mark.parametrize("error", [SPOKEN.error, SPOKEN.opening + SPOKEN.error])
async def test_an_error_within_a_stream_before_substance_is_as_its_status(error: bytes) -> None:
    one = await ask()
    source = one.desk.answer(EVENTS, body=[error])
    failed = await one.failure()
    assert (failed.trouble.how, failed.trouble.failure.kind) == (How.ANSWER, K.SERVER)
    assert failed.trouble.failure.message == "the tank is empty"
    assert isinstance(failed.error, Declined)
    assert source.aborted


@pytest.mark.parametrize("body", [[None], [SPOKEN.opening, None], [PING, None]])
async def test_a_stream_that_ends_before_substance_was_cut(body: list[bytes | None]) -> None:
    one = await ask()
    one.desk.answer(EVENTS, body=body)
    failed = await one.failure()
    assert (failed.trouble.how, failed.trouble.failure.kind) == (How.CUT, K.DISCONNECT)


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_that_nobody_asked_to_compress_is_none(stream: bool) -> None:
    one = await ask(body={"stream": stream})
    source = one.desk.answer(EVENTS, (b"Content-Encoding", b"gzip"), body=[BEGUN])
    failed = await one.failure()
    assert failed.trouble.failure.kind is K.BAD_GATEWAY
    assert source.aborted


async def test_a_stream_without_a_body_is_none() -> None:
    one = await ask()
    one.desk.answer(EVENTS, body=None)
    assert (await one.failure()).trouble.failure.kind is K.BAD_GATEWAY


async def test_a_whole_answer_that_is_no_answer() -> None:
    one = await ask(1, body={"stream": False})
    one.desk.answer(JSON, body=[b"nonsense", None])
    assert (await one.failure()).trouble.failure.kind is K.BAD_GATEWAY


# One that cannot take the request.


async def test_a_target_that_cannot_take_it_is_not_asked() -> None:
    bureau = Bureau(target="/v1/embeddings", body={"input": "x"})
    with pytest.raises(Unfit, match="embeddings"):
        await bureau.attempts.ask(bureau.go(1))
    assert bureau.scope.record.attempts == []
    assert bureau.desks["ant"].asked == []


async def test_what_a_target_is_sent_is_built_once_and_let_go_of() -> None:
    bureau = Bureau()
    go = bureau.go()
    asking = bureau.attempts.aim(go)
    assert bureau.attempts.aim(go) is asking
    bureau.attempts.forget()
    assert bureau.attempts.aim(go) is not asking
