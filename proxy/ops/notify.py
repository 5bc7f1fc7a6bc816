"""What the process tells the service manager that started it, by the protocol of sd_notify(3).

`take_manager` reads from the environment where it listens, and how often it wants to hear that the event loop turns
(sd_watchdog_enabled(3)); children of ours shall not speak for us, so the variables are taken away. Without them nobody
is told anything. A datagram is never waited for: one that finds a full queue goes out with the next beat, and a manager
that is gone is nobody's trouble.
"""

import asyncio
import os
import socket
import time
from collections import deque
from collections.abc import Callable, MutableMapping
from typing import Final

STATUS_EVERY: Final = 5.0
"""Seconds between two looks at what is going on, for `systemctl status`: fresher than whoever types it twice."""

BEATS: Final = 3
"""Signs of life per watchdog interval: one may be lost, and another late."""

LONGEST_STATUS: Final = 300
"""Characters: a few lines of a terminal; a configuration's faults stand in the log in full."""

_KEPT: Final = 16
"""Messages kept for a manager that does not read: more than a start, a stop and some reloads."""


class Manager:
    """The service manager. address: as in $NOTIFY_SOCKET; "" for none. watchdog: seconds, 0 for none."""

    def __init__(self, address: str = "", watchdog: float = 0.0) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) if address else None
        self._watchdog = watchdog
        self._describe: Callable[[], str] = str
        self._status = ""
        self._status_due = 0.0
        self._unsent: deque[str] = deque(maxlen=_KEPT)
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_there(self) -> bool:
        return self._socket is not None

    def start(self, describe: Callable[[], str]) -> None:
        """Give signs of life from now on, on the running loop, and say what `describe` says."""
        if self._socket is not None:
            self._describe = describe
            self._beat()

    def stop(self) -> None:
        """No more signs of life; the loop is about to end."""
        if self._timer is not None:
            self._timer.cancel()

    def close(self) -> None:
        self.stop()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def tell_ready(self) -> None:
        self._tell("READY=1")

    def tell_reloading(self) -> None:
        """To be followed by `tell_ready`; the time tells the manager which of its requests is answered."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def tell_stopping(self) -> None:
        self._tell("STOPPING=1")

    def tell_failure(self, why: str) -> None:
        """Why the process is about to end."""
        self._describe = lambda: why
        self._send_status()

    def _tell(self, message: str) -> None:
        self._unsent.append(message)
        self._send_unsent()
        self._send_status()

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        every = min(self._watchdog / BEATS, STATUS_EVERY) if self._watchdog else STATUS_EVERY
        self._timer = loop.call_later(every, self._beat)
        self._send_unsent()
        if self._watchdog:
            self._send("WATCHDOG=1")
        if loop.time() >= self._status_due:
            self._status_due = loop.time() + STATUS_EVERY
            self._send_status()

    def _send_status(self) -> None:
        status = _to_line(self._describe())
        if status and status != self._status and self._send(f"STATUS={status}"):
            self._status = status

    def _send_unsent(self) -> None:
        while self._unsent and self._send(self._unsent[0]):
            self._unsent.popleft()

    def _send(self, message: str) -> bool:
        """False for a message that may be tried again."""
        if self._socket is not None:
            try:
                self._socket.sendto(message.encode("utf-8", "replace"), self._address)
            except BlockingIOError:
                return False
            except OSError:
                return True
        return True


def take_manager(environ: MutableMapping[str, str]) -> Manager:
    """The manager that the environment names, if any; it is named no more then."""
    address, usec, pid = (environ.pop(name, "") for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"))
    if address[:1] not in ("/", "@"):
        return Manager()
    watched = usec.isdecimal() and pid in ("", str(os.getpid()))
    return Manager(address, int(usec) / 1e6 if watched else 0.0)


def _to_line(text: str) -> str:
    """One line, because the next would be a message of its own."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= LONGEST_STATUS else line[: LONGEST_STATUS - 1] + "…"
