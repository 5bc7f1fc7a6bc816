"""A whole answer: the fold of its events, and its unfolding into them. One path for streamed and whole."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

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
from proxy.dialects.parts import (
    Image,
    Media,
    Opaque,
    Part,
    Redacted,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
)


@dataclass(frozen=True, slots=True)
class LoneSignature(Part):
    """A Gemini signature that belongs to no text, or to the text before it."""

    signature: Signature


@dataclass(slots=True)
class Answer:
    """start and finish as decoded; `parts` in order. failure: set instead of a finish when the answer failed."""

    start: Start = field(default_factory=Start)
    parts: list[Part] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    finish: Finish = field(default_factory=lambda: Finish(Reason.OTHER))
    failure: Failure | None = None


class Folder:
    """Events in, an `Answer` out. `answer` is complete once a Finish or a Failure was fed."""

    __slots__ = ("_open", "_signature", "_text", "answer")

    def __init__(self) -> None:
        self.answer = Answer()
        self._open: BlockStart | None = None
        self._text: list[str] = []
        self._signature: Signature | None = None

    def feed(self, events: Iterable[Event]) -> None:
        answer = self.answer
        for event in events:
            match event:
                case Delta():
                    self._text.append(event.text)
                case BlockStart():
                    self._open, self._text, self._signature = event, [], event.signature
                case Sign():
                    self._signature = event.signature
                case BlockEnd():
                    self._close()
                case Usage():
                    answer.usage = answer.usage.merge(event)
                case Start():
                    answer.start = event
                    answer.usage = event.usage or answer.usage
                case Finish():
                    answer.finish = event
                case Failure():
                    answer.failure = event

    def _close(self) -> None:
        start, signature = self._open, self._signature
        self._open = None
        if start is None:
            return
        self.answer.parts.append(_build_part(start, "".join(self._text), signature))
        if start.kind is Kind.TEXT and signature is not None:  # Text has no place for it
            self.answer.parts.append(LoneSignature(signature))


def fold(events: Iterable[Event]) -> Answer:
    """The answer that `events` tell."""
    folder = Folder()
    folder.feed(events)
    return folder.answer


def unfold(answer: Answer) -> Iterator[Event]:
    """The events of a whole answer: one delta per block."""
    yield answer.start
    for part in answer.parts:
        start, text, signature = _split_part(part)
        yield start
        if text:
            yield Delta(text)
        if signature is not None:
            yield Sign(signature)
        yield BlockEnd()
    yield answer.usage
    yield answer.failure or answer.finish


def _build_part(start: BlockStart, text: str, signature: Signature | None) -> Part:
    match start.kind:
        case Kind.TEXT:
            return Text(text)
        case Kind.THINKING:
            return Thinking(text, signature)
        case Kind.TOOL:
            return ToolCall(start.id, start.name, text, signature, start.custom)
        case Kind.REFUSAL:
            return Refusal(text)
        case Kind.IMAGE:
            return Image(Media(start.name, start.data or ""))
        case Kind.OPAQUE:
            return Opaque(start.name, start.data)
        case Kind.REDACTED:
            return Redacted(signature or Signature("", ""))
        case Kind.SIGNATURE:
            return LoneSignature(signature or Signature("", ""))


def _split_part(part: Part) -> tuple[BlockStart, str, Signature | None]:
    match part:
        case Text():
            return BlockStart(Kind.TEXT), part.text, None
        case Thinking():
            return BlockStart(Kind.THINKING), part.text, part.signature
        case ToolCall():
            start = BlockStart(Kind.TOOL, part.id, part.name, None, part.signature, part.custom)
            return start, part.arguments, None
        case Refusal():
            return BlockStart(Kind.REFUSAL), part.text, None
        case Image():
            return BlockStart(Kind.IMAGE, name=part.media.mime, data=part.media.data), "", None
        case Redacted():
            return BlockStart(Kind.REDACTED, signature=part.signature), "", None
        case LoneSignature():
            return BlockStart(Kind.SIGNATURE, signature=part.signature), "", None
        case Opaque():
            return BlockStart(Kind.OPAQUE, name=part.dialect, data=part.json), "", None
        case _:
            raise TypeError(type(part).__name__)
