"""tests/helpers/load.py at work in a machine of tests/helpers/systemd.py, and what it has to say at the end."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.helpers.installed import PORT
from tests.helpers.systemd import Machine

ORIGIN: Final = 9000  # the port of the upstream that is a part of the load
WAIT: Final = 45.0  # seconds; a client that is stuck gives up after 15

CONFIG: Final = f"""\
[limits]
drain = "55m"
[providers.up]
dialect = "raw"
base_url = "http://127.0.0.1:{ORIGIN}"
[mounts."/load"]
provider = "up"
auth = "none"
"""


class Load:
    """report: after `end`, by kind of client: done, events, longest, failures."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.report: dict[str, dict[str, Any]] = {}

    def tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()

    def end(self) -> None:
        self.tell("end")
        self.report = json.loads(self.read_line())

    def read_line(self) -> str:
        assert self._process.stdout is not None
        timer = threading.Timer(WAIT, self._process.kill)
        timer.start()
        try:
            return self._process.stdout.readline()
        finally:
            timer.cancel()

    @property
    def failures(self) -> dict[str, list[str]]:
        """In words, by the kinds that had any."""
        told = {kind: [text for _, text in tally["failures"]] for kind, tally in self.report.items()}
        return {kind: texts for kind, texts in told.items() if texts}

    @property
    def longest(self) -> float:
        """Seconds that somebody waited for an answer or for the next event of a stream."""
        return float(max(tally["longest"] for tally in self.report.values()))


@contextmanager
def loaded(machine: Machine, *kinds: str) -> Iterator[Load]:
    """A load on the machine's service, once it flows. kinds: of clients; all of them unless given."""
    python, env = "/opt/penstock/current/bin/python", {"LD_LIBRARY_PATH": "/srv/python/lib"}
    argv = [python, "/srv/source/tests/helpers/load.py", str(PORT), str(ORIGIN), *kinds]
    with machine.enter(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            load = Load(process)
            assert load.read_line() == "flowing\n"
            yield load
        finally:
            process.kill()
