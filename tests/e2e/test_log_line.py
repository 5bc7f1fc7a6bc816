"""The access line as a process writes it: one per request, in each format, and nothing from outside can forge one."""

import json
import os
import re
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.helpers.bare import bare
from tests.helpers.command import MODULE, Running, started
from tests.helpers.origin import Origin, origin

LOOP = os.environ.get("PENSTOCK_TEST_LOOP", "uvloop")
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b"9\r\ndata: 1\n\n\r\n"
GET = b"GET /up/x?secret=1 HTTP/1.1\r\nHost: a\r\nx-api-key: k\r\n\r\n"

TO_JOURNAL = """
import os, sys
stat = os.fstat(2)
os.environ["JOURNAL_STREAM"] = f"{stat.st_dev}:{stat.st_ino}"
os.execv(sys.executable, [sys.executable, "-m", "proxy", *sys.argv[1:]])
"""
"""Standard error is named as the journal's, as systemd does it (systemd.exec(5))."""


@asynccontextmanager
async def served(
    folder: Path, form: str, command: tuple[str, ...] = MODULE
) -> AsyncIterator[tuple[Running, Origin, int]]:
    async with origin() as upstream:
        file = folder / "penstock.toml"
        file.write_text(
            '[server]\nlisten = ["127.0.0.1:0"]\nadmin = "off"\n[clients.dev]\nkey = "k"\n'
            f'[providers.up]\ndialect = "openai-chat"\nbase_url = "{upstream.base_url}"\n'
            '[providers.up.accounts.main]\nkey = "secret-of-ours"\n'
            '[providers.gone]\ndialect = "raw"\nbase_url = "http://127.0.0.1:1"\n'
            '[mounts."/up"]\nprovider = "up"\n[mounts."/gone"]\nprovider = "gone"\nauth = "none"\n'
        )
        arguments = ("serve", "--config", str(file), "--loop", LOOP, "--log-format", form)
        async with started(*arguments, command=command) as running:
            line = await running.err_line("listening on")
            found = re.search(r"127\.0\.0\.1:(\d+)", line)
            assert found is not None
            yield running, upstream, int(found[1])


async def run_done(upstream: Origin, port: int) -> None:
    async with bare(port) as client:
        await client.send(GET)
        peer = await upstream.peer()
        await peer.until(b"\r\n\r\n")
        peer.send(STREAM + EVENT * 3 + b"0\r\n\r\n")
        await client.read_until(b"\r\n0\r\n\r\n")


