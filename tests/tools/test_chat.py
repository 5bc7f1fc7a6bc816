"""`penstock chat`: every dialect, every end, and who hears about it."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.cli import build_parser
from proxy.demo import DemoUpstream
from proxy.tools.chat import PREFIXES, Chat, ChatError, build_request
from tests.helpers.command import Finished, ran, started
from tests.helpers.service import demo_upstream, mounted, running

OPENING = "Hello from the Penstock demo."


async def chat(*arguments: str) -> int:
    options = build_parser().parse_args(["chat", "-m", "demo", *arguments])
    async with asyncio.timeout(20):
        return await Chat(options, options.text).run()


def base(upstream: DemoUpstream, query: str = "") -> str:
    return f"{upstream.base_url}?pace=0&{query}"


def headers(upstream: DemoUpstream) -> dict[bytes, bytes]:
    return {name.lower(): value for name, value in upstream.records[-1].headers}


@asynccontextmanager
async def scripted(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that gives one answer per connection and closes; yields its URL and the requests that it read."""
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        requests.append(head + await reader.readexactly(length))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", requests


@pytest.mark.parametrize("dialect", PREFIXES)
async def test_an_answer_is_output_and_its_sum_is_not(dialect: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with demo_upstream() as upstream:
        assert await chat("hello", "--dialect", dialect, "--url", base(upstream)) == 0
    out, err = capsys.readouterr()
    assert out.startswith(OPENING)
    assert out.endswith("Your last message had 5 characters.\n")
    assert err.startswith("penstock: demo: stop")
    assert "; tokens: 1 in, 51 out; first after " in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("dialect", PREFIXES)
async def test_tools_are_offered_and_calls_shown(dialect: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with demo_upstream() as upstream:
        arguments = ("two tools in parallel", "--tool", "look", "--tool", "find", "--dialect", dialect)
        assert await chat(*arguments, "--url", base(upstream)) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1:] == ["[tool call] look {}", "[tool call] find {}"]
    assert err.startswith("penstock: demo: tool_use")


@pytest.mark.parametrize("dialect", PREFIXES)
async def test_json_tells_every_event(dialect: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with demo_upstream() as upstream:
        arguments = ("--json", "--system", "be brief", "use a tool", "--tool", "look", "--dialect", dialect)
        assert await chat(*arguments, "--url", base(upstream)) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[0]["type"] == "start"
    assert events[-1]["type"] == "finish"
    assert events[-1]["reason"] == "tool_use"
    [call] = [event for event in events if event["type"] == "block_end" and event["kind"] == "tool"]
    assert (call["name"], call["arguments"]) == ("look", "{}")
    assert "".join(event["text"] for event in events if event.get("kind") == "text" and "text" in event)


@pytest.mark.parametrize("dialect", ["openai-responses", "anthropic", "gemini"])
async def test_reasoning_stands_beside_the_answer(dialect: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with demo_upstream() as upstream:
        assert await chat("think", "--dialect", dialect, "--url", base(upstream)) == 0
    out, err = capsys.readouterr()
    assert out.startswith(OPENING)
    assert err.startswith("**Plan**\n\nThe user wants")


@pytest.mark.parametrize(
    ("dialect", "name", "value"),
    [
        ("openai-chat", b"authorization", b"Bearer pk-canary"),
        ("openai-responses", b"authorization", b"Bearer pk-canary"),
        ("anthropic", b"x-api-key", b"pk-canary"),
        ("gemini", b"x-goog-api-key", b"pk-canary"),
    ],
)
async def test_the_key_is_shown_as_the_dialect_has_it(
    dialect: str, name: bytes, value: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PENSTOCK_KEY", "pk-canary")
    async with demo_upstream() as upstream:
        await chat("hello", "--dialect", dialect, "--url", base(upstream))
        assert headers(upstream)[name] == value
        await chat("hello", "--dialect", dialect, "--url", base(upstream), "--key", "other")
        assert headers(upstream)[name].endswith(b"other")
        monkeypatch.delenv("PENSTOCK_KEY")
        await chat("hello", "--dialect", dialect, "--url", base(upstream))
        assert name not in headers(upstream)
    assert "canary" not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("path", "dialect", "target"),
    [
        ("", "openai-chat", b"/v1/chat/completions"),
        ("/", "openai-chat", b"/v1/chat/completions"),
        ("/v1", "openai-chat", b"/v1/chat/completions"),
        ("/a%20b/v1/", "openai-responses", b"/a%20b/v1/responses"),
        ("?x=%20y", "openai-chat", b"/v1/chat/completions?x=%20y"),
        ("", "anthropic", b"/v1/messages"),
        ("/p", "gemini", b"/p/v1beta/models/demo:streamGenerateContent?alt=sse"),
        ("?x=1", "gemini", b"/v1beta/models/demo:streamGenerateContent?alt=sse&x=1"),
    ],
)
async def test_the_url_may_be_the_one_that_an_sdk_is_given(path: str, dialect: str, target: bytes) -> None:
    async with scripted(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n") as (url, requests):
        assert await chat("hello", "--dialect", dialect, "--url", url + path) == 1
    assert requests[0].startswith(b"POST " + target + b" HTTP/1.1\r\n")
    assert b"\r\naccept-encoding: identity\r\n" in requests[0].lower()


@pytest.mark.parametrize("dialect", PREFIXES)
@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("status=429&retry_after=2", ["rate_limit", "status 429", "again in 2 s"]),
        ("error_after=6", []),
        ("cut_after=6", ["upstream_disconnect"]),
        ("end_after=6", ["upstream_disconnect"]),
        ("reset_after=6", ["upstream_disconnect"]),
    ],
)
async def test_a_failure_is_told_and_exits_with_1(
    dialect: str, query: str, texts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    async with demo_upstream() as upstream:
        assert await chat("hello", "--dialect", dialect, "--url", base(upstream, query)) == 1
    out, err = capsys.readouterr()
    failure, total = err.splitlines()
    assert failure.startswith("penstock: ")
    assert all(text in failure for text in texts)
    assert total.startswith("penstock: ")
    assert (out == "") is query.startswith("status")
    assert out == "" or out.endswith("\n")


async def test_a_connection_that_breaks_after_the_end_is_a_good_end(capsys: pytest.CaptureFixture[str]) -> None:
    finish = b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\n'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 1000\r\n\r\n"
    async with scripted(head + finish) as (url, _):
        assert await chat("hello", "--url", url) == 0
    out, err = capsys.readouterr()
    assert out == "hi\n"
    assert err.startswith("penstock: stop; ")


async def test_an_answer_in_one_piece_is_shown_too(capsys: pytest.CaptureFixture[str]) -> None:
    body = b'{"id":"1","model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"content":"hi"}}]}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with scripted(head + body) as (url, _):
        assert await chat("hello", "--url", url) == 0
    assert capsys.readouterr().out == "hi\n"


async def test_the_request_s_id_helps_to_find_it_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    async with scripted(b"HTTP/1.1 500 No\r\nX-Request-Id: req-7\r\nContent-Length: 0\r\n\r\n") as (url, _):
        assert await chat("hello", "--url", url) == 1
    assert "request req-7)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>",
            "the answer is 'text/html', neither an event stream",
        ),
        (b"nonsense\r\n\r\n", "the answer is not valid HTTP"),
        (b"", "the connection broke off"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
            "the connection broke off",
        ),
    ],
)
async def test_what_is_no_answer_is_an_error(answer: bytes, text: str) -> None:
    async with scripted(answer) as (url, _):
        with pytest.raises(ChatError) as caught:
            await chat("canary", "--url", f"{url}?key=canary", "--key", "canary")
    assert text in str(caught.value)
    assert "canary" not in str(caught.value)


