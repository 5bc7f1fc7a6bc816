"""The console page itself: what comes from outside stays text, keys do what the pointer does, nobody enters without the
token, and it can be read in both colours and at every width."""

from pathlib import Path

import pytest

from tests.helpers.chromium import Browser
from tests.helpers.console import ROWS, filter_by, is_link, read_focus, wait_rows, wait_text
from tests.helpers.showroom import ALONE, BREAKING, HOSTILE, showroom

TOKEN = "a-token-of-this-test-and-no-other"

CONTRASTS = """(() => {
  const probe = document.body.appendChild(document.createElement("p"))
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true})
  const light = name => {
    probe.style.color = `var(--${name})`
    canvas.fillStyle = getComputedStyle(probe).color
    canvas.fillRect(0, 0, 1, 1)
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(value => value / 255)
      .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const found = {}
  const inks = ["text", "muted", "accent", "good", "warn", "bad"], papers = ["bg", "panel", "raised", "accent-soft"]
  for (const [ink, paper] of [...inks.flatMap(ink => papers.map(paper => [ink, paper])), ["on-bad", "bad"]]) {
    const [low, high] = [light(ink), light(paper)].sort((a, b) => a - b)
    found[`${ink} on ${paper}`] = (high + 0.05) / (low + 0.05)
  }
  probe.remove()
  return found
})()"""


async def test_what_comes_from_outside_is_text_and_nothing_else(tmp_path: Path, browser: Browser) -> None:
    schema = {"type": "object", "properties": {HOSTILE: {"type": "string"}}, "required": [HOSTILE]}
    tool = {"type": "function", "function": {"name": "look", "parameters": schema}}
    async with showroom(tmp_path) as room:
        page = await browser.open(f"{room.console}/")
        await is_link(page, "live")
        room.ask("alice", HOSTILE, tools=[tool], tool_choice="required")
        await wait_rows(page)
        await page.click("#rows tr .c-model")
        assert await page.text("#rows tr .c-model") == HOSTILE
        await wait_text(page, "#tail-title", HOSTILE)
        await wait_text(page, "#tail-body", "<img/src=x/onerror=alert(1)>")
        await wait_text(page, "#routes", HOSTILE)
        assert await page.evaluate("document.querySelectorAll('img, iframe, object, #app script').length") == 0
        assert await page.evaluate("document.querySelector('#rows .c-model').childElementCount") == 0


async def test_keys_do_what_the_pointer_does(tmp_path: Path, browser: Browser) -> None:
    async with showroom(tmp_path) as room:
        room.crowd(4)
        page = await browser.open(f"{room.console}/")
        await wait_rows(page, 4)
        ids = await page.evaluate(f"[...document.querySelectorAll('{ROWS}')].map(row => row.dataset.id)")
        await page.key("j")
        assert await read_focus(page) == ids[1]
        await page.key("ArrowUp")
        assert await read_focus(page) == ids[0]
        await page.key("Enter")
        await wait_text(page, "#tail-id", ids[0])
        await page.key("r")
        await page.wait_for("document.querySelector('[data-form=events]').ariaPressed === 'true'")
        await page.key("x")
        await page.wait_for("document.querySelector('#ask').open")
        assert await read_focus(page) == "ask-no"
        await page.key("Escape")
        await page.wait_for("!document.querySelector('#ask').open && !document.querySelector('#tail').hidden")
        await page.key("Escape")
        await page.wait_for("document.querySelector('#tail').hidden")
        assert await read_focus(page) == ids[0]
        await page.key("/")
        assert await read_focus(page) == "filter"
        await page.type("no such stream")
        await wait_text(page, "#streams-empty", "No stream matches.")
        await page.key("Escape")
        await wait_rows(page, 4)
        await page.key("?", "shift")
        await page.wait_for("document.querySelector('#help').open")
        assert len(await page.evaluate(f"[...document.querySelectorAll('{ROWS}')]")) >= 4  # nobody was ended


async def test_focus_is_seen_and_every_control_is_reached_by_tab(tmp_path: Path, browser: Browser) -> None:
    async with showroom(tmp_path) as room:
        room.crowd(3)
        page = await browser.open(f"{room.console}/")
        await wait_rows(page, 3)
        reached = []
        for _ in range(40):
            await page.key("Tab")
            outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            tag, name = await page.evaluate(
                "[document.activeElement.tagName, document.activeElement.textContent.trim()]"
            )
            if tag == "BODY":
                break
            assert outline == "solid", name
            reached.append(tag if tag == "TR" else name)
        assert {"Pause", "Theme: auto", "?", "Client", "Still", "by client"} <= set(reached)
        assert reached.count("TR") == 1  # the table is one stop; arrows go on from there


