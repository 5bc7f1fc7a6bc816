"""Whether the process has as much memory as it may: asked before a request begins, read from the kernel once a second.

Above the ceiling new requests are refused; streams that run go on. It is over when the memory is well below again, so
that it does not flutter. Before anybody is refused, garbage is collected: failed requests leave some in cycles, and the
collector is in no hurry. What is freed goes back to the kernel late or never, where it lies between what is still used:
so while it is short, the allocator is asked to give back what it can.
"""

import ctypes
import gc
import logging
import os
from collections.abc import Callable
from typing import Final

EVERY: Final = 1.0
"""Seconds between two readings. Memory grows by the requests of a second meanwhile."""

ENOUGH: Final = 0.9
"""Share of the ceiling below which it is enough again."""

_STATM: Final = "/proc/self/statm"
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")

_LOG = logging.getLogger("penstock.edge")


def read_resident() -> int:
    """Bytes of memory that the process has now (proc_pid_statm(5))."""
    with open(_STATM, "rb") as statm:
        return int(statm.read().split()[1]) * _PAGE


class Memory:
    """read: tells the bytes that the process has. trim: gives back what is not used. collect: finds what is not."""

    def __init__(
        self,
        read: Callable[[], int] = read_resident,
        trim: Callable[[], None] | None = None,
        collect: Callable[[], object] = gc.collect,
    ) -> None:
        self._read = read
        self._collect = collect
        self._trim = trim or find_trim()
        self._read_at = -EVERY
        self.short = False

    def is_short(self, ceiling: int, now: float) -> bool:
        """ceiling: in bytes, 0 for none. now: on the monotonic clock."""
        if not ceiling:
            return False
        if now - self._read_at >= EVERY:
            self._read_at = now
            self._look(ceiling)
        return self.short

    def _look(self, ceiling: int) -> None:
        taken, was = self._read(), self.short
        if taken > ceiling * (ENOUGH if was else 1.0):
            if not was:  # once, since it takes long
                self._collect()
            self._trim()
            taken = self._read()
        self.short = taken > ceiling * (ENOUGH if was else 1.0)
        if self.short and not was:
            _LOG.warning("memory is at its ceiling, %d MiB: new requests are refused", taken >> 20)
        elif was and not self.short:
            _LOG.warning("memory is below its ceiling, %d MiB: requests are served again", taken >> 20)


def find_trim() -> Callable[[], None]:
    """glibc's malloc_trim(3): of 700 MiB that were freed between what was kept, 600 went back by nothing else. It takes
    a quarter of a millisecond per MiB, and next to nothing where there is nothing to give. Elsewhere: nothing."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return lambda: None
    trim.argtypes = [ctypes.c_size_t]

    def run() -> None:
        trim(0)

    return run
