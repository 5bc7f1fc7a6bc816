"""The clients that judge the proxy, judged themselves: against a provider that is healthy, and against one that fails.

A client that took half an answer for a whole one would let every gateway pass.
"""

import pytest

from tests.failover.asking import FORMS, ask
from tests.failover.heard import Heard
from tests.failover.listening import listen
from tests.failover.plays import Cut, Play, Script
from tests.failover.server import faulty
from tests.failover.voices import TEXT, TOKENS, VOICES

CLIENTS = sorted(FORMS)


async def hear(dialect: str, play: Play, *, stream: bool = True) -> Heard:
    async with faulty({"m": Script((play,))}) as provider:
        return await ask(provider.port, dialect, "m", stream=stream)


def speak(dialect: str, tokens: tuple[str, ...], *, start: int = 1, finish: int = 1, mark: int = 1) -> bytes:
    voice = VOICES[dialect]("m", (11, 60))
    said = voice.opening() * start + b"".join(voice.say(token) for token in tokens)
    return said + voice.finish() * finish + voice.mark * mark


def judge(dialect: str, body: bytes) -> Heard:
    heard = Heard(dialect, status=200, clean=True)
    listen(dialect, body, heard)
    return heard


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("dialect", CLIENTS)
async def test_a_healthy_answer_is_full(dialect: str, stream: bool) -> None:
    heard = await hear(dialect, Play(), stream=stream)
    assert heard.verdict == "full", heard.describe()
    assert (heard.model, heard.tokens) == ("m", (11, 60))


@pytest.mark.parametrize("cut", Cut)
@pytest.mark.parametrize("after", [0, 1, 40, 59])
@pytest.mark.parametrize("dialect", CLIENTS)
async def test_a_cut_stream_is_broken(dialect: str, after: int, cut: Cut) -> None:
    heard = await hear(dialect, Play(stop_after=after, cut=cut))
    assert heard.verdict == "broken"
    assert heard.text == "".join(TOKENS[:after]) or cut is Cut.RESET


@pytest.mark.parametrize("dialect", CLIENTS)
async def test_a_cut_document_is_broken(dialect: str) -> None:
    assert (await hear(dialect, Play(stop_after=40, cut=Cut.FIN), stream=False)).verdict == "broken"


@pytest.mark.parametrize("dialect", CLIENTS)
async def test_an_event_that_is_no_json_is_broken(dialect: str) -> None:
    assert (await hear(dialect, Play(bad_after=20))).verdict == "broken"


@pytest.mark.parametrize("dialect", ["openai-chat", "anthropic"])
async def test_a_missing_end_mark_is_broken(dialect: str) -> None:
    assert (await hear(dialect, Play(mark=False))).verdict == "broken"


@pytest.mark.parametrize("kind", ["rate", "server", "overloaded", "context", "policy", "prefill"])
@pytest.mark.parametrize("dialect", CLIENTS)
async def test_an_error_is_refused(dialect: str, kind: str) -> None:
    heard = await hear(dialect, Play(error=kind))
    assert heard.verdict == "refused", heard.describe()


@pytest.mark.parametrize("dialect", CLIENTS)
async def test_a_reset_and_silence_are_broken(dialect: str) -> None:
    assert (await hear(dialect, Play(reset=True))).verdict == "broken"


@pytest.mark.parametrize("dialect", CLIENTS)
async def test_time_without_a_byte_is_measured(dialect: str) -> None:
    heard = await hear(dialect, Play(stop_after=20, stall=0.3))
    assert heard.verdict == "full"
    assert 0.29 <= heard.gap <= heard.wall  # two clocks are read, one on each side


@pytest.mark.parametrize("dialect", CLIENTS)
def test_less_text_with_a_finish_is_short(dialect: str) -> None:
    assert judge(dialect, speak(dialect, TOKENS[:40])).verdict == "short"


@pytest.mark.parametrize("dialect", CLIENTS)
def test_text_that_stands_twice_is_no_success(dialect: str) -> None:
    assert judge(dialect, speak(dialect, TOKENS[:40] + TOKENS)).verdict == "short"


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses", "anthropic"])
@pytest.mark.parametrize("wrong", [{"start": 2}, {"start": 0}, {"finish": 2}, {"finish": 0}], ids=str)
def test_a_start_or_finish_too_many_or_too_few_is_broken(dialect: str, wrong: dict[str, int]) -> None:
    assert judge(dialect, speak(dialect, TOKENS, **wrong)).verdict == "broken"


@pytest.mark.parametrize("dialect", CLIENTS)
def test_another_answer_s_id_is_broken(dialect: str) -> None:
    one, other = VOICES[dialect]("m", (11, 60)), VOICES[dialect]("n", (11, 60))
    body = one.opening() + one.say(TEXT[:50]) + other.say(TEXT[50:]) + other.finish() + other.mark
    assert judge(dialect, body).verdict == "broken" or dialect == "anthropic"  # its deltas carry no id


@pytest.mark.parametrize(
    ("dialect", "error"),
    [
        ("openai-chat", b'data: {"error":{"message":"lost","type":"server_error","param":null,"code":null}}\n\n'),
        ("anthropic", b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"lost"}}\n\n'),
        ("gemini", b'data: {"error":{"code":502,"message":"lost","status":"UNAVAILABLE"}}\n\n'),
    ],
)
def test_an_error_within_is_an_error_unless_an_end_follows(dialect: str, error: bytes) -> None:
    voice = VOICES[dialect]("m", (11, 60))
    begun = voice.opening() + voice.say(TOKENS[0])
    heard = judge(dialect, begun + error)
    assert (heard.verdict, heard.error) == ("error", "lost")
    assert judge(dialect, begun + error + voice.finish() + voice.mark).verdict == "broken"
    assert judge(dialect, begun + voice.finish() + error).verdict == "broken"
