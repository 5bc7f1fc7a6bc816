"""Tool calls of an answer: whole ones, and those whose arguments come in pieces, each as one block of events.

Names go back to what the client called them, a call without an id (or with one that was there before) gets one made
from the request's, and what was free text for the client becomes free text again.
"""

from typing import Final

from proxy.dialects.chat import Turn
from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Kind
from proxy.dialects.gemini.chunk import FunctionCall
from proxy.dialects.gemini.partial import PartialArguments
from proxy.dialects.ids import make_call_id
from proxy.dialects.json_text import parse_arguments
from proxy.dialects.parts import Signature

CUSTOM: Final = "custom"
"""In `Outgoing.forms`, by the client's name of a tool: it takes free text, sent as the one argument INPUT."""

INPUT: Final = "input"


class _Partial:
    __slots__ = ("arguments", "call", "signature")

    def __init__(self, call: FunctionCall, signature: Signature | None) -> None:
        self.call = call
        self.signature = signature
        self.arguments = PartialArguments()


class Calls:
    """count: calls so far. partial: the one under way."""

    __slots__ = ("_forms", "_ids", "_names", "_seed", "count", "partial")

    def __init__(self, turn: Turn) -> None:
        self._seed = turn.seed
        self._names = turn.outgoing.names
        self._forms = turn.outgoing.forms
        self._ids: set[str] = set()
        self.count = 0
        self.partial: _Partial | None = None

    def feed(self, call: FunctionCall, signature: Signature | None) -> list[Event]:
        """The events of a `functionCall` part: none while its call goes on."""
        events: list[Event] = []
        if call.name:
            events += self.flush()
            if not (call.will_continue or call.partial_args):
                return events + self._build(call, bytes(call.args).decode("utf-8", "replace"), signature)
            self.partial = _Partial(call, signature)
        partial = self.partial
        if partial is None:
            return events  # an end mark without its call
        partial.signature = partial.signature or signature
        partial.arguments.feed(call.partial_args or [])
        return events if call.will_continue else events + self.flush()

    def flush(self) -> list[Event]:
        """The call under way, complete: its end mark may be missing."""
        partial, self.partial = self.partial, None
        if partial is None:
            return []
        return self._build(partial.call, partial.arguments.build(), partial.signature)

    def _build(self, call: FunctionCall, arguments: str, signature: Signature | None) -> list[Event]:
        name = self._names.back(call.name or "")
        call_id = call.id or ""
        if not call_id or call_id in self._ids:
            call_id = make_call_id(self._seed, self.count)
        self._ids.add(call_id)
        self.count += 1
        custom = self._forms.get(name) == CUSTOM
        text = "{}" if arguments in ("", "null") else arguments
        if custom:
            text = _read_input(text)
        start = BlockStart(Kind.TOOL, call_id, name, signature=signature, custom=custom)
        return [start, Delta(text), BlockEnd()]


def _read_input(arguments: str) -> str:
    value = (parse_arguments(arguments) or {}).get(INPUT)
    return value if isinstance(value, str) and value else arguments
