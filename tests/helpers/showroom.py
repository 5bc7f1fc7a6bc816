"""A proxy under load, as an operator finds it: a process of its own on ports that stay, providers of which some fail,
and a crowd of clients who ask again as soon as they are answered.

`async with showroom(folder) as room` starts provider and proxy; `room.crowd(50)` brings the clients, who live through a
restart (`room.restart()`). What the providers are named after is not asked: all are the demo upstream.
"""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from proxy.demo import DemoUpstream
from proxy.demo.record import RequestRecord
from tests.helpers.command import Running, started

LOOP: Final = os.environ.get("PENSTOCK_TEST_LOOP", "uvloop")
CLIENTS: Final = ("alice", "bob", "ci-runner", "data-team", "frontend", "mobile", "nightly", "research")
MODELS: Final = ("gpt-5", "claude-sonnet-4-5", "gemini-2.5-flash", "gpt-5-mini", "glm-4.6")
BREAKING: Final = "mistral-large"
"""Its answers break off."""

STALLING: Final = "llama-3.3-70b"
"""It falls silent in the middle, and stays so."""

ALONE: Final = "gpt-4.1"
"""A model whose provider nobody of the crowd asks."""

THINKING: Final = "claude-opus-4-5"

HOSTILE: Final = "h<img/src=x/onerror=alert(1)><script>alert(2)</script>&amp;"
"""Markup as the name of a model; the provider answers under it too."""

ASKED: Final = "think about how water comes down a hill"

_PROVIDERS: Final[Mapping[str, tuple[str, str, str, Sequence[str]]]] = {
    "openai": ("openai-chat", "/v1", "pace=220ms", ("main", "spare")),
    "anthropic": ("anthropic", "", "pace=350ms", ("team",)),
    "gemini": ("gemini", "", "pace=150ms", ("main",)),
    "openrouter": ("openrouter", "/api/v1", "pace=500ms", ("main",)),
    "glm": ("glm", "/api/paas/v4", "status=429; retry_after=55", ("team",)),
    "mistral": ("openai-chat", "/v1", "pace=10ms; cut_after=9", ("main",)),
    "local": ("openai-chat", "/v1", "pace=5ms; stall_after=30", ()),
    "azure": ("openai-chat", "/v1", "pace=120ms", ("eu",)),
    "bedrock": ("anthropic", "", "pace=130ms", ("eu",)),
    "preview": ("openai-chat", "/v1", "pace=300ms", ()),
}
"""Dialect, path, how the demo behaves, accounts."""

_TARGETS: Final[Mapping[str, Sequence[str]]] = {
    "gpt-5": ("openai/gpt-5",),
    "gpt-5-mini": ("openai/gpt-5-mini",),
    "claude-sonnet-4-5": ("anthropic/claude-sonnet-4-5",),
    "gemini-2.5-flash": ("gemini/gemini-2.5-flash",),
    "glm-4.6": ("glm/glm-4.6", "openrouter/glm-4.6"),
    BREAKING: ("mistral/mistral-large",),
    STALLING: ("local/llama-3.3-70b",),
    ALONE: ("azure/gpt-4.1",),
    THINKING: ("bedrock/claude-opus-4-5",),
    "h<*": (f"preview/{HOSTILE}",),
}


