"""The command as a process: what it is called, and what it says to wrong usage. Its commands: tests/tools."""

import subprocess
import sys
from collections.abc import Sequence

import pytest

import proxy
from proxy.cli import _COMMANDS, build_parser
from tests.helpers.command import MODULE, ROOT, SCRIPT, ran


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


@pytest.mark.parametrize("arguments", [["--version"], ["accounts", "--help"], ["usage", "--help"]])
def test_who_runs_no_proxy_does_not_wait_for_its_import(arguments: list[str]) -> None:
    program = (
        "import sys\nfrom proxy.cli import main\ntry:\n    main(sys.argv[1:])\nfinally:\n"
        "    print(*sorted({'aiohttp', 'proxy.lifecycle'} & sys.modules.keys()), file=sys.stderr)"
    )
    finished = subprocess.run([sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, check=True)
    assert finished.stdout
    assert finished.stderr == b"\n"


def test_each_command_has_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name in _COMMANDS:
        with pytest.raises(SystemExit) as exited:
            build_parser().parse_args([name, "--help"])
        assert exited.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: penstock {name} ")
