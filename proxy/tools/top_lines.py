"""What `penstock top` shows: the answers of `GET /streams` and `GET /accounts` in, lines of text out. Pure.

`Sample` is what was told at one moment; two of them give rates. Nothing that came from outside drives the terminal: it
is escaped, and cut to the width.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from proxy.tools.account_lines import format_duration
from proxy.tools.event_lines import escape

Fields = Mapping[str, Any]

_HEAD: Final = ("ID", "AGE", "PHASE", "CLIENT", "MODEL", "ACCOUNT", "TRY", "TTFT", "EV/S", "EVENTS", "BYTES", "STILL")
_RIGHT: Final = frozenset({"AGE", "TRY", "TTFT", "EV/S", "EVENTS", "BYTES", "STILL"})
_LARGEST: Final = {"ID": 8, "CLIENT": 16, "MODEL": 28, "ACCOUNT": 28}
"""Characters of what may be long; the rest is short by itself."""

_SIZES: Final = ((1 << 30, "G"), (1 << 20, "M"), (1 << 10, "k"))


@dataclass(frozen=True, slots=True)
class Sample:
    """at: seconds on any clock that only goes forward. streams, providers: as the admin listener tells them."""

    at: float
    streams: Sequence[Fields]
    providers: Sequence[Fields]


@dataclass(frozen=True, slots=True)
class Order:
    """key: one of ORDERS. turned: the other way round."""

    key: str = "a"
    turned: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    stream: Fields
    rate: float  # events per second since the sample before

    @property
    def model(self) -> str:
        return str(self.stream.get("model") or self.stream.get("model_asked") or self.stream.get("route", ""))

    @property
    def account(self) -> str:
        names = (self.stream.get("provider"), self.stream.get("account"))
        return "/".join(str(name) for name in names if name)


_Key = Callable[[_Row], Any]

ORDERS: Final[Mapping[str, tuple[str, _Key]]] = {
    "a": ("age", lambda row: -row.stream["seconds"]),
    "s": ("still", lambda row: -(row.stream.get("still") or 0.0)),
    "r": ("rate", lambda row: -row.rate),
    "t": ("ttft", lambda row: -(row.stream.get("ttft") or 0.0)),
    "b": ("bytes", lambda row: -row.stream["bytes_down"]),
    "c": ("client", lambda row: row.stream.get("client") or ""),
    "m": ("model", lambda row: row.model),
    "p": ("account", lambda row: row.account),
}
"""Key to press: what the table is then sorted by, the most striking first."""


def build_screen(
    place: str, now: Sample, before: Sample | None, order: Order, width: int | None = None, height: int | None = None
) -> list[str]:
    """The whole screen, from the head line down; without a size all of it."""
    rows = _build_rows(now, before)
    lines = [_build_summary(place, now.streams, rows, timed=before is not None), _list_cooling(now.providers)]
    lines = [line for line in lines if line]
    table = _align([_HEAD, *(_build_cells(row, timed=before is not None) for row in _sort(rows, order))])
    room = len(table) if height is None else max(height - len(lines) - 2, 1)
    if len(table) > room:
        table = [*table[: room - 1], f"… {len(table) - room + 1} more"]
    lines += ["", *(table if rows else ["no streams"])]
    return lines if width is None else [_cut(line, width) for line in lines]


def build_keys(order: Order) -> str:
    """The line that says what may be pressed."""
    names = "  ".join(f"[{key}]{name}" if key == order.key else f"{key} {name}" for key, (name, _) in ORDERS.items())
    return f"sort: {names}  / turn  q quit"


def _build_rows(now: Sample, before: Sample | None) -> list[_Row]:
    known = {stream["id"]: stream["events"] for stream in before.streams} if before else {}
    seconds = now.at - before.at if before else 0.0
    return [
        _Row(stream, (stream["events"] - known.get(stream["id"], 0)) / seconds if seconds > 0 else 0.0)
        for stream in now.streams
    ]


def _sort(rows: Sequence[_Row], order: Order) -> list[_Row]:
    return sorted(rows, key=ORDERS[order.key][1], reverse=order.turned)


def _build_summary(place: str, streams: Sequence[Fields], rows: Sequence[_Row], *, timed: bool) -> str:
    flowing = sum(stream["phase"] == "streaming" for stream in streams)
    parts = [f"penstock at {place}", f"{len(streams)} in flight, {flowing} streaming"]
    if timed:
        parts.append(f"{sum(row.rate for row in rows):.0f} events/s")
    return "   ".join(parts)


def _list_cooling(providers: Sequence[Fields]) -> str:
    """Whoever is left alone, or "" when nobody is."""
    told = []
    for provider in providers:
        name = provider["provider"]
        told += [_tell(name, cooldown) for cooldown in provider.get("cooldowns", ())]
        for account in provider["accounts"]:
            shown = f"{name}/{account['account']}" if account["account"] else name
            told += [_tell(shown, cooldown) for cooldown in account.get("cooldowns", ())]
    return f"left alone: {', '.join(told)}" if told else ""


def _tell(name: str, cooldown: Fields) -> str:
    shown = " ".join(part for part in (name, cooldown.get("model")) if part)
    seconds = cooldown["seconds_left"]
    rest = format_duration(seconds) if seconds and cooldown["state"] == "cooling" else cooldown["state"]
    return escape(f"{shown} ({cooldown['why']}, {rest})")


def _build_cells(row: _Row, *, timed: bool) -> tuple[str, ...]:
    stream = row.stream
    still, ttft = stream.get("still"), stream.get("ttft")
    return (
        str(stream["id"])[-8:],
        _format_seconds(stream["seconds"]),
        str(stream["phase"]),
        str(stream.get("client") or stream["remote"]),
        row.model,
        row.account,
        str(len(stream.get("trail", ())) or ""),
        "" if ttft is None else f"{ttft:.2f}s",
        f"{row.rate:.0f}" if timed else "",
        str(stream["events"]),
        _format_bytes(stream["bytes_down"]),
        "" if still is None else _format_seconds(still),
    )


def _format_seconds(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}h{minutes % 60:02}m" if minutes >= 60 else f"{minutes}m{rest:02}s"


def _format_bytes(count: int) -> str:
    for size, unit in _SIZES:
        if count >= size:
            return f"{count / size:.1f}{unit}"
    return str(count)


def _align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as their widest cell; those that are empty in every row but the first are left out."""
    most = [_LARGEST.get(name, 40) for name in _HEAD]
    cells = [[_cut(escape(cell), most[at]) for at, cell in enumerate(row)] for row in rows]
    shown = [at for at in range(len(_HEAD)) if any(row[at] for row in cells[1:])]
    widths = {at: max(len(row[at]) for row in cells) for at in shown}
    return ["  ".join(_pad(row[at], widths[at], _HEAD[at]) for at in shown).rstrip() for row in cells]


def _pad(cell: str, width: int, name: str) -> str:
    return cell.rjust(width) if name in _RIGHT else cell.ljust(width)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"
