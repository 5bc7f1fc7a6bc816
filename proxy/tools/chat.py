"""`penstock chat -m MODEL TEXT`: one question to a model, its answer as it comes.

The request is built, and the answer read, by the room of the dialect that the question is asked in: the same code by
which the proxy asks its providers. So every dialect of the proxy can be tried, with a tool if need be, and what
is shown is what a program of that dialect would get. The answer is on standard output; errors, usage and times are on
standard error. Ctrl-C closes the connection, which cancels the answer upstream too.

No message of ours holds the key, a query or the text that was asked.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from typing import Final

import aiohttp
from yarl import URL

import proxy
from proxy.config.syntax import check_key
from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Invalid, Outgoing, Target, Turn
from proxy.dialects.events import Event, Failure, FailureKind
from proxy.dialects.parts import Message, Request, Text, Tool
from proxy.dialects.registry import DIALECTS, PROVIDERS
from proxy.errors import PenstockError
from proxy.loop import run_loop
from proxy.tools.chat_lines import JsonView, Tally, TextView, View, tell_failure
from proxy.tools.exits import FAILED, INTERRUPTED, OK
from proxy.tools.troubles import CONNECT, TROUBLES, explain
from proxy.wire.headers import Headers
from proxy.wire.sse import Parser

PREFIXES: Final = {"openai-chat": "/v1", "openai-responses": "/v1", "anthropic": "", "gemini": ""}
"""The dialects to ask in, and the version before their paths where a base URL holds it."""

LONGEST_BODY: Final = 64 * 1024 * 1024
"""Bytes of an answer that is no stream: several images."""

_SEED: Final = "chat"
"""Of ids that a dialect has none for. One answer, so that they need not differ from others."""


class ChatError(PenstockError):
    """The answer could not be had."""


def fill(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("-m", "--model", required=True, metavar="MODEL", help="as [models] names it, or provider/model")
    parser.add_argument("text", metavar="TEXT", help="the question; - reads it from standard input")
    parser.add_argument("--url", type=_parse_url, default="http://127.0.0.1:8088", help="of the proxy (%(default)s)")
    parser.add_argument(
        "--key", type=_parse_key, default=os.environ.get("PENSTOCK_KEY", ""), metavar="KEY",
        help="of a client; better in PENSTOCK_KEY, since others can see a command's arguments",
    )  # fmt: skip
    parser.add_argument("--dialect", choices=tuple(PREFIXES), default="openai-chat", help="to ask in (%(default)s)")
    parser.add_argument("--system", metavar="TEXT", help="instructions that go before the question")
    parser.add_argument(
        "--tool", dest="tools", metavar="NAME", action="append", default=[],
        help="offer a tool that takes any object; may be given several times",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object per event")
    parser.add_argument("--loop", choices=("auto", "uvloop", "asyncio"), default="auto", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Ask, show the answer, and tell how it went."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    text = _read_input() if options.text == "-" else options.text
    return run_loop(lambda: Chat(options, text).run(), options.loop)


class Chat:
    """One question."""

    def __init__(self, options: argparse.Namespace, text: str) -> None:
        self._url: URL = options.url
        self._key: str = options.key
        self._dialect: str = options.dialect
        self._room = PROVIDERS[options.dialect]
        self._request = build_request(options.dialect, options.model, text, options.system, options.tools)
        self._view: View = JsonView() if options.json else TextView(terminal=_is_bright(sys.stdout))
        self._tally = Tally()
        self._request_id = ""
        self._asked_at = 0.0
        self._first_after: float | None = None

    async def run(self) -> int:
        """The exit code. Ctrl-C cancels."""
        outgoing = self._build()
        self._asked_at = time.monotonic()
        try:
            async with aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT), auto_decompress=False
            ) as session:
                await self._ask(session, outgoing)
        except TROUBLES as error:
            raise ChatError(f"{_show_url(self._url)}: {explain(error).text}") from None
        except asyncio.CancelledError:
            self._say_how_it_went()
            return INTERRUPTED
        self._say_how_it_went()
        return FAILED if self._tally.failure else OK

    def _build(self) -> Outgoing:
        try:
            return self._room.build_request(self._request, Target(self._request.model, Capabilities()))
        except Invalid as error:
            raise ChatError(str(error)) from None

    async def _ask(self, session: aiohttp.ClientSession, outgoing: Outgoing) -> None:
        """Ask and show everything that comes. The connection is closed in the end, whatever came of it."""
        turn = Turn(self._request, outgoing, _SEED, int(time.time()))
        response = await session.post(
            _build_url(self._url, PREFIXES[self._dialect], outgoing),
            data=outgoing.body,
            headers=self._build_headers(outgoing),
            allow_redirects=False,  # the key goes to the server that was named and to no other
        )
        try:
            self._request_id = response.headers.get("x-request-id") or response.headers.get("request-id") or ""
            if response.status != 200:
                body = await _read_body(response)
                self._show(self._room.parse_error(response.status, Headers(response.raw_headers), body))
            elif response.content_type == "text/event-stream":
                await self._read_stream(response, turn)
            elif response.content_type == "application/json":
                self._show(*self._room.parse_answer(await _read_body(response), turn))
            else:
                raise ChatError(f"the answer is {response.content_type!a}, neither an event stream nor JSON")
        finally:
            response.close()

    async def _read_stream(self, response: aiohttp.ClientResponse, turn: Turn) -> None:
        parser, decoder = Parser(), self._room.open_decoder(turn)
        try:
            async for chunk in response.content.iter_any():
                for block in parser.feed(chunk):
                    self._show(*decoder.feed(block))
                if decoder.ended:
                    return
        except aiohttp.ClientError as error:
            if not decoder.complete:
                self._show(Failure(FailureKind.DISCONNECT, explain(error).text))
                return
        self._show(*decoder.end(parser.tail))

    def _build_headers(self, outgoing: Outgoing) -> dict[str, str]:
        credential = DIALECTS[self._dialect].build_credential(self._key) if self._key else {}
        return {
            "User-Agent": f"penstock/{proxy.__version__}",
            "Content-Type": "application/json",
            "Accept": "text/event-stream, application/json",
            "Accept-Encoding": "identity",  # compressed events come late, or in heaps
            **outgoing.headers,
            **credential,
        }

    def _show(self, *events: Event) -> None:
        for event in events:
            self._tally.note(event)
            if self._first_after is None and self._tally.has_content:
                self._first_after = time.monotonic() - self._asked_at
            for channel, text in self._view.show(event):
                print(text, end="", flush=True, file=sys.stdout if channel == "out" else sys.stderr)

    def _say_how_it_went(self) -> None:
        if self._tally.failure:
            _say(tell_failure(self._tally.failure, self._request_id))
        _say(self._tally.sum_up(self._first_after, time.monotonic() - self._asked_at))


def build_request(dialect: str, model: str, text: str, system: str | None, tools: Sequence[str]) -> Request:
    """The question as the rooms of the dialects take it."""
    anything = {"type": "object", "additionalProperties": True}
    return Request(
        model=model,
        messages=[Message("user", (Text(text),))],
        dialect=dialect,
        stream=True,
        system=[Text(system)] if system else [],
        tools=[Tool(name, f"The tool {name}. It takes any arguments.", anything) for name in tools],
        include_usage=True,
    )


def _build_url(base: URL, prefix: str, outgoing: Outgoing) -> URL:
    """The route under a base URL that may have the version already, as SDKs of this dialect are given it."""
    path = base.raw_path.rstrip("/")
    path += outgoing.path if prefix and path.endswith(prefix) else prefix + outgoing.path
    query = "&".join(part for part in (outgoing.query, base.raw_query_string) if part)
    return URL(f"{base.origin()}{path}?{query}".removesuffix("?"), encoded=True)


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > LONGEST_BODY:
            raise ChatError(f"the answer is longer than {LONGEST_BODY} bytes")
    return bytes(body)


def _read_input() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        raise ChatError("standard input is not UTF-8 text") from None


def _is_bright(stream: object) -> bool:
    """A terminal that may be written to in colours (https://no-color.org)."""
    is_terminal = bool(getattr(stream, "isatty", lambda: False)())
    return is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _parse_url(text: str) -> URL:
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host or url.user:
        raise argparse.ArgumentTypeError("write http://host:port or https://host, perhaps with a path")
    return url


def _parse_key(text: str) -> str:
    try:
        return check_key(text).reveal() if text else ""
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _show_url(url: URL) -> str:
    return str(url.origin())


def _say(text: str) -> None:
    print(f"penstock: {text}", file=sys.stderr, flush=True)
