"""A running demo upstream for each test; afterwards nothing of it may be left."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from proxy.demo import DemoUpstream


@pytest.fixture
async def demo() -> AsyncIterator[DemoUpstream]:
    before = asyncio.all_tasks()
    upstream = DemoUpstream(record=True)
    await upstream.start()
    yield upstream
    await upstream.stop()
    assert asyncio.all_tasks() - before - {asyncio.current_task()} == set()
    assert upstream.connections == 0
