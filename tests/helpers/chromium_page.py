"""A page in Chromium: its input, what it shows, and its troubles. tests/helpers/chromium.py starts the browser."""

import asyncio
import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from yarl import URL

WAIT: Final = 15.0  # seconds for whatever is waited for; a page needs a tenth of one, a busy machine more

_KEYS: Final = {
    "Enter": (13, "\r"),
    "Tab": (9, ""),
    "Escape": (27, ""),
    "Backspace": (8, ""),
    "Delete": (46, ""),
    "Home": (36, ""),
    "End": (35, ""),
    "PageUp": (33, ""),
    "PageDown": (34, ""),
    "ArrowLeft": (37, ""),
    "ArrowUp": (38, ""),
    "ArrowRight": (39, ""),
    "ArrowDown": (40, ""),
    " ": (32, " "),
}
"""Windows' virtual key codes, and the text that a key enters."""

_MODIFIERS: Final = {"alt": 1, "ctrl": 2, "meta": 4, "shift": 8}

_POLL: Final = """(async () => {
  const until = performance.now() + %d
  for (let fault; ;) {
    try { const found = (%s); if (found) return found; fault = null } catch (error) { fault = error }
    if (performance.now() > until) throw fault ?? Error("it never came")
    await new Promise(resolve => setTimeout(resolve, 10))
  }
})()"""

_PLACE: Final = """(() => {
  const found = document.querySelector(%s)
  if (!found) return null
  found.scrollIntoView({block: "nearest", behavior: "instant"})
  const box = found.getBoundingClientRect()
  const x = box.left + box.width / 2, y = box.top + box.height / 2
  const over = document.elementFromPoint(x, y)
  return {x, y, free: found.contains(over)}
})()"""


class Gone(Exception):
    """The browser answered a command with an error."""


class Speaker(Protocol):
    """Who takes the commands of the DevTools protocol."""

    async def send(self, method: str, *, session: str | None = None, **fields: Any) -> dict[str, Any]: ...

    def post(self, method: str, *, session: str, **fields: Any) -> None: ...


