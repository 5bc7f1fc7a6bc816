"""Google's answers to the hub's events: `Decoder` for streams, `parse_answer` for whole ones and for JSON arrays.

Every event of a stream is a whole response whose text is more of the text. There is no end mark: a finish reason is
the terminal signal and is held until the body ends, since old models repeat it in every chunk and GPT behind Code
Assist counts its tokens after it. Calls come complete, and STOP is said after calls too. Errors come as `data:`, as
bare JSON without it, or in an array; none of this, and nothing unknown, ever raises. Shapes:
ai.google.dev/api/generate-content, and recordings of Google's endpoints.
"""

from collections.abc import Iterable
from typing import Final

from proxy.dialects.chat import Turn
from proxy.dialects.events import (
    BlockEnd,
    BlockStart,
    Delta,
    Event,
    Failure,
    FailureKind,
    Finish,
    Kind,
    Reason,
    Sign,
    Start,
    Usage,
)
from proxy.dialects.gemini.calls import Calls
from proxy.dialects.gemini.chunk import (
    NOTHING,
    OPAQUE,
    OPAQUE_KEYS,
    Candidate,
    Chunk,
    ContentPart,
    parse_chunk,
    read_chunks,
    read_raw,
)
from proxy.dialects.gemini.errors import parse_stream_error
from proxy.dialects.gemini.marks import ORIGIN
from proxy.dialects.gemini.reasons import map_reason
from proxy.dialects.gemini.usage import Counts
from proxy.dialects.json_text import decode_leniently
from proxy.dialects.parts import Json, Signature
from proxy.wire.sse import Block, Parser

ORIGIN_FORM: Final = ":origin"
"""In `Outgoing.forms`: the origin of the signatures that will come, where it is not Gemini's. No tool has this name."""

_END: Final = BlockEnd()
_STARTS: Final = {Kind.TEXT: BlockStart(Kind.TEXT), Kind.THINKING: BlockStart(Kind.THINKING)}
_BARE_LIMIT: Final = 1 << 16  # bytes of JSON outside `data:` that are looked at: an error is a few hundred
_SNAPSHOTS: Final = 16  # chunks from one count of tokens to the next: a stream that is cut can be billed, cheaply


