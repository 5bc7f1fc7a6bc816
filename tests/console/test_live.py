"""The console over a proxy under load: fifty streams live, one watched, one ended, and the proxy started anew."""

import json
import time
from pathlib import Path

import pytest

from tests.helpers.chromium import Browser
from tests.helpers.console import filter_by, is_link, read_column, wait_rows, wait_text
from tests.helpers.prompt import assert_within, timed
from tests.helpers.showroom import ALONE, CLIENTS, MODELS, showroom

PROMISE = 0.1  # seconds from an operator's yes to the end of the provider's connection


@pytest.mark.long
async def test_fifty_live_streams_are_shown(tmp_path: Path, browser: Browser) -> None:
    async with showroom(tmp_path) as room:
        room.crowd(50)
        page = await browser.open(f"{room.console}/")
        await wait_rows(page, 50)
        await page.wait_for("document.querySelector('.gauge b').textContent === '50'")
        await page.wait_for(
            "[...document.querySelectorAll('#rows .c-ttft')].every(cell => /\\d/.test(cell.textContent))"
        )
        assert set(await read_column(page, "client")) == set(CLIENTS)
        assert set(await read_column(page, "model")) == set(MODELS)
        assert {text for text in await read_column(page, "account") if "×2" in text} == {"openrouter/main×2"}


async def test_sorted_by_what_is_clicked(tmp_path: Path, browser: Browser) -> None:
    async with showroom(tmp_path) as room:
        room.crowd(20)
        page = await browser.open(f"{room.console}/")
        await wait_rows(page, 20)
        await page.click("[data-sort=model]")
        models = await read_column(page, "model")
        assert models == sorted(models)
        assert await page.evaluate("document.querySelector('th.c-model').ariaSort") == "ascending"
        await page.click("[data-sort=model]")
        assert await read_column(page, "model") == models[::-1]
        assert await page.evaluate("document.querySelector('th.c-age').ariaSort") is None


@pytest.mark.long
async def test_one_is_watched_as_text_and_as_events(tmp_path: Path, browser: Browser) -> None:
    async with showroom(tmp_path) as room:
        heard = room.ask("alice", ALONE)
        page = await browser.open(f"{room.console}/")
        await wait_rows(page)
        await page.click("#rows tr .c-model")
        await wait_text(page, "#tail-title", f"alice · {ALONE}")
        await page.wait_for("document.querySelectorAll('#tail-plot path')[0].getAttribute('d')")
        seen = await page.evaluate("document.querySelector('#tail-body').textContent")
        assert "".join(seen.split()) in "".join(_read_text(heard.text).split())
        await page.click("[data-form=events]")
        await wait_text(page, "#tail-body code", "chat.completion.chunk")
        event = await page.evaluate("document.querySelector('#tail-body code').textContent")
        assert f"data: {event}\n" in heard.text
        await wait_text(page, "#tail-note", "Ended: done")


@pytest.mark.long
@timed
async def test_one_is_ended_and_its_client_is_told(tmp_path: Path, browser: Browser) -> None:
    async with showroom(tmp_path) as room:
        room.crowd(49)
        heard = room.ask("alice", ALONE)
        page = await browser.open(f"{room.console}/")
        await wait_rows(page, 50)
        await filter_by(page, ALONE)
        await page.click("#rows tr .c-model")
        await page.wait_for("document.querySelector('#tail-body').textContent")
        await page.click("#tail-kill")
        await wait_text(page, "#ask-title", "End this stream?")
        number = room.find_upstream(ALONE).number
        assert room.find_upstream(ALONE).closed_at is None
        asked = time.monotonic()
        await page.evaluate("document.querySelector('#ask-yes').click()")
        closed = (await room.upstream.wait_closed(number)).closed_at
        await wait_text(page, "#tail-note", "Ended: killed")
        await heard.over.wait()
        error = json.loads(heard.text.rsplit("data: ", 1)[1])["error"]
        assert "ended by the operator" in error["message"]
        assert not heard.text.endswith("[DONE]\n\n")
        await wait_text(page, "#failures summary", "killed")
        await page.wait_for("document.querySelectorAll('#rows tr').length === 0")
        assert_within(PROMISE, (closed or 0.0) - asked)


@pytest.mark.long
async def test_a_restart_of_the_proxy_is_lived_through(tmp_path: Path, browser: Browser) -> None:
    async with showroom(tmp_path) as room:
        room.crowd(50)
        page = await browser.open(f"{room.console}/")
        await wait_rows(page, 50)
        await page.type("gpt", into="#filter")
        await page.click("[data-sort=model]")
        before = await page.evaluate("state.boot")
        await room.stop()
        await is_link(page, "lost")
        await room.start()
        await is_link(page, "live")
        await wait_text(page, "#notice", "Restarted")
        await page.wait_for("state.rows.size >= 50")
        assert await page.evaluate("state.boot") != before
        models = await read_column(page, "model")
        assert models == sorted(models)
        assert set(models) == {"gpt-5", "gpt-5-mini"}


async def test_a_line_that_breaks_is_taken_up_where_it_was(tmp_path: Path, browser: Browser) -> None:
    async with showroom(tmp_path) as room:
        room.crowd(5)
        page = await browser.open(f"{room.console}/")
        await wait_rows(page, 5)
        await page.evaluate("window.frames_ = [], takers.snapshot = () => window.frames_.push('anew')")
        await page.send(
            "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )
        await page.evaluate("overview.stopped.abort()")
        await page.evaluate("overview.run(), 0")
        await is_link(page, "lost")
        await page.send(
            "Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )
        await is_link(page, "live")
        last = await page.evaluate("overview.lastId")
        await page.wait_for(f"overview.lastId !== {json.dumps(last)}")
        assert await page.evaluate("window.frames_") == []


def _read_text(body: str) -> str:
    """The text of a stream of OpenAI's."""
    lines = [line.removeprefix("data: ") for line in body.split("\n") if line.startswith("data: {")]
    deltas = [choice["delta"] for line in lines for choice in json.loads(line)["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)
