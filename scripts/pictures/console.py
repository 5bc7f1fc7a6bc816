"""The console over a proxy under load, watched until its plots are full; then one stream of it."""

import asyncio
import tempfile
from pathlib import Path

from tests.helpers.chromium import browsing
from tests.helpers.chromium_page import Page
from tests.helpers.console import filter_by, wait_rows, wait_text
from tests.helpers.showroom import BREAKING, CLIENTS, STALLING, THINKING, showroom

WIDTH, HEIGHT = 1440, 900
CROWD = 48
ARRIVALS = 0.5  # seconds between two of them
WARM_UP = 105.0  # seconds, arrivals included; the plots show two minutes
FAILURES = 6


async def take(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        async with showroom(Path(place)) as room, browsing() as browser:
            page = await browser.open(f"{room.console}/", width=WIDTH, height=HEIGHT)
            for number in range(CROWD):
                room.crowd(1, number)
                await asyncio.sleep(ARRIVALS)
            for number in range(FAILURES):
                await asyncio.sleep((WARM_UP - CROWD * ARRIVALS) / FAILURES)
                room.ask(CLIENTS[number], BREAKING)
            room.ask("mobile", STALLING)
            await wait_rows(page, CROWD)
            await page.wait_for("[...document.querySelectorAll('.c-still')].some(cell => cell.dataset.tone === 'warn')")
            await _shoot(page, folder, "console")
            heard = room.ask("research", THINKING, reasoning_effort="medium")
            await filter_by(page, THINKING)
            await page.click("#rows tr .c-model")
            await page.evaluate("stepBack()")
            await wait_text(page, "#tail-body", "one event at a time")
            assert not heard.over.is_set()
            await _shoot(page, folder, "console-stream")


async def _shoot(page: Page, folder: Path, name: str) -> None:
    await page.send("Input.dispatchMouseEvent", type="mouseMoved", x=WIDTH / 2, y=2)  # away from the rows
    for colours in ("light", "dark"):
        await page.screenshot(folder / f"{name}-{colours}.png", dark=colours == "dark")
