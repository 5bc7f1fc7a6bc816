"""The hub's events to Google's clients: `Encoder` for streams (SSE or one growing JSON array), `build_answer` for whole
answers. Both build the same parts (ai.google.dev/api/generate-content).

A text delta is one event out of a template. Calls go out complete, since these clients know no fragments; thoughts go
out only if the client asked to see them. Line ends are LF and `error` is the first key; there are no comments, no
names and no end mark, because google-genai takes every line that is no `data:` for JSON.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

import msgspec

from proxy.dialects.answer import Answer, unfold
from proxy.dialects.chat import Turn
from proxy.dialects.events import (
    BlockEnd,
    BlockStart,
    Delta,
    Event,
    Failure,
    Finish,
    Kind,
    Reason,
    Sign,
    Start,
    Usage,
)
from proxy.dialects.gemini.calls import INPUT
from proxy.dialects.gemini.errors import build_status
from proxy.dialects.gemini.marks import write_mark, write_redacted
from proxy.dialects.gemini.reasons import map_word
from proxy.dialects.gemini.usage import build_usage
from proxy.dialects.ids import make_id
from proxy.dialects.json_text import encode_json, encode_string, escape_lines, parse_arguments
from proxy.dialects.parts import Json, Part, Signature, Text

KEEPALIVE: Final = b"\n"
_HEAD: Final = b'{"candidates":[{"content":{"parts":['
_EMPTY: Final = b'{"text":""}'
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class PartWriter:
    """Events to the parts of a content, each as JSON. malformed: a call's arguments were no object."""

    __slots__ = ("_arguments", "_mark", "_shown", "_start", "malformed")

    def __init__(self, turn: Turn) -> None:
        reasoning = turn.request.reasoning
        self._shown = reasoning is not None and reasoning.show is True
        self._start: BlockStart | None = None
        self._arguments: list[str] = []
        self._mark: Signature | None = None
        self.malformed = False

    def write(self, event: Event) -> bytes:
        """The part that `event` is or completes, b"" for none."""
        if type(event) is Delta:
            return self.write_delta(event.text)
        if type(event) is BlockStart:
            self._start, self._arguments, self._mark = event, [], event.signature
        elif type(event) is Sign:
            self._mark = event.signature
        elif type(event) is BlockEnd and self._start is not None:
            start, self._start = self._start, None
            return self._write_end(start)
        return b""

    def write_delta(self, text: str) -> bytes:
        kind = self._start.kind if self._start is not None else Kind.TEXT
        if kind is Kind.TEXT or kind is Kind.REFUSAL:
            return b'{"text":' + encode_string(text) + b"}"
        if kind is Kind.THINKING:
            return b'{"text":' + encode_string(text) + b',"thought":true}' if self._shown else b""
        self._arguments.append(text)
        return b""

    def _write_end(self, start: BlockStart) -> bytes:
        """What a block is in one piece, and the signature of a thought."""
        mark = self._mark
        match start.kind:
            case Kind.TOOL:
                return self._write_call(start)
            case Kind.THINKING if mark is not None and self._shown:
                return _write_thought(write_mark(mark))
            case Kind.REDACTED if mark is not None and self._shown:
                return _write_thought(write_redacted(mark))
            case Kind.SIGNATURE if mark is not None:
                return b'{"text":"","thoughtSignature":' + encode_string(write_mark(mark)) + b"}"
            case Kind.IMAGE:
                return encode_json({"inlineData": {"mimeType": start.name, "data": start.data}})
            case Kind.OPAQUE if start.name == "gemini":
                return encode_json(start.data)
        return b""

    def _write_call(self, start: BlockStart) -> bytes:
        text = "".join(self._arguments)
        part = b'{"functionCall":{"id":' + encode_string(start.id) + b',"name":' + encode_string(start.name)
        part += b',"args":' + (encode_json({INPUT: text}) if start.custom else self._write_arguments(text)) + b"}"
        if self._mark is not None:
            part += b',"thoughtSignature":' + encode_string(write_mark(self._mark))
        return part + b"}"

    def _write_arguments(self, text: str) -> bytes:
        try:
            if _decode_object(text):
                # As the model wrote it: line ends can stand between tokens only.
                return escape_lines(text.translate(_NO_LINES).encode())
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            value = parse_arguments(text)
            self.malformed = self.malformed or value is None
            return encode_json(value or {})
        return b"{}"


