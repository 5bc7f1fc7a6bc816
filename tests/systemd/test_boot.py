"""A machine that boots with the service enabled, and one that shuts down while streams run."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.installed import CLIENT_KEY, DEMO, FULL_CONFIG, PORT, put_service
from tests.helpers.systemd import Machine, find_obstacle

pytestmark = [pytest.mark.long, pytest.mark.skipif(find_obstacle() is not None, reason=str(find_obstacle()))]

BLUE = "penstock@blue.service"
SLOW_NETWORK = """
[Unit]
Before=network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'until [ -e /run/caller-has-come ]; do sleep 0.05; done'
[Install]
WantedBy=network-online.target
"""
CALLER = r"""
[Unit]
After=penstock.socket
[Service]
ExecStart=/bin/sh -c 'curl --silent http://127.0.0.1:8088/v1/models >/run/answer & \
  sleep 0.2; touch /run/caller-has-come; wait'
[Install]
WantedBy=multi-user.target
"""

UPSTREAM = """
[Unit]
Before=penstock@blue.service
[Service]
Environment=LD_LIBRARY_PATH=/srv/python/lib
ExecStart=/opt/penstock/current/bin/python /srv/demo.py
"""


@pytest.fixture
def disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="disk-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def read_time(machine: Machine, unit: str, name: str) -> int:
    return int(machine.show(unit, name)[name])


def test_it_starts_at_boot_after_the_network_and_callers_may_come_before(disk: Path) -> None:
    with Machine(disk) as machine:
        put_service(machine)
        machine.write("/etc/systemd/system/network-wait.service", SLOW_NETWORK)
        machine.write("/etc/systemd/system/caller.service", CALLER)
        machine.systemctl("enable", "penstock.socket", "penstock.service", BLUE, "network-wait", "caller")
        machine.shut_down()
    with Machine(disk) as machine:
        assert machine.show(BLUE, "ActiveState", "NRestarts") == {"ActiveState": "active", "NRestarts": "0"}
        listening = read_time(machine, "penstock.socket", "ActiveEnterTimestampMonotonic")
        called = read_time(machine, "caller.service", "ActiveEnterTimestampMonotonic")
        network = read_time(machine, "network-online.target", "ActiveEnterTimestampMonotonic")
        started = read_time(machine, BLUE, "InactiveExitTimestampMonotonic")
        assert listening <= called <= network <= started
        machine.wait_journal("caller.service: Deactivated successfully")
        assert "request_id" in machine.read("/run/answer")  # it was answered once somebody was there


def test_a_shutdown_waits_for_streams_but_not_for_an_hour(disk: Path) -> None:
    with Machine(disk) as machine:
        put_service(machine, FULL_CONFIG)
        machine.write(
            "/etc/systemd/system/penstock@.service.d/grace.conf", "[Service]\nEnvironment=SHUTDOWN_GRACE=1s\n"
        )
        machine.write("/etc/systemd/system/demo.service", UPSTREAM)
        machine.write("/srv/demo.py", DEMO)
        machine.systemctl("daemon-reload")
        machine.systemctl("start", "demo")
        machine.wait_journal("listening", unit="demo.service")
        machine.systemctl("start", BLUE)
        with machine.connect(PORT) as stream:
            key = f"Authorization: Bearer {CLIENT_KEY}"
            stream.sendall(f"GET /demo/clock HTTP/1.1\r\nHost: a\r\n{key}\r\n\r\n".encode())
            seen = b""
            while seen.count(b"event: tick") < 2:
                seen += stream.recv(65536)
            begun = time.monotonic()
            machine.shut_down()
            assert 1.0 < time.monotonic() - begun < 15.0
