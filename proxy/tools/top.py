"""`penstock top`: the streams of a running proxy as a table in the terminal, once a second until `q`.

It asks the admin listener (`admin_options.py` says which). Where the output is no terminal, or with `--once`, the table
is printed once, whole. A proxy that does not answer for a while, because it restarts, is asked again; only the first
answer must come: exit code 1 without it.
"""

import argparse
import os
import select
import shutil
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from proxy.config.address import Address
from proxy.tools.admin_client import AdminError, ask_admin
from proxy.tools.admin_options import add_admin_options, choose_admin
from proxy.tools.event_lines import escape
from proxy.tools.exits import OK
from proxy.tools.top_lines import ORDERS, Order, Sample, build_keys, build_screen

_OPEN: Final = "\x1b[?1049h\x1b[?25l"
_CLOSE: Final = "\x1b[?25h\x1b[?1049l"
"""The terminal's second screen, without a cursor; and back (xterm, "Private Modes")."""


def fill(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--once", action="store_true", help="print the table once, as it does where there is no terminal"
    )
    parser.add_argument(
        "--every", metavar="SECONDS", type=_parse_seconds, default=1.0, help="between two looks (default: 1)"
    )
    add_admin_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    address = choose_admin(options, os.environ)
    if options.once or not sys.stdout.isatty():
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        print("\n".join(_build(address, _ask(address), None, Order())))
        return OK
    first = _ask(address)
    with _screen():
        _watch(address, first, options.every)
    return OK


def _watch(address: Address, now: Sample, every: float) -> None:
    before, order, trouble, due = None, Order(), "", now.at + every
    while True:
        _draw(_build(address, now, before, order, *_measure()), trouble or build_keys(order))
        key = _wait_for_key(due - time.monotonic())
        if key == "q":
            return
        if key:
            order = _choose(order, key)
            continue
        due = time.monotonic() + every
        try:
            fresh = _ask(address)
        except AdminError as error:
            trouble = escape(str(error))
        else:
            before, now, trouble = now, fresh, ""


def _ask(address: Address) -> Sample:
    streams, accounts = ask_admin(address, "/streams"), ask_admin(address, "/accounts")
    with _expecting(address):
        return Sample(time.monotonic(), streams["streams"], accounts["providers"])


def _build(address: Address, now: Sample, before: Sample | None, order: Order, *size: int) -> list[str]:
    with _expecting(address):
        return build_screen(str(address), now, before, order, *size)


@contextmanager
def _expecting(address: Address) -> Iterator[None]:
    """What is read here has the form that this version gives it."""
    try:
        yield
    except (TypeError, KeyError, AttributeError, ValueError):
        raise AdminError(f"what answers at {address} is no admin listener of this version") from None


def _choose(order: Order, key: str) -> Order:
    if key == "/":
        return Order(order.key, not order.turned)
    return Order(key) if key in ORDERS else order


def _draw(lines: list[str], foot: str) -> None:
    width, height = shutil.get_terminal_size()
    shown = [*lines[: height - 1], *[""] * (height - 1 - len(lines)), foot[:width]]
    sys.stdout.write("\x1b[H" + "\r\n".join(f"{line}\x1b[K" for line in shown) + "\x1b[J")
    sys.stdout.flush()


def _measure() -> tuple[int, int]:
    """Width and height; the foot has its own line."""
    width, height = shutil.get_terminal_size()
    return width, height - 1


def _wait_for_key(seconds: float) -> str:
    """The next key, or "" when none came in time. Where input is no terminal, none ever does."""
    if not sys.stdin.isatty():
        time.sleep(max(seconds, 0.0))
        return ""
    if not select.select([sys.stdin], [], [], max(seconds, 0.0))[0]:
        return ""
    return os.read(sys.stdin.fileno(), 32).decode("utf-8", "replace")[:1] or "q"


@contextmanager
def _screen() -> Iterator[None]:
    """The terminal, ours until the end: keys come as they are pressed, and what stood there comes back."""
    kept = termios.tcgetattr(sys.stdin) if sys.stdin.isatty() else None
    try:
        if kept is not None:
            tty.setcbreak(sys.stdin)
        sys.stdout.write(_OPEN)
        yield
    finally:
        sys.stdout.write(_CLOSE)
        sys.stdout.flush()
        if kept is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, kept)


def _parse_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError("seconds, from 0.1 to 3600")
    return seconds