_NO_LINES: Final = str.maketrans("\r\n", "  ")


class Encoder:
    """A stream. In array framing every element but the first follows a comma, and the last closes the array."""

    __slots__ = ("_array", "_done", "_parts", "_tail", "_turn", "_usage", "_written")

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._array = turn.array
        self._parts = PartWriter(turn)
        self._usage = Usage()
        self._written = False
        self._done = False
        self._tail = b""
        self._begin(Start())

    @property
    def keepalive(self) -> bytes:
        """A bare LF: between events an empty line, between elements of an array white space."""
        return b"" if self._done else KEEPALIVE

    def encode(self, event: Event) -> bytes:
        if type(event) is Delta:
            part = self._parts.write_delta(event.text)
            return self._frame(_HEAD + part + self._tail) if part else b""
        match event:
            case Usage():
                self._usage = self._usage.merge(event)
                return b""
            case Start():
                self._begin(event)
                return b""
            case Finish():
                body = build_last(event, _EMPTY, self._parts.malformed, self._usage)
                return self._frame(body + self._tail[len(_CLOSING) :], last=True)
            case Failure():
                return self._frame(encode_json({"error": build_status(event)}), last=True)
        part = self._parts.write(event)
        return self._frame(_HEAD + part + self._tail) if part else b""

    def resume(self, start: Start) -> None:
        self._usage = start.usage or Usage()

    def _begin(self, start: Start) -> None:
        self._usage = start.usage or self._usage
        self._tail = _CLOSING + build_names(start, self._turn)

    def _frame(self, data: bytes, last: bool = False) -> bytes:
        first, self._written = not self._written, True
        self._done = self._done or last
        if not self._array:
            return b"data: " + data + b"\n\n"
        return (b"[" if first else b"\n,\n") + data + (b"\n]" if last else b"")


_CLOSING: Final = b'],"role":"model"},"index":0}]'


def build_answer(answer: Answer, turn: Turn) -> bytes:
    """A whole answer: the parts that a stream would have, neighbouring texts of a kind in one."""
    writer = PartWriter(turn)
    merged = replace(answer, parts=list(_merge_texts(answer.parts)))
    parts = [part for event in unfold(merged) if (part := writer.write(event))]
    body = build_last(answer.finish, b",".join(parts) or _EMPTY, writer.malformed, answer.usage)
    return body + build_names(answer.start, turn)


def build_last(finish: Finish, parts: bytes, malformed: bool, usage: Usage) -> bytes:
    """The chunk that ends an answer, up to its names. What Google said of a refused prompt goes back as it came."""
    details = finish.details or {}
    counts = b',"usageMetadata":' + encode_json(build_usage(usage))
    if isinstance(feedback := details.get("promptFeedback"), dict):
        return b'{"promptFeedback":' + encode_json(feedback) + counts
    if malformed and finish.reason in (Reason.TOOL_USE, Reason.STOP):
        finish = Finish(Reason.MALFORMED_TOOL)
    ending: dict[str, Json] = {"finishReason": map_word(finish)}
    if isinstance(message := details.get("finishMessage"), str):
        ending["finishMessage"] = message
    body = _HEAD + parts + b'],"role":"model"},' + encode_json(ending)[1:-1]
    return body + b',"index":0}]' + counts


def build_names(start: Start, turn: Turn) -> bytes:
    """The end of every chunk: whose answer it is."""
    model = start.model or turn.request.model
    answer_id = start.id or make_id("", turn.seed)
    return b',"modelVersion":' + encode_string(model) + b',"responseId":' + encode_string(answer_id) + b"}"


def _merge_texts(parts: Iterable[Part]) -> Iterator[Part]:
    last: Text | None = None
    for part in parts:
        if isinstance(part, Text):
            last = part if last is None else Text(last.text + part.text)
            continue
        if last is not None:
            yield last
            last = None
        yield part
    if last is not None:
        yield last


def _write_thought(mark: str) -> bytes:
    return b'{"text":"","thought":true,"thoughtSignature":' + encode_string(mark) + b"}"
