"""Which event loop the suite runs on: `PENSTOCK_TEST_LOOP=asyncio|uvloop`, uvloop unless told otherwise."""

import asyncio
import os
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    if os.environ.get("PENSTOCK_TEST_LOOP", "uvloop") == "asyncio":
        return asyncio.DefaultEventLoopPolicy()
    import uvloop

    return uvloop.EventLoopPolicy()
