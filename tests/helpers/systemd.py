"""A machine with a systemd of its own, for tests: booted in a tenth of a second, gone without a trace.

`Machine` is a context manager. Inside run a real PID 1, a journal, and a network that is only loopback. Its systemd
knows a few targets, the journal, and what is put into /etc/systemd/system: nothing that is enabled on this system
starts in it. `find_obstacle` says why a machine cannot be had here, and tests skip with that.

    with Machine() as machine:
        machine.write("/etc/systemd/system/x.service", "...")
        machine.systemctl("daemon-reload")
        machine.systemctl("start", "x")
        machine.wait_journal("listening", unit="x.service")

tests/helpers/installed.py puts the service into one.
"""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.helpers.namespaces import SYSTEMD, TOOLS_PATH, WAIT, Booted, find_obstacle

__all__ = ["Machine", "find_obstacle"]

ROOT: Final = Path(__file__).parents[2]

_CLONE_NEWNET: Final = 0x40000000  # sched.h

_KNOWN: Final = (
    *(
        f"{name}.target"
        for name in (
            "sysinit", "basic", "sockets", "timers", "paths", "slices", "shutdown", "umount", "final", "exit",
            "local-fs", "local-fs-pre", "network", "network-pre", "network-online", "nss-lookup", "multi-user",
        )
    ),
    "systemd-exit.service", "systemd-journald.service", "systemd-journald.socket",
)  # fmt: skip
"""What this system's systemd has and the machine's may start."""

_FOLDERS: Final = (
    "units", "links", "dev", "opt", "srv/source", "srv/packages", "srv/python", "var/lib", "var/cache", "var/log",
    "var/spool",
"bin")  # fmt: skip


