"""A proxy in a process of its own, with every book open, in front of a demo upstream; `kept(folder)` runs both."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

from proxy.demo import DemoUpstream
from proxy.demo.produced import Product
from tests.helpers.command import MODULE, ROOT, ran
from tests.helpers.rawhttp import connected, fetch, parse_sse

LOOP: Final = os.environ.get("PENSTOCK_TEST_LOOP", "uvloop")
WAIT: Final = 60.0  # seconds

KEYS: Final = {name: f"sk-{name}-0123456789" for name in ("alice", "bob", "carol", "nobody")}
BASES: Final = {
    "openai-chat": "/v1", "openai-responses": "/v1", "anthropic": "", "gemini": "", "glm": "/api/paas/v4",
    "openrouter": "/api/v1", "code-assist": "",
}  # fmt: skip
_FAULTY: Final = {"limited": "status=429&retry_after=1", "slow": "accept_only=1"}
PRICES: Final = {"*/*": (2.0, 0.5, 8.0), "anthropic/*": (3.0, 0.3, 15.0)}


def _build(upstream: str, folder: Path, admin: int, dead: int) -> str:
    """The configuration. No cool-down lasts: what fails often here is to be asked again."""
    lines = [
        '[server]\nlisten = ["127.0.0.1:0"]', f'admin = "127.0.0.1:{admin}"', '[log]\nformat = "json"',
        f'[state]\npath = "{folder}/state.db"', f'[ledger]\npath = "{folder}/books.db"',
        '[limits]\nhold_status = "250ms"\ncooldown_max = "1s"\ndeadline = "8s"\nretry_budget = 1.0\ndrain = "2s"',
    ]  # fmt: skip
    for name, key in KEYS.items():
        if name != "nobody":
            lines.append(f'[clients.{name}]\nkey_sha256 = "{sha256(key.encode()).hexdigest()}"')
    lines.append("rpm = 5")  # of the last one
    for name, base in BASES.items():
        lines += [f'[providers.{name}]\ndialect = "{name}"\nbase_url = "{upstream}{base}"']
        lines += [f'accounts.{alias} = {{ key = "k-{name}-{alias}-0123456789" }}' for alias in ("a", "b")]
        lines += ['project = "p"'] if name == "code-assist" else []
    for name, query in _FAULTY.items():
        lines.append(f'[providers.{name}]\ndialect = "openai-chat"\nbase_url = "{upstream}/v1"\nquery = "{query}"')
    lines.append(f'[providers.dead]\ndialect = "openai-chat"\nbase_url = "http://127.0.0.1:{dead}/v1"')
    lines.append(f'[providers.raw]\ndialect = "raw"\nbase_url = "{upstream}"\n[mounts."/m"]\nprovider = "raw"')
    lines.append(_build_models())
    lines += [
        f'[prices."{name}"]\ninput = {read}\ncached_input = {cached}\noutput = {written}'
        for name, (read, cached, written) in PRICES.items()
    ]
    return "\n".join(lines) + "\n"


def _build_models() -> str:
    second = '"openai-chat/*", "anthropic/*"'
    models = {
        "fo-*": f"targets = [{second}]",
        "rs-*": f'targets = [{second}]\nrescue = "restart"',
        "hd-*": f'targets = [{second}]\nhedge_after = "50ms"\nhedge_budget = 1.0',
        "dr-*": 'targets = ["openai-chat/*"]\non_disconnect = "drain"',
        "ttft-*": 'targets = ["openai-chat/*"]\nttft = "300ms"\nattempts = 1',
        "progress-*": 'targets = ["openai-chat/*"]\nprogress = "400ms"\nattempts = 1',
        **{f"{name}-*": f'targets = ["{name}/*", {second}]' for name in ("limited", "dead")},
        "slow-*": f'targets = ["slow/*", {second}]\nfirst_byte = "300ms"',
    }
    return "\n".join(f'[models."{name}"]\n{text}' for name, text in models.items())


def _find_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass(frozen=True)
class Family:
    """What one scrape says: series by name and labels."""

    samples: dict[tuple[str, frozenset[tuple[str, str]]], float]

    def add(self, name: str, *by: str, **only: str) -> dict[tuple[str, ...], float]:
        """The sum of a series by these labels, zeros left out."""
        found: dict[tuple[str, ...], float] = {}
        for (known, pairs), value in self.samples.items():
            labels = dict(pairs)
            if known == name and value and only.items() <= labels.items():
                key = tuple(labels.get(label, "") for label in by)
                found[key] = found.get(key, 0.0) + value
        return found


class House:
    """lines: the access lines of callers, as they came. upstream: what stands behind."""

    def __init__(self, upstream: DemoUpstream, folder: Path, admin: int) -> None:
        self.upstream = upstream
        self.folder = folder
        self.admin = admin
        self.port = 0
        self.lines: list[dict[str, Any]] = []
        self.said: list[str] = []
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()
        self._over = False

    async def start(self, dead: int) -> None:
        file = self.folder / "penstock.toml"
        file.write_text(_build(self.upstream.base_url, self.folder, self.admin, dead))
        self._process = await asyncio.create_subprocess_exec(
            *MODULE, "serve", "--config", str(file), "--loop", LOOP,
            stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, cwd=ROOT, limit=2**24,
            env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self._reader = asyncio.ensure_future(self._read())
        await self._until(lambda: self.port > 0)

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        over = False
        while not over:
            line = (await self._process.stderr.readline()).decode()
            over = not line
            self._take(line)
            async with self._news:
                self._over = over
                self._news.notify_all()

    def _take(self, line: str) -> None:
        try:
            fields = json.loads(line)
        except ValueError:
            self.said.append(line)
            return
        if "request_id" in fields:
            if fields.get("door") != "admin":
                self.lines.append(fields)
            return
        self.said.append(line)
        if "listening on" in fields.get("message", ""):
            self.port = int(fields["message"].rpartition(":")[2])

    async def _until(self, is_so: Any) -> None:
        async with asyncio.timeout(WAIT), self._news:
            while not is_so():
                assert not self._over, "".join(self.said)
                await self._news.wait()

    async def wait_lines(self, count: int) -> None:
        """Until so many requests are over."""
        await self._until(lambda: len(self.lines) >= count)

    async def reload(self) -> None:
        """The same configuration once more, while requests run."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)
        await self._until(lambda: any('"reloaded' in line for line in self.said))

    async def kill(self, request_id: str) -> bool:
        reply = await fetch(
            self.admin, f"/console/streams/{request_id}/kill", body={}, headers="Content-Type: application/json\r\n"
        )
        return reply.status == 200

    async def scrape(self) -> Family:
        reply = await fetch(self.admin, "/metrics", headers="Accept: text/plain\r\n")
        assert reply.status == 200
        return Family({
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(reply.body.decode())
            for sample in family.samples
        })  # fmt: skip

    async def read_summary(self, *by: str) -> Any:
        """What `penstock usage` says."""
        options = ("--since", "1d", "--by", ",".join(by), "--json", "--file", f"{self.folder}/books.db")
        finished = await ran("usage", *options)
        assert (finished.code, finished.err) == (0, "")
        return json.loads(finished.out)

    async def watch_usage(self, count: int) -> Any:
        """What the console says of today, once it knows of so many requests."""
        async with connected("127.0.0.1", self.admin) as client:
            await client.ask("/console/events")
            await client.head()
            while True:
                for event in parse_sse(await client.chunk()):
                    usage = json.loads(event["data"]).get("usage") or {"total": {"requests": 0}}
                    if usage["total"]["requests"] >= count:
                        return usage

    async def read_products(self) -> list[Product]:
        """Once the upstream is done with all of them."""
        await self.upstream.log.until(lambda: len(self.upstream.products) == self.upstream.requests)
        return list(self.upstream.products)

    async def stop(self) -> None:
        """In good order: what is still to be written is."""
        assert self._process is not None
        assert self._reader is not None
        self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(WAIT):
            assert await self._process.wait() == 0, "".join(self.said)
            await self._reader

    def read_ledger(self) -> list[dict[str, Any]]:
        with sqlite3.connect(f"file:{self.folder}/books.db?mode=ro", uri=True) as file:
            file.row_factory = sqlite3.Row
            return [dict(row) for row in file.execute("SELECT * FROM requests")]

    async def abandon(self) -> None:
        """If it is still there."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        if self._reader is not None:
            await self._reader


@asynccontextmanager
async def kept(folder: Path) -> AsyncIterator[House]:
    upstream = DemoUpstream(pace=0.0)
    await upstream.start()
    house = House(upstream, folder, _find_port())
    try:
        await house.start(_find_port())
        yield house
    finally:
        await house.abandon()
        await upstream.stop()
