"""From a folder to a running systemd in namespaces and a cgroup of its own: what tests/helpers/systemd.py boots.

The folder is the machine's disk: etc, opt, var, srv and bin in it become /etc, /opt, /var, /srv and /usr/local/bin;
/run, /tmp and /dev are empty. All else is this system's, and what could be changed of it by a booting systemd (limits
of the kernel, devices, what others have mounted) is read-only or out of its reach. `find_obstacle` says why it cannot
be done here.
"""

import functools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

SYSTEMD: Final = Path("/lib/systemd/systemd")
TOOLS_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
WAIT: Final = 20.0  # seconds; a boot takes a tenth of one, on a busy machine several

_OLDEST: Final = 250  # LoadCredential= of a folder
_TOOLS: Final = ("unshare", "nsenter", "setpriv", "mount", "systemctl", "journalctl")
_SETTLE: Final = 0.02  # seconds between two looks at what the kernel lets nobody wait for

_UNSHARE: Final = (
    "unshare", "--fork", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--net", "--propagation", "private",
    "--kill-child=SIGKILL",
)  # fmt: skip

_ENTER_CGROUP: Final = 'echo $$ >"$CGROUP/cgroup.procs" && exec setpriv --pdeathsig KILL "$@"'
"""And end with the tests, however they do."""

_BOOT: Final = r"""
set -eu
mount -t proc proc /proc
mount -o bind,ro /proc/sys /proc/sys        # a booting systemd sets limits of the kernel
mount -t sysfs -o ro sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for link in "$DISK"/links/*; do mount -o bind,ro "$(readlink "$link")" "$DISK/srv/${link##*/}"; done
for path in /opt/*; do                      # this system's programs stay in reach
  name=${path##*/}
  [ -e "$path" ] && [ "$name" != penstock ] || continue
  if [ -d "$path" ]; then mkdir -p "$DISK/opt/$name"; else touch "$DISK/opt/$name"; fi
  mount -o bind,ro "$path" "$DISK/opt/$name"
done
mount -t tmpfs -o mode=755 tmpfs "$DISK/dev"
cd "$DISK/dev"; mkdir shm pts; ln -s /proc/self/fd fd; ln -s pts/ptmx ptmx
for name in null zero full random urandom tty; do touch "$name"; mount --bind "/dev/$name" "$name"; done
mount -t tmpfs -o mode=1777 tmpfs shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts pts
cd /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/units; cp -a "$DISK/units/." /run/units/
touch /run/ready; mount --bind "$READY" /run/ready
for name in etc opt var srv dev; do mount --rbind "$DISK/$name" "/$name"; done
mount --bind "$DISK/bin" /usr/local/bin
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount --make-rshared /                      # else the folders of credentials stay empty
exec env -i container=other PATH="$PATH" NOTIFY_SOCKET=/run/ready SYSTEMD_GENERATOR_PATH=/run/none \
  SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/units /lib/systemd/systemd --system --unit=multi-user.target \
  --log-target=journal --show-status=no
"""


@functools.cache
def find_obstacle() -> str | None:
    """Why no machine can be booted here; None where one can."""
    if os.geteuid() != 0:
        return "a systemd of one's own needs root"
    if lost := [tool for tool in _TOOLS if shutil.which(tool, path=TOOLS_PATH) is None]:
        return f"missing: {', '.join(lost)}"
    if not SYSTEMD.exists():
        return f"there is no {SYSTEMD}"
    version = subprocess.run(["systemctl", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    if not version.isdigit() or int(version) < _OLDEST:
        return f"systemd {version} is older than {_OLDEST}"
    try:
        os.rmdir(_make_cgroup())
    except OSError as error:
        return f"no cgroup can be made: {error.strerror}"
    mount = (*_UNSHARE, "mount", "-t", "cgroup2", "cgroup2", "/mnt")
    tried = subprocess.run(mount, capture_output=True, text=True)
    return f"namespaces: {tried.stderr.strip()}" if tried.returncode else None


class Booted:
    """A systemd that runs on this disk, and has reached its target. pid: its number, as it is seen from here."""

    def __init__(self, disk: Path) -> None:
        self._cgroup = _make_cgroup()
        with tempfile.TemporaryDirectory(prefix="ready-") as folder, socket.socket(
            socket.AF_UNIX, socket.SOCK_DGRAM
        ) as ready, open(disk / "boot.log", "wb") as log:  # fmt: skip
            place = f"{folder}/socket"
            ready.bind(place)
            self._process = subprocess.Popen(
                ["bash", "-c", _ENTER_CGROUP, "-", *_UNSHARE, "bash", "-c", _BOOT],
                env={"PATH": TOOLS_PATH, "CGROUP": str(self._cgroup), "DISK": str(disk), "READY": place},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            try:
                _wait_ready(ready)
            except BaseException as error:
                self.end()
                raise AssertionError(f"it did not boot: {(disk / 'boot.log').read_text()}") from error
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        self.pid = int(children.split()[0])

    def wait(self) -> None:
        """For its end, after it was asked for inside."""
        self._process.wait(WAIT)

    def end(self) -> None:
        """At once, with everything inside."""
        self._process.kill()
        self._process.wait()
        _remove_cgroup(self._cgroup)


def _wait_ready(ready: socket.socket) -> None:
    """systemd tells that it has booted as a service would tell it (systemd(1), $NOTIFY_SOCKET)."""
    ready.settimeout(WAIT)
    while b"READY=1" not in ready.recv(4096).split(b"\n"):
        pass


def _make_cgroup() -> Path:
    """In cgroup2, wherever that is mounted: at /sys/fs/cgroup, or beside the hierarchies of version 1."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            cgroup = Path(place) / f"machine-{os.getpid()}-{time.monotonic_ns()}"
            cgroup.mkdir()
            return cgroup
    raise FileNotFoundError(2, "cgroup2 is not mounted")


def _remove_cgroup(top: Path) -> None:
    """Deepest first; the processes in it are dead, and leave it in a moment."""
    deadline = time.monotonic() + WAIT
    for folder, _, _ in os.walk(top, topdown=False):
        while True:
            try:
                os.rmdir(folder)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_SETTLE)
