"""New instances for old ones while clients of every kind are at work: nobody is refused, reset or cut.

The clients are tests/helpers/load.py. Fifty streams last from the first swap to the last, so their instance drains all
the while and the others take turns in the colours that are left.
"""

import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.helpers.installed import PORT, add_release, put_config, put_service
from tests.helpers.load import KINDS
from tests.helpers.loaded import CONFIG, Load, loaded
from tests.helpers.systemd import Machine, find_obstacle

pytestmark = pytest.mark.long

COLOURS = 4  # as in scripts/deployment
SWAP = "/srv/source/scripts/swap"
BLOCKING = "/etc/systemd/system/penstock@.service.d/blocking.conf"
CALM = 6.0  # seconds
AT_ONCE = 3.0  # seconds within which whoever was served by a killed process has noticed


@contextmanager
def served() -> Iterator[Machine]:
    if obstacle := find_obstacle():
        pytest.skip(obstacle)
    with Machine() as made:
        put_service(made, CONFIG)
        yield made


@pytest.fixture
def machine() -> Iterator[Machine]:
    with served() as made:
        yield made


def list_instances(machine: Machine, state: str) -> list[str]:
    listed = machine.systemctl("list-units", "--plain", "--no-legend", f"--state={state}", "penstock@*.service")
    return re.findall(r"^penstock@\S+", listed, re.MULTILINE)


def swap(machine: Machine, stopped: list[str]) -> None:
    """By the script, when a colour is free. stopped: the instances that were, oldest first; the first of all has
    streams until the end of the load."""
    leaving = list_instances(machine, "deactivating")
    if len(leaving) == COLOURS - 1:
        machine.systemctl("stop", [name for name in stopped if name in leaving][1])  # it is: this waits for its end
    for name in list_instances(machine, "active"):
        stopped[:] = [*(other for other in stopped if other != name), name]
    machine.run(SWAP)


def fail_to_swap(machine: Machine) -> None:
    """To instances that do not become ready, which leave the socket as systemd made it for them."""
    put_config(machine, "nonsense = true")
    before = list_instances(machine, "active")
    assert machine.run(SWAP, check=False).returncode == 1
    assert list_instances(machine, "active") == before
    put_config(machine, CONFIG)


def keep_calm(machine: Machine, load: Load) -> None:
    """Nobody connects, but for a few one after the other: an instance that blocks in accept(2) is left blocking."""
    load.tell("calm")
    for _ in range(3):
        with machine.connect(PORT) as sock:
            sock.settimeout(0.5)
            sock.sendall(b"GET /load/echo?1 HTTP/1.1\r\nHost: calm\r\n\r\n")
            try:
                assert sock.recv(100).startswith(b"HTTP/1.1 200 ")
            except TimeoutError:
                break
    time.sleep(CALM)
    load.tell("busy")


def count_streams(machine: Machine, instance: str) -> int:
    socket = f"/run/penstock/{instance}/admin.sock"
    metrics = machine.run("curl", "--silent", "--fail", "--unix-socket", socket, "http://localhost/metrics").stdout
    return sum(map(int, re.findall(r"^penstock_streams_active\S* (\d+)", metrics, re.MULTILINE)))


def count_restarts(machine: Machine) -> int:
    return sum("Scheduled restart job" in str(entry["MESSAGE"]) for entry in machine.journal())


def swap_under_load(machine: Machine, times: int) -> Load:
    """Half of the swaps, one that fails, a calm in which nothing heals, the other half to another release."""
    stopped: list[str] = []
    swap(machine, stopped)
    with loaded(machine) as load:
        for _ in range(times // 2):
            swap(machine, stopped)
        fail_to_swap(machine)
        keep_calm(machine, load)
        add_release(machine, "next")
        for _ in range(times - times // 2):
            swap(machine, stopped)
        load.end()
    return load


def test_ten_swaps_cost_nobody_anything(machine: Machine) -> None:
    load = swap_under_load(machine, 10)
    assert load.failures == {}
    assert load.longest < CALM / 2
    assert all(tally["done"] for tally in load.report.values())
    assert count_restarts(machine) == 0
    (serving,) = list_instances(machine, "active")
    assert "releases/next" in machine.read(f"/proc/{machine.main_pid(serving)}/cmdline")


def suffers() -> bool:
    with served() as machine:
        machine.write(BLOCKING, "[Service]\nNonBlocking=no\n")
        machine.systemctl("daemon-reload")
        load = swap_under_load(machine, 2)
        return bool(load.failures) or load.longest > CALM / 2


def test_without_nonblocking_the_same_load_suffers() -> None:
    """Who blocks, and when, is a race that a load may happen to win."""
    assert any(suffers() for _ in range(5))


def test_a_restart_keeps_callers_waiting_and_loses_none(machine: Machine) -> None:
    machine.run(SWAP)
    kinds = ("connections", "pipelines", "kept posts", "uploads")
    with loaded(machine, *kinds) as load:
        machine.systemctl("restart", "penstock@blue")
        load.end()
    assert load.failures == {}


def test_a_reload_is_noticed_by_nobody(machine: Machine) -> None:
    machine.run(SWAP)
    with loaded(machine) as load:
        machine.systemctl("reload", "penstock@blue")
        put_config(machine, "nonsense = true")
        assert machine.run("systemctl", "reload", "penstock@blue", check=False).returncode != 0
        machine.kill("penstock@blue", signal.SIGHUP)  # past the check
        machine.wait_journal("reload refused")
        load.end()
    assert load.failures == {}


def test_a_process_that_is_killed_takes_only_its_own_streams_along(machine: Machine) -> None:
    machine.run(SWAP, "--cores", "2")
    with loaded(machine) as load:
        streams = count_streams(machine, "blue-2")
        killed = time.time()
        machine.kill("penstock@blue-2", signal.SIGKILL)
        machine.wait_journal("Scheduled restart job", "penstock@blue-2.service")
        machine.systemctl("start", "penstock@blue-2")
        load.end()
    cut = load.report["streams"]["failures"]
    assert 0 < len(cut) <= streams
    assert len(cut) < KINDS["streams"][0]
    for kind, tally in load.report.items():
        assert len(tally["failures"]) <= KINDS[kind][0]
        assert all(when - killed < AT_ONCE for when, _ in tally["failures"])
    assert count_restarts(machine) == 1
