"""docs/seeing.md, done as it says: its configuration is served, in front of the demo's upstream, and every command on
it is run as it stands there. Only what cannot be known beforehand is put in: ids, files, ports.

What a command shows on the page must still be what it shows: the heads of a table's columns, and the words before a
colon at the beginning of a line.
"""

import asyncio
import json
import re
import shlex
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from proxy.cli import build_parser
from proxy.ops.admin import build_routes
from proxy.relay.outcome import EndReason
from proxy.usage import meter
from tests.helpers.command import ROOT, SCRIPT, Running, ran, started
from tests.helpers.rawhttp import fetch
from tests.helpers.service import demo_upstream, mounted, running
from tests.helpers.terminal import terminal

PAGE: Final = (ROOT / "docs" / "seeing.md").read_text(encoding="utf-8")
HERE: Final = """
[server]
listen = ["127.0.0.1:0"]
admin = "127.0.0.1:0"
[providers.openai]
base_url = "{upstream}/v1"
headers = {{ "x-demo" = "pace=1ms" }}
[providers.claude]
base_url = "{upstream}"
headers = {{ "x-demo" = "pace=1ms; error_after=13" }}
[providers.slow]
dialect = "openai-chat"
base_url = "{upstream}/v1"
headers = {{ "x-demo" = "pace=200ms" }}
"""
"""What the page's configuration cannot know. One of its providers fails, so that there is something to look into, and
one more is slow enough to be looked at."""

_BLOCK: Final = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
_SPAN: Final = re.compile(r"`([^`\n]+)`")
_REQUEST_ID: Final = re.compile(r"req_[0-9a-f]{24}")
_HEADS: Final = re.compile(r"[A-Z][A-Z/-]*( +[A-Z][A-Z/-]*)+")
_LABEL: Final = re.compile(r"(?:\+ +[\d.]+s +)?([a-z]+(?: [a-z]+)*(?: 1)?:)")


@dataclass(frozen=True)
class Shown:
    """A command of the page, and what the page shows of its output."""

    words: tuple[str, ...]
    output: str

    @property
    def marks(self) -> list[str]:
        """What its output has in any run."""
        found: list[str] = []
        for line in self.output.splitlines():
            if _HEADS.fullmatch(line.strip()):
                found += line.split()
            elif label := _LABEL.match(line.strip()):
                found.append(label[1])
        return found


def list_commands() -> list[Shown]:
    """The lines that begin with a dollar, with what follows them."""
    commands = []
    for language, block in _BLOCK.findall(PAGE):
        if language == "console":
            for text in ("\n" + block).replace("\\\n", "").split("\n$ ")[1:]:
                line, _, output = text.partition("\n")
                commands.append(Shown(tuple(shlex.split(line)), output))
    return commands


COMMANDS: Final = list_commands()


def find_commands(program: str, *names: str) -> list[Shown]:
    found = [shown for shown in COMMANDS if shown.words[0] == program and (not names or shown.words[1] in names)]
    assert found
    return found


@dataclass(frozen=True)
class House:
    """folder: where penstock.toml is. port, admin: of its listeners. failed: a request that did, in this process."""

    folder: Path
    port: int
    admin: int
    failed: str

    @property
    def env(self) -> dict[str, str]:
        return {**_build_env(self.folder), "PENSTOCK_ADMIN": f"127.0.0.1:{self.admin}"}

    @property
    def cassette(self) -> Path:
        """The one that a process before this one has left: it is whole."""
        return min((self.folder / "penstock" / "cassettes").glob("*.cassette"))  # names begin with the time


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    """A proxy whose ledger and cassettes are those of an earlier process, and whose ring holds a failure of its own."""
    async with demo_upstream() as upstream:
        (folder / "conf.d").mkdir()
        (folder / "penstock.toml").write_text(_BLOCK.findall(PAGE)[0][1], encoding="utf-8")
        (folder / "conf.d" / "here.toml").write_text(HERE.format(upstream=upstream.base_url), encoding="utf-8")
        for models in (("gpt-5", "claude-sonnet-4-5"), ("claude-haiku-4-5",)):
            async with started("serve", command=SCRIPT, env=_build_env(folder), cwd=folder) as proxy:
                admin, port = await _read_port(proxy, "console on"), await _read_port(proxy, "listening on")
                line = [await _ask(proxy, port, model) for model in models][-1]
                if len(models) == 1:
                    yield House(folder, port, admin, json.loads(line)["request_id"])
                proxy.interrupt(signal.SIGTERM)
                await proxy.finish()


