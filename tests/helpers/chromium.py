"""Chromium without a screen, driven over its DevTools protocol, for what only a real browser can prove.

`async with browsing() as browser` has one to itself, or its part of the one that a surrounding `with sharing():` has
started: a start takes longer than most tests. `page = await browser.open(url)` opens a page that shares no cookie, no
cache and no storage with any other. `evaluate` and `wait_for` take JavaScript expressions, `click`, `type` and `key` go
through the browser's own input. What a page should never do is gathered as `page.troubles` and fails the test when the
browser is left: an uncaught exception, a console error, a violation of its Content-Security-Policy, a request to
another origin, a dialog. A request that fails is no trouble: tests have servers that refuse and go away.

Everything is bounded in time. At the end the pages are gone, and with the process its group, killed by id, and its
folder.
"""

import asyncio
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from tests.helpers.chromium_page import WAIT, Gone, Page

_START: Final = 40.0  # seconds; two on an idle machine

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",  # it cannot have one as root, and sees nothing but this suite's own servers
    "--remote-debugging-port=0",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-breakpad",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--disable-features=Translate,MediaRouter,OptimizationHints",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--password-store=basic",
    "--use-mock-keychain",
)


@dataclass(frozen=True)
class Process:
    """pid: leader of a process group of its own. url: where its protocol is spoken."""

    pid: int
    url: str


_shared: list[Process] = []


class Browser:
    """pid: of its process, the leader of a process group of its own."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, pid: int) -> None:
        self.pid = pid
        self.pages: list[Page] = []
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._sessions: dict[str, Page] = {}
        self._posted: set[asyncio.Task[None]] = set()

    async def open(self, url: str, *, dark: bool = False, width: int = 1280, height: int = 800) -> Page:
        """A page of its own, loaded."""
        context = (await self.send("Target.createBrowserContext", disposeOnDetach=True))["browserContextId"]
        target = (await self.send("Target.createTarget", url="about:blank", browserContextId=context))["targetId"]
        session = (await self.send("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        page = Page(self, target, session, url)
        self._sessions[session] = page
        self.pages.append(page)
        for domain in ("Page", "Runtime", "Log", "Network"):
            await page.send(f"{domain}.enable")
        await page.send("Emulation.setFocusEmulationEnabled", enabled=True)  # each page is as if in front
        await page.resize(width, height)
        await page.prefer(dark=dark)
        await page.go(url)
        return page

    async def send(self, method: str, *, session: str | None = None, **fields: Any) -> dict[str, Any]:
        """A command and its answer. Raises Gone."""
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        message = {"id": number, "method": method, "params": fields} | ({"sessionId": session} if session else {})
        try:
            async with asyncio.timeout(WAIT + 5.0):
                await self._socket.send_json(message)
                return await answer
        finally:
            del self._answers[number]

    def post(self, method: str, *, session: str, **fields: Any) -> None:
        """A command whose answer nobody waits for."""
        task = asyncio.get_running_loop().create_task(self._post(method, session, fields))
        self._posted.add(task)
        task.add_done_callback(self._posted.discard)

    async def listen(self) -> None:
        """Until the browser closes the socket."""
        async for message in self._socket:
            fields = json.loads(message.data)
            if "id" not in fields:
                if page := self._sessions.get(fields.get("sessionId", "")):
                    page.take(fields["method"], fields["params"])
            elif (answer := self._answers.get(fields["id"])) and not answer.done():
                if "error" in fields:
                    answer.set_exception(Gone(fields["error"]["message"]))
                else:
                    answer.set_result(fields["result"])
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(Gone("the browser is gone"))

    async def _post(self, method: str, session: str, fields: Mapping[str, Any]) -> None:
        with suppress(Gone):
            await self.send(method, session=session, **fields)


@contextmanager
def sharing() -> Iterator[None]:
    """Whoever is `browsing` within shares one process."""
    with _started() as process:
        _shared.append(process)
        try:
            yield
        finally:
            _shared.remove(process)


@asynccontextmanager
async def browsing(*, alone: bool = False) -> AsyncIterator[Browser]:
    """A running browser. alone: never a shared one. Fails at the end when a page of it had troubles."""
    with _started() if alone or not _shared else nullcontext(_shared[-1]) as process:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(process.url, max_msg_size=2**27) as socket,
        ):
            browser = Browser(socket, process.pid)
            listening = asyncio.get_running_loop().create_task(browser.listen())
            try:
                yield browser
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
    troubles = [f"{page.url}: {trouble}" for page in browser.pages for trouble in page.troubles]
    assert not troubles, "\n".join(troubles)


@contextmanager
def _started() -> Iterator[Process]:
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("Chromium is not installed")
    folder = tempfile.mkdtemp(prefix="chromium-")
    homes = dict.fromkeys(("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"), folder)
    said = Path(folder, "said")
    with said.open("wb") as errors:
        process = subprocess.Popen(
            [program, *_FLAGS, f"--user-data-dir={folder}/profile"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC", **homes},
            start_new_session=True,
        )
    try:
        yield Process(process.pid, _wait_url(process, said))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for _ in range(500):
            if not list_group(process.pid):
                break
            time.sleep(0.01)  # nobody tells when a grandchild is gone
        shutil.rmtree(folder)


def _wait_url(process: subprocess.Popen[bytes], said: Path) -> str:
    until = time.monotonic() + _START
    while time.monotonic() < until:
        if found := re.search(r"DevTools listening on (ws://\S+)\n", text := said.read_text("utf-8", "replace")):
            return found[1]
        assert process.poll() is None, f"the browser ended at once: {text}"
        time.sleep(0.02)  # it writes to a file
    raise AssertionError(f"the browser does not start: {text}")


def list_group(leader: int) -> list[int]:
    """The processes of a group that still run; who is dead and not yet waited for does not."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, group = entry.read_text().rpartition(")")[2].split()[:3]
            if int(group) == leader and state not in "ZX":
                found.append(int(entry.parent.name))
    return found
