"""The shipped units in a real systemd: the service starts, serves under its sandbox, and outlives what befalls it."""

import json
import signal
import socket
import sqlite3
import stat

import pytest

from tests.helpers.installed import CLIENT_KEY, FULL_CONFIG, PORT, ask, put_config
from tests.helpers.systemd import ROOT, Machine

pytestmark = pytest.mark.long

BLUE = "penstock@blue.service"
GREEN = "penstock@green.service"
OTHER_KEY = "key-that-came-with-a-reload"


def ask_admin(machine: Machine, target: str, path: str = "run/penstock/blue/admin.sock") -> str:
    """As whoever may open the socket."""
    with socket.socket(socket.AF_UNIX) as admin:
        admin.settimeout(10)
        admin.connect(str(machine.root / path))
        admin.sendall(f"GET {target} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        return b"".join(iter(lambda: admin.recv(65536), b"")).decode()


def ask_mount(machine: Machine) -> str:
    """The status of one attempt to ask the upstream."""
    show = [
        "--silent",
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_code}",
        f"http://127.0.0.1:{PORT}/demo/clock?n=1",
    ]
    return machine.run("curl", *show, "--header", f"Authorization: Bearer {CLIENT_KEY}").stdout


def read_status(machine: Machine, unit: str, name: str) -> str:
    """A line of /proc/PID/status of a unit's process."""
    lines = machine.read(f"/proc/{machine.main_pid(unit)}/status").splitlines()
    return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(f"{name}:"))


def drop_in(machine: Machine, unit: str, *lines: str) -> None:
    """Override a unit until the machine's end."""
    machine.write(f"/etc/systemd/system/{unit}.d/zz.conf", "\n".join(["[Service]", *lines, ""]))
    machine.systemctl("daemon-reload")


def test_the_units_are_without_fault(machine: Machine) -> None:
    names = [path.name for path in (ROOT / "systemd").iterdir() if path.suffix in (".service", ".socket")]
    assert len(names) == 5
    verified = machine.run("systemd-analyze", "verify", *(name.replace("@.", "@1.") for name in names))
    assert (verified.stdout, verified.stderr) == ("", "")


def test_it_is_ready_when_the_start_returns(machine: Machine) -> None:
    state = machine.show(BLUE, "ActiveState", "SubState", "StatusText", "NRestarts")
    assert state == {
        "ActiveState": "active",
        "SubState": "running",
        "StatusText": "serving, 0 streams",
        "NRestarts": "0",
    }
    assert "ready, 0 streams" in ask_admin(machine, "/readyz")


