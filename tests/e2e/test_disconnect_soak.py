"""Thousands of clients that leave in random phases at random moments: afterwards everything is where it was.

Tasks, descriptors, clocks and our own objects are counted exactly; memory is compared after a warm-up.
"""

import asyncio
import ctypes
import gc
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from proxy.upstream.pool import KEEPALIVE
from tests.helpers.bare import bare, black_hole, count_descriptors, no_new_tasks, settle
from tests.helpers.certificates import Authority
from tests.helpers.origin import origin
from tests.helpers.service import RunningProxy, demo_upstream, running

CYCLES = {False: 5_000, True: 2_000}  # the opener that is the rule, and the one without the hand-over
WARM_UP = 1_500  # cycles after which allocator, caches and pools have their size
AT_ONCE = 40
LONGEST_STAY = 0.02  # seconds; every phase is reached within them, and left in them too
HANDSHAKE = 3.0  # seconds; a dead connection is kept as long as the event loop's timer for its TLS handshake, else 60 s
PATIENCE = 20.0  # seconds; on a machine that is busy with other things
ROUNDS = 3  # at most: a leak grows in each, a heap with holes that earlier tests have left fills up
TOLERANCE = 4 * 1024 * 1024  # bytes; a leak of two kilobytes per cycle is more

GET = "GET /{0} HTTP/1.1\r\nHost: a\r\n\r\n"
PHASES = {
    "uploading": "POST /{0}/clock HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n123\r\n",
    "upload of known length": "POST /{0}/clock HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n123",
    "half a head": "GET /{0}/clock HTTP/1.1\r\nHost:",
    "waiting": GET.format("{0}/clock?accept_only=1"),
    "streaming": GET.format("{0}/clock?every=2ms"),
    "flooded": GET.format("{0}/clock?every=0&size=60000"),
    "after the end": GET.format("{0}/v1/models"),
}


def read_memory() -> int:
    """Resident bytes of this process, without what its allocator keeps for later."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def count_own() -> Counter[str]:
    """What is alive of requests and connections, the proxy's and aiohttp's."""
    gc.collect()
    names = {"Scope", "Exchange", "PushHandler", "PulledBody", "ClientStream", "ClientUpload", "Pump", "Downstream"}
    names |= {"WholeAnswer", "Record", "Connection", "ResponseHandler"}
    rooms = ("proxy.", "aiohttp.")
    kinds = (type(thing) for thing in gc.get_objects())
    return Counter(kind.__name__ for kind in kinds if kind.__name__ in names and kind.__module__.startswith(rooms))


@asynccontextmanager
async def everything(authority: Authority, *, pull: bool) -> AsyncIterator[RunningProxy]:
    """A proxy in front of a plain upstream, one with TLS, one whose handshake stalls, and one that never accepts."""
    async with (
        demo_upstream() as plain,
        demo_upstream(ssl=authority.context()) as tls,
        origin() as mute,
        black_hole() as hole,
    ):
        plain.log.recording = tls.log.recording = False
        plain.log.records.clear()
        providers = {
            "plain": {"dialect": "raw", "base_url": plain.base_url},
            "tls": {"dialect": "raw", "base_url": tls.base_url, "ca_file": authority.ca_file},
            "mute": {"dialect": "raw", "base_url": f"https://127.0.0.1:{mute.port}"},
            "hole": {"dialect": "raw", "base_url": f"http://127.0.0.1:{hole}"},
        }
        mounts = {f"/{name}": {"provider": name, "auth": "none"} for name in providers}
        async with running({"providers": providers, "mounts": mounts}, pull=pull) as proxy:
            mute.peers = _Forgetful()
            yield proxy


class _Forgetful(list):  # type: ignore[type-arg]
    def append(self, _peer: object) -> None:
        """A soak keeps nothing."""


async def cycle(proxy: RunningProxy, dice: random.Random) -> None:
    mount = dice.choice(["plain", "plain", "tls", "tls", "mute", "hole"])
    phase = dice.choice(list(PHASES))
    buffer = 16384 if phase == "flooded" else 0
    async with bare(proxy.port, receive_buffer=buffer) as client:
        await client.send(PHASES[phase].format(mount).encode())
        await asyncio.sleep(dice.random() * LONGEST_STAY)  # the moment of leaving is what is tried
        client.leave(dice.choice(["fin", "rst"]))


async def run_cycles(proxy: RunningProxy, count: int, dice: random.Random) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def guarded() -> None:
        async with gate:
            await cycle(proxy, dice)

    for start in range(0, count, 500):
        async with asyncio.TaskGroup() as group:
            for _ in range(min(500, count - start)):
                group.create_task(guarded())
        proxy.records.clear()


def shorten_handshakes(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    connect = loop.create_connection

    def create_connection(*args: Any, ssl: Any = None, **settings: Any) -> Any:
        return connect(*args, ssl=ssl, ssl_handshake_timeout=HANDSHAKE if ssl else None, **settings)

    monkeypatch.setattr(loop, "create_connection", create_connection)


async def come_to_rest(proxy: RunningProxy, before: set[asyncio.Task[object]], own: Counter[str]) -> None:
    await settle(lambda: len(proxy.penstock.streams) == 0 and len(proxy.penstock.ticker) == 0, PATIENCE)
    await proxy.wait_unconnected(PATIENCE)
    await settle(
        lambda: not any(session.connector._conns for session in proxy.penstock._sessions.values()), KEEPALIVE * 2
    )
    await no_new_tasks(before)
    proxy.records.clear()
    proxy.penstock.instruments._console.feed.state._failures._kept.clear()  # the last of those that failed
    try:
        await settle(lambda: not count_own() - own, HANDSHAKE * 5, every=1.0)
    except TimeoutError:
        raise AssertionError(f"still alive: {count_own() - own}") from None


@pytest.mark.long
async def test_thousands_of_disconnects_leave_nothing_behind(
    pull: bool, authority: Authority, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_handshakes(monkeypatch)
    dice = random.Random(7)
    own = count_own()  # what other tests' modules hold
    async with everything(authority, pull=pull) as proxy:
        before = asyncio.all_tasks()
        await run_cycles(proxy, WARM_UP, dice)
        await come_to_rest(proxy, before, own)
        descriptors, memory = count_descriptors(), [read_memory()]
        while len(memory) <= ROUNDS and (len(memory) == 1 or memory[-1] - memory[-2] >= TOLERANCE):
            await run_cycles(proxy, CYCLES[pull], dice)
            await come_to_rest(proxy, before, own)
            await settle(lambda: count_descriptors() <= descriptors)
            memory.append(read_memory())
        assert memory[-1] - memory[-2] < TOLERANCE, memory
    assert [record.getMessage() for record in caplog.records if record.levelname not in ("DEBUG", "INFO")] == []
