"""The page is open, what it asks is not: the key is typed in, stays in the tab, and goes nowhere else."""

import hashlib
import json

import pytest

from tests.helpers.talking import ANSWER, Talk, talking

pytestmark = pytest.mark.long  # in a browser: once is enough

KEY = "pk-of-alice-0123456789"
CLIENTS = {"clients": {"alice": {"key_sha256": hashlib.sha256(KEY.encode()).hexdigest()}}}


async def sign_in(talk: Talk, key: str = KEY) -> None:
    await talk.page.wait_for("settings.open && document.activeElement === key")
    await talk.page.evaluate("key.select(), true")
    await talk.page.type(key)
    await talk.page.key("Enter")


async def test_a_key_is_asked_for_where_one_is_needed() -> None:
    async with talking(CLIENTS) as talk:
        await talk.page.wait_for("settings.open")
        assert await talk.page.text("#wanted") == "A valid key is required."
        await sign_in(talk, "pk-wrong")
        await talk.page.wait_for("find('wanted').textContent === 'This key was not accepted.'")
        await sign_in(talk)
        await talk.page.wait_for("!settings.open && model.options.length > 3")
        await talk.say("hello")
        await talk.wait_answers(1)
        assert (await talk.read_last()).startswith(ANSWER)
        assert talk.proxy.records[-1].client == "alice"


async def test_the_key_stays_in_the_tab_and_in_the_header() -> None:
    async with talking(CLIENTS) as talk:
        await sign_in(talk)
        await talk.page.wait_for("model.options.length")
        await talk.say("hello")
        await talk.wait_answers(1)
        assert not [url for url in talk.page.requests if KEY in url]
        assert await talk.page.evaluate("JSON.stringify(localStorage)") == "{}"
        assert await talk.page.evaluate("document.cookie") == ""
        assert KEY in await talk.page.evaluate("JSON.stringify(sessionStorage)")
        assert KEY not in await talk.page.evaluate("document.documentElement.outerHTML")
        await talk.page.reload()
        await talk.page.wait_for("model.options.length")
        other = await talk.browser.open(talk.url)
        await other.wait_for("settings.open && key.value === ''")


async def test_a_key_that_is_no_longer_good_is_asked_for_again() -> None:
    async with talking(CLIENTS) as talk:
        await sign_in(talk)
        await talk.page.wait_for("model.options.length")
        await talk.page.evaluate("memory.write('key', 'pk-old'), true")
        await talk.say("hello")
        await talk.page.wait_for("settings.open")
        assert await talk.page.text("#wanted") == "This key was not accepted."
        assert await talk.page.text(".fault strong") == "The key was not accepted"


async def test_models_that_the_client_may_not_use_are_not_offered() -> None:
    row = {**CLIENTS["clients"]["alice"], "models": ["anthropic/*"]}
    async with talking({"clients": {"alice": row}}) as talk:
        await sign_in(talk)
        names = json.loads(await talk.page.wait_for("model.length && JSON.stringify([...model].map(o => o.value))"))
        assert names == ["anthropic/demo"]
