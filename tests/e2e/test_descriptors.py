"""No file descriptor left: streams go on, who comes waits or is refused, nothing spins, and all is well after it."""

import os
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.e2e.test_drain import CHUNKED, EVENT, GET, take_stream, write_config
from tests.helpers.bare import BareClient, bare, settle
from tests.helpers.command import Running, started
from tests.helpers.origin import Origin, origin

ASK = b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"  # answered by the proxy itself
BUSY = 0.3  # of one core; a loop that spins takes all of it

_LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
os.execv(sys.executable, [sys.executable, "-m", "proxy", *sys.argv[3:]])
"""


def limiting(soft: int, hard: int) -> Sequence[str]:
    return (sys.executable, "-c", _LIMITED, str(soft), str(hard))


@dataclass
class Served:
    running: Running
    upstream: Origin
    port: int

    @property
    def pid(self) -> int:
        return self.running.process.pid

    def count_descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def take_all_descriptors(self) -> None:
        """No number below the limit is free."""
        used = set(map(int, os.listdir(f"/proc/{self.pid}/fd")))
        self.limit_descriptors(next(number for number in count() if number not in used))

    def limit_descriptors(self, soft: int) -> None:
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (soft, 1024))

    def read_cpu(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def served(folder: Path, loop: str, hard: int = 1024) -> AsyncIterator[Served]:
    async with origin() as upstream:
        write_config(folder / "penstock.toml", upstream.base_url)
        arguments = ("serve", "--config", str(folder / "penstock.toml"), "--loop", loop, "--log-format", "logfmt")
        async with started(*arguments, command=limiting(min(hard, 256), hard)) as running:
            line = await running.err_line("listening on")
            yield Served(running, upstream, int(line.rstrip('"').rpartition(":")[2]))


async def begin_stream(here: Served, client: BareClient, number: int = 1) -> None:
    await client.send(GET)
    await take_stream(here.upstream, number, CHUNKED)
    await client.read_until(EVENT)


async def test_the_process_takes_as_many_descriptors_as_it_may_have(tmp_path: Path) -> None:
    async with served(tmp_path, "uvloop") as here:
        assert resource.prlimit(here.pid, resource.RLIMIT_NOFILE) == (1024, 1024)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_without_descriptors_streams_go_on_and_others_wait(tmp_path: Path, loop: str) -> None:
    async with served(tmp_path, loop) as here, AsyncExitStack() as stack:
        stream = await stack.enter_async_context(bare(here.port))
        await begin_stream(here, stream)
        kept = await stack.enter_async_context(bare(here.port))
        await kept.send(ASK)
        await kept.read_until(b"}")
        before = here.count_descriptors()
        here.take_all_descriptors()

        kept.received.clear()
        await kept.send(GET)  # no connection to the upstream can be had, and that is nobody's fault
        refusal = await kept.read_until(b"}")
        assert refusal.startswith(b"HTTP/1.1 503 ")
        assert b'"out_of_descriptors"' in refusal

        waiting = [await stack.enter_async_context(bare(here.port)) for _ in range(40)]
        for client in waiting:
            await client.send(ASK)
        await kept.read_to_end()  # who had nothing under way gives way
        await here.running.err_line("cannot accept connections: EMFILE")
        cpu, begun = here.read_cpu(), time.monotonic()
        for number in range(24):
            here.upstream.peers[0].send(b"c\r\ndata: %04d\n\n\r\n" % number)
            await stream.read_until(b"data: %04d\n\n" % number)
            await settle(lambda due=begun + number * 0.05: time.monotonic() >= due)  # type: ignore[misc]
        assert (here.read_cpu() - cpu) / (time.monotonic() - begun) < BUSY

        here.limit_descriptors(1024)
        for client in waiting:
            assert (await client.read_until(b"}")).startswith(b"HTTP/1.1 404 ")
            client.leave()
        again = await stack.enter_async_context(bare(here.port))
        await begin_stream(here, again, 2)  # the account was not left alone for it
        again.leave()
        here.upstream.peers[0].send(b"0\r\n\r\n")
        assert (await stream.read_until(b"\r\n0\r\n\r\n")).count(b"data: ") == 25
        await settle(lambda: here.count_descriptors() <= before)
        here.running.interrupt(signal.SIGTERM)
        finished = await here.running.finish()
        assert finished.code == 0
        assert finished.err.count("cannot accept") == 1
        assert "Traceback" not in finished.err


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_a_process_with_few_descriptors_refuses_before_it_has_none(tmp_path: Path, loop: str) -> None:
    async with served(tmp_path, loop, hard=256) as here, AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(bare(here.port)) for _ in range(10)]
        for number, stream in enumerate(streams, 1):
            await begin_stream(here, stream, number)
        begun = here.count_descriptors()
        flood = [await stack.enter_async_context(bare(here.port)) for _ in range(200)]
        for client in flood:
            with suppress(ConnectionError):  # of hundreds within a second not everybody is told
                await client.send(ASK)
                await client.read_until(b"}")
        statuses = [bytes(client.received[9:12]) for client in flood]
        assert set(statuses) <= {b"404", b"503", b""}
        assert min(statuses.count(b"404"), statuses.count(b"503")) >= 40
        for number, stream in enumerate(streams):
            here.upstream.peers[number].send(b"0\r\n\r\n")
            assert (await stream.read_until(b"\r\n0\r\n\r\n")).count(EVENT) == 1
        for client in (*flood, *streams):
            client.leave()
        await settle(lambda: here.count_descriptors() < begun)
        async with bare(here.port) as client:
            await client.send(ASK)
            assert (await client.read_until(b"}")).startswith(b"HTTP/1.1 404 ")
        here.running.interrupt(signal.SIGTERM)
        finished = await here.running.finish()
        assert finished.code == 0
        assert "EMFILE" not in finished.err
        assert len([line for line in finished.err.splitlines() if "request_id" not in line]) < 10
