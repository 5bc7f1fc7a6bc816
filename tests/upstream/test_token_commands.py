"""Tokens from real commands and files."""

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import pytest

from proxy.errors import Code, UpstreamFault
from proxy.upstream.tokens import (
    FILE_LIFE,
    FILE_LOOK,
    LONGEST,
    YOUNG,
    TokenFault,
    open_command,
    open_file,
    parse_token,
    run_command,
)
from tests.helpers.bare import settle


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def shell(line: str) -> list[str]:
    return ["sh", "-c", line]


async def test_a_command_prints_a_token(tmp_path: Path) -> None:
    log = tmp_path / "log"
    source = open_command(shell(f"echo x >> {log}; sleep 0.05; echo '  tok-1 '; echo noise >&2"), 60.0)
    assert await asyncio.gather(*(source.get() for _ in range(10))) == ["tok-1"] * 10
    assert log.read_text() == "x\n"


async def test_arguments_go_without_a_shell() -> None:
    assert await run_command(["printf", "%s", "$HOME;`x`"]) == "$HOME;`x`"


async def test_a_command_reads_nothing_from_us() -> None:
    assert await run_command(shell("cat; echo done")) == "done"


@pytest.mark.parametrize(
    ("arguments", "detail"),
    [
        (["/no/such/program"], "token_command cannot be run: no such file or directory"),
        (["/"], "token_command cannot be run: permission denied"),
        (shell("echo canary; exit 3"), "token_command ended with status 3"),
        (shell("echo canary >&2; kill -9 $$"), "token_command ended with signal 9"),
        (shell("true"), "token_command printed nothing"),
        (shell("echo canary one"), "token_command printed something else than one token"),
        (shell("echo canary; echo canary"), "token_command printed something else than one token"),
        (shell("yes canary"), f"token_command printed more than {LONGEST} bytes"),
    ],
)
async def test_a_command_that_fails_is_told_without_what_it_printed(arguments: list[str], detail: str) -> None:
    with pytest.raises(TokenFault) as caught:
        await open_command(arguments, 60.0).get()
    assert caught.value.detail == detail
    assert "canary" not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM])
async def test_the_account_is_not_to_blame_for_what_this_process_lacks(
    number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*arguments: Any, **options: Any) -> Any:
        raise OSError(number, "canary")

    monkeypatch.setattr(asyncio.get_running_loop(), "subprocess_exec", refuse)
    monkeypatch.setattr("proxy.upstream.tokens.open", refuse, raising=False)
    for source in (open_command(shell("echo a"), 60.0), open_file(str(tmp_path / "token"))):
        with pytest.raises(UpstreamFault) as caught:
            await source.get()
        assert (caught.value.code, caught.value.detail) == (Code.DESCRIPTORS, f"OSError {errno.errorcode[number]}")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


async def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with pytest.raises(TokenFault, match=r"did not end within 0\.5 s"):
        await run_command(shell(f"sleep 60 & echo $! $$ > {pids}; wait"), 0.5)
    for pid in map(int, pids.read_text().split()):
        await settle(lambda pid=pid: not is_alive(pid))  # type: ignore[misc]


async def test_what_a_command_leaves_running_with_its_output_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with pytest.raises(TokenFault, match="did not end"):
        await run_command(shell(f"sleep 60 & echo $! > {pids}; echo tok"), 0.5)
    pid = int(pids.read_text())
    await settle(lambda: not is_alive(pid))


async def test_a_command_that_is_not_wanted_any_more_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    task = asyncio.create_task(run_command(shell(f"echo $$ > {pids}.new; mv {pids}.new {pids}; sleep 60")))
    await settle(pids.exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_alive(int(pids.read_text()))


async def test_a_file_holds_a_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    source = open_file(str(path))
    with pytest.raises(TokenFault, match="token_file cannot be read: no such file or directory"):
        await source.get()
    path.write_text("canary canary")
    with pytest.raises(TokenFault) as caught:
        await open_file(str(path)).get()
    assert caught.value.detail == "token_file holds something else than one token"
    path.write_text("tok-1\r\n")
    assert await open_file(str(path)).get() == "tok-1"


async def test_a_file_is_read_again_and_its_last_token_serves_a_while(tmp_path: Path) -> None:
    path, clock = tmp_path / "token", Clock()
    source = open_file(str(path), clock)
    path.write_text("t1")
    assert await source.get() == "t1"
    path.write_text("t2")
    clock.now += FILE_LOOK - 1
    assert await source.get() == "t1"
    clock.now += 1
    async with asyncio.timeout(10):
        while await source.get() == "t1":
            await asyncio.sleep(0.01)
    assert await source.get() == "t2"
    path.unlink()
    clock.now += FILE_LIFE - 1
    assert await source.get() == "t2"
    clock.now += 1
    with pytest.raises(TokenFault, match="cannot be read"):
        await source.get()


async def test_a_refused_token_of_a_file_is_read_again(tmp_path: Path) -> None:
    path, clock = tmp_path / "token", Clock()
    source = open_file(str(path), clock)
    path.write_text("t1")
    await source.get()
    path.write_text("t2")
    clock.now += YOUNG - 1
    source.expire()
    assert await source.get() == "t1"
    clock.now += 1
    source.expire()
    assert await source.get() == "t2"


@pytest.mark.parametrize("content", [b"\xff\xfe", "tökén".encode(), b"a\0b", b"x" * (LONGEST + 1)])
def test_what_no_header_can_carry_is_no_token(content: bytes) -> None:
    with pytest.raises(TokenFault):
        parse_token(content, "it is")
