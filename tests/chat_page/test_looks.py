"""Dark and light, wide and narrow, and a long conversation that keeps its end in sight."""

import pytest

from tests.helpers.talking import talking

pytestmark = pytest.mark.long  # in a browser: once is enough

GROUND = "getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(247, 249, 249)", "rgb(13, 19, 21)"


async def test_colours_are_the_systems_until_somebody_chooses() -> None:
    async with talking() as talk:
        page = talk.page
        assert await page.evaluate(GROUND) == LIGHT
        await page.prefer(dark=True)
        assert await page.evaluate(GROUND) == DARK
        await page.click("#theme")
        assert await page.evaluate(GROUND) == LIGHT
        await page.click("#theme")
        await page.prefer(dark=False)
        assert await page.evaluate(GROUND) == DARK
        await page.reload()
        assert await page.evaluate(GROUND) == DARK, "what was chosen is kept"
        await page.click("#theme")
        assert await page.evaluate(GROUND) == LIGHT


CONTRASTS = """(() => {
  const ease = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
  const shine = text => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(v => ease(v / 255))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
  }
  const isClear = element => /, 0\\)$/.test(getComputedStyle(element).backgroundColor)
  const texts = "h1, #lead, #ideas button, .pick span, .pick select, .hint, #tools"
  return [...document.querySelectorAll(texts)].map(element => {
    let ground = element
    while (isClear(ground)) ground = ground.parentElement
    const pair = [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor]
    const [dark, light] = pair.map(shine).sort()
    return [element.id || element.className || element.tagName, light / dark]
  })
})()"""
"""WCAG 2.2, 1.4.3: the ratio for text of this size is 4.5 at least."""


async def test_texts_can_be_read_in_both() -> None:
    async with talking() as talk:
        for dark in (False, True):
            await talk.page.prefer(dark=dark, still=True)
            found = await talk.page.evaluate(CONTRASTS)
            assert len(found) > 7
            assert [pair for pair in found if pair[1] < 4.5] == []


async def test_a_narrow_window_needs_no_sideways_scrolling() -> None:
    async with talking() as talk:
        await talk.page.resize(360, 640)
        await talk.page.click("#tools")
        await talk.say("the weather " + "x" * 300, "anthropic/demo")
        await talk.wait_answers(1)
        assert await talk.page.evaluate(
            "document.documentElement.scrollWidth <= innerWidth && scroll.scrollWidth <= innerWidth"
        )


async def test_the_end_stays_in_sight_unless_somebody_reads_above() -> None:
    async with talking(endless="pace=20ms") as talk:
        page = talk.page
        await page.resize(700, 420)
        for number in range(1, 4):
            await talk.say("hello")
            await talk.wait_answers(number)
        below = "scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight"
        assert await page.evaluate(below) < 2
        await page.evaluate("scroll.scrollTop = 0, true")
        await page.wait_for("!find('latest').hidden")
        more = "(text => { const view = new TextView({text}); log.append(view.root); painting.add(view) })"
        await page.evaluate(f"{more}('more\\n\\n'.repeat(9)), true")
        await page.wait_for("log.lastChild.childElementCount === 9")
        assert await page.evaluate("scroll.scrollTop") == 0, "what somebody reads does not move"
        await page.click("#latest")
        assert await page.evaluate(below) < 2
        assert await page.evaluate("find('latest').hidden")
