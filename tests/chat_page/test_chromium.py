"""What the browser of the tests promises: real input, nothing shared, troubles told, nothing left behind."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.helpers.chromium import browsing, list_group

_PAGE = """<!doctype html><title>p</title><input id=name><button>go</button><output></output>
<script>document.querySelector("button").onclick = () => {
  document.querySelector("output").textContent = document.querySelector("input").value }
addEventListener("keydown", event => window.last = event.key + (event.shiftKey ? "+shift" : ""))</script>"""

_TROUBLES = {
    "throws": "<script>setTimeout(() => { throw Error('thrown here') })</script>",
    "complains": "<script>console.error('complained here')</script>",
    "policy": "<script nonce=no>document.title = 'ran'</script>",
    "outside": "<img src='http://127.0.0.1:9/'>",
    "dialog": "<script>setTimeout(() => alert('asked here'))</script>",
}


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    async def answer(request: web.Request) -> web.Response:
        name = request.path.strip("/")
        headers = {"content-security-policy": "default-src 'none'"} if name == "policy" else {}
        return web.Response(text=_TROUBLES.get(name, _PAGE), content_type="text/html", headers=headers)

    app = web.Application()
    app.router.add_get("/{rest:.*}", answer)
    async with TestServer(app) as running:
        yield running


async def test_types_clicks_and_presses_as_a_person_does(server: TestServer, tmp_path: Path) -> None:
    async with browsing(alone=True) as browser:
        page = await browser.open(str(server.make_url("/")))
        await page.type("héllo 🌍", into="#name")
        await page.click("button")
        assert await page.wait_for("document.querySelector('output').textContent") == "héllo 🌍"
        await page.key("Enter", "shift")
        assert await page.evaluate("window.last") == "Enter+shift"
        await page.screenshot(tmp_path / "page.png", dark=True)
        assert await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


async def test_pages_share_no_storage_and_a_reload_keeps_it(server: TestServer) -> None:
    async with browsing(alone=True) as browser:
        first, second = [await browser.open(str(server.make_url("/"))) for _ in range(2)]
        await first.evaluate("localStorage.setItem('a', 'b'), sessionStorage.setItem('a', 'b')")
        await first.reload()
        assert await first.evaluate("localStorage.a + sessionStorage.a") == "bb"
        assert await second.evaluate("localStorage.length") == 0


async def test_what_never_comes_fails_and_says_what_it_was(server: TestServer) -> None:
    async with browsing(alone=True) as browser:
        page = await browser.open(str(server.make_url("/")))
        with pytest.raises(AssertionError, match=r"nothing\.here"):
            await page.wait_for("nothing.here", within=0.1)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("throws", "thrown here"),
        ("complains", "complained here"),
        ("policy", "Content Security Policy"),
        ("outside", "another origin: http://127.0.0.1:9/"),
        ("dialog", "asked here"),
    ],
)
async def test_a_trouble_of_the_page_fails_the_test(server: TestServer, name: str, said: str) -> None:
    async def look() -> None:
        async with browsing(alone=True) as browser:
            page = await browser.open(str(server.make_url(f"/{name}")))
            await page.wait_for("new Promise(resolve => setTimeout(() => resolve(true), 50))")

    with pytest.raises(AssertionError, match=said):
        await look()


async def test_nothing_is_left_when_the_test_fails(server: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail() -> None:
        async with browsing(alone=True) as browser:
            pids.append(browser.pid)
            await browser.open(str(server.make_url("/")))
            assert list_group(browser.pid)
            raise RuntimeError

    pids: list[int] = []
    with tempfile.TemporaryDirectory() as folder:  # a short path: Chromium puts a socket there
        monkeypatch.setattr("tempfile.tempdir", folder)
        with pytest.raises(RuntimeError):
            await fail()
        assert not list(Path(folder).iterdir())
    assert not list_group(pids[0])


async def test_without_a_browser_a_test_is_skipped_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(pytest.skip.Exception, match="Chromium is not installed"):
        await browsing(alone=True).__aenter__()