async def run_error(port: int) -> None:
    async with bare(port) as client:
        await client.send(b"POST /gone/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
        await client.read_until(b"upstream_refused")


async def run_gone(upstream: Origin, port: int) -> None:
    async with bare(port) as client:
        await client.send(GET)
        peer = await upstream.peer(len(upstream.peers))
        await upstream.wait(lambda: peer.received.count(b"GET ") > 1 or len(upstream.peers) > 1)
        peer = upstream.peers[-1]
        peer.send(STREAM + EVENT)
        await client.read_until(EVENT)
        client.leave()


def parse_logfmt(line: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in shlex.split(line))


def parse_text(line: str) -> dict[str, str]:
    time, level, rest = line.split(maxsplit=2)
    assert re.fullmatch(r"\d\d:\d\d:\d\d(\.\d{3})?", time)
    return {"ts": time, "level": level, **parse_logfmt(rest)}


PARSERS = {"json": json.loads, "logfmt": parse_logfmt, "text": parse_text}
ALWAYS = {
    "level", "ts", "request_id", "remote", "method", "route", "dialect", "provider", "status", "end_reason",
    "duration_ms", "bytes_up", "bytes_down", "events", "attempts",
}  # fmt: skip


@pytest.mark.parametrize("form", ["json", "logfmt", "text"])
async def test_each_request_has_one_line_with_its_fields(form: str, tmp_path: Path) -> None:
    parse = PARSERS[form]
    async with served(tmp_path, form) as (running, upstream, port):
        await run_done(upstream, port)
        done = parse(await running.err_line("request_id"))
        await run_error(port)
        error = parse(await running.err_line("request_id"))
        await run_gone(upstream, port)
        gone = parse(await running.err_line("request_id"))
        running.interrupt(signal.SIGTERM)
        finished = await running.finish()
    assert finished.err.count("request_id") == 3
    assert "secret" not in finished.err

    shown = {name: str(value) for name, value in done.items()}
    assert shown.keys() == ALWAYS | {"client", "account", "ttfb_ms"}
    assert re.fullmatch(r"req_[0-9a-f]{24}", shown["request_id"])
    assert re.fullmatch(r"(\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\d\.\d{3}Z?", shown["ts"])
    assert float(shown["ttfb_ms"]) <= float(shown["duration_ms"])
    expected = {
        "level": "info", "remote": "127.0.0.1", "client": "dev", "method": "GET", "route": "/up", "provider": "up",
        "dialect": "openai-chat", "account": "main", "status": "200", "end_reason": "done", "bytes_up": "0",
        "bytes_down": "27", "events": "3", "attempts": "1",
    }  # fmt: skip
    assert {name: shown[name] for name in expected} == expected

    assert error.keys() == ALWAYS | {"error", "detail", "trail"}
    assert "upstream_refused" in str(error["trail"])
    wanted = {"level": "warning", "status": "502", "end_reason": "connect", "error": "upstream_refused"}
    assert {name: str(error[name]) for name in wanted} == wanted
    assert "ECONNREFUSED" in error["detail"]

    assert gone.keys() == ALWAYS | {"client", "account", "ttfb_ms", "phase"}
    wanted = {"level": "info", "end_reason": "client_gone", "phase": "streaming", "events": "1", "bytes_down": "9"}
    assert {name: str(gone[name]) for name in wanted} == wanted


async def test_under_the_journal_each_line_starts_with_its_priority(tmp_path: Path) -> None:
    async with served(tmp_path, "json", (sys.executable, "-c", TO_JOURNAL)) as (running, upstream, port):
        await run_done(upstream, port)
        assert (await running.err_line("request_id")).startswith('<6>{"level":"info"')
        await run_error(port)
        assert (await running.err_line("request_id")).startswith('<4>{"level":"warning"')
        running.interrupt(signal.SIGTERM)
        finished = await running.finish()
        assert all(re.match(r"<[0-7]>\{", line) for line in finished.err.splitlines())


async def test_without_a_journal_no_line_has_a_priority(tmp_path: Path) -> None:
    async with served(tmp_path, "json") as (running, _, port):
        await run_error(port)
        assert (await running.err_line("request_id")).startswith("{")


@pytest.mark.parametrize("form", ["json", "logfmt", "text"])
@pytest.mark.long
async def test_nothing_that_comes_from_outside_can_begin_a_line(form: str, tmp_path: Path) -> None:
    forged = b"%0a<0>forged%0D%0A", b"<0>forged", b"\xe2\x80\xa8forged", b"\x1b[31mforged", b"\n<0>forged", b'"forged='
    async with served(tmp_path, form) as (running, _, port):
        for text in forged:
            for request in (
                b"GET /" + text + b" HTTP/1.1\r\nHost: a\r\n\r\n",
                b"GET /up/x?"
                + text
                + b" HTTP/1.1\r\nHost: a\r\nX-A: "
                + text
                + b"\r\nx-api-key: k"
                + text
                + b"\r\n\r\n",
                text + b" / HTTP/1.1\r\nHost: a\r\n\r\n",
            ):
                async with bare(port) as client:
                    await client.send(request)
                    await client.read_until(b"\r\n\r\n")
                    await running.err_line("request_id")
        running.interrupt(signal.SIGTERM)
        finished = await running.finish()
    assert "forged" not in finished.err
    assert finished.err.count("request_id") == 3 * len(forged)
    assert finished.err.isascii()
