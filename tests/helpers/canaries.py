"""A house full of secrets, for the tests that look for them: a real process with everything on that looks or keeps
(log, ledger, metrics, recorder with bodies, ring, console, traces), and a provider that quotes all it is shown.
"""

import json
import re
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.helpers.command import Running, started
from tests.helpers.models import build, build_reply, chat_chunk
from tests.helpers.rawhttp import fetch
from tests.helpers.recorder import Seen, recorder
from tests.helpers.viewing import viewing

CLIENT = "c4n4ry-of-the-client"
ACCOUNTS = ("c4n4ry-of-account-one", "c4n4ry-of-account-two")
TOKEN = "c4n4ry-of-the-console"
QUERY = "c4n4ry-in-the-query"
PASSED = "c4n4ry-of-a-caller"
COOKIE = "c4n4ry-in-a-cookie"
SECRET = re.compile(rb"c4n4ry")
ASKED = "w0rds-that-were-asked"
SAID = "w0rds-that-were-said"
WORDS = re.compile(rb"w0rds")


@dataclass(frozen=True)
class House:
    port: int
    admin: int
    folder: Path
    process: Running
    lines: list[str]
    statuses: list[str]

    async def read(self, path: str) -> bytes:
        reply = await fetch(self.admin, path, headers=f"Authorization: Bearer {TOKEN}\r\n")
        assert reply.status == 200, path
        return reply.raw + reply.body

    async def ask(self, model: str, *, query: str = "", headers: str = f"x-api-key: {CLIENT}\r\n") -> None:
        target, body = build("openai", model, stream=True)
        body["messages"] = [{"role": "user", "content": f"{ASKED} {' '.join(ACCOUNTS)}"}]
        await fetch(self.port, target + query, body=body, headers=headers)


def quote(seen: Seen) -> bytes:
    """All that opens something, and the words, in every place where a provider may say them."""
    shown = " ".join(
        value.decode().removeprefix("Bearer ") for name, value in seen.fields if name in (b"authorization", b"cookie")
    )
    shown += " " + seen.target.decode()
    fields = (f"x-quoted: {shown.replace(ASKED, '')}", f"Set-Cookie: s={COOKIE}")
    error = {"error": {"message": f"no: {shown}", "type": "rate_limit_error", "code": None}}
    if b"refused" in seen.body:
        return build_reply(json.dumps(error).encode(), 429, *fields)
    said = chat_chunk({"content": f"{SAID} {shown}"})
    if b"broken" in seen.body:
        return build_reply(said + f"data: {json.dumps(error)}\n\n".encode(), 200, *fields, kind="text/event-stream")
    last = chat_chunk({}, "stop") + b"data: [DONE]\n\n"
    return build_reply(said + last, 200, *fields, kind="text/event-stream")


def configure(base_url: str, folder: Path, *, content: bool, bodies: bool, tls: str) -> Mapping[str, Any]:
    providers = {
        name: f'dialect = "openai-chat"\nbase_url = "{base_url}"\naccounts.main.key = "{key}"'
        for name, key in zip(("one", "two"), ACCOUNTS, strict=True)
    }
    providers["bare"] = f'dialect = "raw"\nbase_url = "{base_url}"'
    return {
        "server": f'listen = ["127.0.0.1:0"]\nadmin = "127.0.0.1:0"\n{tls}',
        "limits": 'drain = "100ms"\nattempts = 2\ndeadline = "1s"\nhead_timeout = "2s"',
        "state": f'path = "{folder}/state.db"',
        "ledger": f'path = "{folder}/ledger.db"',
        "console": f'token = "{TOKEN}"\ncontent = {str(content).lower()}',
        "record": f'when = ["all"]\ndirectory = "{folder}/cassettes"\nbodies = {str(bodies).lower()}\nring = 9',
        "clients.ann": f'key = "{CLIENT}"',
        **{f"providers.{name}": rows for name, rows in providers.items()},
        'models."both-*"': 'targets = ["one/*", "two/*"]',
        'mounts."/bare"': 'provider = "bare"\nauth = "pass"',
    }


@asynccontextmanager
async def house(folder: Path, *, content: bool, bodies: bool = True, tls: str = "") -> AsyncIterator[House]:
    """The configuration is in `folder`, and whatever the process keeps. bodies: requests' are recorded. tls: a row of
    `[server]`."""
    async with recorder() as upstream:
        upstream.answer = quote
        tables = configure(upstream.base_url, folder, content=content, bodies=bodies, tls=tls)
        (folder / "penstock.toml").write_text("\n".join(f"[{name}]\n{rows}" for name, rows in tables.items()))
        command = ("serve", "--config", str(folder / "penstock.toml"))
        env = {"OTEL_TRACES_EXPORTER": "console", "NOTIFY_SOCKET": str(folder / "notify")}
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as manager:
            manager.bind(env["NOTIFY_SOCKET"])
            async with started(*command, env=env) as running:
                await running.err_line("listening on")
                console, public = re.findall(r" on https?://127\.0\.0\.1:(\d+)", "".join(running.err))
                found = House(int(public), int(console), folder, running, [], [])
                yield found
                running.interrupt()
                done = await running.finish()
            found.lines.extend([done.out, done.err])
            found.statuses.extend(read_all(manager))


def read_all(sock: socket.socket) -> Iterator[str]:
    with suppress(BlockingIOError):
        while True:
            yield sock.recv(65536).decode()


async def ask_all(found: House) -> None:
    await found.ask("one/well", query=f"?key={QUERY}&sig={QUERY}")
    for model in ("both-well", "both-broken", "both-refused"):
        await found.ask(model)
    bare = f"Authorization: Bearer {PASSED}\r\nCookie: s={COOKIE}\r\n"
    await fetch(found.port, f"/bare/refused?api_key={QUERY}&q={ASKED}", body={"model": "refused"}, headers=bare)


async def look(found: House) -> dict[str, bytes]:
    """Whatever the admin listener tells."""
    paths = ("/metrics", "/failures", "/streams", "/accounts", "/record", "/console/session", "/")
    told = {path: await found.read(path) for path in paths}
    for failed in json.loads((await found.read("/failures")).partition(b"\r\n\r\n")[2])["failures"]:
        told[failed["cassette"]] = await found.read(failed["cassette"])
    async with viewing(found.admin, headers=f"Authorization: Bearer {TOKEN}\r\n") as viewer:
        frame = await viewer.until(lambda frame: frame.event == "snapshot")
    return {**told, "console": json.dumps(frame.data).encode()}
