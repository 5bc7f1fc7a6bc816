"""The last requests that failed, each with the trail of its attempts.

One append per failure; a line is made of it when somebody looks.
"""

from collections import deque
from typing import Final

from proxy.ops.console.part import encode
from proxy.ops.log import build_line
from proxy.relay.outcome import Record

MOST: Final = 50


class Failures:
    """Newest last. version: that of whoever asks for what is newer."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, Record | bytes]] = deque(maxlen=MOST)

    def put(self, record: Record, version: int) -> None:
        self._kept.append((version, record))

    def list_between(self, since: int, until: int) -> list[bytes]:
        """Those after version `since`, up to `until`, as lines of the log in JSON, newest first."""
        for place, (version, entry) in enumerate(self._kept):
            if isinstance(entry, Record):
                self._kept[place] = (version, encode(build_line(entry, "error")))
        return [
            entry for version, entry in reversed(self._kept) if since < version <= until and isinstance(entry, bytes)
        ]