def test_it_serves_translates_and_writes_its_ledger(machine: Machine) -> None:
    streamed = ask(machine, "anthropic", stream=True)
    assert streamed.count("chat.completion.chunk") > 3
    assert streamed.endswith("data: [DONE]\n\n")
    assert json.loads(ask(machine, "gemini"))["choices"][0]["finish_reason"] == "stop"
    machine.systemctl("restart", BLUE)  # what is not written by now, the end writes
    path = machine.disk / "var/lib/penstock/penstock.db"
    with sqlite3.connect(path) as ledger:
        (rows,) = ledger.execute("SELECT count(*) FROM requests").fetchone()
    assert rows >= 2
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_process_may_do_nothing_but_its_work(machine: Machine) -> None:
    assert read_status(machine, BLUE, "Uid").split()[0] != "0"
    assert {read_status(machine, BLUE, name) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {
        "0" * 16
    }
    assert (read_status(machine, BLUE, "NoNewPrivs"), read_status(machine, BLUE, "Seccomp")) == ("1", "2")
    limits = machine.read(f"/proc/{machine.main_pid(BLUE)}/limits").splitlines()
    assert ["0", "0"] in [line.split()[4:6] for line in limits if line.startswith("Max core file size")]


def test_credentials_are_readable_by_the_service_alone(machine: Machine) -> None:
    folder = machine.root / f"run/credentials/{BLUE}"
    key = folder / "key_client"
    assert key.read_text() == CLIENT_KEY
    assert {stat.S_IMODE(path.stat().st_mode) & 0o222 | path.stat().st_mode & 0o007 for path in (folder, key)} == {0}
    for path in (f"/run/credentials/{BLUE}/key_client", "/etc/penstock/keys/client"):
        read = machine.run("setpriv", "--reuid=nobody", "--regid=penstock", "--clear-groups", "cat", path, check=False)
        assert "Permission denied" in read.stderr
    for name in ("environ", "cmdline"):
        assert CLIENT_KEY.encode() not in (machine.root / f"proc/{machine.main_pid(BLUE)}/{name}").read_bytes()


def test_the_console_is_for_members_of_the_group(machine: Machine) -> None:
    asked = ["curl", "--silent", "--unix-socket", "/run/penstock/admin-1.sock", "http://localhost/readyz"]
    nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup"]
    assert machine.run(*nobody, "--groups=penstock", *asked).stdout.startswith("ready")
    assert machine.run(*nobody, "--clear-groups", *asked, check=False).returncode == 7  # it cannot connect


def test_prometheus_reaches_the_metrics(machine: Machine) -> None:
    machine.systemctl("start", "penstock-admin.socket")
    assert "penstock_build_info" in machine.run("curl", "--silent", "http://127.0.0.1:8089/metrics").stdout


def test_log_lines_have_their_priority_and_nobody_else_can_set_it(machine: Machine) -> None:
    ask(machine, "anthropic", text="fine")
    for model in ("no\n<0>such", "gone"):
        with pytest.raises(AssertionError):
            ask(machine, model)
    machine.wait_journal('"provider":"gone"', unit=BLUE)  # which is not there
    lines = [entry for entry in machine.journal(BLUE) if entry["MESSAGE"].startswith("{")]
    levels = {(json.loads(entry["MESSAGE"])["level"], entry["PRIORITY"]) for entry in lines}
    assert levels >= {("info", "6"), ("warning", "4")}
    assert levels <= {("info", "6"), ("warning", "4"), ("error", "3")}
    assert {entry["PRIORITY"] for entry in machine.journal(BLUE)} <= {"3", "4", "5", "6"}
    assert not [entry for entry in machine.journal(BLUE) if entry["MESSAGE"].startswith("such")]


def test_a_reload_takes_the_new_configuration(machine: Machine) -> None:
    put_config(machine, f'{FULL_CONFIG}[clients.other]\nkey = "{OTHER_KEY}"\n')
    machine.systemctl("reload", BLUE)
    machine.wait_journal('"message":"reloaded', unit=BLUE)
    assert json.loads(ask(machine, "glm", key=OTHER_KEY))["choices"]


def test_a_reload_of_a_broken_configuration_fails_and_changes_nothing(machine: Machine) -> None:
    before = machine.show(BLUE, "MainPID", "NRestarts", "ActiveState")
    put_config(machine, "[limits]\ndrain = 'soon'\n")
    failed = machine.run("systemctl", "reload", BLUE, check=False)
    assert failed.returncode == 1
    machine.wait_journal("limits.drain", unit=BLUE)
    assert machine.show(BLUE, "MainPID", "NRestarts", "ActiveState") == before
    assert json.loads(ask(machine, "glm"))["choices"]
    put_config(machine, FULL_CONFIG)


def test_a_blocked_loop_is_killed_by_the_watchdog_and_started_again(machine: Machine) -> None:
    drop_in(machine, GREEN, "WatchdogSec=3")
    machine.systemctl("start", GREEN)
    blue = machine.main_pid(BLUE)
    machine.kill(GREEN, signal.SIGSTOP)
    machine.wait_journal("Watchdog timeout", unit=GREEN)
    machine.wait_journal("Started penstock@green", unit=GREEN, count=2)
    assert machine.show(GREEN, "NRestarts", "ActiveState") == {"NRestarts": "1", "ActiveState": "active"}
    texts = [entry["MESSAGE"] for entry in machine.journal(GREEN)]
    assert "Fatal Python error: Aborted" in texts  # and where it stood
    assert any("in run_loop" in text for text in texts)
    assert machine.main_pid(BLUE) == blue
    machine.systemctl("stop", GREEN)


def test_what_is_killed_is_started_again_and_nobody_was_refused(machine: Machine) -> None:
    before = int(machine.show(BLUE, "NRestarts")["NRestarts"])
    started = sum("Started penstock@blue" in entry["MESSAGE"] for entry in machine.journal(BLUE))
    machine.kill(BLUE, signal.SIGKILL)
    assert json.loads(ask(machine, "anthropic"))["choices"]  # it waited at the socket
    machine.wait_journal("Started penstock@blue", unit=BLUE, count=started + 1)
    assert int(machine.show(BLUE, "NRestarts")["NRestarts"]) == before + 1


def test_an_unusable_configuration_is_not_tried_again(machine: Machine) -> None:
    machine.write("/etc/penstock/broken.toml", "[server]\nlisten = 1\n")
    command = "/opt/penstock/current/bin/penstock serve --config /etc/penstock/broken.toml"
    drop_in(machine, "penstock@violet.service", "ExecStart=", f"ExecStart={command}")
    assert machine.run("systemctl", "start", "penstock@violet", check=False).returncode == 1
    state = machine.show("penstock@violet", "ActiveState", "NRestarts", "ExecMainStatus", "StatusText")
    assert (state["ActiveState"], state["NRestarts"], state["ExecMainStatus"]) == ("failed", "0", "78")
    assert "server.listen" in state["StatusText"]
    assert machine.show("penstock.socket", "ActiveState") == {"ActiveState": "active"}
    assert json.loads(ask(machine, "anthropic"))["choices"]


def test_a_connection_never_starts_an_instance_that_was_stopped(machine: Machine) -> None:
    """systemd watches the socket whenever an instance ends, and starts what it is told to for who comes then."""
    machine.systemctl("start", GREEN)
    machine.systemctl("stop", BLUE)
    machine.kill(GREEN, signal.SIGKILL)
    for dialect in ("anthropic", "glm"):
        assert json.loads(ask(machine, dialect))["choices"]
    assert machine.show(BLUE, "ActiveState") == {"ActiveState": "inactive"}
    machine.systemctl("stop", GREEN)
    with machine.connect(PORT) as waiting:  # nobody is there to accept it
        waiting.sendall(b"GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert machine.systemctl("list-jobs", "--no-legend") in ("", "No jobs running.\n")
        for unit in (BLUE, GREEN):
            assert machine.show(unit, "ActiveState") == {"ActiveState": "inactive"}
        machine.systemctl("start", BLUE)
        assert waiting.recv(1000).startswith(b"HTTP/1.1 401 ")
    assert machine.show("penstock.socket", "Result") == {"Result": "success"}


def test_only_public_addresses_can_be_connected_to_as_shipped(machine: Machine) -> None:
    lines = [
        line for line in (ROOT / "systemd/penstock@.service").read_text().splitlines() if "IPAddressAllow=" in line
    ]
    machine.systemctl("stop", BLUE)
    drop_in(machine, "penstock@amber.service", "IPAddressAllow=", *lines)  # loopback was let out for the other tests
    machine.systemctl("start", "penstock@amber")
    assert ask_mount(machine) in ("502", "504")
    drop_in(machine, "penstock@amber.service", "IPAddressAllow=", *lines, "IPAddressAllow=127.0.0.1")
    machine.systemctl("restart", "penstock@amber")
    assert ask_mount(machine) == "200"
    machine.systemctl("start", BLUE)
    machine.systemctl("stop", "penstock@amber")


def test_the_example_of_pinned_addresses_replaces_the_list(machine: Machine) -> None:
    example = (ROOT / "systemd/penstock@.service.d/egress.conf.example").read_text()
    drop_in(machine, "penstock@violet.service", *example.splitlines()[3:])
    allowed = machine.show("penstock@violet", "IPAddressAllow")["IPAddressAllow"].split()
    assert sorted(allowed) == [
        "10.0.0.7/32",
        "127.0.0.53/32",
        "160.79.104.0/23",
        "2607:6bc0::/48",
    ]
