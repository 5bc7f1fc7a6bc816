"""Cassettes as the commands read them: from a file, made of a recorded body that is none, or by a request's id from the
failures that a running proxy remembers.

Raises CassetteError, which names the file, and AdminError.
"""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from proxy.errors import PenstockError
from proxy.tools.admin_client import fetch_admin
from proxy.tools.admin_options import add_admin_options, choose_admin
from proxy.wire.cassette import About, Asked, Cassette, End, Fields, Head, NoCassette, Take, parse_cassette
from proxy.wire.sse import Parser

_ID: Final = re.compile(r"req_[0-9a-f]{24}")

BODIES: Final = {".sse": "text/event-stream", ".json": "application/json"}
"""Endings of files that are an answer's body and nothing else, and what that is."""

GAP: Final = 0.02
"""Seconds between the events of a body, of which nobody knows when they came: a model of fifty tokens a second."""


class CassetteError(PenstockError):
    """The file cannot be used."""


def add_cassette_options(parser: argparse.ArgumentParser) -> None:
    """FILE, and where to ask for what is no file."""
    parser.add_argument(
        "file", metavar="FILE", type=Path,
        help="a cassette; the body of an answer, .sse or .json; or the id of a failure that a running proxy remembers",
    )  # fmt: skip
    add_admin_options(parser)


def open_cassette(options: argparse.Namespace, environ: Mapping[str, str]) -> Cassette:
    """What the options of `add_cassette_options` name."""
    path: Path = options.file
    if not _ID.fullmatch(str(path)) or path.exists():
        return read_cassette(path)
    try:
        return parse_cassette(fetch_admin(choose_admin(options, environ), f"/failures/{path}"))
    except NoCassette as error:
        raise CassetteError(f"{path}: {error}") from None


def read_cassette(path: Path) -> Cassette:
    """A cassette with at least one take."""
    try:
        data = path.read_bytes()
        kind = BODIES.get(path.suffix)
        cassette = wrap_body(data, kind) if kind else parse_cassette(data)
    except OSError as error:
        raise CassetteError(f"{path}: {(error.strerror or type(error).__name__).lower()}") from None
    except NoCassette as error:
        raise CassetteError(f"{path}: {error}") from None
    if not cassette.takes:
        raise CassetteError(f"{path}: nothing was asked of a provider in it")
    return cassette


def wrap_body(body: bytes, content_type: str, status: int = 200, headers: Fields = (), dialect: str = "") -> Cassette:
    """A cassette of an answer's body: a read for each event, GAP apart, complete. headers: beside the content type."""
    parts = _split_events(body) if content_type.startswith("text/event-stream") else [body]
    fields = [pair for pair in headers if pair[0].lower() not in ("content-type", "content-length")]
    head = Head(status, "", (("Content-Type", content_type), ("Transfer-Encoding", "chunked"), *fields))
    reads: list[tuple[float, bytes | int]] = []
    reads += [(round(GAP * number, 6), part) for number, part in enumerate(parts, 1) if part]
    last = reads[-1][0] if reads else 0.0
    asked = Asked("file", dialect=dialect)
    return Cassette(About(), [Take(1, 0.0, asked, None, 0.0, head, reads, last, End("complete"))])


def _split_events(body: bytes) -> list[bytes]:
    parser = Parser()
    return [*(block.raw for block in parser.feed(body)), parser.tail]
