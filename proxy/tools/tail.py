"""`penstock tail URL`: an EventSource that prints each event with the time that passed before it.

Connecting, reading and parsing are those of aiohttp-sse-client2; going on after an end is ours, because the library
does it after a clean end only. Every connection is a new EventSource (an old one would glue half an event to the next
connection's first), and its on_error callback raises, which takes the reconnecting away from it. A clean end, a cut and
a refused connection are retried with Last-Event-ID; what no retry mends ends the command with one line on stderr.

No message of ours holds a query, a user name or a header value, and the library's log, which quotes URLs, is silent.
The library reads line ends LF and CRLF, not the lone CR of the standard, and takes an empty `id:` for none.
"""

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from typing import Any, Final

import aiohttp
from aiohttp_sse_client2.client import EventSource
from multidict import CIMultiDict
from yarl import URL

import proxy
from proxy.loop import run_loop
from proxy.tools.backoff import Backoff
from proxy.tools.event_lines import Event, Summary, format_json, format_text
from proxy.tools.exits import FAILED, OK
from proxy.tools.troubles import CONNECT, LONGEST_LINE, TROUBLES, explain

_MENDED_BY_RETRY: Final = frozenset({500, 502, 503, 504})
_ENDED: Final = "the stream ended"
_EVENT_STREAM: Final = "text/event-stream"


class Ended(Exception):
    """One connection is over. `text` says how; `final`: no retry mends it; `failed`: it should not have happened."""

    def __init__(self, text: str, *, final: bool = False, failed: bool = True) -> None:
        super().__init__(text)
        self.text = text
        self.final = final
        self.failed = failed


def fill(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("url", metavar="URL", type=_parse_url)
    parser.add_argument(
        "-H", dest="headers", metavar="'NAME: VALUE'", type=_parse_header, action="append", default=[],
        help="send this header field; may be given several times",
    )  # fmt: skip
    parser.add_argument("--events", metavar="N", type=_parse_count, help="end after so many events")
    parser.add_argument("--no-retry", action="store_true", help="end when the stream ends, and do not connect again")
    parser.add_argument("--json", action="store_true", help="print one JSON object per event")
    parser.add_argument("--last-event-id", metavar="ID", default="", help="go on after this event")
    parser.add_argument("--loop", choices=("auto", "uvloop", "asyncio"), default="auto", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Follow the stream until its end, a failure, or Ctrl-C."""
    logging.getLogger("aiohttp_sse_client2").setLevel(logging.CRITICAL + 1)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    return run_loop(lambda: Tail(options).run(), options.loop)


class Tail:
    """One run of the command."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._url: URL = options.url
        self._headers: list[tuple[str, str]] = options.headers
        self._most: int | None = options.events
        self._retries = not options.no_retry
        self._format = format_json if options.json else format_text
        self._last_id: str = options.last_event_id
        self._backoff = Backoff()
        self._summary = Summary()
        self._last_at = 0.0

    async def run(self) -> int:
        """The exit code. The first Ctrl-C cancels and is a good end; a second one is not caught here."""
        try:
            async with self._open_session() as session:
                return await self._follow(session)
        except asyncio.CancelledError:
            return OK
        finally:
            _say(str(self._summary))

    def _open_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT),
            raise_for_status=_check_answer,
            read_bufsize=LONGEST_LINE // 2,
            headers={"User-Agent": f"penstock/{proxy.__version__}"},
        )

    async def _follow(self, session: aiohttp.ClientSession) -> int:
        """Connect, print, and connect again."""
        self._last_at = time.monotonic()
        while True:
            try:
                async with aclosing(self._read_events(session)) as events:
                    async for event in events:
                        self._show(event)
                        if self._summary.events == self._most:
                            return OK
            except Ended as end:
                if end.final or not self._retries:
                    if end.failed or end.final:
                        _say(f"{_show_url(self._url)}: {end.text}")
                    return FAILED if end.failed else OK
                wait = self._backoff.take()
                _say(f"{end.text}, connecting again in {wait:g} s")
                await asyncio.sleep(wait)

    async def _read_events(self, session: aiohttp.ClientSession) -> AsyncGenerator[Any, None]:
        """The library's events of one connection. Always ends by raising Ended."""
        source = EventSource(
            str(self._url),
            reconnection_time=timedelta(seconds=self._backoff.base),
            max_connect_retry=0,
            session=session,
            on_error=_raise_ended,
            headers=self._build_headers(),
            allow_redirects=False,  # the fields of -H go to the server that was named and to no other
        )
        try:
            async with source:
                self._summary.connections += 1
                async for event in source:
                    yield event
            raise Ended(_ENDED, failed=False)
        except TROUBLES as error:
            trouble = explain(error)
            raise Ended(trouble.text, final=trouble.final) from None
        finally:
            # The library has no public name for what the server's `retry:` said.
            self._backoff.ask_for(source._reconnection_time.total_seconds())

    def _build_headers(self) -> CIMultiDict[str]:
        headers = CIMultiDict(self._headers)
        headers.setdefault("Accept-Encoding", "identity")  # compressed events come late, or in heaps
        if self._last_id and self._last_id.isprintable():
            headers["Last-Event-ID"] = self._last_id
        return headers

    def _show(self, event: Any) -> None:
        now = time.monotonic()
        self._last_id = event.last_event_id or self._last_id
        shown = Event(now - self._last_at, event.type or "message", self._last_id, event.data)
        self._last_at = now
        self._summary.note(shown.gap)
        self._backoff.reset()
        print(self._format(shown), flush=True)


async def _check_answer(response: aiohttp.ClientResponse) -> None:
    """Raise Ended unless events follow: before the library reads a body that may have no end."""
    status = response.status
    if status == 200 and response.content_type == _EVENT_STREAM:
        return
    response.close()
    if status == 204:
        raise Ended("the server says that there is nothing more", final=True, failed=False)
    if status == 200:
        raise Ended(f"the answer is {response.content_type!a}, not {_EVENT_STREAM}", final=True)
    if status in _MENDED_BY_RETRY:
        raise Ended(f"status {status}")
    redirected = ", and redirects are not followed" if 300 <= status < 400 else ""
    raise Ended(f"status {status}{redirected}", final=True)


def _raise_ended() -> None:
    """on_error: the library calls it when a stream has ended and before it would wait; also when connecting failed,
    where the cause is being raised already and must come through."""
    if sys.exc_info()[0] is None:
        raise Ended(_ENDED, failed=False)


def _parse_url(text: str) -> URL:
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise argparse.ArgumentTypeError("not a URL that begins with http:// or https:// and names a host")
    return url


def _parse_header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    value = value.strip()
    if not colon or not name.isascii() or not name.isprintable() or " " in name or not name or not value.isprintable():
        raise argparse.ArgumentTypeError("write -H 'Name: value'")
    return name, value


def _parse_count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:19]) == 0:
        raise argparse.ArgumentTypeError("not a whole number above 0")
    return int(text[:19])


def _show_url(url: URL) -> str:
    """Without what may be secret: user, query, fragment."""
    return str(url.with_user(None).with_query(None).with_fragment(None))


def _say(text: str) -> None:
    print(f"penstock: {text}", file=sys.stderr, flush=True)