class Machine:
    """disk: a folder that keeps /etc, /opt, /var, /srv and /usr/local/bin for a later boot; a new one, and removed,
    unless given. pid: of its systemd. root: its file system, as it is seen from here (sockets can be connected to by
    it)."""

    def __init__(self, disk: Path | None = None) -> None:
        self._own = disk is None
        self.disk = disk or Path(tempfile.mkdtemp(prefix="machine-"))
        self._booted: Booted | None = None
        self._lay_out()

    @property
    def pid(self) -> int:
        assert self._booted is not None
        return self._booted.pid

    @property
    def root(self) -> Path:
        return Path(f"/proc/{self.pid}/root")

    def __enter__(self) -> Self:
        try:
            self._booted = Booted(self.disk)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def run(
        self,
        *argv: str | os.PathLike[str],
        check: bool = True,
        host_network: bool = False,
        env: Mapping[str, str] | None = None,
        timeout: float = WAIT,
        **options: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the machine to its end; raises with its output when it fails. host_network: see enter."""
        with self.enter(
            argv, host_network=host_network, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
        ) as process:
            try:
                out, err = process.communicate(timeout=timeout)
            except BaseException:
                process.kill()
                raise
        if check and process.returncode:
            raise AssertionError(f"{argv} ended with {process.returncode}:\n{out}{err}")
        return subprocess.CompletedProcess(list(argv), process.returncode, out, err)

    def enter(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        host_network: bool = False,
        env: Mapping[str, str] | None = None,
        **options: Any,
    ) -> subprocess.Popen[str]:
        """Start a command in the machine; it ends when the Popen is killed. host_network: leave it this system's
        network, to fetch packages by; systemctl works all the same."""
        spaces = ("--mount", "--pid", "--uts", "--ipc", "--cgroup", *(() if host_network else ("--net",)))
        wrapped = [
            "nsenter",
            f"--target={self.pid}",
            *spaces,
            "setpriv",
            "--pdeathsig",
            "KILL",
            "env",
            "--chdir=/",
            *argv,
        ]
        options = {"stdin": subprocess.DEVNULL, "text": True, **options}
        ours = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
        return subprocess.Popen(wrapped, env={**ours, "PATH": TOOLS_PATH, **(env or {})}, **options)

    def systemctl(self, *argv: str, check: bool = True, timeout: float = WAIT) -> str:
        return self.run("systemctl", *argv, check=check, timeout=timeout).stdout

    def show(self, unit: str, *names: str) -> dict[str, str]:
        """Properties of a unit. A MainPID of 0 is a dead unit, and `kill 0` is a whole group: see main_pid."""
        lines = self.systemctl("show", unit, *(f"--property={name}" for name in names)).splitlines()
        return dict(line.split("=", 1) for line in lines)

    def main_pid(self, unit: str) -> int:
        """The process of a running unit, by its number in the machine."""
        pid = int(self.show(unit, "MainPID")["MainPID"])
        assert pid > 1, f"{unit} does not run"
        return pid

    def kill(self, unit: str, number: signal.Signals) -> None:
        """Send a signal to a unit's main process, without systemd's knowledge."""
        self.run("kill", f"-{int(number)}", str(self.main_pid(unit)))

    def journal(self, unit: str | None = None) -> list[dict[str, Any]]:
        """What was logged, by the unit and about it: MESSAGE, PRIORITY, _PID, UNIT and so on."""
        self.run("journalctl", "--sync", check=False)
        which = ["--unit", unit] if unit else []
        out = self.run("journalctl", "--no-pager", "--output=json", "--all", *which).stdout
        return [json.loads(line) for line in out.splitlines()]

    def wait_journal(self, text: str, unit: str | None = None, *, count: int = 1, within: float = WAIT) -> str:
        """The message of the `count`-th entry that holds `text`, waiting for it."""
        which = ["--unit", unit] if unit else []
        argv = ["journalctl", "--follow", "--lines=all", "--output=cat", "--no-pager", *which]
        seen: list[str] = []
        with self.enter(argv, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            timer = threading.Timer(within, process.kill)
            timer.start()
            try:
                for line in process.stdout:
                    seen.append(line)
                    if text in line and (count := count - 1) == 0:
                        return line.rstrip("\n")
            finally:
                timer.cancel()
                process.kill()
        raise AssertionError(f"the journal has no {text!r} after {within} s:\n{''.join(seen[-60:])}")

    def connect(self, port: int, host: str = "127.0.0.1") -> socket.socket:
        """A connection to a port of the machine, for a client that runs here."""
        sock = self.open_socket()
        sock.settimeout(WAIT)
        sock.connect((host, port))
        return sock

    def open_socket(self, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """A socket of the machine's network: to which one it belongs is settled when a socket is made."""
        made: list[socket.socket] = []

        def make() -> None:
            with open(f"/proc/{self.pid}/ns/net") as net:
                if ctypes.CDLL(None, use_errno=True).setns(net.fileno(), _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            made.append(socket.socket(socket.AF_INET, kind))

        thread = threading.Thread(target=make)  # setns moves a thread, and this one ends here
        thread.start()
        thread.join()
        return made[0]

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file of the machine, which need not run, anywhere on its disk."""
        target = self.disk / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def read(self, path: str) -> str:
        return (self.root / path.lstrip("/")).read_text()

    def shut_down(self) -> None:
        """Stop everything in order, as before a reboot, and wait for the end. Another machine boots on its disk."""
        assert self._booted is not None
        self.systemctl("exit", check=False)
        self._booted.wait()
        self._end()

    def _end(self) -> None:
        booted, self._booted = self._booted, None
        if booted is not None:
            booted.end()
        if self._own:
            shutil.rmtree(self.disk, ignore_errors=True)

    def _lay_out(self) -> None:
        """The folders of the disk; what an earlier boot left stays."""
        if not (self.disk / "etc").exists():
            leave = shutil.ignore_patterns("penstock", "fstab")
            shutil.copytree("/etc", self.disk / "etc", symlinks=True, ignore=leave)
            shutil.rmtree(self.disk / "etc/systemd/system", ignore_errors=True)
            (self.disk / "etc/systemd/system").mkdir(parents=True)
        for name in _FOLDERS:
            (self.disk / name).mkdir(parents=True, exist_ok=True)
        (self.disk / "var/tmp").mkdir(exist_ok=True)
        (self.disk / "var/tmp").chmod(0o1777)
        _link(self.disk / "var/run", "/run")
        _link(self.disk / "links/source", str(ROOT))
        _link(self.disk / "links/packages", sysconfig.get_path("purelib"))
        _link(self.disk / "links/python", sys.base_prefix)
        for name in _KNOWN:
            shutil.copy(SYSTEMD.parent / "system" / name, self.disk / "units" / name)
        wanted = self.disk / "units/multi-user.target.wants"
        wanted.mkdir(exist_ok=True)
        _link(wanted / "systemd-journald.service", "/run/units/systemd-journald.service")


def _link(place: Path, target: str) -> None:
    place.unlink(missing_ok=True)
    place.symlink_to(target)
