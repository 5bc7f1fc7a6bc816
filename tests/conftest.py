"""Which event loop the suite runs on, how much is tried, and whether a test may be skipped.

`PENSTOCK_TEST_LOOP=asyncio|uvloop`, uvloop unless told otherwise. `PENSTOCK_TEST_EXAMPLES=20`: examples for each
property that names no number, a hundred unless told otherwise. `PENSTOCK_NO_SKIPS=1` makes a run fail that skipped
anything: where everything can be had, a skip is a test that was lost.
"""

import asyncio
import os
import signal
import tempfile
from collections.abc import Callable, Mapping

import pytest
from hypothesis import settings

# A shell that starts something in the background has it ignore Ctrl-C and SIGQUIT, and whatever that starts too (POSIX,
# sh 2.12).
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

settings.register_profile("some", max_examples=int(os.environ.get("PENSTOCK_TEST_EXAMPLES", "100")))
settings.load_profile("some")

_STATE = tempfile.TemporaryDirectory()
os.environ["XDG_STATE_HOME"] = _STATE.name  # no test shall find, or leave, what a proxy remembers


def pytest_asyncio_loop_factories(
    config: object, item: object
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if os.environ.get("PENSTOCK_TEST_LOOP", "uvloop") == "asyncio":
        return {"asyncio": asyncio.new_event_loop}
    import uvloop

    return {"uvloop": uvloop.new_event_loop}


def pytest_sessionfinish(session: pytest.Session) -> None:
    _STATE.cleanup()
    if _count_lost(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if lost := _count_lost(config):
        terminalreporter.write_line(f"FAILED: {lost} skipped, and PENSTOCK_NO_SKIPS is set", red=True)


def _count_lost(config: pytest.Config) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("PENSTOCK_NO_SKIPS", "") in ("", "0") or reporter is None:
        return 0
    return len(reporter.stats.get("skipped", ()))
