"""`penstock tail`: events in order across every kind of end, one clear line for what no retry mends, no secrets."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from proxy.cli import build_parser
from proxy.demo import DemoUpstream
from proxy.tools.tail import Tail
from tests.helpers.command import ran, started
from tests.helpers.service import demo_upstream, mounted, running

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
FAST = HEAD + b"retry: 10\n\n"


async def tail(*arguments: str) -> int:
    async with asyncio.timeout(20):
        return await Tail(build_parser().parse_args(["tail", *arguments])).run()


def clock(upstream: DemoUpstream, query: str = "") -> str:
    return f"{upstream.base_url}/clock?every=5ms&{query}"


def read_ids(out: str) -> list[str]:
    return [json.loads(line)["id"] for line in out.splitlines()]


def read_headers(upstream: DemoUpstream, name: bytes) -> list[bytes | None]:
    return [{field.lower(): value for field, value in record.headers}.get(name) for record in upstream.records]


@asynccontextmanager
async def scripted(*answers: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that gives one answer per connection and closes; yields its URL and the heads that it read."""
    left, heads = list(answers), list[bytes]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(left.pop(0))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/s", heads


async def test_events_are_shown_with_gap_type_and_id(capsys: pytest.CaptureFixture[str]) -> None:
    async with demo_upstream() as upstream:
        assert await tail(clock(upstream), "--events", "3") == 0
    out, err = capsys.readouterr()
    assert [line.split("  ")[1:3] for line in out.splitlines()] == [["tick", "#1"], ["tick", "#2"], ["tick", "#3"]]
    assert err.startswith("penstock: 3 events, 1 connection, median gap 0.0")


async def test_gap_is_the_time_since_the_event_before(capsys: pytest.CaptureFixture[str]) -> None:
    async with demo_upstream() as upstream:
        assert await tail(f"{upstream.base_url}/clock?every=120ms", "--events", "3", "--json") == 0
    gaps = [json.loads(line)["gap_ms"] for line in capsys.readouterr().out.splitlines()]
    assert all(60 < gap < 2000 for gap in gaps[1:])


@pytest.mark.parametrize("fault", ["cut_after=2", "end_after=2", "reset_after=2"])
async def test_any_end_of_a_stream_is_followed_by_another_connection(
    fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with demo_upstream() as upstream:
        assert await tail(clock(upstream, fault), "--events", "4", "--json") == 0
        assert read_headers(upstream, b"last-event-id") == [None, b"2"]
    out, err = capsys.readouterr()
    assert read_ids(out) == ["1", "2", "3", "4"]
    assert "connecting again in 1 s" in err
    assert "4 events, 2 connections" in err


async def test_a_status_that_may_pass_is_retried(capsys: pytest.CaptureFixture[str]) -> None:
    event = HEAD + b"data: x\n\n"
    async with scripted(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", event) as (url, _):
        assert await tail(url, "--events", "1") == 0
    assert "status 503, connecting again in 1 s" in capsys.readouterr().err


async def test_a_refused_connection_is_retried(unused_tcp_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/clock"
    async with started("tail", url, "--events", "1") as command:
        assert "cannot connect: connection refused, connecting again in 1 s" in await command.err_line("again")
        upstream = DemoUpstream()
        await upstream.start(port=unused_tcp_port)
        finished = await command.finish()
        await upstream.stop()
    assert finished.code == 0
    assert "#1" in finished.out


async def test_waits_double_while_nothing_comes_and_follow_the_server(capsys: pytest.CaptureFixture[str]) -> None:
    async with scripted(FAST, HEAD, HEAD, HEAD + b"data: x\n\n", HEAD + b"data: y\n\n") as (url, _):
        assert await tail(url, "--events", "2") == 0
    waits = [line.rsplit(" ", 2)[1] for line in capsys.readouterr().err.splitlines() if "again" in line]
    assert waits == ["0.01", "0.2", "0.4", "0.01"]


async def test_half_an_event_is_not_glued_to_the_next_connection(capsys: pytest.CaptureFixture[str]) -> None:
    async with scripted(FAST + b"id: 1\ndata: a\n\nid: 2\nevent: half\ndata: lost\n", HEAD + b"data: b\n\n") as (
        url,
        heads,
    ):
        assert await tail(url, "--events", "2", "--json") == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(event["type"], event["id"], event["data"]) for event in shown] == [
        ("message", "1", "a"),
        ("message", "1", "b"),
    ]
    assert b"last-event-id: 1\r\n" in heads[1].lower()


async def test_an_id_that_no_header_can_carry_is_not_sent(capsys: pytest.CaptureFixture[str]) -> None:
    async with scripted(FAST + b"id: a\rX-Evil: 1\ndata: a\n\n", HEAD + b"data: b\n\n") as (url, heads):
        assert await tail(url, "--events", "2") == 0
    assert b"evil" not in heads[1].lower()


async def test_a_given_last_event_id_and_headers_are_sent() -> None:
    async with demo_upstream() as upstream:
        assert await tail(clock(upstream), "-H", "X-One: a: b", "-H", "x-two:c", "--last-event-id", "41",
                          "--events", "1") == 0  # fmt: skip
        assert read_headers(upstream, b"last-event-id") == [b"41"]
        assert read_headers(upstream, b"x-one") == [b"a: b"]
        assert read_headers(upstream, b"x-two") == [b"c"]
        assert read_headers(upstream, b"accept") == [b"text/event-stream"]
        assert read_headers(upstream, b"accept-encoding") == [b"identity"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello", "status 404"),
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", "status 401"),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "status 302, and redirects are not"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n", "the answer is 'text/html', not"),
        (b"nonsense\r\n\r\n", "the answer is not valid HTTP"),
        (FAST + b"data: \xff\n\n", "the stream is not UTF-8"),
        (HEAD + b"retry: 9" + b"0" * 30 + b"\n\n", "the stream asks for an impossible time to reconnect"),
    ],
)
async def test_what_no_retry_mends_ends_with_one_line(
    answer: bytes, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scripted(answer) as (url, heads):
        assert await tail(f"{url}?key=canary", "-H", "Authorization: Bearer canary") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0].startswith(f"penstock: {url}: {text}")
    assert len(err.splitlines()) == 2
    assert "canary" not in err
    assert len(heads) == 1


