"""Which loop a command runs on, and what Ctrl-C does to it."""

import asyncio
import sys

import pytest
import uvloop

from proxy.loop import run_loop


async def is_uvloop() -> int:
    return int(isinstance(asyncio.get_running_loop(), uvloop.Loop))


def test_uvloop_runs_unless_asyncio_is_asked_for() -> None:
    assert run_loop(is_uvloop) == 1
    assert run_loop(is_uvloop, "uvloop") == 1
    assert run_loop(is_uvloop, "asyncio") == 0


def test_without_uvloop_asyncio_runs_unless_uvloop_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert run_loop(is_uvloop) == 0
    with pytest.raises(ImportError):
        run_loop(is_uvloop, "uvloop")
