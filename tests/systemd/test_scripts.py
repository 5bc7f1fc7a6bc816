"""scripts/install, upgrade, swap and uninstall: what they print, and what they do to a machine.

Releases are put where the scripts look for them, so that only one test has to build one.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.helpers.checkout import (
    CHECKOUT,
    change,
    checked_out,
    list_enabled,
    list_units,
    put_built,
    read_current,
    run,
    snap,
)
from tests.helpers.installed import CLIENT_KEY, CONFIG, FULL_CONFIG, PORT, put_config, put_demo
from tests.helpers.systemd import ROOT, Machine, find_obstacle

SCRIPTS = ("install", "upgrade", "swap", "uninstall")
STEPS = (
    "systemd-sysusers",
    "-m venv",
    "-m pip install -c constraints.txt",
    "install -dm 0700 /etc/penstock/keys",
    "systemd/config.toml /etc/penstock/config.toml",
    "check-config",
    "systemd/penstock@.service /etc/systemd/system/penstock@.service",
    "/opt/penstock/current",
    "systemctl daemon-reload",
    "systemctl --quiet enable penstock.socket penstock.service",
    "systemctl start penstock@blue.service",
    "systemctl --quiet enable penstock@blue.service",
)
PLACES = ("/opt/penstock", "/etc/penstock", "/var/lib/penstock", "/run/penstock", "/etc/systemd/system/penstock.socket")

KEPT = ("bin/penstock", "opt/penstock", "etc/penstock/config.toml", "var/lib/penstock")

needs_machine = pytest.mark.skipif(find_obstacle() is not None, reason=str(find_obstacle()))


def start(script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    env = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
    return subprocess.run([ROOT / "scripts" / script, *arguments], capture_output=True, text=True, timeout=60, env=env)


def test_install_prints_what_it_would_do_in_order_and_does_nothing() -> None:
    before = [os.path.exists(place) for place in PLACES]
    printed = start("install", "--print")
    assert printed.returncode == 0, printed.stderr
    places = [printed.stdout.find(step) for step in STEPS]
    assert places == sorted(places)
    assert places[0] >= 0
    assert [os.path.exists(place) for place in PLACES] == before


@pytest.mark.parametrize("script", ["swap", "uninstall"])
def test_the_others_print_too(script: str) -> None:
    printed = start(script, "--print")
    assert printed.returncode == 0, printed.stderr
    assert re.search(r"^systemctl (start|stop) ", printed.stdout, re.MULTILINE)


def test_more_cores_are_more_instances() -> None:
    first = start("swap", "--print", "--cores", "3").stdout.splitlines()[0]
    assert first == "systemctl start penstock@blue.service penstock@blue-2.service penstock@blue-3.service"


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_argument_that_is_not_known_is_refused(script: str) -> None:
    refused = start(script, "--print", "--force")
    assert refused.returncode == 1
    assert f"usage: scripts/{script}" in refused.stderr
    assert refused.stdout == ""


@pytest.fixture
def machine() -> Iterator[Machine]:
    with checked_out() as machine:
        yield machine


@needs_machine
@pytest.mark.long
@pytest.mark.skipif(not os.path.exists("/usr/bin/python3"), reason="the system has no Python")
def test_install_leaves_a_service_that_runs_and_uninstall_none(machine: Machine) -> None:
    """From nothing, with a release that is really built, and a second time, which changes nothing."""
    shutil.rmtree(machine.disk / "opt/penstock")
    (machine.disk / "etc/systemd/system/penstock@.service.d/tests.conf").unlink()
    said = run(machine, "install").stdout.splitlines()
    assert said[0].startswith('It listens on 127.0.0.1:8088 and says "nothing is mounted"; callers show the key')
    assert len(said) == 3
    check_installed(machine)
    put_config(machine, CONFIG)  # another than the first
    before = snap(machine)
    assert "is what is installed" in run(machine, "install").stderr
    assert snap(machine) == before

    assert machine.run("penstock", "top", "--once").stdout.startswith("penstock at unix:/run/penstock/admin-1.sock")
    run(machine, "uninstall")
    assert list_units(machine, "active,activating,deactivating,failed") == set()
    assert [os.path.lexists(machine.disk / place) for place in KEPT] == [False, False, True, True]
    run(machine, "uninstall", "--purge")
    assert [os.path.lexists(machine.disk / place) for place in KEPT] == [False, False, False, False]
    assert "penstock" not in machine.read("/etc/passwd")
    assert [path for path in (machine.disk / "etc/systemd/system").rglob("*") if "penstock" in path.name] == []


def check_installed(machine: Machine) -> None:
    assert list_units(machine, "active") == list_enabled(machine) == {"blue"}
    assert machine.systemctl("is-enabled", "penstock.socket", "penstock.service").split() == ["enabled"] * 2
    modes = machine.run("stat", "-c", "%a %U:%G", "/etc/penstock/keys", "/etc/penstock/keys/client",
                        "/etc/penstock/config.toml").stdout.splitlines()  # fmt: skip
    assert modes == ["700 root:root", "600 root:root", "640 root:penstock"]
    assert len(machine.read("/etc/penstock/keys/client").strip()) == 40
    resolver = machine.read("/etc/systemd/system/penstock@.service.d/resolver.conf")
    for address in re.findall(r"^nameserver ([0-9.]+)$", machine.read("/etc/resolv.conf"), re.MULTILINE):
        assert address in resolver
    packages = machine.run("/opt/penstock/current/bin/python", "-m", "pip", "freeze").stdout.splitlines()
    assert {line for line in packages if "==" in line} <= set((ROOT / "constraints.txt").read_text().splitlines())
    assert not (machine.disk / CHECKOUT.lstrip("/") / "build").exists()


@needs_machine
@pytest.mark.long
def test_swap_takes_turns_and_leaves_old_streams_alone(machine: Machine) -> None:
    run(machine, "install")
    machine.write("/etc/penstock/keys/client", CLIENT_KEY)
    put_config(machine, FULL_CONFIG.replace("key_demo", "key_client"))
    run(machine, "swap")
    assert list_units(machine, "active") == list_enabled(machine) == {"green"}
    with put_demo(machine), machine.connect(PORT) as stream:
        key = f"Authorization: Bearer {CLIENT_KEY}"
        stream.sendall(f"GET /demo/clock?every=50ms HTTP/1.1\r\nHost: a\r\n{key}\r\n\r\n".encode())
        assert b"200 OK" in stream.recv(65536)
        machine.systemctl("stop", "penstock@blue")  # its drain may not be over
        run(machine, "swap", "--cores", "2")
        assert list_units(machine, "active") == list_enabled(machine) == {"blue", "blue-2"}
        assert list_units(machine, "deactivating") == {"green"}
        run(machine, "swap")  # as many as there are; green is not free
        assert list_units(machine, "active") == list_enabled(machine) == {"amber", "amber-2"}
        assert machine.run("readlink", "/run/penstock/admin-2.sock").stdout == "amber-2/admin.sock\n"
        assert stream.recv(65536)


@needs_machine
@pytest.mark.long
def test_upgrade_changes_to_what_becomes_ready_and_to_nothing_else(machine: Machine) -> None:
    run(machine, "install")
    before, first = snap(machine), read_current(machine)
    unit = machine.read("/etc/systemd/system/penstock@.service")
    config = machine.read("/etc/penstock/config.toml")

    put_config(machine, "[limits]\ndrain = 'never'\n")
    check_refused(run(machine, "swap", check=False), "limits.drain")
    change(machine)
    put_built(machine)
    check_refused(run(machine, "upgrade", check=False), "limits.drain")
    put_config(machine, config)
    assert snap(machine) == before

    change(machine)
    put_built(machine, "[ $1 = check-config ] || { echo no >&2; exit 1; }")
    check_refused(run(machine, "upgrade", check=False), f"back to {first}")
    assert snap(machine) == before
    assert machine.read("/etc/systemd/system/penstock@.service") == unit
    assert list_units(machine, "active") == list_enabled(machine) == {"blue"}
    assert list_units(machine, "activating,failed") == set()

    change(machine)
    new = put_built(machine)
    run(machine, "upgrade")
    assert list_units(machine, "active") == list_enabled(machine) == {"green"}
    command = machine.read(f"/proc/{machine.main_pid('penstock@green')}/cmdline")
    assert command.startswith(f"/opt/penstock/releases/{new}/")
    assert machine.read("/etc/systemd/system/penstock@.service").startswith(unit + "# changed\n")
    assert {path.name for path in (machine.disk / "opt/penstock/releases").iterdir()} == {first, new}


def check_refused(failed: "subprocess.CompletedProcess[str]", why: str) -> None:
    assert failed.returncode == 1
    assert why in failed.stderr


@needs_machine
@pytest.mark.long
def test_what_an_interrupted_run_left_is_made_good(machine: Machine) -> None:
    machine.write("/etc/penstock/keys/client", "", 0o600)  # by a disk that was full
    run(machine, "install")
    assert len(machine.read("/etc/penstock/keys/client").strip()) == 40
    machine.systemctl("start", "penstock@amber")  # a swap that went no further
    run(machine, "swap")
    assert list_units(machine, "active") == list_enabled(machine) == {"green"}

    change(machine)
    new = put_built(machine)
    machine.run("ln", "-sfn", f"releases/{new}", "/opt/penstock/current")  # an upgrade that went no further
    run(machine, "upgrade")
    (name,) = list_units(machine, "active")
    assert name != "green"
    command = machine.read(f"/proc/{machine.main_pid(f'penstock@{name}')}/cmdline")
    assert command.startswith(f"/opt/penstock/releases/{new}/")
    assert "is what is installed" in run(machine, "upgrade").stderr
    assert list_units(machine, "active") == {name}


@needs_machine
@pytest.mark.long
def test_a_release_that_hangs_at_its_start_holds_nothing_up(machine: Machine) -> None:
    run(machine, "install")
    before = snap(machine)
    machine.write("/etc/systemd/system/penstock@.service.d/hurry.conf", "[Service]\nTimeoutStartSec=2\n")
    change(machine)
    put_built(machine, "[ $1 = check-config ] || { trap '' TERM; while :; do sleep 1; done; }")
    failed = machine.run(f"{CHECKOUT}/scripts/upgrade", check=False, host_network=True, timeout=60)
    check_refused(failed, "back to ")
    assert snap(machine) == before


DYING = """[ $1 = check-config ] || exec /usr/bin/python3 -c '
import os, socket, time
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect(os.environ["NOTIFY_SOCKET"])
notify.send(b"READY=1")
time.sleep(0.2)
raise SystemExit(1)
'"""


@needs_machine
@pytest.mark.long
@pytest.mark.skipif(not os.path.exists("/usr/bin/python3"), reason="the system has no Python")
def test_a_release_that_ends_once_it_was_ready_takes_nobodys_place(machine: Machine) -> None:
    run(machine, "install")
    before = snap(machine)
    change(machine)
    put_built(machine, DYING)
    check_refused(run(machine, "upgrade", check=False), "back to ")
    assert snap(machine) == before


@needs_machine
@pytest.mark.long
def test_the_release_to_go_back_to_stays_where_the_folder_is_a_symbolic_link(machine: Machine) -> None:
    machine.run("sh", "-c", "mv /opt/penstock /opt/penstock.real && ln -s penstock.real /opt/penstock")
    run(machine, "install")
    first = read_current(machine)
    assert "is what is installed" in run(machine, "upgrade").stderr
    change(machine)
    new = put_built(machine)
    run(machine, "upgrade")
    draining = [f"penstock@{name}" for name in list_units(machine, "deactivating")]
    machine.systemctl("stop", "penstock@none", *draining)  # its drain is over
    assert "is what is installed" in run(machine, "upgrade").stderr
    assert {path.name for path in (machine.disk / "opt/penstock.real/releases").iterdir()} == {first, new}