async def _ask(proxy: Running, port: int, model: str) -> str:
    """The request's log line: whoever looks has been told, or is told next."""
    await _fetch(port, model)
    return await proxy.err_line('"model_asked"')


async def _fetch(port: int, model: str) -> None:
    body = {"model": model, "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    await fetch(port, "/v1/chat/completions", body=body, headers="Authorization: Bearer alice-key\r\n")


async def _read_port(proxy: Running, said: str) -> int:
    line: str = json.loads(await proxy.err_line(said))["message"]
    return int(line.rpartition(":")[2])


def _build_env(folder: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(folder)}


@pytest.mark.long
async def test_every_command_runs_and_shows_what_the_page_shows(tmp_path: Path) -> None:
    async with house(tmp_path) as place:
        for shown in find_commands("penstock", "usage", "record", "show"):
            finished = await ran(*_fill(shown.words[1:], place), command=SCRIPT, env=place.env, cwd=place.folder)
            assert finished.code == 0, finished.err
            _check(shown, finished.out)
        for shown in find_commands("penstock", "top"):
            _check(shown, await _watch(shown.words[1:], place))
        for shown in find_commands("penstock", "replay"):
            _check(shown, await _replay(shown.words[1:], place))
        for shown in find_commands("curl"):
            path = "/" + shown.words[-1].split("/", 3)[3]
            assert (await fetch(place.admin, _REQUEST_ID.sub(place.failed, path))).status == 200


def test_no_command_is_left_out() -> None:
    run = [*find_commands("penstock", "usage", "record", "show", "top", "replay"), *find_commands("curl")]
    assert {shown.words[0] for shown in COMMANDS if shown not in run} == {"ssh"}


def _fill(words: Sequence[str], place: House) -> list[str]:
    """With the file that there is, and a port that is free."""
    filled = [
        str(place.cassette) if word.endswith(".cassette") else _REQUEST_ID.sub(place.failed, word) for word in words
    ]
    return [word if filled[at - 1] != "--port" else "0" for at, word in enumerate(filled)]


def _check(shown: Shown, output: str) -> None:
    assert [mark for mark in shown.marks if mark not in output] == []


async def _watch(words: Sequence[str], place: House) -> str:
    """What it shows of a stream that it has looked at twice."""
    asking = asyncio.create_task(_fetch(place.port, "slow/demo"))
    async with terminal(*words, "--admin", f"127.0.0.1:{place.admin}") as screen:
        told = await screen.wait_for("TTFT  EV/S")
        screen.press("q")
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert screen.code == 0
    return told


async def _replay(words: Sequence[str], place: House) -> str:
    """What it says until its configuration's last line; then it is told to end."""
    async with started(*_fill(words, place), command=SCRIPT, cwd=place.folder) as process:
        await process.err_line("base_url")
        process.interrupt(signal.SIGINT)
        finished = await process.finish()
    assert finished.code == 0, finished.err
    return finished.err


SPANS: Final = sorted({text for text in _SPAN.findall(PAGE) if text.startswith("penstock ")})


@pytest.mark.parametrize("text", SPANS)
def test_a_command_within_a_sentence_can_be_parsed(text: str) -> None:
    build_parser().parse_args(shlex.split(text)[1:] + (["file"] if text.endswith(("show", "replay")) else []))


async def test_the_admin_listeners_routes_are_all_named() -> None:
    table = PAGE[PAGE.index("## The admin listener") :]
    named = {
        (path.replace("ID", "{id}"), method)
        for method, path in (text.split(" ")[:2] for text in _SPAN.findall(table) if re.match("(GET|POST) /", text))
    }
    async with demo_upstream() as upstream, running(mounted(upstream)) as proxy:
        penstock = proxy.penstock
        routes = {
            **build_routes(penstock.streams, lambda: True, penstock.board, dict, penstock.ticker),
            **penstock.instruments.build_routes(),
        }
    assert named == {(path, method) for path, methods in routes.items() for method in methods}


def test_every_end_and_every_source_of_tokens_is_named() -> None:
    spans = set(_SPAN.findall(PAGE))
    assert {reason.value for reason in EndReason} - spans == set()
    assert {meter.REPORTED, meter.PARTIAL, meter.ESTIMATED} - spans == set()


def test_the_pictures_are_there() -> None:
    pictures = re.findall(r'(?:src|srcset)="([^"]+)"', PAGE)
    assert len(pictures) == 6
    assert [name for name in pictures if not (ROOT / "docs" / name).is_file()] == []
