"""Anthropic's event stream, or a whole message, as the hub's events.

`feed` takes the block of one event and never raises: the JSON's `type` counts, the name of the event only where there
is none. Unknown events and deltas say nothing, unknown blocks pass whole as OPAQUE. The finish is held until
`message_stop`; a body that ends before a stop reason is a DISCONNECT. Endpoints of others (GLM, Moonshot, DeepSeek) and
gateways on the way are read as well: usage that comes late, blocks that are not closed, a second `message_start`.
What a block becomes stands in `blocks_decode`.
"""

from typing import Any, Final

import msgspec

from proxy.dialects.anthropic_messages.blocks_decode import Blocks
from proxy.dialects.anthropic_messages.errors import CODES
from proxy.dialects.anthropic_messages.reasons import parse_reason
from proxy.dialects.anthropic_messages.usage import Meter
from proxy.dialects.chat import Turn
from proxy.dialects.events import Event, Failure, FailureKind, Finish, Start, Usage
from proxy.dialects.failures import SAYINGS, parse_error_value
from proxy.dialects.json_text import decode_json
from proxy.dialects.parts import Json
from proxy.wire.sse import Block


class _Delta(msgspec.Struct, gc=False):
    type: str = ""
    text: str = ""
    thinking: str = ""
    partial_json: str = ""


class _Chunk(msgspec.Struct, gc=False):
    """A `content_block_delta`, nearly every event there is; the others are read as plain JSON."""

    type: str
    delta: _Delta
    index: int = 0


_decode_chunk: Final = msgspec.json.Decoder(_Chunk).decode
_TEXTS: Final = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
_HOT: Final = b'{"type":"content_block_delta"'


