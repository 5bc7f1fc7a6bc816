"""The pump's clocks where its client gets something else than comes in: progress by substance alone, heartbeats by what
the client is told, both to the tick."""

import pytest

from proxy.relay.outcome import EndReason
from proxy.relay.pump import Clocks
from tests.helpers.fakes import turn
from tests.helpers.models import PROVIDERS, chat_chunk
from tests.helpers.stage import staged, translated

SPOKEN = PROVIDERS["claude"]
BEGUN = SPOKEN.opening + SPOKEN.texts[0]
PING = b'event: ping\ndata: {"type":"ping"}\n\n'
PROGRESS = Clocks(idle=0, write_stall=0, progress=8)
BEATING = Clocks(idle=0, write_stall=0, heartbeat=10)

CLIENTS = ("openai-chat", "openai-responses", "gemini", "ui-message", "event-source", "anthropic")

# No progress.


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("said", [PING, b": comment\n\n", b"", SPOKEN.opening[:30]])
async def test_a_stall_is_found_to_the_tick_whatever_a_provider_sends_meanwhile(client: str, said: bytes) -> None:
    async with translated("anthropic", client, PROGRESS) as stage:
        stage.source.feed(BEGUN)
        for _ in range(8):
            stage.ticker.advance(1)  # the first look notes that there was substance
            if said:
                stage.source.feed(said)
        assert stage.pump.ended is None
        stage.ticker.advance(0.25)
        assert await stage.over() is EndReason.PROGRESS
        assert stage.steps[-1] == "finish"
        assert b"made no progress" in stage.sink.body
        assert stage.source.aborted


async def test_every_bit_of_substance_starts_it_over() -> None:
    async with translated("anthropic", "openai-chat", PROGRESS) as stage:
        stage.source.feed(BEGUN)
        for _ in range(5):
            stage.ticker.advance(8)
            stage.source.feed(SPOKEN.texts[1])
        assert stage.pump.ended is None
        stage.ticker.advance(8.25)
        assert await stage.over() is EndReason.PROGRESS


@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning_content": "hm"},
        {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{"}}]},
    ],
)
async def test_thoughts_and_calls_are_substance(delta: dict[str, object]) -> None:
    async with translated("openai-chat", "anthropic", PROGRESS) as stage:
        stage.source.feed(PROVIDERS["openai"].opening + PROVIDERS["openai"].texts[0])
        stage.ticker.advance(8)
        stage.source.feed(chat_chunk(delta))
        stage.ticker.advance(8)
        assert stage.pump.ended is None


async def test_pings_are_signs_of_life_all_the_same() -> None:
    async with translated("anthropic", "openai-chat", Clocks(idle=5, write_stall=0, progress=60)) as stage:
        stage.source.feed(BEGUN)
        for _ in range(12):
            stage.ticker.advance(4)
            stage.source.feed(PING)
        assert stage.pump.ended is None
        stage.ticker.advance(5.25)
        assert await stage.over() is EndReason.IDLE


async def test_the_progress_clock_stands_while_the_client_has_to_read() -> None:
    async with translated("anthropic", "openai-chat", PROGRESS, hanging=("drain",)) as stage:
        stage.sink.full = True
        stage.source.feed(BEGUN)
        await turn()
        stage.ticker.advance(60)
        stage.sink.let_go()
        await turn()
        stage.ticker.advance(8)  # the first look notes what came meanwhile
        assert stage.pump.ended is None
        stage.ticker.advance(0.25)
        assert await stage.over() is EndReason.PROGRESS


async def test_it_stands_also_when_only_a_heartbeat_waits() -> None:
    clocks = Clocks(idle=0, write_stall=0, heartbeat=15, progress=30)
    async with translated("anthropic", "openai-chat", clocks, hanging=("drain",)) as stage:
        stage.sink.full = True
        stage.ticker.advance(15)
        await turn()
        stage.ticker.advance(60)
        stage.sink.let_go()
        await turn()
        stage.ticker.advance(29.75)
        assert stage.pump.ended is None
        stage.ticker.advance(0.25)
        assert await stage.over() is EndReason.PROGRESS


async def test_without_a_limit_a_stall_lasts() -> None:
    async with translated("anthropic", "openai-chat") as stage:
        stage.source.feed(BEGUN)
        stage.ticker.advance(10_000, tick=100)
        assert stage.pump.ended is None


