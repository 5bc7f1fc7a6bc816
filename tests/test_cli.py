"""The command as a process: exit codes, and what stands on which stream."""

import json
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

import proxy
from proxy.cli import build_parser
from proxy.config.load import load
from proxy.errors import ConfigError
from tests.helpers.command import MODULE, ROOT, SCRIPT, ran, started
from tests.helpers.rawhttp import connected
from tests.helpers.service import demo_upstream

GOOD = ROOT / "docs" / "penstock.example.toml"
BROKEN = {
    "failover": 33,
    "models": 33,
    "names": 18,
    "placeholders": 10,
    "together": 6,
    "types": 14,
    "unknown": 9,
    "values": 22,
}
"""Sample and how many faults are in it."""


def find_sample(name: str) -> Path:
    return ROOT / "tests" / "config" / "samples" / f"{name}.toml"


def write_config(path: Path, listen: str, extra: str = "") -> str:
    path.write_text(f'[server]\nlisten = ["{listen}"]\nadmin = "off"\n{extra}')
    return str(path)


@pytest.mark.parametrize("command", [MODULE, SCRIPT], ids=["python -m proxy", "penstock"])
async def test_version_is_printed(command: Sequence[str]) -> None:
    finished = await ran("--version", command=command)
    assert (finished.code, finished.out) == (0, f"penstock {proxy.__version__}\n")


async def test_module_and_script_are_the_same_command() -> None:
    assert await ran("--help") == await ran("--help", command=SCRIPT)


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["serve", "--nonsense"], ["demo", "--port", "x"], ["tail"], ["tail", "ftp://x/"]]
)
async def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    finished = await ran(*arguments)
    assert finished.code == 2
    assert finished.out == ""
    assert finished.err.startswith("usage: penstock")


@pytest.mark.parametrize("arguments", [["--workers", "4"], ["--workers"], ["--workers=2"]])
def test_who_asks_for_workers_is_told_how_more_cores_are_used(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exited:
        build_parser().parse_args(["serve", *arguments])
    assert exited.value.code == 2
    assert "run several on one socket" in capsys.readouterr().err


async def test_good_configuration_is_accepted() -> None:
    finished = await ran("check-config", str(GOOD))
    assert (finished.code, finished.out, finished.err) == (
        0,
        "configuration ok: 1 clients, 6 providers, 3 models, 2 mounts\n",
        "",
    )


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
    finished = await ran("serve", "--config", str(GOOD), "--check-config")
    assert (finished.code, finished.out) == (0, "configuration ok: 1 clients, 6 providers, 3 models, 2 mounts\n")


async def test_effective_configuration_is_shown_without_secrets() -> None:
    finished = await ran(
        "check-config", "--json", str(GOOD), env={"OPENAI_API_KEY": "canary", "PENSTOCK_DEV_KEY": "canary"}
    )
    shown = json.loads(finished.out)
    assert shown["ok"] is True
    assert shown["config"]["limits"]["head_timeout"] == "10s"
    assert shown["config"]["providers"]["openai"]["accounts"]["main"]["key"] == "***"
    assert "canary" not in finished.out


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_configuration_exits_with_78_and_every_fault(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load([find_sample(name)], {})
    finished = await ran("check-config", str(find_sample(name)))
    assert (finished.code, finished.out) == (78, "")
    assert len(caught.value.faults) == BROKEN[name]
    assert finished.err == f"{caught.value}\n"
    assert finished.err.splitlines()[0] == "invalid configuration:"
    assert all(f"{fault.place}: " in finished.err for fault in caught.value.faults)
    assert "canary" not in finished.err


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_configuration_as_json_names_file_place_and_message(name: str) -> None:
    finished = await ran("check-config", "--json", str(find_sample(name)))
    shown = json.loads(finished.out)
    assert (finished.code, shown["ok"], len(shown["faults"])) == (78, False, BROKEN[name])
    assert all(fault["file"] and fault["place"] and fault["message"] for fault in shown["faults"])


async def test_serve_refuses_a_broken_configuration(tmp_path: Path) -> None:
    config = write_config(tmp_path / "c.toml", "127.0.0.1:0", "[limits]\nstreams = -1\n")
    finished = await ran("serve", "--config", config)
    assert finished.code == 78
    assert "limits.streams" in finished.err


async def test_schema_is_json_schema() -> None:
    finished = await ran("check-config", "--schema")
    schema = json.loads(finished.out)
    assert finished.code == 0
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["properties"]["mounts"]["additionalProperties"]["required"] == ["provider"]


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
