"""One question, asked until somebody answers: what the client gets of it, and what is noted."""

import asyncio

import pytest

from proxy.dialects.chat import Declined, Invalid
from proxy.dialects.events import FailureKind
from proxy.edge.downstream import WholeAnswer
from proxy.errors import Code, UpstreamFault
from proxy.relay.outcome import EndReason, Phase
from tests.helpers.attempted import EVENTS, JSON
from tests.helpers.fakes import reach
from tests.helpers.models import PROVIDERS, WHOLE, encode
from tests.helpers.served import Served, served

SPOKEN = PROVIDERS["openai"]
LATER = (b"Retry-After", b"600")
COMMENT = b": keepalive\n"
WHOLLY = {"stream": False}


def refusal(message: str, code: str = "x") -> list[bytes | None]:
    return [encode({"error": {"message": message, "type": "t", "code": code}}), None]


# Somebody answers.


async def test_a_stream_is_given_to_the_client_as_it_comes() -> None:
    async with served() as one:
        await one.advance(2)
        source = await one.answer("oai", EVENTS)
        source.feed(SPOKEN.opening)
        await one.advance(1)
        assert one.record.first_byte is None, "nothing goes out without substance"
        source.feed(SPOKEN.texts[0])
        head = await one.client.head()
        assert (head.status, head.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert (head.headers["x-penstock-provider"], head.headers["x-penstock-model"]) == ("oai", "m1")
        assert await one.client.chunk() == SPOKEN.opening + SPOKEN.texts[0]
        source.feed(SPOKEN.texts[1])
        assert await one.client.chunk() == SPOKEN.texts[1]
        source.feed(SPOKEN.finish + SPOKEN.mark)
        source.end()
        await one.over()
        record = one.record
        assert (record.status, record.phase, record.end) == (200, Phase.ENDED, EndReason.DONE)
        assert (record.provider, record.account, record.model) == ("oai", "main", "m1")
        assert record.first_byte == record.ttft == 3.0
        assert record.attempts[0].outcome == "won"


async def test_how_long_the_first_substance_took_is_remembered_of_its_target() -> None:
    async with served() as one:
        for _ in range(19):
            one.house.shared.latencies.note((one.desks["ant"].name, "m2"), 1.0)
        await one.answer("oai", JSON, status=503, body=refusal("busy"))
        await one.advance(7)
        source = await one.answer("ant", EVENTS, body=[PROVIDERS["claude"].whole, None])
        await one.over()
        assert source.aborted
        assert one.house.shared.latencies.p95((one.desks["ant"].name, "m2")) is not None
        assert one.record.ttft == 7.0


async def test_a_whole_answer_is_given_in_one_piece() -> None:
    async with served(WHOLLY) as one:
        await one.answer("oai", JSON, (b"openai-version", b"1"), body=[WHOLE["openai"], None])
        assert isinstance(await one.over(), WholeAnswer)
        reply = await one.client.reply()
        assert (reply.status, reply.body, reply.headers["openai-version"]) == (200, WHOLE["openai"], "1")
        assert (reply.headers["x-penstock-account"], reply.headers["x-penstock-attempts"]) == ("main", "1")
        assert reply.headers["x-penstock-overhead-ms"] == "0.0"
        record = one.record
        assert (record.bytes_down, record.phase, record.events) == (len(WHOLE["openai"]), Phase.ENDED, 0)
        assert record.usage is not None
        assert (record.usage.input, record.usage.output) == (5, 2)


async def test_who_failed_before_is_not_seen() -> None:
    async with served() as one:
        await one.answer("oai", JSON, status=503, body=refusal("busy"))
        await one.answer("ant", EVENTS, body=[PROVIDERS["claude"].whole, None])
        await one.over()
        reply = await one.client.reply()
        assert b"busy" not in reply.body
        assert (reply.headers["x-penstock-provider"], reply.headers["x-penstock-attempts"]) == ("ant", "2")
        assert (one.record.error, one.record.end) == ("", EndReason.DONE)
        assert [attempt.outcome for attempt in one.record.attempts] == ["target", "won"]


@pytest.mark.parametrize("rescue", ["off", "restart"])
async def test_what_was_asked_is_let_go_of_once_nobody_else_will_be(rescue: str) -> None:
    async with served(rescue=rescue) as one:
        await one.answer("oai", EVENTS, body=[SPOKEN.opening + SPOKEN.texts[0]])
        await one.client.head()
        assert bool(one.question.body) is (rescue != "off")


# Nobody does.


async def test_the_last_refusal_goes_to_a_client_of_its_own_dialect_as_it_came() -> None:
    async with served(attempts=1) as one:
        body = refusal("nothing of the kind")
        await one.answer("oai", JSON, (b"x-ratelimit-remaining-requests", b"5"), status=400, body=body)
        await one.over()
        reply = await one.client.reply()
        assert (reply.status, reply.body) == (400, body[0])
        assert reply.headers["x-ratelimit-remaining-requests"] == "5"
        assert (one.record.end, one.record.status, one.record.error) == (EndReason.REFUSED, 400, "invalid_request")


async def test_with_the_delay_that_holds_for_all() -> None:
    async with served(targets=["ant/m2", "oai/m1"]) as one:
        await one.answer("ant", JSON, (b"Retry-After", b"30"), status=429, body=refusal("later"))
        await one.answer("oai", JSON, LATER, status=429, body=refusal("much later"))
        await one.over()
        reply = await one.client.reply()
        assert (reply.status, reply.headers["retry-after"]) == (429, "30")
        assert b"much later" in reply.body
        assert one.record.end is EndReason.ERROR


async def test_another_dialect_s_refusal_is_put_anew() -> None:
    async with served(targets=["ant/m2"]) as one:
        error = {"type": "error", "error": {"type": "not_found_error", "message": "no such model"}}
        await one.answer("ant", JSON, status=404, body=[encode(error), None])
        error_raised = await one.raised()
        assert isinstance(error_raised, Declined)
        assert (error_raised.failure.kind, error_raised.failure.message) == (FailureKind.NOT_FOUND, "no such model")


async def test_a_refused_key_of_ours_is_none_of_the_client_s() -> None:
    async with served(targets=["oai/m1"]) as one:
        await one.answer("oai", JSON, status=401, body=refusal("bad key sk-1"))
        error = await one.raised()
        assert isinstance(error, Declined)
        assert error.failure.kind is FailureKind.UPSTREAM_AUTH


async def test_a_fault_of_the_connection_is_the_fault_itself() -> None:
    async with served(attempts=1) as one:
        fault = UpstreamFault(Code.REFUSED)
        await reach(one.desks["oai"].entered)
        one.desks["oai"].refuse(fault)
        assert await one.raised() is fault


async def test_a_request_that_no_target_can_take_is_the_client_s_mistake() -> None:
    async with served({"input": "x"}, target="/v1/embeddings", targets=["ant/m2"]) as one:
        assert isinstance(await one.raised(), Invalid)
        assert one.record.attempts == []


# Kept waiting.


async def test_a_client_that_waited_gets_the_answer_behind_its_keep_alives() -> None:
    async with served() as one:
        await one.advance(10)
        head = await one.client.head()
        assert (head.headers["x-penstock-model-asked"], "x-penstock-provider" in head.headers) == ("m", False)
        assert await one.client.chunk() == COMMENT
        await one.answer("oai", JSON, status=503, body=refusal("busy"))
        await one.advance(10)
        assert await one.client.chunk() == COMMENT
        await one.answer("ant", EVENTS, body=[PROVIDERS["claude"].whole, None])
        await one.over()
        body = b""
        while chunk := await one.client.chunk():
            body += chunk
        assert body.endswith(b"data: [DONE]\n\n")
        assert (one.record.heartbeats, one.record.first_byte, one.record.ttft) == (2, 10.0, 20.0)


async def test_and_a_failure_in_band() -> None:
    async with served(attempts=1) as one:
        await one.advance(10)
        await one.answer("oai", JSON, status=503, body=refusal("busy"))
        await one.over()
        reply = await one.client.reply()
        assert reply.status == 200
        assert reply.body.startswith(COMMENT + b'data: {"error":')
        assert b"busy" in reply.body
        assert b"[DONE]" not in reply.body
        assert (one.record.end, one.record.error) == (EndReason.ERROR, "overloaded")


async def test_a_fault_in_band_is_noted_by_its_code() -> None:
    async with served(attempts=1) as one:
        await one.advance(10)
        one.desks["oai"].refuse(UpstreamFault(Code.REFUSED))
        await one.over()
        assert (one.record.end, one.record.error) == (EndReason.CONNECT, "upstream_refused")


async def test_who_wants_a_whole_answer_is_never_kept_alive() -> None:
    async with served(WHOLLY) as one:
        await one.advance(59)
        assert one.record.first_byte is None
        await one.answer("oai", JSON, status=400, body=refusal("no"))
        await one.over()
        assert (await one.client.reply()).status == 400


# Ended from outside.


async def end(one: Served, reason: EndReason) -> None:
    one.record.close(reason)
    one.task.cancel()


@pytest.mark.parametrize("reason", [EndReason.DRAIN, EndReason.KILLED])
async def test_a_client_that_is_held_gets_a_status(reason: EndReason) -> None:
    async with served() as one:
        await reach(one.desks["oai"].entered)
        await end(one, reason)
        error = await one.raised()
        assert isinstance(error, Declined)
        assert error.failure.status == (503 if reason is EndReason.DRAIN else 499)
        assert one.desks["oai"].cancelled


@pytest.mark.parametrize("reason", [EndReason.DRAIN, EndReason.KILLED])
async def test_one_that_waits_is_told_in_band(reason: EndReason) -> None:
    async with served() as one:
        await one.advance(10)
        await end(one, reason)
        await one.over()
        assert (await one.client.reply()).body.startswith(COMMENT + b'data: {"error":')


async def test_one_that_left_is_told_nothing() -> None:
    async with served() as one:
        await one.advance(10)
        one.client.writer.transport.abort()
        async with asyncio.timeout(5):
            await asyncio.wait([one.task])
        assert one.task.cancelled()
        one.assert_clean()
        assert one.desks["oai"].cancelled


async def test_an_answer_for_a_client_that_has_just_left_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(*args: object) -> None:
        raise ConnectionResetError("gone")

    monkeypatch.setattr("proxy.edge.waiting.open_stream", gone)
    async with served() as one:
        source = await one.answer("oai", EVENTS, body=[SPOKEN.opening + SPOKEN.texts[0]])
        assert isinstance(await one.raised(), ConnectionResetError)
        assert source.aborted
        assert (one.record.attempts[0].outcome, one.record.end) == ("lost", EndReason.CLIENT_GONE)
