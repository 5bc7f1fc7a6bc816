"""Several processes on one file: cool-downs and limits are those of all, whoever starts, stops or dies."""

import asyncio
import signal
from pathlib import Path

import pytest

from proxy.store.pools import STALE
from tests.helpers.instances import BUSY, PROMISED, Instance, instances, wait_until
from tests.helpers.models import WHOLE, build_reply
from tests.helpers.rawhttp import fetch
from tests.helpers.recorder import Recorder, Seen, recorder

ERROR = b'{"error": {"message": "slow down", "type": "rate_limit_error", "code": "rate_limit_exceeded"}}'
REFUSAL = b"HTTP/1.1 429 X\r\nContent-Type: application/json\r\nRetry-After: 1800\r\nContent-Length: %d\r\n\r\n%b" % (
    len(ERROR),
    ERROR,
)


def write(folder: Path, upstream: Recorder, clients: str = "k = { key = 'k' }", account: str = "") -> Path:
    """An answer has seven tokens."""
    file = folder / "penstock.toml"
    file.write_text(
        '[server]\nlisten = ["127.0.0.1:0"]\nadmin = "127.0.0.1:0"\n'
        f'[limits]\ndrain = "0s"\n[state]\npath = "{folder}/state/penstock.db"\n[clients]\n{clients}\n'
        f'[providers.up]\ndialect = "openai-chat"\nbase_url = "{upstream.base_url}"\n'
        f'[providers.up.accounts.main]\nkey = "secret-of-ours"\n{account}\n'
    )
    return file


def answer(seen: Seen) -> bytes:
    return build_reply(WHOLE["openai"])


def hold(seen: Seen) -> bytes:
    """No answer for now."""
    return b""


def release(upstream: Recorder) -> None:
    upstream.answer = answer
    for conversation in list(upstream.open):
        conversation.transport.write(answer(upstream.requests[0]))


async def test_a_cooldown_of_one_is_the_others_and_so_is_its_end(tmp_path: Path) -> None:
    async with recorder() as upstream, instances(write(tmp_path, upstream)) as (one, other):
        upstream.answer = lambda seen: REFUSAL
        for first, second in ((one, other), (other, one)):
            asked = len(upstream.requests)
            assert (await first.ask()).status == 429

            async def is_cooling(who: Instance = second) -> bool:
                return bool((await who.show_account())["state"] == "cooling")

            async def is_open(who: Instance = first) -> bool:
                return bool((await who.show_account())["state"] == "open")

            await wait_until(is_cooling)
            assert (await second.ask()).status == 429
            assert len(upstream.requests) == asked + 1
            assert await second.clear("up/main") == 1
            await wait_until(is_open)


LIMITS = [("rpm = 4", ""), ("tokens_per_day = 28", ""), ("", "rpm = 4")]
"""Each lets four in; at an account, what comes back within ten seconds would be waited for."""


@pytest.mark.parametrize(("client", "account"), LIMITS)
async def test_what_one_lets_in_the_other_does_not(tmp_path: Path, client: str, account: str) -> None:
    clients = "k = { key = 'k'" + (f", {client}" if client else "") + " }"
    async with recorder() as upstream, instances(write(tmp_path, upstream, clients, account)) as (one, other):
        upstream.answer = answer
        assert [(await one.ask()).status for _ in range(4)] == [200] * 4

        async def is_refused() -> bool:
            return (await other.ask()).status == 429

        await wait_until(is_refused)
        before = len(upstream.requests)
        asked = await asyncio.gather(*(who.ask() for who in (one, other) for _ in range(10)))
        assert {reply.status for reply in asked} == {429}
        assert len(upstream.requests) == before


@pytest.mark.long
async def test_streams_of_all_count_until_they_end_or_their_process_dies(tmp_path: Path) -> None:
    clients = "k = { key = 'k', max_streams = 3 }\nfree = { key = 'free' }"
    async with recorder() as upstream, instances(write(tmp_path, upstream, clients, "max_streams = 5")) as (one, other):
        upstream.answer = hold
        held = [asyncio.create_task(one.ask()) for _ in range(3)]
        await upstream.wait(lambda: len(upstream.requests) == 3)

        async def knows_of_three() -> bool:
            return bool((await other.show_account()).get("elsewhere") == 3)

        await wait_until(knows_of_three)
        assert (await other.ask()).status == 429
        assert len(upstream.requests) == 3
        more = [asyncio.create_task(other.ask("free")) for _ in range(2)]
        await upstream.wait(lambda: len(upstream.requests) == 5)
        upstream.answer = answer
        more.append(asyncio.create_task(other.ask("free")))  # the account has as many as it may: it waits

        async def has_all() -> bool:
            return len((await fetch(other.admin, "/streams")).json["streams"]) >= 3

        await wait_until(has_all)
        assert len(upstream.requests) == 5

        one.running.interrupt(signal.SIGKILL)
        await asyncio.gather(*held, return_exceptions=True)

        async def lets_in() -> bool:
            return (await other.ask()).status == 200

        await wait_until(lets_in, STALE + PROMISED + BUSY)
        release(upstream)
        assert [reply.status for reply in await asyncio.gather(*more)] == [200] * 3
