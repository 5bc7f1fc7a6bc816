"""Secrets of the installed service, in a real systemd: its keys come by credentials, its caller's by requests that are
refused, and neither is in the journal, in what systemd tells, in the process's environment or in anything it leaves.
"""

import json
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.canaries import CLIENT, SECRET
from tests.helpers.installed import DEMO_CONFIG, PORT, ask, put_config, put_demo, put_service
from tests.helpers.planted import BODIES, HEADS
from tests.helpers.systemd import Machine, find_obstacle

pytestmark = pytest.mark.skipif(find_obstacle() is not None, reason=str(find_obstacle()))

BLUE = "penstock@blue.service"
KEYS = {"client": CLIENT, "demo": "c4n4ry-of-the-demo", "console": "c4n4ry-of-the-console"}
CONFIG = (
    DEMO_CONFIG
    + """
[console]
token = "${cred:key_console}"
[ledger]
[record]
when = ["all"]
[mounts."/bare"]
provider = "openai-chat"
"""
)
FORGED = b"GET /\n<0>forged HTTP/1.1\r\nx-a: \n<0>forged\r\n\r\n"


@pytest.fixture
def machine() -> Iterator[Machine]:
    with Machine() as made:
        put_service(made, CONFIG, KEYS)
        with put_demo(made) as demo:
            try:
                made.systemctl("start", "penstock.socket", BLUE)
                yield made
            finally:
                demo.kill()


def send(machine: Machine, data: bytes) -> bytes:
    with machine.connect(PORT) as sock:
        sock.settimeout(20)
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)  # whoever waits for more need not
            return sock.recv(65536)
        except ConnectionError:
            return b""


def list_left(machine: Machine) -> Iterator[tuple[str, bytes]]:
    """Whatever the service may write to."""
    for folder in ("var/lib", "run/penstock", "tmp", "var/tmp", "var/crash", "var/log"):
        for path in sorted((machine.root / folder).rglob("*")):
            if path.is_file() and not path.is_symlink() and "journal" not in path.parts:
                yield str(path), path.read_bytes()


def break_configuration(machine: Machine) -> None:
    for number, text in enumerate((CONFIG.replace('"55m"', '"${cred:key_demo}"'), "${cred:key_demo}\n" + CONFIG), 1):
        put_config(machine, text)
        machine.kill(BLUE, signal.SIGHUP)
        machine.wait_journal("reload refused", BLUE, count=number)
    machine.systemctl("reload", BLUE, check=False)
    put_config(machine, CONFIG)


def test_no_secret_is_in_the_journal_or_anywhere_else(machine: Machine) -> None:
    assert ask(machine, "openai-chat", key=CLIENT)
    answers = [send(machine, data) for data in (*HEADS.values(), *BODIES.values(), FORGED)]
    break_configuration(machine)
    told = {verb: machine.systemctl(verb, "--all", "--full", "--no-pager", BLUE) for verb in ("show", "status", "cat")}
    place = machine.root / f"proc/{machine.main_pid(BLUE)}"
    process = {name: (place / name).read_bytes() for name in ("environ", "cmdline", "status")}
    assert not [name for name, data in process.items() if SECRET.search(data)]
    assert b"\0CREDENTIALS_DIRECTORY=" in b"\0" + process["environ"]
    left = dict(list_left(machine))
    assert any(name.endswith(".db") for name in left)
    assert any(name.endswith(".cassette") for name in left)
    assert [name for name, data in left.items() if SECRET.search(data)] == []
    assert [name for name, text in told.items() if SECRET.search(text.encode())] == []
    assert not any(b"c4n4ry-of-the" in answer for answer in answers)
    entries = machine.journal()
    assert len(entries) > len(HEADS)
    assert [entry for entry in entries if SECRET.search(json.dumps(entry).encode())] == []
    assert {entry["PRIORITY"] for entry in entries if entry.get("_SYSTEMD_UNIT") == BLUE} <= {"3", "4", "6"}


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
def test_a_service_that_is_killed_leaves_no_core(machine: Machine, number: signal.Signals) -> None:
    assert ask(machine, "openai-chat", key=CLIENT)
    limits = (machine.root / f"proc/{machine.main_pid(BLUE)}/limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)
    machine.kill(BLUE, number)
    machine.wait_journal("Fatal Python error", BLUE)
    machine.wait_journal("listening on", BLUE, count=2)
    assert list(machine.root.glob("core*")) == []
    assert [name for name, data in list_left(machine) if SECRET.search(data) or "core" in Path(name).name] == []
    assert not any(SECRET.search(json.dumps(entry).encode()) for entry in machine.journal())
