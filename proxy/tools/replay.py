"""`penstock replay FILE`: a provider that answers as the recorded one did, byte for byte and at the same moments.

Each request gets the next take of the cassette, over and over, so that a failover happens again as it happened; with
`--take N` always that one. Any path is answered; with `--as DIALECT` those of the dialect alone, and only a recording
in which something of that dialect can be read. A file that is an answer's body (.sse, .json) is served as one. Standard
error says where it listens, a provider to paste into a configuration, and a line per request.
"""

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from proxy.dialects.registry import PROVIDERS
from proxy.loop import run_loop
from proxy.tools.cassette_events import is_readable
from proxy.tools.cassette_file import CassetteError, add_cassette_options, open_cassette
from proxy.tools.event_lines import escape
from proxy.tools.exits import OK
from proxy.tools.replay_server import ReplayServer, describe
from proxy.wire.cassette import Cassette, Take

FASTEST: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a provider of a dialect answers. prefix: what a base URL ends with."""

    prefix: str
    path: re.Pattern[str]


_CHAT: Final = re.compile(r".*/chat/completions")
_GOOGLE: Final = re.compile(r".*:(?:stream)?[gG]enerateContent")

PLACES: Final[Mapping[str, Place]] = {
    "openai-chat": Place("/v1", _CHAT),
    "openai-responses": Place("/v1", re.compile(r".*/responses")),
    "anthropic": Place("", re.compile(r".*/messages")),
    "gemini": Place("", _GOOGLE),
    "glm": Place("/api/paas/v4", _CHAT),
    "openrouter": Place("/api/v1", _CHAT),
    "code-assist": Place("", _GOOGLE),
}


def fill(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_cassette_options(parser)
    parser.add_argument("--speed", type=_parse_speed, default=1.0, metavar="N", help="2 is twice as fast, 0 at once")
    parser.add_argument("--as", dest="dialect", choices=tuple(PLACES), help="answer at this dialect's paths only")
    parser.add_argument("--take", type=int, metavar="N", help="always this attempt, and not all of them in turn")
    parser.add_argument("--host", default="127.0.0.1", help="to listen on (%(default)s)")
    parser.add_argument("--port", type=_parse_port, default=0, help="to listen on; a free one unless given")
    parser.add_argument("--loop", choices=("auto", "uvloop", "asyncio"), default="auto", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    cassette = open_cassette(options, os.environ)
    takes = choose_takes(cassette, options.take, str(options.file))
    dialect: str | None = options.dialect
    if dialect is not None and not any(is_readable(take, dialect) for take in takes):
        raise CassetteError(f"{options.file}: nothing in it can be read as {dialect}")
    return run_loop(lambda: _serve(cassette, takes, options), options.loop)


def choose_takes(cassette: Cassette, number: int | None, name: str) -> list[Take]:
    """The attempts to serve: those that reached a provider, or the one that was asked for. Raises CassetteError."""
    if number is not None:
        takes = [take for take in cassette.takes if take.number == number]
        if not takes:
            raise CassetteError(f"{name}: there is no take {number}; it has {len(cassette.takes)}")
        return takes
    takes = [take for take in cassette.takes if take.head is not None]
    if not takes:
        raise CassetteError(f"{name}: no provider answered in it")
    return takes


def admit_under(dialect: str | None, method: str, path: str) -> bool:
    return dialect is None or (method == "POST" and PLACES[dialect].path.fullmatch(path) is not None)


async def _serve(cassette: Cassette, takes: Sequence[Take], options: argparse.Namespace) -> int:
    dialect: str | None = options.dialect
    models = sorted({take.asked.model or cassette.about.model or "recorded" for take in takes})
    server = ReplayServer(takes, options.speed, lambda method, path: admit_under(dialect, method, path), models, _say)
    try:
        await server.start(options.host, options.port)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise CassetteError(f"cannot listen on {options.host}:{options.port}: {reason}") from None
    try:
        _announce(options, server.port, takes)
        await asyncio.get_running_loop().create_future()
    except asyncio.CancelledError:
        return OK
    finally:
        await server.stop()
    return OK


def _announce(options: argparse.Namespace, port: int, takes: Sequence[Take]) -> None:
    host = f"[{options.host}]" if ":" in options.host else options.host
    base = f"http://{host}:{port}"
    _say(f"{options.file} is served at {base}")
    for take in takes:
        _say(f"  take {take.number}: {escape(take.asked.provider)}: {describe(take)}")
    dialect = options.dialect or takes[-1].asked.dialect
    if dialect in PROVIDERS:
        _say("as a provider:")
        print(
            f'[providers.replay]\ndialect = "{dialect}"\nbase_url = "{base}{PLACES[dialect].prefix}"', file=sys.stderr
        )


def _parse_speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0 <= speed <= FASTEST:
        raise argparse.ArgumentTypeError(f"not a speed: 0 (at once) to {FASTEST:g}")
    return speed


def _parse_port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:6]) > 65535:
        raise argparse.ArgumentTypeError("not a port")
    return int(text)


def _say(text: str) -> None:
    print(f"penstock: {escape(text)}", file=sys.stderr, flush=True)
