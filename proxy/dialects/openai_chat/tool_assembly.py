"""Puts tool calls together from the fragments of an OpenAI-type stream, whoever cut them.

Fragments in, events out: each call one block, in order of first appearance, its id and name known at its start. Only
the first unfinished call is passed on as it comes. One behind it waits until the arguments before it are whole JSON, so
calls may be interleaved; a server that sends one call after the other loses no time by it. A fragment belongs to the
call of its `index`, else of its `id`, else to the last one; one that brings a name to a call that is whole begins
another (servers use an index twice). Nothing raises, and no call is lost: one without an id gets one, one without
arguments gets {}, and arguments that are no JSON stay as they are.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

from proxy.dialects.chat import Turn
from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Kind, Sign
from proxy.dialects.ids import make_call_id
from proxy.dialects.json_text import encode_json, parse_arguments
from proxy.dialects.openai_chat.chunks import Fragment
from proxy.dialects.parts import Json, Signature
from proxy.dialects.signatures import read_signature

CUSTOM: Final = "custom"
"""In `Outgoing.forms`: the tool takes free text and was sent as a function with one string, `input`."""

_NAMELESS: Final = "unknown"
_MARK: Final = re.compile(r'["\\{}\[\]]')


class Balance:
    """Whether a text that comes in pieces is one whole JSON object so far, by its brackets. Linear in the text."""

    __slots__ = ("_depth", "_escaped", "_quoted", "_seen")

    def __init__(self) -> None:
        self._depth = 0
        self._escaped = False
        self._quoted = False
        self._seen = False

    @property
    def whole(self) -> bool:
        return self._seen and self._depth <= 0 and not self._quoted

    def feed(self, text: str) -> None:
        begin = 0
        if self._escaped and text:
            self._escaped, begin = False, 1
        while mark := _MARK.search(text, begin):
            begin = mark.end()
            char = mark[0]
            if char == '"':
                self._quoted = not self._quoted
            elif char == "\\":
                self._escaped = begin == len(text)
                begin += 1
            elif not self._quoted:
                self._seen = True
                self._depth += 1 if char in "{[" else -1


class _Call:
    """free: the arguments are a text, as its provider sends it. unsent: pieces of them that wait. unread: pieces that
    `balance` has not seen."""

    __slots__ = ("balance", "blank", "free", "id", "name", "signature", "signed", "started", "unread", "unsent")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.free = False
        self.signature: Signature | None = None
        self.signed = False
        self.started = False
        self.blank = True
        self.unsent: list[str] = []
        self.unread: list[str] = []
        self.balance = Balance()

    @property
    def whole(self) -> bool:
        """The arguments can be taken as complete. Free text shows no end: another call ends it."""
        for piece in self.unread:
            self.balance.feed(piece)
        self.unread.clear()
        return self.free or self.balance.whole

    def take(self, text: str) -> None:
        if text:
            self.unsent.append(text)
            self.unread.append(text)
            self.blank = self.blank and text.isspace()


class ToolAssembly:
    """signatures: by id of the call, for providers that send them apart; taken when the call starts or ends."""

    def __init__(self, turn: Turn) -> None:
        names = turn.outgoing.names
        self.signatures: dict[str, Signature] = {}
        self.seen = False
        self._seed = turn.seed
        self._back = names.back
        self._known: Collection[str] = {names.there(tool.name) for tool in turn.request.tools}
        self._forms: Mapping[str, str] = turn.outgoing.forms
        self._open: list[_Call] = []  # not ended, in order
        self._keys: dict[int | str, _Call] = {}
        self._last: _Call | None = None
        self._count = 0
        self._used: set[str] = set()

    @property
    def active(self) -> bool:
        """A call is under way."""
        return bool(self._open)

    def feed(self, fragment: Fragment, out: list[Event], position: int | None = None) -> None:
        """position: where the fragment stands among several of one chunk, which are several calls."""
        part = fragment.function or fragment.custom
        call_id = _as_id(fragment.id)
        name = part.name if part is not None and isinstance(part.name, str) else ""
        text = _as_text(part.input if fragment.custom is not None else part.arguments) if part is not None else ""
        call = self._find(_as_index(fragment.index, position), call_id, name, text)
        call.free = call.free or fragment.custom is not None
        call.id = call.id or call_id
        if name and not call.started and name != call.name and call.name not in self._known:
            call.name += name  # rarely names come in pieces, often again and again
        call.take(text)
        if fragment.extra_content is not None:
            call.signature = find_google_signature(fragment.extra_content) or call.signature
        self._advance(out, done=False)

    def settle(self, out: list[Event]) -> bool:
        """Something else follows: end all calls if each is whole. False when one is not, and the other has to wait."""
        if not all(call.whole for call in self._open):
            return False
        self.close(out)
        return True

    def close(self, out: list[Event]) -> None:
        """The answer is finished: end all calls."""
        self._advance(out, done=True)

    def _find(self, index: int | None, call_id: str, name: str, text: str) -> _Call:
        call = self._last
        if index is not None:
            call = self._keys.get(index)
        elif call_id:
            call = self._keys.get(call_id)
        if call is None or self._begins(call, call_id, name, text):
            call = _Call()
            self._open.append(call)
        if index is not None:
            self._keys[index] = call
        if call_id:
            self._keys[call_id] = call
        self._last = call
        return call

    def _begins(self, call: _Call, call_id: str, name: str, text: str) -> bool:
        """Whether a fragment for `call` is another call in truth."""
        if not name:
            return False
        done = call.blank or call.whole
        if call_id and call.id and call_id != call.id:
            return done
        if call_id and call_id == call.id:
            return False
        return (done and name != call.name and call.name in self._known) or (call.whole and bool(text.strip()))

    def _advance(self, out: list[Event], *, done: bool) -> None:
        while self._open:
            call = self._open[0]
            closing = done or len(self._open) > 1
            if not call.started and not self._start(call, out, closing):
                return
            if call.started and call.unsent and not self._is_held(call):
                out.append(Delta("".join(call.unsent)))
                call.unsent.clear()
            if not (done or (len(self._open) > 1 and call.whole)):
                return
            self._end(call, out)

    def _start(self, call: _Call, out: list[Event], closing: bool) -> bool:
        """True when the block is begun, or the call turned out to be nothing."""
        if not closing and call.blank and not (call.id and call.name in self._known):
            return False
        if not call.name and call.blank:
            return closing  # an empty fragment: `_end` passes over it
        if not call.name:
            if not closing:
                return False
            call.name = _NAMELESS
        if not call.id or call.id in self._used:
            call.id = make_call_id(self._seed, self._count)
        self._used.add(call.id)
        self._count += 1
        self.seen = call.started = True
        custom = call.free or self._is_held(call)
        signature = call.signature or self.signatures.pop(call.id, None)
        call.signed = signature is not None
        name = self._back(call.name)
        out.append(BlockStart(Kind.TOOL, call.id, name, None, signature, custom))
        return True

    def _end(self, call: _Call, out: list[Event]) -> None:
        del self._open[0]
        if not call.started:
            return
        if self._is_held(call):
            out.append(Delta(_free("".join(call.unsent)) or "{}"))
        elif call.blank:
            out.append(Delta("{}"))
        signature = call.signature or self.signatures.pop(call.id, None)
        if signature is not None and not call.signed:
            out.append(Sign(signature))
        out.append(BlockEnd())

    def _is_held(self, call: _Call) -> bool:
        return self._forms.get(call.name) == CUSTOM


def find_google_signature(extra: Json) -> Signature | None:
    """In `extra_content` of a call or a message (ai.google.dev/gemini-api/docs/openai, thought signatures)."""
    google = extra.get("google") if isinstance(extra, dict) else None
    text = google.get("thought_signature") if isinstance(google, dict) else None
    return read_signature(text, "g") if isinstance(text, str) else None


def _free(arguments: str) -> str:
    """The free text in a function's arguments; they as they are when there is none."""
    value = parse_arguments(arguments)
    text = value.get("input") if value is not None else None
    return text if isinstance(text, str) else arguments


def _as_index(value: Json, position: int | None) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else position


def _as_id(value: Json) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _as_text(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else encode_json(value).decode()
