"""What a storm leaves behind within the process: nothing."""

import asyncio

from tests.helpers.bare import no_new_tasks, settle
from tests.helpers.rawhttp import fetch
from tests.helpers.service import demo_upstream, running
from tests.helpers.storm import raging


async def test_no_task_no_clock_no_seat() -> None:
    async with demo_upstream() as demo:
        provider = {"dialect": "openai-chat", "base_url": demo.base_url}
        mount = {"provider": "loud", "auth": "none"}
        limits = {"head_timeout": "500ms", "body_idle": "500ms", "write_stall": "500ms", "connections": 150}
        config = {"providers": {"loud": provider}, "mounts": {"/loud": mount}, "limits": limits}
        async with running(config) as proxy:
            await fetch(proxy.port, "/none")
            await settle(lambda: len(proxy.penstock.connections) == 0)
            before, port = asyncio.all_tasks(), proxy.port
            plan = [
                ("silent", port, 50),
                ("head", port, 50),
                ("hello", port, 20),
                ("body", port, 50),
                ("deaf", port, 5),
            ]
            async with raging(*plan, ("pipeline", port, 2), ("blind", port, 2)) as storm:
                await asyncio.sleep(2)
            await settle(lambda: len(proxy.penstock.connections) == len(proxy.penstock.ticker) == 0)
            await settle(lambda: not demo.connections)
            await no_new_tasks(before)
            assert storm.ended["begun"] > 150
            assert sum(proxy.penstock.connections.refused.values()) > 0
