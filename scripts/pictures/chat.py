"""The chat page in the middle of a conversation: reasoning folded, a tool called and answered, words on their way."""

from pathlib import Path

from tests.helpers.talking import talking

WIDTH, HEIGHT, SCALE = 1180, 840, 1.5


async def take(folder: Path) -> None:
    for colours in ("light", "dark"):
        async with talking() as talk:
            page = talk.page
            await page.resize(WIDTH, HEIGHT, scale=SCALE)
            await talk.say("Think: how does falling water turn a wheel?", "anthropic/demo")
            await talk.wait_answers(1)
            await page.click("#tools")
            await talk.say("And what is the weather at the mill in Paris?")
            await talk.wait_answers(2)
            await page.type('{"celsius": 18, "sky": "clear"}', into=".result textarea")
            await page.key("Enter")
            await page.wait_for("[...document.querySelectorAll('.assistant .prose')].at(-1).innerText.length > 120")
            await page.screenshot(folder / f"chat-{colours}.png", dark=colours == "dark")
