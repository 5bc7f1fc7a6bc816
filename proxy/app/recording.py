"""The recorder under a configuration: its rules, its directory, and what it has to know of the providers.

A directory that is the same over a reload keeps its shelf. Another one gets a new shelf, and the old one ends by itself
once the requests that it records are over.
"""

import os
from collections.abc import Iterable, Mapping

import msgspec

from proxy.config import model
from proxy.config.state import find_cassettes
from proxy.edge.house import Provider
from proxy.ops.log import build_line
from proxy.ops.recording import Recording
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import Record
from proxy.relay.record_rules import parse_rules
from proxy.relay.recording import Recorder, Settings
from proxy.store.cassettes import CassetteShelf


class Recordings:
    """The process's recorder and its shelf."""

    def __init__(self, ticker: Ticker, environ: Mapping[str, str] = os.environ) -> None:
        self.recorder = Recorder(ticker.now, _describe)
        self._environ = environ
        self._shelves: list[CassetteShelf] = []
        self.recording = Recording()

    def configure(self, config: model.Config, providers: Iterable[Provider]) -> None:
        """For requests that begin from now on. providers: all of the house, those of mounts too."""
        shelf = self._choose_shelf(config.record)
        self.recording = Recording(config.record.when, shelf, config.console.content, frozenset(config.clients))
        self.recorder.configure(
            Settings(
                parse_rules(config.record.when),
                config.record.bodies,
                config.record.ring,
                shelf,
                {name: row.dialect for name, row in config.providers.items()},
                {provider.name: provider.secrets for provider in providers},
            )
        )

    async def close(self) -> None:
        """Write what waits. Requests are over."""
        for shelf in self._shelves:
            await shelf.close()

    def count_lost(self) -> int:
        """Requests whose recording was lost; those of a directory that is no longer written to are forgotten."""
        return sum(shelf.read_state().lost for shelf in self._shelves)

    def _choose_shelf(self, row: model.Recording) -> CassetteShelf | None:
        directory = find_cassettes(row.directory, self._environ)
        current = self.recording.shelf
        if current is not None and current.directory == directory:
            current.resize(row.max_bytes)
            return current
        if current is not None:
            current.retire()
        self._shelves = [shelf for shelf in self._shelves if not shelf.is_over]
        if directory is None:
            return None
        self._shelves.append(CassetteShelf(directory, row.max_bytes))
        return self._shelves[-1]


def _describe(record: Record) -> bytes:
    return msgspec.json.encode(build_line(record, "info"))
