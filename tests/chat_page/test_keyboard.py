"""Everything without a mouse: asking, stopping, choosing, setting, and seeing where one is."""

import pytest

from tests.helpers.chromium_page import Page
from tests.helpers.talking import ANSWER, talking

pytestmark = pytest.mark.long  # in a browser: once is enough

FOCUSED = "document.activeElement.id || document.activeElement.innerText || document.activeElement.tagName"


async def walk(page: Page, *modifiers: str, most: int = 40) -> list[str]:
    """What Tab comes to, once around."""
    seen: list[str] = []
    while len(seen) < most:
        await page.key("Tab", *modifiers)
        name = str(await page.evaluate(FOCUSED))
        if name in seen:
            return seen
        seen.append(name)
    return seen


async def test_every_control_is_reached_and_shows_that_it_is() -> None:
    async with talking() as talk:
        page = talk.page
        assert await page.evaluate(FOCUSED) == "prompt", "one can type at once"
        assert set(await walk(page)) >= {
            "prompt", "model", "reasoning", "tools", "send", "theme", "open-settings", "What is a penstock?",
        }  # fmt: skip
        for name in ("open-settings", "tools", "model"):
            for _ in range(40):
                if await page.evaluate(FOCUSED) == name:
                    break
                await page.key("Tab")
            ring = "(e => [e, e.parentElement].some(x => getComputedStyle(x).outlineStyle !== 'none'))"
            assert await page.evaluate(f"{ring}(document.activeElement)"), name


async def test_a_conversation_by_keys_alone() -> None:
    async with talking(stalls="stall_after=6") as talk:
        page = talk.page
        await page.type("one")
        await page.key("Enter", "shift")
        await page.type("two")
        await page.key("Enter")
        await talk.wait_answers(1)
        assert await page.text(".bubble") == "one\ntwo"
        assert (await talk.read_last()).startswith(ANSWER)
        await page.key("ArrowUp")
        assert await page.evaluate("prompt.value") == "one\ntwo"
        await page.key("Tab")
        for letter in "stalls":
            await page.key(letter)  # a list of choices takes what is typed
        assert await page.evaluate("model.value") == "stalls"
        await page.key("Tab", "shift")
        await page.key("Enter")
        await page.wait_for("[...document.querySelectorAll('.assistant')].at(-1).innerText.length > 3")
        await page.key("Escape")
        await talk.wait_answers(2)
        assert await talk.wait_closed(2) == "peer"
        assert await page.evaluate(FOCUSED) == "prompt"


async def test_enter_does_not_send_while_an_answer_runs_and_keeps_the_draft() -> None:
    async with talking(stalls="stall_after=6") as talk:
        await talk.say("hello", "stalls")
        await talk.page.wait_for("turn")
        await talk.page.type("a draft")
        await talk.page.key("Enter")
        assert await talk.page.evaluate("prompt.value") == "a draft"
        assert await talk.page.evaluate("turn !== null && document.querySelectorAll('.bubble').length === 1")


async def test_a_tool_is_answered_by_keys_alone() -> None:
    async with talking() as talk:
        page = talk.page
        for _ in range(3):
            await page.key("Tab")
        assert await page.evaluate(FOCUSED) == "tools"
        await page.key(" ")
        await talk.choose("anthropic/demo")
        await page.evaluate("prompt.focus(), true")
        await page.type("the weather")
        await page.key("Enter")
        await page.wait_for("document.activeElement.matches('.result textarea')")
        await page.type("mild")
        await page.key("Enter")
        await talk.wait_answers(2)
        assert await page.evaluate(FOCUSED) == "prompt"


async def test_settings_open_hold_the_focus_and_close_by_keys() -> None:
    async with talking() as talk:
        page = talk.page
        await page.evaluate("find('open-settings').focus(), true")
        await page.key("Enter")
        await page.wait_for("settings.open")
        inside = "settings.contains(document.activeElement) || document.activeElement === document.body"
        for _ in range(8):
            await page.key("Tab")
            assert await page.evaluate(inside)
        await page.key("Escape")
        await page.wait_for("!settings.open")
        await page.wait_for(f"({FOCUSED}) === 'prompt'")


async def test_tools_that_are_no_json_are_pointed_at() -> None:
    async with talking() as talk:
        await talk.page.click("#open-settings")
        await talk.page.evaluate("schema.value = '{', true")
        await talk.page.click("#settings .main")
        assert await talk.page.evaluate("settings.open && schema.validationMessage.startsWith('No JSON')")
        await talk.page.type("}", into="#schema")
        await talk.page.click("#settings .main")
        await talk.page.wait_for("!settings.open")


async def test_what_happens_is_told_to_who_does_not_see_it() -> None:
    async with talking() as talk:
        await talk.page.evaluate(
            "window.told = [], new MutationObserver(() => told.push(find('status').textContent))"
            ".observe(find('status'), {childList: true}), true"
        )
        await talk.say("hello")
        await talk.wait_answers(1)
        assert await talk.page.evaluate("told") == ["Answering", "Answered"]
        assert await talk.page.evaluate("find('send').getAttribute('aria-label')") == "Send"