async def test_a_redirect_is_not_followed(capsys: pytest.CaptureFixture[str]) -> None:
    answer = b"HTTP/1.1 307 There\r\nLocation: /v1/other\r\nContent-Length: 0\r\n\r\n"
    async with scripted(answer) as (url, requests):
        assert await chat("hello", "--url", url) == 1
    assert len(requests) == 1
    assert "status 307" in capsys.readouterr().err


async def test_nobody_there(unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}"
    finished = await ran("chat", "-m", "demo", "hello", "--url", url)
    assert (finished.code, finished.out) == (1, "")
    assert finished.err == f"penstock: {url}: cannot connect: connection refused\n"


async def test_a_mount_of_the_proxy_is_a_place_to_ask(capsys: pytest.CaptureFixture[str]) -> None:
    async with demo_upstream() as upstream, running(mounted(upstream)) as proxy:
        assert await chat("hello", "--url", f"http://127.0.0.1:{proxy.port}/up?pace=0") == 0
    assert capsys.readouterr().out.startswith(OPENING)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_ctrl_c_cancels_upstream_and_exits_with_130(loop: str) -> None:
    async with demo_upstream() as upstream:
        url = f"{upstream.base_url}?pace=0&stall_after=8"
        async with started("chat", "-m", "demo", "hello", "--url", url, "--json", "--loop", loop) as command:
            await command.out_line('"delta"')
            command.interrupt(signal.SIGINT)
            finished = await command.finish()
        await upstream.wait_closed(1)
    assert finished.code == 130
    assert "s in all" in finished.err
    assert "Traceback" not in finished.err


async def test_the_question_may_come_from_standard_input() -> None:
    async with demo_upstream() as upstream:
        line = f"printf 'sixteen letters.' | {{}} chat -m demo - --url '{base(upstream)}'"
        finished = await shell(line)
        broken = await shell(f"printf '\\377' | {{}} chat -m demo - --url '{base(upstream)}'")
    assert "had 16 characters." in finished.out
    assert (broken.code, broken.err) == (1, "penstock: standard input is not UTF-8 text\n")


async def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    async with demo_upstream() as upstream:
        finished = await shell(f"{{}} chat -m demo hello --json --url '{base(upstream)}' | head -n 1")
    assert len(finished.out.splitlines()) == 1
    assert "Traceback" not in finished.err
    assert "Exception" not in finished.err


async def shell(line: str) -> Finished:
    return await ran(command=("sh", "-c", line.format(f"'{sys.executable}' -m proxy")))


@pytest.mark.parametrize(
    "arguments",
    [
        ["hello"],
        ["-m", "x"],
        ["-m", "x", "hello", "--url", "ftp://canary/"],
        ["-m", "x", "hello", "--url", "http://u:canary@h/"],
        ["-m", "x", "hello", "--key", "canary\nx"],
        ["-m", "x", "hello", "--dialect", "raw"],
    ],
)
def test_wrong_usage_is_told_without_repeating_it(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        build_parser().parse_args(["chat", *arguments])
    assert end.value.code == 2
    assert "canary" not in capsys.readouterr().err


def test_the_request_is_what_was_said() -> None:
    request = build_request("gemini", "m", "hi", None, [])
    assert (request.model, request.dialect, request.stream, request.system, request.tools) == (
        "m",
        "gemini",
        True,
        [],
        [],
    )
    request = build_request("gemini", "m", "hi", "be brief", ["a"])
    assert [text.text for text in request.system] == ["be brief"]
    assert request.tools[0].schema == {"type": "object", "additionalProperties": True}
