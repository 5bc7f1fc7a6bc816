"""An event as it is shown: lines for people, or one JSON object. Pure: an event and a gap in, text out.

What a server sent must not drive the terminal: whatever is not printable (control characters, escape sequences, the
marks that reverse the reading order) appears as an escape. JSON is plain ASCII for the same reason.
"""

import json
from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import Final

INDENT: Final = "    "

KEPT_GAPS: Final = 10_000
"""Gaps that the median is taken of, the latest ones: a tail may run for weeks."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event, and the seconds that passed before it arrived."""

    gap: float
    type: str
    id: str
    data: str


def format_text(event: Event) -> str:
    """`+ 1.002s  tick  #3  {"n":3}`; data of several lines stands below, indented."""
    parts = [f"+{event.gap:6.3f}s", escape(event.type)]
    if event.id:
        parts.append(f"#{escape(event.id)}")
    lines = [escape(line) for line in event.data.split("\n")]
    if len(lines) == 1:
        return "  ".join([*parts, *lines])
    return "\n".join(["  ".join(parts), *(INDENT + line for line in lines)])


def format_json(event: Event) -> str:
    """One line: gap_ms, type, id, data."""
    fields = {"gap_ms": round(event.gap * 1000, 3), "type": event.type, "id": event.id, "data": event.data}
    return json.dumps(fields).replace("\x7f", "\\u007f")  # DEL is ASCII, and the one control that JSON lets through


def escape(text: str) -> str:
    """`text` with everything that is not printable as `\\t`, `\\x1b` or `\\u202e`; a backslash stays as it is."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


class Summary:
    """What a tail has seen: events, connections, and the gaps between events."""

    def __init__(self) -> None:
        self.events = 0
        self.connections = 0
        self._gaps: deque[float] = deque(maxlen=KEPT_GAPS)
        self._longest = 0.0

    def note(self, gap: float) -> None:
        """Count an event. Before the first one there is no gap between events."""
        if self.events:
            self._gaps.append(gap)
            self._longest = max(self._longest, gap)
        self.events += 1

    def __str__(self) -> str:
        text = f"{_count(self.events, 'event')}, {_count(self.connections, 'connection')}"
        if self._gaps:
            text += f", median gap {median(self._gaps):.3f} s, longest {self._longest:.3f} s"
        return text


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