class Decoder:
    """A stream of `streamGenerateContent?alt=sse`."""

    __slots__ = ("_bare", "_blocked", "_calls", "_chunks", "_counts", "_details", "_open", "_origin", "_raw",
                 "_started", "_told", "complete", "ended", "malformed")  # fmt: skip

    failing = False

    def __init__(self, turn: Turn) -> None:
        self.malformed = 0
        self.complete = False
        self.ended = False
        self._calls = Calls(turn)
        self._origin = turn.outgoing.forms.get(ORIGIN_FORM, ORIGIN)
        self._counts = Counts()
        self._told: Usage | None = None
        self._started = False
        self._chunks = 0
        self._open: Kind | None = None
        self._raw = ""
        self._blocked = False
        self._details: dict[str, Json] = {}
        self._bare = b""

    def feed(self, block: Block) -> list[Event]:
        if self.ended:
            return []
        data = block.data
        if data is None:
            return self._feed_bare(block.raw)
        chunks = parse_chunk(data)
        if chunks is None:
            self.malformed += data.strip() != b"[DONE]"
            return []
        return self.feed_chunks(chunks)

    def end(self, tail: bytes = b"") -> list[Event]:
        if self.ended:
            return []
        malformed = self.malformed
        events = [event for block in Parser().feed(tail + b"\n\n") for event in self.feed(block)]
        self.malformed = malformed  # half an event is no malformed one
        if events and isinstance(events[-1], Failure):
            return events
        self.ended = True
        if not self.complete:
            failure = Failure(FailureKind.DISCONNECT, "the provider ended the answer before it was complete")
            return [*events, *self._tell_usage(), failure]
        return [*events, *self._finish()]

    def feed_chunks(self, chunks: Iterable[Chunk]) -> list[Event]:
        events: list[Event] = []
        for chunk in chunks:
            if not self.ended:
                self._take(chunk, events)
        return events

    def _take(self, chunk: Chunk, events: list[Event]) -> None:
        if chunk.usage_metadata is not None:
            self._counts.feed(chunk.usage_metadata)
        if not self._started:
            self._started = True
            self._told = self._counts.build()
            events.append(Start(chunk.response_id or "", chunk.model_version or "", self._told))
        if chunk.error is not NOTHING and (error := read_raw(chunk.error)):
            self._fail({"error": error}, events)
            return
        self._chunks += 1
        if self._chunks % _SNAPSHOTS == 0:
            events += self._tell_usage()
        if chunk.candidates:
            for candidate in chunk.candidates:
                if not candidate.index:
                    self._take_candidate(candidate, events)
                    break
        elif chunk.prompt_feedback is not NOTHING:
            self._take_feedback(read_raw(chunk.prompt_feedback))

    def _take_candidate(self, candidate: Candidate, events: list[Event]) -> None:
        content = candidate.content
        if content is not None and content.parts:
            for part in content.parts:
                self._take_part(part, events)
        if candidate.finish_reason:
            self._raw = candidate.finish_reason
            self.complete = True
        if candidate.finish_message:
            self._details = {"finishMessage": candidate.finish_message}

    def _take_feedback(self, feedback: Json) -> None:
        reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
        if isinstance(reason, str) and reason:
            self._raw = reason
            self._blocked = self.complete = True
            self._details = {"promptFeedback": feedback}

    def _take_part(self, part: ContentPart, events: list[Event]) -> None:
        text = part.text
        if text is not None and self._calls.partial is None and part.function_call is None:
            kind = Kind.THINKING if part.thought else Kind.TEXT
            if text:
                if self._open is not kind:
                    self._close(events)
                    self._open = kind
                    events.append(_STARTS[kind])
                events.append(Delta(text))
            if part.thought_signature:
                self._sign(part.thought_signature, kind, events)
        else:
            self._take_other(part, events)

    def _take_other(self, part: ContentPart, events: list[Event]) -> None:
        """What is no plain text: a call or a piece of one, an image, something of Google's own, a lone signature."""
        call = part.function_call
        if call is not None:
            self._close(events)
            mark = part.thought_signature
            events += self._calls.feed(call, Signature(self._origin, mark) if mark else None)
            return
        events += self._calls.flush()
        data = part.inline_data
        for name, key in zip(OPAQUE, OPAQUE_KEYS, strict=True):
            value = read_raw(getattr(part, name))
            if value is not None:
                self._append(BlockStart(Kind.OPAQUE, name="gemini", data=_with_mark({key: value}, part)), events)
                return
        if data is not None and data.data:
            mime = data.mime_type or ""
            if mime.startswith("image/"):
                self._append(BlockStart(Kind.IMAGE, name=mime, data=data.data), events)
            else:
                value = {"inlineData": {"mimeType": mime, "data": data.data}}
                self._append(BlockStart(Kind.OPAQUE, name="gemini", data=_with_mark(value, part)), events)
                return
        if part.text is not None:
            self._take_part(part, events)
        elif part.thought_signature:
            self._sign(part.thought_signature, Kind.THINKING if part.thought else Kind.TEXT, events)

    def _sign(self, mark: str, kind: Kind, events: list[Event]) -> None:
        """A thought and its signature are one block. A text cannot hold a signature, so it stands behind it."""
        signature = Signature(self._origin, mark)
        if kind is Kind.TEXT:
            self._append(BlockStart(Kind.SIGNATURE, signature=signature), events)
            return
        if self._open is not kind:
            self._close(events)
            self._open = kind
            events.append(_STARTS[kind])
        events.append(Sign(signature))
        self._close(events)

    def _append(self, start: BlockStart, events: list[Event]) -> None:
        self._close(events)
        events += (start, _END)

    def _close(self, events: list[Event]) -> None:
        if self._open is not None:
            self._open = None
            events.append(_END)

    def _feed_bare(self, raw: bytes) -> list[Event]:
        """JSON without `data:`, over any number of lines: how Google reports an error in mid-stream."""
        piece = raw.strip()
        if not piece or not (self._bare or piece.startswith((b"{", b"["))):
            return []
        self._bare = (self._bare + raw)[:_BARE_LIMIT]
        try:
            value = decode_leniently(self._bare)
        except ValueError:
            return []
        self._bare = b""
        return self.feed_chunks(read_chunks(value))

    def _fail(self, value: Json, events: list[Event]) -> None:
        """An error counts even after a finish reason: old models said STOP with every chunk."""
        self.ended = True
        self.complete = False
        events += self._tell_usage()
        events.append(parse_stream_error(value))

    def _finish(self) -> list[Event]:
        events = self._calls.flush()
        self._close(events)
        self._told = None  # the last word, even if it is an old one
        events += self._tell_usage()
        reason = Reason.CONTENT_FILTER if self._blocked else map_reason(self._raw, self._calls.count > 0)
        events.append(Finish(reason, self._raw, details=self._details or None))
        return events

    def _tell_usage(self) -> list[Event]:
        usage = self._counts.build()
        if usage is None or usage == self._told:
            return []
        self._told = usage
        return [usage]


def parse_answer(body: bytes, turn: Turn) -> list[Event]:
    """A whole answer, a stream in array framing, or one that came as events all the same."""
    decoder = Decoder(turn)
    if body.lstrip().startswith((b"data:", b"event:", b":")):
        parser = Parser()
        events = [event for block in parser.feed(body) for event in decoder.feed(block)]
        return events + decoder.end(parser.tail)
    try:
        value = decode_leniently(body)
    except ValueError:
        return [Failure(FailureKind.BAD_GATEWAY, "the provider's answer is no JSON")]
    events = decoder.feed_chunks(read_chunks(value))
    if decoder.ended:
        return events
    if isinstance(value, dict) and any(isinstance(event, BlockStart) for event in events):
        decoder.complete = True  # a document that ends as JSON has not been cut
    if not decoder.complete and not isinstance(value, list):
        return [Failure(FailureKind.BAD_GATEWAY, "the provider's answer holds no candidate")]
    return events + decoder.end()


def parse_count(body: bytes) -> int | None:
    """The answer to a request for a number of tokens; None for anything else."""
    try:
        value = decode_leniently(body)
    except ValueError:
        return None
    count = value.get("totalTokens") if isinstance(value, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None


def _with_mark(value: dict[str, Json], part: ContentPart) -> dict[str, Json]:
    return {**value, "thoughtSignature": part.thought_signature} if part.thought_signature else value
