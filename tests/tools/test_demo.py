"""`penstock demo` as a person meets it: what it prints can be pasted, and Ctrl-C ends it."""

import asyncio
import re
import shutil

import pytest

from proxy.tools.demo import MODELS
from tests.helpers.command import Running, ran, started
from tests.helpers.service import demo_upstream

FREE = ("--port", "0")

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


async def read_banner(command: Running) -> str:
    await command.err_line("Ctrl-C ends it.")
    return "".join(command.err)


def find_command(banner: str, title: str) -> str:
    """The indented block below `title:`, as somebody would copy it."""
    found = re.search(rf"  {title}:\n(    .+\n(?:.+\n)*)", banner)
    assert found, banner
    return found[1]


@needs_curl
async def test_the_printed_clock_line_streams_when_pasted() -> None:
    async with started("demo", *FREE) as demo:
        line = find_command(await read_banner(demo), "a clock, event by event")
        async with started(command=("sh", "-c", line)) as curl:
            assert await curl.out_line("id: 1") == "id: 1"
            assert await curl.out_line("id: 2") == "id: 2"


@needs_curl
@pytest.mark.long
async def test_the_printed_chat_line_streams_when_pasted() -> None:
    async with started("demo", *FREE) as demo:
        line = find_command(await read_banner(demo), "a chat, streamed, .*")
        finished = await ran(command=("sh", "-c", line))
    assert finished.code == 0
    assert finished.out.count("data: {") > 10
    assert finished.out.endswith("data: [DONE]\n\n")


async def test_the_printed_question_is_answered_with_a_tool_call_when_pasted() -> None:
    async with started("demo", *FREE) as demo:
        line = find_command(await read_banner(demo), "the other way round, with a tool")
        finished = await ran(command=("sh", "-c", line))
    assert finished.code == 0
    assert "[tool call] weather" in finished.out


@pytest.mark.long
async def test_each_of_its_models_answers() -> None:
    async with started("demo", *FREE) as demo:
        base = re.search(r"http://127\.0\.0\.1:\d+", await read_banner(demo))
        assert base
        asked = [ran("chat", "--url", base[0], "-m", name, "--tool", "weather", "weather") for name in MODELS]
        answers = dict(zip(MODELS, await asyncio.gather(*asked), strict=True))
    assert {name for name, answer in answers.items() if answer.code or "[tool call] weather" not in answer.out} == set()


@needs_curl
async def test_the_printed_help_line_lists_the_parameters() -> None:
    async with started("demo", *FREE) as demo:
        line = find_command(await read_banner(demo), "what else it can do, misbehaving included")
        finished = await ran(command=("sh", "-c", line))
    assert "cut_after" in finished.out


async def test_interrupt_ends_the_demo_well_with_a_stream_running() -> None:
    async with started("demo", *FREE) as demo:
        banner = await read_banner(demo)
        base = re.search(r"http://127\.0\.0\.1:\d+", banner)
        assert base
        async with started("tail", f"{base[0]}/demo/clock", "--no-retry") as tail:
            await tail.out_line("#1")
            demo.interrupt()
            finished, seen = await asyncio.gather(demo.finish(), tail.finish())
    assert finished.code == 0
    assert "Traceback" not in finished.err
    assert seen.code == 1  # cut at the end of the drain, visibly


async def test_a_taken_port_exits_with_69_and_is_named() -> None:
    async with demo_upstream() as taken:
        finished = await ran("demo", "--port", str(taken.port))
    assert finished.code == 69
    assert f"cannot listen on 127.0.0.1:{taken.port}: another program is listening there" in finished.err
    assert "Traceback" not in finished.err
