"""A person at the chat page: Chromium, the real proxy as `penstock demo` configures it, and the demo behind it.

`talking(slow="pace=1s")` adds models whose answers misbehave as the demo's parameters say. What of the page a test
reads most, Talk reads.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from proxy.demo import DemoUpstream
from proxy.tools.demo import build_settings
from tests.helpers.chromium import Browser, browsing
from tests.helpers.chromium_page import Page
from tests.helpers.service import RunningProxy, demo_upstream, running

ANSWER = "Hello from the Penstock demo."
"""How the demo's answers begin; the next sentences are as fixed."""


@dataclass(frozen=True)
class Talk:
    """url: of the page. The page is open, and its models are loaded."""

    browser: Browser
    page: Page
    proxy: RunningProxy
    upstream: DemoUpstream
    url: str

    async def choose(self, model: str) -> None:
        await self.page.wait_for(f"[...model.options].some(option => option.value === {model!r})")
        await self.page.evaluate(f"model.value = {model!r}, model.dispatchEvent(new Event('change')), true")

    async def say(self, text: str, model: str = "") -> None:
        if model:
            await self.choose(model)
        await self.page.type(text, into="#prompt")
        await self.page.key("Enter")

    async def wait_answers(self, number: int) -> None:
        """Until so many answers are over, however they ended."""
        ended = "[...document.querySelectorAll('.assistant:not(.live)')].filter(item => item.querySelector('.foot'))"
        await self.page.wait_for(f"{ended}.length === {number}")

    async def read_last(self, selector: str = "") -> str:
        """What a reader sees of the last answer, or of what stands in it."""
        found = f"[...document.querySelectorAll('.assistant {selector}')]"
        return str(await self.page.evaluate(f"{found}.at(-1).innerText"))

    async def wait_closed(self, request: int) -> str:
        """Who closed the connection of the upstream's request so numbered (from 1)."""
        return (await self.upstream.wait_closed(request)).closed_by or ""


def build_demo(upstream: DemoUpstream, misbehaving: Mapping[str, str], config: Mapping[str, Any]) -> dict[str, Any]:
    settings = build_settings(0, upstream.base_url)
    del settings["server"], settings["log"], settings["state"]
    for name, wish in misbehaving.items():
        fields = {"x-demo": wish}
        settings["providers"][name] = {"dialect": "anthropic", "base_url": upstream.base_url, "headers": fields}
        settings["models"][name] = {"targets": [f"{name}/demo"]}
    return {**settings, **config}


@asynccontextmanager
async def talking(config: Mapping[str, Any] | None = None, /, **misbehaving: str) -> AsyncIterator[Talk]:
    async with demo_upstream() as upstream, running(build_demo(upstream, misbehaving, config or {})) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/chat"
        async with browsing() as browser:
            page = await browser.open(url)
            if not (config or {}).get("clients"):
                await page.wait_for("model.options.length")
            yield Talk(browser, page, proxy, upstream, url)
