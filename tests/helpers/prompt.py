"""Promises about time, on a machine that may be busy with something else for a moment.

What breaks such a promise breaks it every time; a hiccup of the machine does not. So a test that measures one runs
again when it was late, and fails when it was late three times.
"""

import functools
from collections.abc import Awaitable, Callable
from typing import ParamSpec

TRIES = 3

P = ParamSpec("P")


class Late(AssertionError):
    """Something happened, and too late."""


def assert_within(limit: float, seconds: float) -> None:
    """Raises Late."""
    if seconds >= limit:
        raise Late(f"took {seconds:.3f} s, promised were {limit} s")


def timed(test: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    """Marks a test that calls `assert_within`."""

    @functools.wraps(test)
    async def run(*args: P.args, **kwargs: P.kwargs) -> None:
        for tries_left in reversed(range(TRIES)):
            try:
                return await test(*args, **kwargs)
            except Late:
                if not tries_left:
                    raise
        return None

    return run
