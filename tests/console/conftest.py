"""A browser for each test; what its pages should never do fails the test when it is left."""

from collections.abc import AsyncIterator

import pytest

from tests.helpers.chromium import Browser, browsing


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with browsing() as running:
        yield running
