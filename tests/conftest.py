"""Which event loop the suite runs on: `PENSTOCK_TEST_LOOP=asyncio|uvloop`, uvloop unless told otherwise."""

import asyncio
import os
from collections.abc import Callable, Mapping


def pytest_asyncio_loop_factories(config: object, item: object) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if os.environ.get("PENSTOCK_TEST_LOOP", "uvloop") == "asyncio":
        return {"asyncio": asyncio.new_event_loop}
    import uvloop

    return {"uvloop": uvloop.new_event_loop}