async def test_a_heartbeat_of_ours_hides_neither_silence_nor_a_stall() -> None:
    for clocks, end in (
        (Clocks(idle=8, write_stall=0, heartbeat=1), EndReason.IDLE),
        (Clocks(idle=0, write_stall=0, heartbeat=1, progress=8), EndReason.PROGRESS),
    ):
        async with translated("anthropic", "openai-chat", clocks) as stage:
            stage.source.feed(BEGUN)
            stage.ticker.advance(8.25)
            assert await stage.over() is end
            assert stage.pump.heartbeats == 7


# Heartbeats.


@pytest.mark.parametrize("client", CLIENTS[:-1])
async def test_a_heartbeat_is_written_though_the_provider_talks_when_the_client_hears_nothing(client: str) -> None:
    async with translated("anthropic", client, BEATING) as stage:
        stage.source.feed(BEGUN)
        told = stage.sink.body
        for _ in range(10):
            stage.ticker.advance(1)  # the first look notes that something was written
            stage.source.feed(PING)
        assert (stage.pump.heartbeats, stage.sink.body) == (0, told)
        stage.ticker.advance(0.25)
        assert stage.pump.heartbeats == 1
        assert stage.sink.body == told + stage.stage.keepalive
        stage.ticker.advance(10)
        assert stage.pump.heartbeats == 2


async def test_what_goes_to_the_client_puts_it_off() -> None:
    async with translated("anthropic", "openai-chat", BEATING) as stage:
        for _ in range(5):
            stage.source.feed(BEGUN if not stage.sink.body else SPOKEN.texts[1])
            stage.ticker.advance(10)
        assert stage.pump.heartbeats == 0


async def test_a_provider_s_ping_that_passes_is_a_heartbeat_itself() -> None:
    async with translated("anthropic", "anthropic", BEATING) as stage:
        stage.source.feed(BEGUN)
        for _ in range(5):
            stage.ticker.advance(9)
            stage.source.feed(PING)
        assert stage.pump.heartbeats == 0
        assert stage.sink.body.count(PING) == 5


async def test_half_an_event_is_not_yet_written_and_a_heartbeat_does_not_break_it() -> None:
    text = SPOKEN.texts[1]
    async with translated("anthropic", "anthropic", BEATING) as stage:
        stage.source.feed(BEGUN)
        stage.ticker.advance(5)
        stage.source.feed(text[:20])
        stage.ticker.advance(5.25)
        assert stage.pump.heartbeats == 1
        stage.source.feed(text[20:])
        assert stage.sink.body == BEGUN + stage.stage.keepalive + text


async def test_an_answer_that_is_over_gets_no_heartbeat_any_more() -> None:
    async with translated("anthropic", "openai-chat", BEATING) as stage:
        stage.source.feed(SPOKEN.whole)
        told = stage.sink.body
        stage.ticker.advance(4)
        stage.source.end()
        assert await stage.over() is EndReason.DONE
        assert stage.sink.body == told


async def test_a_heartbeat_that_is_not_read_holds_the_source() -> None:
    async with translated("anthropic", "openai-chat", BEATING, hanging=("drain",)) as stage:
        stage.sink.full = True
        stage.ticker.advance(10)
        assert stage.steps[-1] == "pause"


# What an operator is shown.


async def test_what_last_moved_is_known_to_the_tick_without_any_limit() -> None:
    async with translated("anthropic", "openai-chat", hanging=("drain",)) as stage:
        stage.source.feed(BEGUN)
        stage.ticker.advance(0.25)
        begun = stage.pump.moved
        assert begun == stage.ticker.now()
        stage.source.feed(PING)
        stage.ticker.advance(5)
        assert stage.pump.moved == begun  # a ping carries nothing
        stage.sink.full, stage.sink.unsent = True, 100
        stage.source.feed(SPOKEN.texts[1])
        stage.ticker.advance(3)
        held = stage.pump.moved
        assert held == begun + 5 + 0.25  # since then nothing was read
        assert stage.pump.measure() == (2.75, 2.75)
        stage.sink.unsent = 50
        stage.ticker.advance(0.25)
        assert stage.pump.moved == stage.ticker.now()
        stage.sink.let_go()
        await turn()
        assert stage.pump.measure()[1] == 0.0


async def test_on_a_mount_any_byte_moves() -> None:
    async with staged() as stage:
        for _ in range(2):
            stage.source.feed(b": comment\n\n")
            stage.ticker.advance(0.25)
            assert stage.pump.moved == stage.ticker.now()
            stage.ticker.advance(4)
            assert stage.pump.moved == stage.ticker.now() - 4
