"""What a service manager is told: read from a datagram socket, as it would read it."""

import asyncio
import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.ops.notify import LONGEST_STATUS, Manager, take_manager

ROOT = Path(__file__).parents[2]


class Listening:
    """The manager's end. `read` waits for the next message."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.sock.bind("\0" + address[1:] if address.startswith("@") else address)

    async def read(self) -> str:
        async with asyncio.timeout(10):
            return (await asyncio.get_running_loop().sock_recv(self.sock, 4096)).decode()

    def read_waiting(self) -> list[str]:
        messages = []
        try:
            while True:
                messages.append(self.sock.recv(4096).decode())
        except BlockingIOError:
            return messages


@pytest.fixture(params=["path", "abstract"])
def listening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Listening]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@penstock-test-{os.getpid()}-{time.time_ns()}"
    made = Listening(address)
    yield made
    made.sock.close()


@pytest.fixture
def manager(listening: Listening) -> Iterator[Manager]:
    made = take_manager({"NOTIFY_SOCKET": listening.address})
    assert made.is_there
    yield made
    made.close()


def test_the_variables_are_taken_away_and_nothing_else() -> None:
    environ = {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "PATH": "/bin"}
    take_manager(environ).close()
    assert environ == {"PATH": "/bin"}


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
async def test_without_a_manager_nothing_is_told_and_no_timer_set(environ: dict[str, str]) -> None:
    manager = take_manager(environ)
    assert not manager.is_there
    manager.start(lambda: pytest.fail("asked"))
    manager.tell_ready()
    manager.tell_reloading()
    manager.tell_stopping()
    assert manager._timer is None
    manager.close()


async def test_ready_reload_and_stop_are_told_each_with_the_state(listening: Listening, manager: Manager) -> None:
    state = "serving, 0 streams"
    manager.start(lambda: state)
    assert await listening.read() == "STATUS=serving, 0 streams"
    manager.tell_ready()
    assert await listening.read() == "READY=1"
    before = time.monotonic_ns() // 1000
    state = "serving, 2 streams"
    manager.tell_reloading()
    told = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=([0-9]+)", await listening.read())
    assert told
    assert before <= int(told[1]) <= time.monotonic_ns() // 1000
    assert await listening.read() == "STATUS=serving, 2 streams"
    manager.tell_ready()
    manager.tell_stopping()
    assert [await listening.read(), await listening.read()] == ["READY=1", "STOPPING=1"]
    assert listening.read_waiting() == []  # a state that is known is not said again


async def test_signs_of_life_come_three_times_in_an_interval(listening: Listening) -> None:
    manager = take_manager({
        "NOTIFY_SOCKET": listening.address, "WATCHDOG_USEC": "150000", "WATCHDOG_PID": str(os.getpid()),
    })  # fmt: skip
    begun = time.monotonic()
    manager.start(lambda: "")
    for _ in range(4):
        assert await listening.read() == "WATCHDOG=1"
    assert 0.12 <= time.monotonic() - begun < 2.0
    manager.close()
    listening.read_waiting()
    await asyncio.sleep(0)
    assert listening.read_waiting() == []


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"WATCHDOG_USEC": "6000000"}, 6.0),
        ({"WATCHDOG_USEC": "6000000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({}, 0.0),
    ],
)
def test_only_the_process_that_is_watched_gives_signs(
    environ: dict[str, str], expected: float, listening: Listening
) -> None:
    manager = take_manager({"NOTIFY_SOCKET": listening.address, **environ})
    assert manager._watchdog == expected
    manager.close()


async def test_the_state_is_looked_at_every_few_seconds(
    listening: Listening, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.ops.notify.STATUS_EVERY", 0.01)
    states = iter(["a", "a", "b", "b", "c"])
    manager.start(lambda: next(states, "c"))
    assert [await listening.read() for _ in range(3)] == ["STATUS=a", "STATUS=b", "STATUS=c"]


async def test_a_state_is_one_line_and_not_a_long_one(listening: Listening, manager: Manager) -> None:
    manager.tell_failure("invalid configuration:\n  a: b\nREADY=1\r\x00")
    assert await listening.read() == "STATUS=invalid configuration: a: b READY=1"
    manager.tell_failure("ü" * 1000)
    assert len(await listening.read()) == len("STATUS=") + LONGEST_STATUS


async def test_what_finds_a_full_queue_is_sent_later_in_order(
    listening: Listening, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.ops.notify.STATUS_EVERY", 0.01)
    flood = 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as other:
        try:
            for flood in range(100_000):  # noqa: B007 - counted until the queue is full
                other.sendto(b"x", manager._address)
        except BlockingIOError:
            pass
    manager.start(lambda: "serving")
    manager.tell_ready()
    manager.tell_stopping()
    messages: list[str] = []
    while len(messages) < flood + 3:
        messages.append(await listening.read())
    assert [text for text in messages[flood:] if not text.startswith("STATUS")] == ["READY=1", "STOPPING=1"]


async def test_a_manager_that_is_gone_is_no_trouble(listening: Listening, manager: Manager) -> None:
    listening.sock.close()
    manager.start(lambda: "serving")
    manager.tell_ready()
    assert not manager._unsent


def test_nothing_else_speaks_to_a_service_manager() -> None:
    names = re.compile("NOTIFY_SOCKET|WATCHDOG_|LISTEN_(FDS|PID|FDNAMES)|RELOADING=|STOPPING=")
    speaking = {
        str(path.relative_to(ROOT)) for path in (ROOT / "proxy").rglob("*.py") if names.search(path.read_text())
    }
    assert speaking == {"proxy/ops/notify.py", "proxy/listeners.py"}
