"""Whatever a model, a tool or a person says is text: it is shown, and it does nothing."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.helpers.chromium import browsing
from tests.helpers.chromium_page import Page
from tests.helpers.models import build_reply, chat_chunk
from tests.helpers.recorder import recorder
from tests.helpers.service import running

pytestmark = pytest.mark.long  # in a browser: once is enough

HOSTILE = [
    "<script>window.harm = 1</script>",
    "<img src=x onerror='window.harm = 1'>",
    "</div></li></ol><iframe src='javascript:parent.harm = 1'></iframe>",
    "[press me](javascript:window.harm=1)",
    '[press me](https://x.example/"onmouseover="window.harm=1)',
    "```html\n</code></pre><svg onload='window.harm = 1'>\n```",
    "| <b onclick=harm=1>a</b> | b |\n|---|---|\n| <script>harm=1</script> | `<i>` |",
    "# <u>x</u>\n\n- <s>y</s>\n\n> **<img src=x>** *<img src=x>*",
    "{{constructor.constructor('window.harm=1')()}} ${window.harm=1} &lt;script&gt; \u202e\u0000\ufffd",
]
HARMLESS = (
    "!window.harm && !document.querySelector('#log :is(script, img, iframe, svg:not(.icon), b, u, s, i, [onclick])')"
)


@asynccontextmanager
async def answering(*chunks: bytes, model: str = "m") -> AsyncIterator[Page]:
    async with recorder() as upstream:
        upstream.answer = lambda seen: build_reply(b"".join(chunks) + b"data: [DONE]\n\n", kind="text/event-stream")
        config = {
            "providers": {"up": {"dialect": "openai-chat", "base_url": upstream.base_url}},
            "models": {model: {"targets": ["up/m"]}},
            "chat": {"enabled": True},
        }
        async with running(config) as proxy, browsing() as browser:
            page = await browser.open(f"http://127.0.0.1:{proxy.port}/chat")
            await page.wait_for("model.options.length")
            yield page


async def ask(page: Page, text: str = "hello") -> None:
    await page.type(text, into="#prompt")
    await page.key("Enter")
    await page.wait_for("document.querySelector('.foot')")


def strip(text: str) -> str:
    """Without what a browser or a Markdown reader may change: white space, marks, characters that cannot be shown."""
    return "".join(mark for mark in text if mark not in "#*`|>-[]() \n\r\t\u0000\ufffd\u00a0").replace("html", "")


async def test_a_models_words_are_shown_and_do_nothing() -> None:
    texts = "\n\n".join(HOSTILE)
    pieces = [chat_chunk({"content": texts[at : at + 7]}) for at in range(0, len(texts), 7)]
    async with answering(chat_chunk({"role": "assistant"}), *pieces, chat_chunk({}, "stop")) as page:
        await ask(page)
        shown = strip(await page.text(".assistant .prose"))
        for text in HOSTILE[:3] + HOSTILE[6:8]:
            assert strip(text.replace("---", "")) in shown
        assert await page.evaluate(HARMLESS)
        assert await page.evaluate("[...document.querySelectorAll('#log a')].every(a => /^https:/.test(a.protocol))")
        assert await page.evaluate("document.querySelectorAll('#log').length") == 1


async def test_reasoning_is_no_markup_either() -> None:
    chunks = [chat_chunk({"reasoning_content": text + "\n\n"}) for text in HOSTILE]
    async with answering(*chunks, chat_chunk({"content": "done"}), chat_chunk({}, "stop")) as page:
        await ask(page)
        await page.click(".reasoning summary")
        assert HOSTILE[0] in await page.text(".reasoning")
        assert await page.evaluate(HARMLESS)


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_call_is_no_markup(text: str) -> None:
    call: dict[str, Any] = {"index": 0, "id": text, "type": "function"}
    arguments = json.dumps({text: text})
    named = chat_chunk({"tool_calls": [{**call, "function": {"name": text, "arguments": ""}}]})
    given = chat_chunk({"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]})
    async with answering(named, given, chat_chunk({}, "tool_calls")) as page:
        await ask(page)
        assert strip(await page.text(".call .name")) == strip(text)
        assert json.loads(await page.text(".call code")) == json.loads(arguments)
        await page.type(text, into=".result textarea")
        await page.key("Enter")
        await page.wait_for("document.querySelector('.given').textContent")
        assert await page.evaluate(HARMLESS)


async def test_an_error_a_question_and_a_models_name_are_no_markup() -> None:
    error = b"data: " + json.dumps({"error": {"message": HOSTILE[1], "type": "server_error"}}).encode() + b"\n\n"
    async with answering(chat_chunk({"content": "Hel"}), error, model="<b>m</b>") as page:
        await ask(page, HOSTILE[2])
        await page.wait_for("document.querySelector('.fault')")
        assert await page.text(".bubble") == HOSTILE[2]
        assert await page.evaluate("model.options[0].textContent") == "<b>m</b>"
        assert HOSTILE[1] in await page.text(".fault")
        assert await page.evaluate(HARMLESS)


SINKS = [
    "log.innerHTML = '<b>x</b>'",
    "document.write('<b>x</b>')",
    "document.createElement('script').text = 'window.harm = 1'",
    "log.append(document.createRange().createContextualFragment('<img src=x onerror=harm=1>'))",
    "build('b', {onclick: 'window.harm = 1'})",
    "await fetch('http://127.0.0.1:9/')",
]


async def test_what_would_make_markup_of_text_or_call_out_throws() -> None:
    """The policy, tried out: were there a mistake in the page's script, it would not become somebody's chance."""
    async with answering() as page:
        for sink in SINKS:
            script = f"(async () => {{ try {{ {sink}; return 'ran' }} catch (error) {{ return error.name }} }})()"
            assert await page.evaluate(script) == "TypeError", sink
        assert len(page.troubles) >= len(SINKS)
        page.troubles.clear()  # the browser has named what was tried
