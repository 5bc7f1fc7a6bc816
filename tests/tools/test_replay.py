"""`penstock replay`: what is served where, and what it says about it."""

import signal
import tomllib
from pathlib import Path

import pytest

from proxy.config.load import build_config
from proxy.dialects.registry import PROVIDERS
from proxy.tools.cassette_file import CassetteError
from proxy.tools.replay import PLACES, admit_under, choose_takes
from proxy.wire.cassette import About, Asked, Cassette, End, build_cassette
from tests.helpers.cassettes import build_take
from tests.helpers.command import ran, started
from tests.helpers.rawhttp import fetch

EVENT = b'data: {"model":"gpt-5","choices":[{"delta":{"content":"Hi"}}]}\n\n'
ASKED = Asked("openai", model="gpt-5", dialect="openai-chat")
TAKES = [
    build_take(number=1, head=None, answered=None, end=End("failed", "upstream_refused")),
    build_take((0.1, EVENT), number=2, asked=ASKED),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "x.cassette"
    path.write_bytes(build_cassette(Cassette(About("req_1"), TAKES)))
    return path


@pytest.mark.parametrize(
    ("dialect", "path", "found"),
    [
        ("openai-chat", "/v1/chat/completions", True),
        ("openai-chat", "/chat/completions", True),
        ("openai-chat", "/v1/responses", False),
        ("openai-responses", "/v1/responses", True),
        ("anthropic", "/v1/messages", True),
        ("anthropic", "/v1/messages/count_tokens", False),
        ("gemini", "/v1beta/models/gemini-2.5-pro:streamGenerateContent", True),
        ("gemini", "/v1beta/models/gemini-2.5-pro:generateContent", True),
        ("gemini", "/v1beta/models/gemini-2.5-pro:countTokens", False),
        ("code-assist", "/v1internal:streamGenerateContent", True),
        (None, "/anything", True),
    ],
)
def test_where_a_dialect_answers(dialect: str | None, path: str, found: bool) -> None:
    assert admit_under(dialect, "POST", path) is found
    assert admit_under(dialect, "GET", path) is (dialect is None)


def test_every_dialect_of_providers_has_a_place() -> None:
    assert set(PLACES) == set(PROVIDERS)


def test_attempts_that_reached_nobody_are_left_out_unless_asked_for() -> None:
    cassette = Cassette(takes=TAKES)
    assert choose_takes(cassette, None, "x") == TAKES[1:]
    assert choose_takes(cassette, 1, "x") == TAKES[:1]
    with pytest.raises(CassetteError, match="x: there is no take 3; it has 2"):
        choose_takes(cassette, 3, "x")
    with pytest.raises(CassetteError, match="x: no provider answered in it"):
        choose_takes(Cassette(takes=TAKES[:1]), None, "x")


async def test_it_serves_until_it_is_interrupted(file: Path) -> None:
    async with started("replay", str(file), "--as", "openai-chat", "--speed", "0") as running:
        line = await running.err_line("is served at")
        port = int(line.rpartition(":")[2])
        assert (await running.err_line("take 2")).endswith(f"openai: status 200, 1 reads, {len(EVENT)} bytes, complete")
        table = "\n".join([await running.err_line("[providers"), await running.err_line(), await running.err_line()])
        config = build_config([("x", {"providers": {"replay": parse(table)}})], {})
        assert config.providers["replay"].base_url == f"http://127.0.0.1:{port}/v1"
        assert (await fetch(port, "/v1/chat/completions", body=b"{}")).body == EVENT
        assert await running.err_line("POST") == (
            f"penstock: 1: POST /v1/chat/completions: take 2, status 200, 1 reads, {len(EVENT)} bytes, complete"
        )
        assert (await fetch(port, "/v1/models")).json["data"][0]["id"] == "gpt-5"
        running.interrupt(signal.SIGINT)
        done = await running.finish()
    assert (done.code, done.out) == (0, "")


def parse(table: str) -> dict[str, object]:
    found: dict[str, object] = tomllib.loads(table)["providers"]["replay"]
    return found


async def test_nothing_drives_the_terminal(tmp_path: Path) -> None:
    hostile = "\x1b]0;x\x07"
    take = build_take(head=None, answered=None, end=End("failed", hostile), asked=Asked(hostile))
    (tmp_path / "x.cassette").write_bytes(build_cassette(Cassette(takes=[take])))
    async with started("replay", str(tmp_path / "x.cassette"), "--take", "1") as running:
        await running.err_line("take 1")
        running.interrupt(signal.SIGINT)
        done = await running.finish()
    assert all(char.isprintable() or char == "\n" for char in done.err)


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("--as", "anthropic"), 1, "nothing in it can be read as anthropic"),
        (("--take", "7"), 1, "there is no take 7; it has 2"),
        (("--speed", "-1"), 2, "not a speed"),
        (("--speed", "nan"), 2, "not a speed"),
        (("--port", "65536"), 2, "not a port"),
        (("--host", "256.0.0.1"), 1, "cannot listen on 256.0.0.1:0"),
    ],
)
@pytest.mark.long
async def test_what_cannot_be_served_is_said(file: Path, arguments: tuple[str, ...], code: int, text: str) -> None:
    done = await ran("replay", str(file), *arguments)
    assert (done.code, done.out) == (code, "")
    assert text in done.err