class Decoder:
    """See `chat.Decoder`."""

    __slots__ = ("_blocks", "_details", "_meter", "_raw", "_sequence", "_started", "complete", "ended",
                 "malformed")  # fmt: skip

    failing = False

    def __init__(self, turn: Turn) -> None:
        self._blocks = Blocks(turn)
        self._meter = Meter()
        self._started = False
        self._raw = ""
        self._sequence: str | None = None
        self._details: dict[str, Json] | None = None
        self.malformed = 0
        self.complete = False
        self.ended = False

    def feed(self, block: Block) -> list[Event]:
        data = block.data
        if data is None or self.ended:
            return []
        if data.startswith(_HOT) and self._started:
            try:
                chunk = _decode_chunk(data)
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                pass
            else:
                delta, blocks = chunk.delta, self._blocks
                if chunk.index == blocks.index and delta.type == blocks.wire:
                    return blocks.add(delta.text or delta.thinking or delta.partial_json)
        return self._feed_slowly(block)

    def end(self, tail: bytes = b"") -> list[Event]:
        events = self._feed_tail(tail) if tail and not self.ended else []
        return events + self._close()

    def read_message(self, message: dict[str, Json]) -> list[Event]:
        """The events of a whole message."""
        events = self._start(message)
        content = message.get("content")
        for index, block in enumerate(content if isinstance(content, list) else ()):
            events += self._blocks.start(index, block)
            events += self._blocks.stop()
        self._read_stop(message)
        return events + self._finish()

    def _feed_slowly(self, block: Block) -> list[Event]:
        value = _decode_leniently(block)
        if not isinstance(value, dict):
            if block.data is not None and block.data.startswith(b"[DONE]"):  # some gateways add it
                return self._finish() if self.complete else []
            self.malformed += 1
            return []
        kind = value.get("type")
        if not isinstance(kind, str):
            kind = "error" if "error" in value else block.type
        return self._dispatch(kind, value)

    def _dispatch(self, kind: str, value: dict[str, Json]) -> list[Event]:
        match kind:
            case "message_start":
                message = value.get("message")
                return self._start(message if isinstance(message, dict) else {})
            case "content_block_start":
                return self._open() + self._blocks.start(_index(value), value.get("content_block"))
            case "content_block_delta":
                delta = value.get("delta")
                return self._add(_index(value), delta) if isinstance(delta, dict) else []
            case "content_block_stop":
                return self._blocks.stop(_index(value))
            case "message_delta":
                return self._feed_message_delta(value)
            case "message_stop":
                return self._open() + self._finish()
            case "error":
                return [self._fail(parse_error_value(value, codes=CODES))]
            case _:
                return []

    def _start(self, message: dict[str, Json]) -> list[Event]:
        if self._started:  # proxies on the way splice a second one in
            return []
        self._started = True
        self._meter.feed(message.get("usage"))
        known = self._meter.read()
        return [Start(_text(message.get("id")), _text(message.get("model")), None if known.input is None else known)]

    def _open(self) -> list[Event]:
        return [] if self._started else self._start({})

    def _add(self, index: int, delta: dict[str, Json]) -> list[Event]:
        events = self._open()
        kind = _text(delta.get("type"))
        if kind in _TEXTS:
            events += self._blocks.add_text(index, kind, _text(delta.get(_TEXTS[kind])))
        else:
            events += self._blocks.add_other(index, kind, delta)
        if events and isinstance(failure := events[-1], Failure):
            self._fail(failure)
        return events

    def _feed_message_delta(self, value: dict[str, Json]) -> list[Event]:
        events = self._open()
        self._meter.feed(value.get("usage"))
        delta = value.get("delta")
        if isinstance(delta, dict):
            self._read_stop(delta)
        if self.complete:
            events += self._blocks.stop()
        return events

    def _read_stop(self, message: dict[str, Json]) -> None:
        """The last reason that was given counts."""
        reason, details = message.get("stop_reason"), message.get("stop_details")
        if isinstance(reason, str) and reason:
            self._raw = reason
            self.complete = True
            sequence = message.get("stop_sequence")
            self._sequence = sequence if isinstance(sequence, str) else None
        if isinstance(details, dict):
            self._details = details

    def _close(self) -> list[Event]:
        if self.ended:
            return []
        if self.complete:
            return self._finish()
        return [self._fail(Failure(FailureKind.DISCONNECT, SAYINGS[FailureKind.DISCONNECT]))]

    def _finish(self) -> list[Event]:
        self.complete = self.ended = True
        events = self._blocks.stop()
        reason = parse_reason(self._raw, called=self._blocks.called)
        usage = self._meter.read()
        if usage != Usage():
            events.append(usage)
        return [*events, Finish(reason, self._raw, self._sequence, self._details)]

    def _fail(self, failure: Failure) -> Failure:
        """What was open stays so: half a call is none."""
        self.ended = True
        self.complete = False
        return failure

    def _feed_tail(self, tail: bytes) -> list[Event]:
        """An event whose blank line is missing: taken if its JSON is whole."""
        lines = tail.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        data = [line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:")]
        names = [line[6:].strip().decode("utf-8", "replace") for line in lines if line.startswith(b"event:")]
        joined = b"\n".join(data)
        try:
            decode_json(joined)
        except ValueError:
            return []
        return self.feed(Block(tail, names[-1] if names else "message", joined, ""))


def parse_answer(body: bytes, turn: Turn) -> list[Event]:
    """The events of a whole message, or the Failure that stands in its place."""
    try:
        value: Any = decode_json(body.strip())
    except ValueError:
        value = None
    if isinstance(value, dict) and isinstance(value.get("content"), list):
        return Decoder(turn).read_message(value)
    if isinstance(value, dict) and (value.get("type") == "error" or value.get("error")):
        return [parse_error_value(value, codes=CODES)]
    return [Failure(FailureKind.BAD_GATEWAY, SAYINGS[FailureKind.BAD_GATEWAY])]


def parse_count(body: bytes) -> int | None:
    """The answer to a request for a number of tokens; None for anything else."""
    try:
        value = decode_json(body)
    except ValueError:
        return None
    count = value.get("input_tokens") if isinstance(value, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None


def _decode_leniently(block: Block) -> Json:
    """The JSON of an event, bytes that are no UTF-8 replaced; None when there is none."""
    for data in (block.data or b"", block.text):
        try:
            return decode_json(data)
        except ValueError:
            continue
    return None


def _index(value: dict[str, Json]) -> int:
    index = value.get("index")
    return index if isinstance(index, int) else 0


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
