"""One Chromium for all of these tests; what a page should never do fails its test when that is left."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.helpers.chromium import Browser, browsing, sharing


@pytest.fixture(scope="session", autouse=True)
def chromium() -> Iterator[None]:
    with sharing():
        yield


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with browsing() as running:
        yield running
