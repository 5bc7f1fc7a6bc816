"""`GET /metrics` on a real connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from proxy.accounts.board import Board
from proxy.edge.streams import Streams
from proxy.ops.metrics import Metrics
from proxy.ops.metrics.page import OPENMETRICS, SLICE, TEXT
from tests.helpers.edge import build_house, serving
from tests.helpers.fakes import FakeTicker
from tests.helpers.finished import build_attempt, build_record
from tests.helpers.rawhttp import Reply, fetch
from tests.helpers.scraped import Scrape, read_page


class Scraped:
    """Metrics behind a port."""

    def __init__(self, **more: Any) -> None:
        self.ticker = FakeTicker()
        self.metrics = Metrics(Streams(), Board(), dict, self.ticker, ["fast", "m1"], **more)
        self.port = 0

    async def ask(self, headers: str = "") -> Reply:
        return await fetch(self.port, "/metrics", headers=headers)

    async def read(self) -> Scrape:
        return read_page((await self.ask()).body)


@asynccontextmanager
async def scraping(**more: Any) -> AsyncIterator[Scraped]:
    scraped = Scraped(**more)

    async def handle(request: web.Request) -> web.StreamResponse:
        return await scraped.metrics.routes()[request.path]["GET"](request)

    async with serving(build_house(), [], handle) as port:
        scraped.port = port
        yield scraped


@pytest.mark.parametrize(
    ("headers", "kind"),
    [("", TEXT.kind), ("Accept: text/plain\r\n", TEXT.kind), ("Accept: application/openmetrics-text;version=1.0.0\r\n",
     OPENMETRICS.kind), ("Accept: text/plain\r\nAccept: application/openmetrics-text\r\n", OPENMETRICS.kind)],
)  # fmt: skip
async def test_a_scraper_gets_the_form_that_it_reads(headers: str, kind: str) -> None:
    async with scraping() as scraped:
        scraped.metrics.observe(build_record())
        reply = await scraped.ask(headers)
        assert (reply.status, reply.headers["content-type"], reply.headers["cache-control"]) == (200, kind, "no-store")
        assert reply.body.endswith(b"# EOF\n") is (kind == OPENMETRICS.kind)
        found = read_page(reply.body)
        assert found.one("gen_ai_server_request_duration_seconds_count", gen_ai_request_model="fast") == 1
        assert found.one("process_resident_memory_bytes") > 1e6
        assert found.one("penstock_build_info") == 1


async def test_there_is_one_page_and_it_is_only_read() -> None:
    routes = Scraped().metrics.routes()
    assert {path: set(methods) for path, methods in routes.items()} == {"/metrics": {"GET"}}


async def test_a_request_of_the_operator_s_is_not_counted() -> None:
    async with scraping() as scraped:
        scraped.metrics.observe(build_record(door="admin"))
        found = await scraped.read()
        assert found.total("penstock_stream_end_total") == 0
        assert found.total("penstock_bytes_total") == 0


async def test_bytes_of_finished_requests_are_counted() -> None:
    async with scraping() as scraped:
        scraped.metrics.observe(build_record(bytes_up=3, bytes_down=4, events=5))
        found = await scraped.read()
        assert found.find("penstock_bytes_total") == {("up",): 3, ("down",): 4}
        assert found.one("penstock_events_total") == 5


async def test_a_new_configuration_brings_new_names() -> None:
    async with scraping() as scraped:
        scraped.metrics.apply(["slow"])
        scraped.metrics.observe(build_record(model_asked="slow"))
        scraped.metrics.observe(build_record(model_asked="fast"))
        found = (await scraped.read()).find("gen_ai_server_request_duration_seconds_count")
        assert {labels[2] for labels in found} == {"slow", "other"}


async def test_the_loop_s_lag_is_taken_from_the_first_scrape_on() -> None:
    async with scraping() as scraped:
        assert len(scraped.ticker) == 0
        assert (await scraped.read()).one("penstock_loop_lag_seconds_count") == 0
        scraped.ticker.advance(0.25)
        scraped.ticker.advance(0.75, 0.75)
        found = await scraped.read()
        assert found.one("penstock_loop_lag_seconds_sum") == 0.5
        assert found.one("penstock_loop_lag_seconds_count") == 1
        scraped.metrics.close()
        assert len(scraped.ticker) == 0


async def test_counts_of_others_are_on_the_page() -> None:
    async with scraping(readings={"ledger_lost_rows": lambda: 7}) as scraped:
        assert (await scraped.read()).one("penstock_ledger_lost_rows_total") == 7


async def test_two_know_nothing_of_each_other() -> None:
    async with scraping() as one, scraping() as other:
        one.metrics.observe(build_record())
        assert (await one.read()).total("penstock_stream_end_total") == 1
        assert (await other.read()).total("penstock_stream_end_total") == 0


async def test_streams_go_on_while_a_long_page_is_written() -> None:
    """Somebody else on the loop gets a turn for every slice."""
    async with scraping() as scraped:
        for number in range(SLICE):
            scraped.metrics.observe(build_record(build_attempt(model=f"m{number}"), error="", model_asked="fast"))
            scraped.metrics.observe(build_record(end=None, status=400 + number))
        turns = 0

        async def take_turns() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        other = asyncio.ensure_future(take_turns())
        page = await scraped.metrics.write_page(TEXT)
        other.cancel()
        assert turns >= page.count(b"\n") / SLICE > 10