async def test_a_pause_holds_the_view_and_loses_nothing(tmp_path: Path, browser: Browser) -> None:
    async with showroom(tmp_path) as room:
        page = await browser.open(f"{room.console}/")
        await is_link(page, "live")
        await page.click("#pause")
        room.ask("alice", ALONE)
        await page.wait_for("state.rows.size === 1")
        await page.evaluate("new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
        assert await page.evaluate("document.querySelectorAll('#rows tr').length") == 0
        await page.click("#pause")
        await wait_rows(page)


async def test_nobody_enters_without_the_token(tmp_path: Path, browser: Browser) -> None:
    async with showroom(tmp_path, token=TOKEN) as room:
        page = await browser.open(f"{room.console}/")
        await page.wait_for("!document.querySelector('#door').hidden && document.querySelector('#app').hidden")
        assert await read_focus(page) == "token"
        await page.type("wrong")
        await page.key("Enter")
        await page.wait_for("document.querySelector('#door-error').textContent")
        await page.type(TOKEN)  # what was wrong is selected
        await page.key("Enter")
        await is_link(page, "live")
        assert TOKEN not in await page.evaluate(
            "document.cookie + JSON.stringify({...localStorage, ...sessionStorage})"
        )
        await page.reload()
        await is_link(page, "live")
        await page.click("#leave")
        await page.wait_for("!document.querySelector('#door').hidden")


async def test_without_leave_to_show_content_there_are_sizes_and_no_words(tmp_path: Path, browser: Browser) -> None:
    async with showroom(tmp_path, content=False) as room:
        heard = room.ask("alice", ALONE)
        page = await browser.open(f"{room.console}/")
        await wait_rows(page)
        await page.click("#rows tr .c-model")
        await wait_text(page, "#tail-body", "characters")
        await wait_text(page, "#tail-note", "what streams say is not shown")
        assert (
            await page.evaluate("getComputedStyle(document.querySelector('[data-form=events]').parentElement).display")
            == "none"
        )
        await page.wait_for("document.querySelectorAll('#tail-body .line').length > 20")
        assert '"content":" Penstock"' in heard.text
        shown = await page.text("#tail-body")
        assert not {"Penstock", "Water", "pipe", "wheel"} & set(shown.split())


async def test_an_account_is_seen_cooling_and_cleared(tmp_path: Path, browser: Browser) -> None:
    async with showroom(tmp_path) as room:
        room.ask("alice", "glm-4.6")
        page = await browser.open(f"{room.console}/")
        await wait_text(page, "#accounts", "rate limit")
        await wait_text(page, "#accounts-sum", "1 of")
        await page.click("#accounts .account:has(li) button")
        await wait_text(page, "#notice", "glm/team: 1 cool-down lifted.")
        await page.wait_for("!document.querySelector('#accounts li')")


async def test_a_failure_is_listed_with_its_attempts(tmp_path: Path, browser: Browser) -> None:
    async with showroom(tmp_path) as room:
        page = await browser.open(f"{room.console}/")
        await is_link(page, "live")
        room.ask("bob", BREAKING)
        await wait_text(page, "#failures summary", "upstream cut")
        await page.click("#failures summary")
        assert await page.evaluate("document.querySelector('#failures details').open")
        await wait_text(page, "#failures .trail", "mistral/main")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_text_stands_out_from_what_is_behind_it(tmp_path: Path, browser: Browser, dark: bool) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    async with showroom(tmp_path) as room:
        page = await browser.open(f"{room.console}/", dark=dark)
        contrasts = await page.evaluate(CONTRASTS)
        assert {pair: round(ratio, 2) for pair, ratio in contrasts.items() if ratio < 4.5} == {}
        assert await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is dark
        before = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        for _ in range(2 if not dark else 1):
            await page.key("t")
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") != before


@pytest.mark.parametrize(("width", "height"), [(390, 844), (768, 1024), (1280, 800), (1920, 1080)])
async def test_it_fits_every_width(tmp_path: Path, browser: Browser, width: int, height: int) -> None:
    async with showroom(tmp_path) as room:
        room.crowd(12)
        page = await browser.open(f"{room.console}/", width=width, height=height)
        await wait_rows(page, 12)
        await page.click("#rows tr .c-model")
        await page.wait_for("document.querySelector('#tail-body').textContent")
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        assert await page.evaluate("document.querySelector('#tail').getBoundingClientRect().right") <= width
        await filter_by(page, "gemini", 2) if width > 860 else await page.click("#tail-close")