class Page:
    """url: of the document that was opened. requests: the URLs that it asked for. troubles: what fails the test."""

    def __init__(self, browser: Speaker, target: str, session: str, url: str) -> None:
        self.url = URL(url)
        self.requests: list[str] = []
        self.troubles: list[str] = []
        self._browser = browser
        self._target = target
        self._session = session

    async def go(self, url: str) -> None:
        """Load a document and wait until it is complete. Raises Gone when nobody answers there."""
        self.url = URL(url)
        answer = await self.send("Page.navigate", url=url)
        if "errorText" in answer:
            raise Gone(answer["errorText"])
        await self.wait_for(f"location.href.startsWith({json.dumps(url)}) && document.readyState === 'complete'")

    async def reload(self) -> None:
        await self.evaluate("window.__old = true")
        await self.send("Page.reload")
        await self.wait_for("!window.__old && document.readyState === 'complete'")

    async def evaluate(self, script: str) -> Any:
        """The value of an expression, a promise's when it is one; as JSON takes it."""
        answer = await self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        fault = answer.get("exceptionDetails")
        assert fault is None, f"{script}\n{fault.get('exception', {}).get('description') or fault['text']}"
        return answer["result"].get("value")

    async def wait_for(self, script: str, *, within: float = WAIT) -> Any:
        """The expression's value as soon as it is truthy. It may throw meanwhile, and the page may be left."""
        clock = asyncio.get_running_loop().time
        until = clock() + within
        while True:
            left = max(until - clock(), 0.05)
            try:
                async with asyncio.timeout(left + 2.0):
                    return await self.evaluate(_POLL % (left * 1000, script))
            except Gone:
                if clock() > until:
                    raise
                await asyncio.sleep(0.02)  # between two documents there is nothing to wait in
            except TimeoutError:
                raise AssertionError(f"the page hangs in {script}") from None

    async def text(self, selector: str = "body") -> str:
        """What a reader sees of the first element that matches."""
        return str(await self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))

    async def click(self, selector: str) -> None:
        """In the middle of what is there, once it is there and nothing covers it."""
        script = _PLACE % json.dumps(selector)
        place = await self.wait_for(f"(place => place?.free && place)({script})")
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            pressed = {} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
            await self.send("Input.dispatchMouseEvent", type=kind, x=place["x"], y=place["y"], **pressed)

    async def type(self, text: str, into: str | None = None) -> None:
        """Into what has the focus, or into the first element that matches, clicked before."""
        if into is not None:
            await self.click(into)
        await self.send("Input.insertText", text=text)

    async def key(self, name: str, *modifiers: str) -> None:
        """`Enter`, `Tab`, `ArrowDown`, … or one character; modifiers are `shift`, `ctrl`, `alt`, `meta`."""
        code, text = _KEYS.get(name) or (ord(name.upper()), name)
        held = sum(_MODIFIERS[modifier] for modifier in modifiers)
        plain = text if held in (0, _MODIFIERS["shift"]) else ""
        fields = {"key": name, "windowsVirtualKeyCode": code, "modifiers": held}
        fields["code"] = {" ": "Space"}.get(name, name if len(name) > 1 else f"Key{name.upper()}")
        await self.send("Input.dispatchKeyEvent", type="keyDown" if plain else "rawKeyDown", text=plain, **fields)
        await self.send("Input.dispatchKeyEvent", type="keyUp", **fields)

    async def prefer(self, *, dark: bool, still: bool = False) -> None:
        """What the system asks for: dark colours, and no motion."""
        features = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce" if still else "no-preference",
        }
        listed = [{"name": name, "value": value} for name, value in features.items()]
        await self.send("Emulation.setEmulatedMedia", features=listed)

    async def resize(self, width: int, height: int, *, scale: float = 1.0) -> None:
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    async def screenshot(self, path: Path | str, *, dark: bool | None = None) -> None:
        """What is to be seen, as PNG; in the other colours when told so."""
        if dark is not None:
            await self.prefer(dark=dark, still=True)
        await self.evaluate("new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
        answer = await self.send("Page.captureScreenshot", format="png")
        Path(path).write_bytes(base64.b64decode(answer["data"]))

    async def close(self) -> None:
        """As a person closes a tab: the page's connections go with it."""
        await self._browser.send("Target.closeTarget", targetId=self._target)

    async def send(self, method: str, **fields: Any) -> dict[str, Any]:
        """A command of the DevTools protocol. Raises Gone."""
        return await self._browser.send(method, session=self._session, **fields)

    def take(self, method: str, fields: Mapping[str, Any]) -> None:
        """An event of the protocol about this page."""
        match method:
            case "Runtime.exceptionThrown":
                details = fields["exceptionDetails"]
                self.troubles.append(details.get("exception", {}).get("description") or details["text"])
            case "Runtime.consoleAPICalled" if fields["type"] in ("error", "assert"):
                self.troubles.append(f"console.{fields['type']}: {json.dumps(fields['args'])[:500]}")
            case "Log.entryAdded" if fields["entry"]["level"] == "error" and fields["entry"]["source"] != "network":
                self.troubles.append(f"{fields['entry']['source']}: {fields['entry']['text']}")
            case "Network.requestWillBeSent":
                self._note_request(fields["request"]["url"])
            case "Page.javascriptDialogOpening":
                self.troubles.append(f"a dialog: {fields['message']}")
                self._browser.post("Page.handleJavaScriptDialog", session=self._session, accept=False)

    def _note_request(self, url: str) -> None:
        self.requests.append(url)
        if url.startswith(("http:", "https:", "ws:", "wss:")) and URL(url).authority != self.url.authority:
            self.troubles.append(f"a request to another origin: {url}")