async def test_the_end_of_everything_is_a_good_end(capsys: pytest.CaptureFixture[str]) -> None:
    async with demo_upstream() as upstream:
        assert await tail(clock(upstream, "status=204")) == 0
        assert upstream.requests == 1
    assert "there is nothing more" in capsys.readouterr().err


@pytest.mark.parametrize(("fault", "code"), [("end_after=1", 0), ("cut_after=1", 1)])
async def test_without_retry_the_first_end_is_the_last(
    fault: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    async with demo_upstream() as upstream:
        assert await tail(clock(upstream, fault), "--no-retry") == code
        assert upstream.requests == 1
    assert ("the connection broke off" in capsys.readouterr().err) is (code == 1)


async def test_a_line_of_megabytes_passes_whole(capsys: pytest.CaptureFixture[str]) -> None:
    async with demo_upstream() as upstream:
        assert await tail(clock(upstream, "giant=5MiB"), "--events", "1", "--json") == 0
    event = json.loads(capsys.readouterr().out)
    assert len(event["data"]) == 5 * 1024 * 1024


async def test_a_mount_of_the_proxy_is_followed_too(capsys: pytest.CaptureFixture[str]) -> None:
    async with demo_upstream() as upstream, running(mounted(upstream)) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/up/clock?every=5ms&cut_after=2"
        assert await tail(url, "--events", "3", "--json") == 0
    assert read_ids(capsys.readouterr().out) == ["1", "2", "3"]


async def test_interrupt_ends_well_and_sums_up() -> None:
    async with demo_upstream() as upstream, started("tail", clock(upstream)) as command:
        await command.out_line("#2")
        command.interrupt()
        finished = await command.finish()
        await upstream.wait_closed(1)
    assert finished.code == 0
    assert "1 connection, median gap" in finished.err
    assert "Traceback" not in finished.err


async def test_interrupt_while_waiting_to_connect_again_ends_well(unused_tcp_port: int) -> None:
    async with started("tail", f"http://127.0.0.1:{unused_tcp_port}/", "--loop", "asyncio") as command:
        await command.err_line("again")
        command.interrupt()
        finished = await command.finish()
    assert (finished.code, finished.err.splitlines()[-1]) == (0, "penstock: 0 events, 0 connections")


async def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    async with demo_upstream() as upstream:
        line = f"'{sys.executable}' -m proxy tail '{clock(upstream)}' | head -n 2"
        finished = await ran(command=("sh", "-c", line))
    assert len(finished.out.splitlines()) == 2
    assert "Traceback" not in finished.err
    assert "Exception" not in finished.err


@pytest.mark.parametrize(
    "arguments",
    [["ftp://host/?key=canary"], ["/clock"], ["http://h/", "-H", "canary"], ["http://h/", "--events", "0"]],
)
def test_wrong_usage_is_told_without_repeating_it(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        build_parser().parse_args(["tail", *arguments])
    assert end.value.code == 2
    assert "canary" not in capsys.readouterr().err


def test_the_library_s_log_which_quotes_urls_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    options: Any = build_parser().parse_args(["tail", "http://127.0.0.1:1/?key=canary", "--no-retry"])
    assert options.run(options) == 1
    assert "canary" not in capfd.readouterr().err