@dataclass
class Heard:
    """What one client was sent, so far or in all."""

    text: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Showroom:
    """url: of the proxy. console: of its admin listener. upstream: the provider behind all names."""

    def __init__(self, upstream: DemoUpstream, file: Path, ports: tuple[int, int], token: str) -> None:
        self.upstream = upstream
        self.url, self.console = (f"http://127.0.0.1:{port}" for port in ports)
        self.token = token
        self._file = file
        self._open = asyncio.Event()
        self._process = AsyncExitStack()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: Running | None = None

    async def start(self) -> None:
        process = started("serve", "--config", str(self._file), "--loop", LOOP, "--log-format", "logfmt")
        running = self._running = await self._process.enter_async_context(process)
        await running.err_line("listening on")
        assert running.process.stderr is not None
        self._start(_drain(running.process.stderr))
        self._open.set()

    async def stop(self) -> None:
        """As a service manager does it."""
        assert self._running is not None
        self._open.clear()
        self._running.interrupt(signal.SIGTERM)
        async with asyncio.timeout(20):
            await self._running.process.wait()
        await self._process.aclose()

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._process.aclose()

    def crowd(self, count: int, first: int = 0) -> None:
        """So many clients, each with one stream at a time, until the room is left; their answers differ in length."""
        for number in range(first, first + count):
            client, model = CLIENTS[number % len(CLIENTS)], MODELS[number % len(MODELS)]
            body = _build_body(model, f"{ASKED}, {number}", max_completion_tokens=25 + number)
            self._start(self._ask_again(client, body))

    def ask(self, client: str, model: str, **fields: Any) -> Heard:
        """One request, read in the background."""
        heard = Heard()
        self._start(self._ask(client, _build_body(model, ASKED, **fields), heard))
        return heard

    def find_upstream(self, model: str) -> RequestRecord:
        """The provider's side of the last request for a model that has a provider of its own."""
        mark = (b"x-demo", _PROVIDERS[_TARGETS[model][0].partition("/")[0]][2].encode())
        return [record for record in self.upstream.records if mark in record.headers][-1]

    async def _ask_again(self, client: str, body: Mapping[str, Any]) -> None:
        while True:
            await self._open.wait()
            await self._ask(client, body, Heard())

    async def _ask(self, client: str, body: Mapping[str, Any], heard: Heard) -> None:
        headers = {"Authorization": f"Bearer {client}", "Content-Type": "application/json"}
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"{self.url}/v1/chat/completions", json=body, headers=headers) as answer,
            ):
                async for data in answer.content.iter_any():
                    heard.text += data.decode()
        except aiohttp.ClientError:
            await asyncio.sleep(0.02)  # the proxy is on its way out
        finally:
            heard.over.set()

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@asynccontextmanager
async def showroom(folder: Path, *, content: bool = True, token: str = "") -> AsyncIterator[Showroom]:
    upstream = DemoUpstream(record=True)
    await upstream.start()
    ports = _find_ports()
    file = folder / "penstock.toml"
    file.write_text(_build_config(upstream.base_url, ports, folder, content=content, token=token))
    room = Showroom(upstream, file, ports, token)
    try:
        await room.start()
        yield room
    finally:
        await room.leave()
        await upstream.stop()


def _build_body(model: str, content: str, **fields: Any) -> dict[str, Any]:
    return {"model": model, "stream": True, "messages": [{"role": "user", "content": content}], **fields}


def _build_config(base: str, ports: tuple[int, int], folder: Path, *, content: bool, token: str) -> str:
    lines = [f'[server]\nlisten = ["127.0.0.1:{ports[0]}"]\nadmin = "127.0.0.1:{ports[1]}"\n[limits]\ndrain = "100ms"']
    lines += ['[state]\npath = ":memory:"']
    lines += [f"[console]\ncontent = {str(content).lower()}\ntoken = {json.dumps(token)}"]
    lines += [f'[ledger]\npath = "{folder}/ledger.db"']
    lines += [f'[clients.{name}]\nkey = "{name}"' for name in CLIENTS]
    for name, (dialect, path, behaviour, accounts) in _PROVIDERS.items():
        lines += [f'[providers.{name}]\ndialect = "{dialect}"\nbase_url = "{base}{path}"']
        lines += [f'headers = {{ "x-demo" = "{behaviour}" }}']
        lines += [f'accounts.{account}.key = "{name}-{account}"' for account in accounts]
        lines += [f'[prices."{name}/*"]\ninput = 1.25\ncached_input = 0.125\noutput = 10.0']
    for name, targets in _TARGETS.items():
        lines += [f'[models."{name}"]\ntargets = {json.dumps(targets)}']
    return "\n".join([*lines, ""])


def _find_ports() -> tuple[int, int]:
    """Two that are free now, for a proxy that comes back to them."""
    with socket.socket() as first, socket.socket() as second:
        for sock in (first, second):
            sock.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.read(65536):
        pass
