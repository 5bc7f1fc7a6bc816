"""What the proxy adds to a chunk: from an upstream's read to its bytes being written to the client, translated or not.

To time every read would cost every read. So each scrape has the next read of a few streams timed, chosen by chance; no
other pays for it.
"""

import random
from collections.abc import Callable
from typing import Final

from proxy.edge.streams import Streams

MOST: Final = 16
"""Reads per scrape: in an hour of scraping enough to know the slowest hundredth."""


class ChunkDelay:
    """note: takes a delay in seconds."""

    def __init__(self, streams: Streams, note: Callable[[float], None]) -> None:
        self._streams = streams
        self._note = note

    def sample(self) -> None:
        """Somebody scrapes."""
        flowing = [scope.time_next for scope in self._streams.list_scopes() if scope.time_next is not None]
        for time_next in random.sample(flowing, min(len(flowing), MOST)):
            time_next(self._note)
