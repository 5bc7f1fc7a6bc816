"""How an answer ends before its time: stopped, failed, refused, cut, and what the page says of it."""

import pytest

from proxy.relay.outcome import EndReason
from tests.helpers.chromium import browsing
from tests.helpers.prompt import assert_within, timed
from tests.helpers.service import running
from tests.helpers.talking import ANSWER, talking

pytestmark = pytest.mark.long  # in a browser: once is enough

STALLS = "stall_after=6"  # and never goes on
BEGUN = "document.querySelector('.assistant .prose')?.innerText.length > 3"


@pytest.mark.parametrize("way", ["button", "Escape", "a new chat"])
@timed
async def test_stopping_closes_the_connection_to_the_upstream(way: str) -> None:
    async with talking(stalls=STALLS) as talk:
        await talk.say("hello", "stalls")
        await talk.page.wait_for(BEGUN)
        until = talk.upstream.log.wait(1, lambda record: record.closed_at is not None, 10.0)
        begun = await talk.page.evaluate("performance.timeOrigin + performance.now()")
        await (
            talk.page.key("Escape") if way == "Escape" else talk.page.click("#new" if way == "a new chat" else "#send")
        )
        closed = await until
        now = await talk.page.evaluate("performance.timeOrigin + performance.now()")
        assert closed.closed_by == "peer"
        assert_within(1.0, (now - begun) / 1000)
        assert (await talk.proxy.wait_record(3)).end is EndReason.CLIENT_GONE


async def test_what_was_said_before_a_stop_stays_and_the_conversation_goes_on() -> None:
    async with talking(stalls=STALLS) as talk:
        await talk.say("hello", "stalls")
        await talk.page.wait_for(BEGUN)
        await talk.page.key("Escape")
        await talk.wait_answers(1)
        assert (await talk.read_last(".foot")).startswith("stopped · ")
        assert ANSWER.startswith(await talk.read_last(".prose"))
        await talk.say("go on", "demo")
        await talk.wait_answers(2)
        assert (await talk.read_last(".prose")).startswith(ANSWER)


async def test_a_closed_tab_is_a_stop() -> None:
    async with talking(stalls=STALLS) as talk:
        await talk.say("hello", "stalls")
        await talk.page.wait_for(BEGUN)
        await talk.page.close()
        assert await talk.wait_closed(1) == "peer"


async def test_a_failure_within_an_answer_is_readable_and_can_be_tried_again() -> None:
    async with talking() as talk:
        await talk.say("hello", "broken")
        await talk.wait_answers(1)
        assert await talk.read_last(".fault strong") == "The answer broke off"
        assert await talk.read_last(".fault p") == "Overloaded"
        record = await talk.proxy.wait_record(3)
        assert await talk.read_last(".fault .foot") == record.id
        assert (await talk.read_last(".prose")).startswith("Hello"), "what came before stays"
        await talk.choose("demo")
        await talk.page.click(".fault button")
        await talk.page.wait_for("!turn && !document.querySelector('.fault')")
        assert (await talk.read_last(".prose")).startswith(ANSWER)
        assert await talk.page.evaluate("messages.length") == 2


async def test_what_failed_is_not_tried_again_once_the_conversation_went_on() -> None:
    async with talking() as talk:
        await talk.say("hello", "broken")
        await talk.wait_answers(1)
        assert await talk.page.evaluate("document.querySelectorAll('.fault button').length") == 1
        await talk.say("another thing", "demo")
        await talk.wait_answers(2)
        assert await talk.page.evaluate("document.querySelectorAll('.fault button').length") == 0
        assert await talk.read_last(".prose") != ""


@pytest.mark.parametrize(
    ("wish", "title", "detail"),
    [
        ("status=429; retry_after=20", "Too many requests", "Try again in 20 s · req_"),
        ("status=401", "Refused with status 502", "req_"),
        ("status=400", "The request was not understood", "req_"),
        ("cut_after=6", "The answer broke off", "req_"),
    ],
)
async def test_a_refusal_says_why_and_when_to_come_back(wish: str, title: str, detail: str) -> None:
    async with talking(failing=wish) as talk:
        await talk.say("hello", "failing")
        await talk.wait_answers(1)
        assert await talk.read_last(".fault strong") == title
        assert len(await talk.read_last(".fault p")) > 10
        assert (await talk.read_last(".fault .foot")).startswith(detail)


async def test_a_proxy_that_is_gone_is_told_from_one_that_refuses() -> None:
    async with talking() as talk:
        await talk.proxy.stop()
        await talk.say("hello")
        await talk.wait_answers(1)
        assert await talk.read_last(".fault strong") == "The proxy cannot be reached"


async def test_an_answer_held_back_by_a_filter_says_so() -> None:
    async with talking() as talk:
        await talk.say("refuse this", "anthropic/demo")
        await talk.wait_answers(1)
        assert "ended by the provider's filter" in await talk.read_last(".foot")


async def test_a_proxy_without_models_says_so_before_anything_is_asked() -> None:
    async with running({"chat": {"enabled": True}}) as proxy, browsing() as browser:
        page = await browser.open(f"http://127.0.0.1:{proxy.port}/chat")
        await page.wait_for("find('lead').textContent === 'Not found. Nothing is mounted at this path.'")
        await page.type("hello", into="#prompt")
        await page.key("Enter")
        await page.wait_for("document.querySelector('.fault')")
        assert "Not found" in await page.text(".fault")
