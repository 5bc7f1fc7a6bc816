"""`penstock serve` as a process: exit codes, and what stands on which stream."""

import signal
from pathlib import Path

import pytest

from proxy.cli import build_parser
from tests.helpers.command import EXAMPLE, ran, started
from tests.helpers.rawhttp import connected
from tests.helpers.service import demo_upstream


def write_config(path: Path, listen: str, extra: str = "") -> str:
    path.write_text(f'[server]\nlisten = ["{listen}"]\nadmin = "off"\n{extra}')
    return str(path)


@pytest.mark.parametrize("arguments", [["--workers", "4"], ["--workers"], ["--workers=2"]])
def test_who_asks_for_workers_is_told_how_more_cores_are_used(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exited:
        build_parser().parse_args(["serve", *arguments])
    assert exited.value.code == 2
    assert "run several on one socket" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("extra", "warns"),
    [
        ("", True),
        ('[providers.up]\nbase_url = "http://127.0.0.1:9"\ndialect = "raw"\n', True),
        ('[providers.up]\nbase_url = "http://127.0.0.1:9"\ndialect = "anthropic"\n', False),
        ('[providers.up]\nbase_url = "http://127.0.0.1:9"\ndialect = "raw"\n[mounts."/up"]\nprovider = "up"\n', False),
    ],
)
async def test_who_would_serve_nothing_is_told_so(tmp_path: Path, extra: str, warns: bool) -> None:
    config = write_config(tmp_path / "a.toml", "127.0.0.1:0", extra)
    async with started("serve", "--config", config) as process:
        await process.err_line("listening on")
        assert ("nothing is mounted" in "".join(process.err)) is warns


async def test_serve_can_check_without_serving() -> None:
    finished = await ran("serve", "--config", str(EXAMPLE), "--check-config")
    assert (finished.code, finished.out) == (0, "configuration ok: 1 clients, 6 providers, 3 models, 2 mounts\n")


async def test_serve_refuses_a_broken_configuration(tmp_path: Path) -> None:
    config = write_config(tmp_path / "c.toml", "127.0.0.1:0", "[limits]\nstreams = -1\n")
    finished = await ran("serve", "--config", config)
    assert finished.code == 78
    assert "limits.streams" in finished.err


async def test_a_taken_port_exits_with_69_and_is_named(tmp_path: Path) -> None:
    async with demo_upstream() as taken:
        config = write_config(tmp_path / "c.toml", f"127.0.0.1:{taken.port}")
        finished = await ran("serve", "--config", config)
    assert finished.code == 69
    message = f"penstock: cannot listen on 127.0.0.1:{taken.port}: another program is listening there"
    assert finished.err.splitlines()[-1] == message


async def test_a_certificate_file_that_is_none_exits_with_1(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("no certificate")
    provider = f'[providers.a]\ndialect = "raw"\nbase_url = "https://127.0.0.1"\nca_file = "{bundle}"\n'
    finished = await ran("serve", "--config", write_config(tmp_path / "c.toml", "127.0.0.1:0", provider))
    assert finished.code == 1
    assert "Traceback" not in finished.err


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_serve_announces_itself_and_ends_well(tmp_path: Path, number: signal.Signals, loop: str) -> None:
    config = write_config(tmp_path / "c.toml", "127.0.0.1:0")
    async with started("serve", "--config", config, "--loop", loop, "--log-format", "text") as command:
        assert "listening on http://127.0.0.1:" in await command.err_line("listening")
        command.interrupt(number)
        finished = await command.finish()
    assert finished.code == 0
    assert "Traceback" not in finished.err


async def test_a_second_interrupt_ends_a_drain_at_once(tmp_path: Path) -> None:
    async with demo_upstream() as upstream:
        mount = (
            f'[limits]\ndrain = "1h"\n[providers.up]\ndialect = "raw"\nbase_url = "{upstream.base_url}"\n'
            '[mounts."/up"]\nprovider = "up"\nauth = "none"\n'
        )
        config = write_config(tmp_path / "c.toml", "127.0.0.1:0", mount)
        async with started("serve", "--config", config, "--log-format", "text") as command:
            port = int((await command.err_line("listening")).rsplit(":", 1)[1])
            async with connected("127.0.0.1", port) as client:
                await client.ask("/up/clock")
                await client.head()
                command.interrupt()
                await command.err_line("draining, 1 streams")
                command.interrupt()
                assert (await command.finish()).code == 130
