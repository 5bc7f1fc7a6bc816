"""A model's Markdown: what it becomes, and that it becomes the same when it comes letter by letter."""

import json

import pytest

from tests.helpers.talking import talking

pytestmark = pytest.mark.long  # in a browser: once is enough

CASES = {
    "one line": "<p>one line</p>",
    "one\ntwo\n\nthree": "<p>one\ntwo</p><p>three</p>",
    "# A *b* #": "<h3>A <em>b</em></h3>",
    "#no heading": "<p>#no heading</p>",
    "a **b** `c*d*` *e*": "<p>a <strong>b</strong> <code>c*d*</code> <em>e</em></p>",
    "2 * 3 * 4 and a_b_c": "<p>2 * 3 * 4 and a_b_c</p>",
    "``a`b``": "<p><code>a`b</code></p>",
    "- a\n- b\n  - c\n- d": "<ul><li><p>a</p></li><li><p>b</p><ul><li><p>c</p></li></ul></li><li><p>d</p></li></ul>",
    "3. a\n4. b\n\ntext": '<ol start="3"><li><p>a</p></li><li><p>b</p></li></ol><p>text</p>',
    "1. a\n\n   more\n\n2. b": "<ol><li><p>a</p><p>more</p></li><li><p>b</p></li></ol>",
    "```py\na < b\n\n# c\n```\nend": '<pre data-word="py" tabindex="0"><code>a &lt; b\n\n# c</code></pre><p>end</p>',
    "text\n```\nnever closed": '<p>text</p><pre tabindex="0"><code>never closed</code></pre>',
    "> a\n> b": "<blockquote><p>a\nb</p></blockquote>",
    "a\n\n---\n\nb": "<p>a</p><hr><p>b</p>",
    "| a | b |\n|---|:-:|\n| `1` | 2 |": '<div class="wide" tabindex="0"><table>'
    "<thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td><code>1</code></td><td>2</td></tr></tbody></table></div>",
    "| no table |": "<p>| no table |</p>",
    "[a](https://x.example/y) https://z.example/q.": '<p><a href="https://x.example/y" target="_blank" '
    'rel="noopener noreferrer">a</a> <a href="https://z.example/q" target="_blank" rel="noopener noreferrer">'
    "https://z.example/q</a>.</p>",
    "[a](ftp://x.example)": "<p>[a](ftp://x.example)</p>",
    "": "",
    "\n\n": "",
}
ALL = "\n\n".join(CASES)

BUILD = """(texts => { const root = build("div"); const prose = new Prose(root)
  for (const text of texts) prose.write(text)
  return root.innerHTML })"""
GROW = "(text => [...text].map((_, at) => text.slice(0, at + 1)))"


async def test_each_form_becomes_its_elements_at_once_and_letter_by_letter() -> None:
    async with talking() as talk:
        for text, expected in CASES.items():
            told = json.dumps(text)
            assert await talk.page.evaluate(f"{BUILD}([{told}])") == expected
            assert await talk.page.evaluate(f"{BUILD}({GROW}({told}))") == expected
        whole = await talk.page.evaluate(f"{BUILD}([{json.dumps(ALL)}])")
        assert await talk.page.evaluate(f"{BUILD}({GROW}({json.dumps(ALL)}))") == whole


async def test_a_long_answer_is_drawn_in_time_that_grows_with_its_length() -> None:
    """Only what is at the end is built again: else ten times the text would take a hundred times as long."""
    async with talking() as talk:
        count = """(text => { const root = build("div"), prose = new Prose(root); let built = 0
          const make = document.createElement.bind(document); document.createElement = name => (built++, make(name))
          for (let at = 0; at < text.length; at += 40) prose.write(text.slice(0, at + 40))
          delete document.createElement; return built })"""
        text = "A sentence of some words, then another.\n\n"
        short, long = [await talk.page.evaluate(f"{count}({json.dumps(text * times)})") for times in (100, 1000)]
        assert long < 11 * short


async def test_patterns_that_backtrack_do_not_hang_the_page() -> None:
    async with talking() as talk:
        for text in (
            "*" * 5000,
            "`" * 5000,
            "[" * 5000,
            "**a" * 2000,
            "|" * 5000,
            "> " * 2000,
            "- " * 2000,
            "`a" * 3000,
            " ".join("`" * count + "a" for count in range(1, 800)),
            "```" + " " * 200_000 + "`",
            "`" * 200_000 + " `",
        ):
            await talk.page.wait_for(f"{BUILD}([{json.dumps(text)}]) || true", within=5.0)
