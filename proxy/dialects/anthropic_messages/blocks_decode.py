"""The blocks of one answer, as they open, grow and close: the part of the decoder that knows their kinds.

Nothing overlaps in the hub, so a block that opens closes the one before it. Text and thinking begin with their first
character, a signature is given when its block ends, a block of a server's tool passes whole. A tool that stood in for
something (`Outgoing.forms`) turns back: "text" into text as it comes, "custom" into free text at its end. Deltas of a
block that never opened open one; arguments that belong to no call would be missing from one, and fail the answer.
"""

from typing import Final

from proxy.dialects.anthropic_messages.native import DIALECT, NATIVE
from proxy.dialects.anthropic_messages.tools_out import AS_TEXT, CUSTOM
from proxy.dialects.chat import Turn
from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Failure, FailureKind, Kind, Sign
from proxy.dialects.ids import make_call_id
from proxy.dialects.json_text import encode_json, parse_arguments
from proxy.dialects.parts import Json, Signature

_KINDS: Final = {"text_delta": Kind.TEXT, "thinking_delta": Kind.THINKING}
_WIRES: Final = {kind: wire for wire, kind in _KINDS.items()}
_ARGUMENTS: Final = "input_json_delta"
_STRAY: Final = Failure(FailureKind.BAD_GATEWAY, "the provider sent arguments that belong to no tool call")


class Blocks:
    """At most one block is open. index, wire: its number, and the type of the deltas it grows by. called: a tool call
    was told."""

    __slots__ = ("_begun", "_call", "_forms", "_ids", "_kind", "_names", "_opaque", "_pending", "_seed", "_seen",
                 "_signature", "called", "index", "wire")  # fmt: skip

    def __init__(self, turn: Turn) -> None:
        self._forms = turn.outgoing.forms
        self._names = turn.outgoing.names
        self._seed = turn.seed
        self._ids: set[str] = set()
        self._seen: set[int] = set()
        self._kind: Kind | None = None
        self._begun = False  # the block was told
        self._signature = ""
        self._pending = ""  # arguments that are not told yet: those of the start count when no delta comes
        self._call: BlockStart | None = None  # of a call whose text is told at its end
        self._opaque: dict[str, Json] = {}
        self.called = False
        self.index = -1
        self.wire = ""

    def start(self, index: int, block: Json) -> list[Event]:
        events = self.stop()
        if not isinstance(block, dict):
            return events
        self._open(index, None, "")
        match block.get("type"):
            case "text":
                self._open(index, Kind.TEXT, "text_delta")
                return events + self.add(_text(block.get("text")))
            case "thinking":
                self._open(index, Kind.THINKING, "thinking_delta")
                self._signature = _text(block.get("signature"))
                return events + self.add(_text(block.get("thinking")))
            case "redacted_thinking":
                if data := _text(block.get("data")):
                    events += [BlockStart(Kind.REDACTED, signature=Signature(NATIVE, data)), BlockEnd()]
            case "tool_use":
                events += self._start_call(index, block)
            case _:
                self._open(index, Kind.OPAQUE, "")
                self._opaque = dict(block)
        return events

    def add(self, text: str) -> list[Event]:
        """More of the open block, which takes deltas of this kind."""
        if not text:
            return []
        if self._begun:
            return [Delta(text)]
        if self._call is not None:
            self._pending += text
            return []
        self._begun = True
        kind = self._kind or Kind.TEXT
        return [Delta(text)] if kind is Kind.TOOL else [BlockStart(kind), Delta(text)]

    def add_text(self, index: int, wire: str, text: str) -> list[Event]:
        """A delta with text for whatever block it names."""
        if not text:
            return []
        if index == self.index and wire == self.wire:
            return self.add(text)
        if wire == _ARGUMENTS:
            if self._kind is Kind.OPAQUE and index == self.index:
                self._pending += text
                return []
            return [_STRAY]
        events = self.stop()
        self._open(index, _KINDS[wire], wire)
        return events + self.add(text)

    def add_other(self, index: int, wire: str, delta: dict[str, Json]) -> list[Event]:
        """A signature, or a delta of a kind that only its own block understands."""
        if wire == "signature_delta":
            return self._add_signature(index, _text(delta.get("signature")))
        if self._kind is Kind.OPAQUE and index == self.index:
            for name, value in delta.items():
                before = self._opaque.get(name)
                if name != "type":
                    self._opaque[name] = before + value if isinstance(before, str) and isinstance(value, str) else value
        return []

    def stop(self, index: int | None = None) -> list[Event]:
        """Close the open block; one of another index is closed already."""
        kind = self._kind
        if kind is None or (index is not None and index != self.index):
            return []
        events = self._fill(kind)
        if self._signature:
            if not self._begun:
                events.append(BlockStart(kind))
            events.append(Sign(Signature(NATIVE, self._signature)))
            self._begun = True
        if self._begun:
            events.append(BlockEnd())
        self._open(self.index, None, "")
        return events

    def _open(self, index: int, kind: Kind | None, wire: str) -> None:
        self._seen.add(index)
        self._kind = kind
        self._begun = False
        self._signature = self._pending = ""
        self._call = None
        self.index = index
        self.wire = wire

    def _start_call(self, index: int, block: dict[str, Json]) -> list[Event]:
        name = _text(block.get("name"))
        if not name:
            return []
        form = self._forms.get(name)
        self._open(index, Kind.TEXT if form == AS_TEXT else Kind.TOOL, _ARGUMENTS)
        given = block.get("input")
        arguments = encode_json(given).decode() if given and isinstance(given, dict) else ""
        if form == AS_TEXT:
            self._pending = arguments
            return []
        call_id = _text(block.get("id"))
        if not call_id or call_id in self._ids:
            call_id = make_call_id(self._seed, len(self._ids))
        self._ids.add(call_id)
        self.called = True
        start = BlockStart(Kind.TOOL, call_id, self._names.back(name), custom=form == CUSTOM)
        if form == CUSTOM:
            self._call = start
            self._pending = arguments
            return []
        self._pending = arguments or "{}"
        return [start]

    def _add_signature(self, index: int, text: str) -> list[Event]:
        if index == self.index and self._kind is Kind.THINKING:
            self._signature += text
            return []
        if index in self._seen or not text:  # of a block that has ended: beside another text it would be refused
            return []
        events = self.stop()
        self._open(index, Kind.THINKING, "thinking_delta")
        self._signature = text
        return events

    def _fill(self, kind: Kind) -> list[Event]:
        """What is still to be told of the block that ends."""
        if kind is Kind.OPAQUE:
            if self._pending:
                self._opaque["input"] = parse_arguments(self._pending) or {}
            return [BlockStart(Kind.OPAQUE, name=DIALECT, data=self._opaque), BlockEnd()]
        if self._call is not None:
            values = parse_arguments(self._pending) or {}
            text = values.get("input")
            start, self._call, self._begun = self._call, None, True
            return [start, Delta((text if isinstance(text, str) else self._pending) or "{}")]
        if self._begun:
            return []
        if kind is Kind.TOOL:
            self._begun = True
            return [Delta(self._pending)]
        return self.add(self._pending)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
