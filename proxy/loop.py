"""Which event loop a command runs on: uvloop where it can be had, asyncio's own where that was asked for.

Takes a function that makes a coroutine and returns what that coroutine returns. Raises ImportError when uvloop was
asked for by name and is missing. The first Ctrl-C cancels the coroutine unless it handles SIGINT itself, the second
raises KeyboardInterrupt (asyncio.Runner).
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


def run_loop(make: Callable[[], Coroutine[Any, Any, int]], loop: str = "auto") -> int:
    """Run a coroutine to its end. loop: auto, uvloop or asyncio."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if loop != "asyncio":
        try:
            import uvloop
        except ImportError:
            if loop == "uvloop":
                raise
        else:
            factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(make())
