"""The misbehaviour parameters: strings from a query or an `x-demo` header in, one frozen `Params` out.

Every parameter may stand in the query (`?pace=0&cut_after=3`) or in the header (`x-demo: pace=0;
cut_after=3`), because SDKs let a caller add headers more easily than query parameters. The header wins.
Unknown names are ignored in the query, which belongs to the dialects (`alt=sse`, `beta=true`), and refused
in the header, which is ours. Raises `BadParameter`, whose text names the parameter and what it takes, never
the value. `TABLE` is the one list of parameters: parsing and the help page are both read from it.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

FOREVER: Final = float("inf")
MAX_SIZE: Final = (
    64 * 1024 * 1024
)  # bytes; twice the largest event a proxy may be asked to hold, and still cheap to make
MAX_COUNT: Final = 10**9
MAX_DURATION: Final = 86_400.0  # seconds; a day outlives every clock of a proxy


class BadParameter(ValueError):
    """A parameter that cannot be read. `name` is the parameter, `expected` says what it takes."""

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(name, expected)
        self.name = name
        self.expected = expected

    def __str__(self) -> str:
        return f"demo parameter {self.name}: expected {self.expected}"


@dataclass(frozen=True, slots=True)
class Params:
    """What one request asks of the demo. Durations in seconds, sizes in bytes; `None` means the fault is off."""

    pace: float = 0.04
    every: float = 1.0
    n: int | None = None
    size: int = 0
    eol: bytes | None = None
    comments: bool = False
    status: int = 200
    retry_after: str | None = None
    delay: float = 0.0
    stall_after: int | None = None
    stall: float | None = None
    end_after: int | None = None
    error_after: int | None = None
    cut_after: int | None = None
    cut_bytes: int | None = None
    reset_after: int | None = None
    bad_chunk_after: int | None = None
    slice: bool = False
    slice_pause: float = 0.0
    giant: int = 0
    no_done: bool = False
    accept_only: bool = False
    early: int | None = None
    early_close: str = "close"
    length: str | None = None
    eof: bool = False
    gzip: bool = False


DEFAULTS: Final = Params()


@dataclass(frozen=True, slots=True)
class Kind:
    """How a value is read: `parse` raises ValueError, `expected` completes the sentence of the error."""

    parse: Callable[[str], object]
    expected: str


def parse_params(query: Iterable[tuple[str, str]], headers: Iterable[str] = (), unsaid: Params = DEFAULTS) -> Params:
    """The parameters of one request from its decoded query pairs and its `x-demo` values; the others as in `unsaid`.
    Raises `BadParameter`."""
    given = [(name, value) for name, value in query if name in TABLE]
    for header in headers:
        given += _header_pairs(header)
    values: dict[str, Any] = {}
    for name, value in given:
        kind = TABLE[name][0]
        try:
            values[name] = kind.parse(value.strip())
        except ValueError:
            raise BadParameter(name, kind.expected) from None
    params = replace(unsaid, **values)
    _check_together(params)
    return params


def _header_pairs(header: str) -> Iterable[tuple[str, str]]:
    for part in filter(None, map(str.strip, header.split(";"))):
        name, _, value = part.partition("=")
        if name.strip() not in TABLE:
            raise BadParameter("in x-demo", "a known name, as listed at /")
        yield name.strip(), value


def _check_together(params: Params) -> None:
    framings = [params.length in ("1", "short"), params.eof, params.bad_chunk_after is not None]
    if sum(framings) > 1:
        raise BadParameter("length, eof, bad_chunk_after", "one of the three, each is a framing of its own")


def _duration(text: str) -> float:
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m)?", text)
    if match is None:
        raise ValueError
    seconds = float(match[1]) * {"ms": 0.001, "m": 60.0}.get(match[2] or "s", 1.0)
    if seconds > MAX_DURATION:
        raise ValueError
    return seconds


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > MAX_COUNT:
        raise ValueError
    return int(text)


def _size(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,10})(|B|KiB|MiB|k|M)", text)
    if match is None:
        raise ValueError
    size = int(match[1]) * {"KiB": 1024, "MiB": 1024 * 1024, "k": 1000, "M": 1_000_000}.get(match[2], 1)
    if size > MAX_SIZE:
        raise ValueError
    return size


def _status(text: str) -> int:
    if not re.fullmatch(r"[2-9][0-9]{2}", text):
        raise ValueError
    return int(text)


def _seconds(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text):
        raise ValueError
    return text


def _choice(**choices: object) -> Callable[[str], object]:
    def parse(text: str) -> object:
        if text not in choices:
            raise ValueError
        return choices[text]

    return parse


DURATION: Final = Kind(_duration, "a duration such as 40ms, 2s or 0, a day at most")
COUNT: Final = Kind(_count, "a whole number from 0")
SIZE: Final = Kind(_size, "a number of bytes such as 70000, 64KiB or 1MiB, 64MiB at most")
STATUS: Final = Kind(_status, "a final status from 200 to 999")
SECONDS: Final = Kind(_seconds, "a number of seconds such as 2")
FLAG: Final = Kind(_choice(**{"1": True, "0": False, "": True, "true": True, "false": False}), "1 or 0")
EOL: Final = Kind(_choice(lf=b"\n", cr=b"\r", crlf=b"\r\n"), "lf, cr or crlf")
EARLY_CLOSE: Final = Kind(_choice(keep="keep", close="close", reset="reset"), "keep, close or reset")
LENGTH: Final = Kind(_choice(**{"0": "0", "1": "1", "short": "short"}), "1, 0 or short")

TABLE: Final[dict[str, tuple[Kind, str]]] = {
    "pace": (DURATION, "time between two events of an answer (default 40ms)"),
    "every": (DURATION, "time between two ticks of the clock (default 1s)"),
    "n": (COUNT, "end the clock after so many ticks (default: never)"),
    "size": (SIZE, "pad each tick's data to so many bytes"),
    "eol": (EOL, "line ends of an event stream (default: the dialect's own)"),
    "comments": (FLAG, "a comment line before each tick"),
    "status": (STATUS, "answer with this status; from 400 up with the dialect's error body"),
    "retry_after": (SECONDS, "a Retry-After header"),
    "delay": (DURATION, "wait before the head"),
    "stall_after": (COUNT, "fall silent after so many events, for ever or for `stall`"),
    "stall": (DURATION, "how long the silence lasts; alone: right after the head"),
    "end_after": (COUNT, "end the body cleanly after so many events, whatever was still to come"),
    "error_after": (COUNT, "fail in the dialect's own way after so many events; a whole answer fails as a whole"),
    "cut_after": (COUNT, "close the connection (FIN) after so many events, body unfinished; 0: before the head"),
    "cut_bytes": (SIZE, "the same after exactly so many body bytes; 0: right after the head"),
    "reset_after": (COUNT, "reset the connection (RST) after so many events; 0: before the head"),
    "bad_chunk_after": (COUNT, "send an invalid chunk size line after so many events, then silence"),
    "slice": (FLAG, "write the answer one byte at a time"),
    "slice_pause": (DURATION, "wait between two such bytes"),
    "giant": (SIZE, "make the first data line with text at least so many bytes long"),
    "no_done": (FLAG, "leave out the end mark ([DONE], message_stop, the array's bracket)"),
    "accept_only": (FLAG, "read the request and never answer"),
    "early": (STATUS, "answer with this status before the request body is read"),
    "early_close": (EARLY_CLOSE, "what then happens to the connection (default close)"),
    "length": (LENGTH, "1: Content-Length, 0: chunked, short: declare more than is sent, then close"),
    "eof": (FLAG, "no length and no chunks: the end of the connection ends the body"),
    "gzip": (FLAG, "Content-Encoding: gzip, flushed at every event"),
}
