"""The other way to ask: a browser's own EventSource, which sends no fields, sees no status and comes back by itself."""

import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.helpers.talking import ANSWER, Talk, talking

pytestmark = pytest.mark.long  # in a browser: once is enough

KEY = "pk-of-alice-0123456789"
CLIENTS = {"clients": {"alice": {"key_sha256": hashlib.sha256(KEY.encode()).hexdigest()}}}


async def switch(talk: Talk, *, key: str = "", system: str = "") -> None:
    if not key:
        await talk.page.click("#open-settings")
    await talk.page.click("[value=event-source]")
    if system:
        await talk.page.type(system, into="#system")
    if key:
        await talk.page.type(key, into="#key")
    await talk.page.click("#settings .main")
    await talk.page.wait_for("!settings.open && model.options.length")


def list_asked(talk: Talk) -> list[dict[str, list[str]]]:
    return [parse_qs(urlsplit(url).query) for url in talk.page.requests if "/api/stream" in url]


async def test_an_answer_comes_by_event_source_and_is_asked_for_once() -> None:
    async with talking() as talk:
        await switch(talk, system="Be brief.")
        assert "each question by itself" in await talk.page.text(".hint")
        assert await talk.page.evaluate("find('tools').disabled")
        await talk.say("hello & goodbye + more", "demo")
        await talk.wait_answers(1)
        assert (await talk.read_last()).startswith(ANSWER)
        assert "51 out" in await talk.read_last(".foot")
        await talk.say("again")
        await talk.wait_answers(2)
        assert list_asked(talk) == [
            {"prompt": ["hello & goodbye + more"], "model": ["demo"], "system": ["Be brief."]},
            {"prompt": ["again"], "model": ["demo"], "system": ["Be brief."]},
        ]
        assert len(talk.upstream.records) == 2
        assert not [url for url in talk.page.requests if "/api/chat" in url]


async def test_a_stop_closes_the_upstream_here_too() -> None:
    async with talking(stalls="stall_after=6") as talk:
        await switch(talk)
        await talk.say("hello", "stalls")
        await talk.page.wait_for("document.querySelector('.assistant .prose')?.innerText.length > 3")
        await talk.page.key("Escape")
        assert await talk.wait_closed(1) == "peer"
        await talk.wait_answers(1)
        assert (await talk.read_last(".foot")).startswith("stopped")


async def test_a_failure_within_is_readable() -> None:
    async with talking() as talk:
        await switch(talk)
        await talk.say("hello", "broken")
        await talk.wait_answers(1)
        assert await talk.read_last(".fault p") == "Overloaded"
        assert len(list_asked(talk)) == 1, "the browser does not come back for a failed answer"


async def test_a_refusal_that_the_browser_hides_is_pointed_at() -> None:
    async with talking(failing="status=429; retry_after=200") as talk:
        await switch(talk)
        await talk.say("hello", "failing")
        await talk.wait_answers(1)
        assert await talk.read_last(".fault strong") == "The stream did not begin"
        assert "UI message stream" in await talk.read_last(".fault p")


async def test_a_key_goes_into_the_query_and_into_no_record() -> None:
    async with talking(CLIENTS) as talk:
        await talk.page.wait_for("settings.open")
        await switch(talk, key=KEY)
        await talk.say("hello", "demo")
        await talk.wait_answers(1)
        assert (await talk.read_last()).startswith(ANSWER)
        assert list_asked(talk)[0]["key"] == [KEY]
        assert KEY not in repr(talk.proxy.records)
        assert KEY.encode() not in b"".join(value for record in talk.upstream.records for _, value in record.headers)
