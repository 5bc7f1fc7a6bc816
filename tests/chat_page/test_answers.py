"""Asking and reading: answers stream, a conversation goes on, tools are called, reasoning is folded."""

import re
from itertools import pairwise

from tests.helpers.chromium import browsing
from tests.helpers.command import started
from tests.helpers.talking import ANSWER, talking

SAMPLE = """(function sample(seen) {
  window.seen = seen
  const text = document.querySelector(".assistant SELECTOR")?.innerText ?? ""
  if (text !== (seen.at(-1)?.text ?? "")) seen.push({text, busy: document.body.classList.contains("busy")})
  requestAnimationFrame(() => sample(seen))
})([]), true"""
"""Notes what is to be seen in each frame that shows something new."""


async def test_the_demo_prints_where_it_is_and_there_it_answers() -> None:
    async with started("demo", "--port", "0") as demo, browsing() as browser:
        url = (await demo.err_line("/chat")).strip()
        page = await browser.open(url)
        await page.wait_for("model.value === 'demo'")
        await page.type("hello there", into="#prompt")
        await page.key("Enter")
        await page.wait_for("document.querySelector('.foot')")
        assert "Your last message had 11 characters." in await page.text(".assistant")
        assert re.search(r"first after \d+ ms · 2 tokens in, 51 out · \d+ per second", await page.text(".foot"))
        assert {re.sub(r"^http://127\.0\.0\.1:\d+", "", request) for request in page.requests} >= {
            "/chat", "/v1/models", "/api/chat",
        }  # fmt: skip


async def test_an_answer_is_painted_as_it_comes() -> None:
    async with talking() as talk:
        await talk.page.evaluate(SAMPLE.replace("SELECTOR", ".prose"))
        await talk.say("hello")
        await talk.wait_answers(1)
        seen = await talk.page.evaluate("window.seen")
    texts = [frame["text"] for frame in seen]
    assert len(texts) > 20, "a frame for nearly each event, which come 40 ms apart"
    assert all(after.startswith(before) for before, after in pairwise(texts))
    assert seen[0]["busy"]
    assert len(texts[0]) < len(ANSWER) < len(texts[-1])


async def test_a_conversation_is_sent_whole() -> None:
    async with talking() as talk:
        await talk.say("one two three")
        await talk.wait_answers(1)
        await talk.say("four")
        await talk.wait_answers(2)
        first, second = talk.upstream.records
        assert second.body_length > first.body_length + len(ANSWER)
        assert await talk.page.evaluate("[...document.querySelectorAll('.bubble')].map(b => b.innerText)") == [
            "one two three",
            "four",
        ]


async def test_a_new_chat_begins_from_nothing() -> None:
    async with talking() as talk:
        await talk.say("one two three")
        await talk.wait_answers(1)
        await talk.page.click("#new")
        await talk.page.wait_for("!document.querySelector('.bubble')")
        await talk.say("four")
        await talk.wait_answers(1)
        first, second = talk.upstream.records
        assert second.body_length < first.body_length


async def test_a_tool_call_is_gathered_from_its_deltas_and_its_result_goes_on() -> None:
    async with talking() as talk:
        await talk.page.evaluate(SAMPLE.replace("SELECTOR", ".call"))
        await talk.page.click("#tools")
        await talk.say("the weather, please", "anthropic/demo")
        await talk.page.wait_for("document.activeElement.matches('.result textarea')")
        assert await talk.read_last(".call .name") == "weather"
        assert await talk.read_last(".call pre code") == '{ "city": "Paris" }'
        states = [frame["text"] for frame in await talk.page.evaluate("window.seen")]
        coming = [
            state.split("arguments are coming")[-1].strip() for state in states if "arguments are coming" in state
        ]
        pieces = [piece for piece in coming if piece]
        assert len(pieces) > 1
        assert all('{"city":"Paris"}'.startswith(piece) for piece in pieces)
        assert pieces[0] != '{"city":"Paris"}'
        await talk.page.type('{"celsius": 18}')
        await talk.page.key("Enter")
        await talk.wait_answers(2)
        assert (await talk.read_last()).startswith(ANSWER), "the demo answers in words once it has a result"
        assert await talk.page.text(".call .given") == '{ "celsius": 18 }'
        assert await talk.page.evaluate("messages.length") == 2, "the answer goes on with the message that called"


async def test_two_calls_wait_for_both_results() -> None:
    async with talking() as talk:
        await talk.page.click("#tools")
        await talk.say("the weather in parallel", "openai-chat/demo")
        await talk.page.wait_for("!turn && document.querySelectorAll('.call').length === 2")
        await talk.page.type("mild", into=".call:first-of-type textarea")
        await talk.page.key("Enter")
        await talk.page.wait_for("document.querySelector('.given:not([hidden])')")
        assert len(talk.upstream.records) == 1
        await talk.page.type("cold", into=".call:last-of-type textarea")
        await talk.page.key("Enter")
        await talk.wait_answers(2)
        assert len(talk.upstream.records) == 2


async def test_a_call_that_nobody_answers_does_not_block_the_conversation() -> None:
    async with talking() as talk:
        await talk.page.click("#tools")
        await talk.say("the weather, please", "anthropic/demo")
        await talk.wait_answers(1)
        await talk.page.click("#tools")
        await talk.say("never mind")
        await talk.wait_answers(2)
        assert (await talk.read_last()).startswith(ANSWER), (
            "the demo refuses a call without a result, as Anthropic does"
        )
        assert await talk.page.text(".call .given") == "The user went on without it."


async def test_reasoning_is_folded_until_somebody_asks_for_it() -> None:
    async with talking() as talk:
        await talk.say("think hard", "anthropic/demo")
        await talk.wait_answers(1)
        assert await talk.page.evaluate("!document.querySelector('.reasoning').open")
        assert "The user wants" not in await talk.page.text("#log")
        assert re.fullmatch(r"Thought for \d+ ms", await talk.page.text(".reasoning"))
        await talk.page.evaluate("document.querySelector('summary').focus(), true")
        await talk.page.key("Enter")
        await talk.page.wait_for("document.querySelector('.reasoning').open")
        assert "The user wants an answer." in await talk.page.text(".reasoning")


async def test_effort_and_system_prompt_are_asked_for() -> None:
    async with talking() as talk:
        await talk.page.click("#open-settings")
        await talk.page.type("You are a miller.", into="#system")
        await talk.page.click("#settings .main")
        await talk.page.evaluate("reasoning.value = 'high', true")
        await talk.say("hello", "anthropic/demo")
        await talk.wait_answers(1)
        assert "Thought for" in await talk.read_last(), "the demo reasons when it is asked to"
        assert "5 tokens in" in await talk.read_last(".foot"), "one of the question, four of the system prompt"
