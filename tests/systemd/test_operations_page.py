"""docs/operations.md, done as it says: every command of the page, in its order, in a machine on which nothing is
installed yet, and what they print compared with what the page shows.

On the page `...` stands for any text within a line, and alone for any lines; where nothing is shown nothing may be
printed. A command that is to fail says so in a comment. What cannot be as it stands is listed below, with its reason.
"""

import re
import shlex
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from subprocess import PIPE
from typing import Final

import pytest

from tests.helpers.checkout import CHECKOUT, change, put_built, put_checkout
from tests.helpers.installed import DEMO_PORT, DROP_IN, put_demo
from tests.helpers.systemd import ROOT, Machine, find_obstacle

PAGE: Final = (ROOT / "docs/operations.md").read_text(encoding="utf-8")

NOT_RUN: Final = {
    "ssh": "it is typed at a desk, and holds a door open",
}
TYPED: Final = {
    "install": "demo-key\n",  # pasted by whoever follows the page
}
INSTEAD: Final = {
    "https://api.anthropic.com": f"http://127.0.0.1:{DEMO_PORT}",  # a machine has no network
}
SHORT_DRAIN: Final = '[limits]\ndrain = "1s"\n'
"""Else every swap waits for seconds until kept connections are surely not used any more."""

PATIENCE: Final = 60.0
"""Seconds for a command: an upgrade takes three on an idle machine."""

LATER: Final = ("journalctl", "penstock usage", "penstock top")
"""They show what is written down, which may be a moment after its cause: they are asked until they show it."""

MOMENT: Final = 10.0
"""Seconds for that; a row of the ledger takes half of one on an idle machine."""

_BLOCK: Final = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
_HERE: Final = re.compile(r"<<'(\w+)'$")

pytestmark = [pytest.mark.long, pytest.mark.skipif(find_obstacle() is not None, reason=str(find_obstacle()))]


@dataclass(frozen=True)
class Shown:
    """A command of the page, and what the page shows of its output."""

    text: str
    output: tuple[str, ...]

    @property
    def program(self) -> str:
        return shlex.split(self.text.splitlines()[0].rstrip("\\"), comments=True)[0]

    @property
    def fails(self) -> bool:
        return self.text.endswith("# fails")


def list_commands() -> Iterator[Shown]:
    for block in _BLOCK.findall(PAGE):
        lines: list[str] = block.splitlines()
        while lines:
            prompt, text = lines[0][:2], [lines.pop(0)[2:]]
            assert prompt in ("# ", "$ "), text
            while text[-1].endswith("\\"):
                text.append(lines.pop(0))
            if here := _HERE.search(text[0]):
                while text[-1] != here[1]:
                    text.append(lines.pop(0))
            output = []
            while lines and lines[0][:2] not in ("# ", "$ "):
                output.append(lines.pop(0))
            yield Shown("\n".join(text), tuple(output))


def is_shown(output: tuple[str, ...], printed: str) -> bool:
    """Whether the page's lines stand for `printed`."""
    patterns = [r"(.*\n)*" if line == "..." else _escape(line) + "\n" for line in output]
    text = "".join(f"{line.rstrip()}\n" for line in printed.rstrip().splitlines())
    return re.fullmatch("".join(patterns), text) is not None


def _escape(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.split("..."))


class Desk:
    """Who follows the page."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._exports: list[str] = []
        self._stand_ins: Mapping[str, Callable[[], None]] = {
            "git pull": self._pull,  # there is no repository: the checkout is another one then
            "git checkout": self._go_back,
        }

    def do(self, shown: Shown) -> None:
        stand_in = next((do for start, do in self._stand_ins.items() if shown.text.startswith(start)), None)
        if stand_in is not None:
            stand_in()
            return
        if shown.program == "export":
            self._exports.append(shown.text)
            return
        text = "\n".join([f"cd {CHECKOUT}", *self._exports, shown.text])
        for old, new in INSTEAD.items():
            text = text.replace(old, new)
        until = time.monotonic() + (MOMENT if shown.text.startswith(LATER) else 0.0)
        fits, said = self._try(shown, text)
        while not fits and time.monotonic() < until:
            fits, said = self._try(shown, text)
        assert fits, said
        self._settle()

    def _try(self, shown: Shown, text: str) -> tuple[bool, str]:
        """Whether it printed what the page shows, and what it did print."""
        code, out, err = self._type(text, TYPED.get(shown.program, ""))
        said = f"{shown.text}\n{out}{err}"
        assert (code != 0) == shown.fails, said
        return is_shown(shown.output, out + err) or is_shown(shown.output, out), said

    def _type(self, text: str, typed: str) -> tuple[int, str, str]:
        with self.machine.enter(["bash", "-c", text], stdin=PIPE, stdout=PIPE, stderr=PIPE) as shell:
            out, err = shell.communicate(typed, timeout=PATIENCE)
        return shell.returncode, out, err

    def _settle(self) -> None:
        """Wait for instances that are on their way out: which colour comes next depends on it."""
        listed = self.machine.systemctl("list-units", "--plain", "--no-legend", "--state=deactivating", "penstock@*")
        for line in listed.splitlines():
            self.machine.systemctl("stop", line.split()[0], check=False)

    def _pull(self) -> None:
        change(self.machine)
        put_built(self.machine)

    def _go_back(self) -> None:
        name = "systemd/penstock@.service"
        shutil.copy(ROOT / name, self.machine.disk / CHECKOUT.lstrip("/") / name)


def test_every_command_of_the_page_does_what_it_shows() -> None:
    with Machine() as machine:
        put_checkout(machine)
        put_built(machine)  # as if there were a package index
        machine.write("/etc/systemd/system/penstock@.service.d/tests.conf", DROP_IN)
        machine.write("/etc/penstock/conf.d/tests.toml", SHORT_DRAIN)
        desk = Desk(machine)
        install, *rest = (shown for shown in list_commands() if shown.program not in NOT_RUN)
        desk.do(install)
        with put_demo(machine):
            for shown in rest:
                desk.do(shown)


def test_what_is_not_run_is_on_the_page() -> None:
    programs = {shown.program for shown in list_commands()}
    assert set(NOT_RUN) | set(TYPED) <= programs
    assert all(text in PAGE for text in INSTEAD)


def test_what_the_page_shows_is_compared() -> None:
    assert is_shown(("a ... c", "..."), "a b c\nd\ne\n")
    assert is_shown((), "")
    assert not is_shown((), "a\n")
    assert not is_shown(("a",), "a\nb\n")
    assert not is_shown(("...", "b"), "a\nbc\n")
    assert not is_shown(("1.0",), "1x0\n")


@pytest.mark.parametrize(
    ("path", "pattern"), [("grafana/alerts.yml", r"alert: (\w+)"), ("proxy/tools/exits.py", r"^[A-Z_]+: Final = (\d+)")]
)
def test_every_alarm_and_every_exit_status_is_explained(path: str, pattern: str) -> None:
    names = re.findall(pattern, (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    assert len(names) > 4
    assert [name for name in names if not re.search(rf"^\| `?{name}`? \|", PAGE, re.MULTILINE)] == []
