"""Events to the AI SDK's UI message stream v1: `data: {json}` per chunk, `[DONE]` after success only.

An answer is one step: `start`, `start-step`, the blocks in order, `finish-step`, `finish`. Chunks have no member that
npm `ai` 6.0.0 lacks, whose schema is strict. `start` names a new message, but not where the answer goes on with the
last assistant message (after tool results): there the page keeps its own id. Tokens and model stand in the metadata
of `finish`. A failure is an `error` chunk and nothing after it: without it a page takes a short answer for a whole one.
"""

from collections.abc import Mapping
from typing import Final

from proxy.dialects.chat import Turn
from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Failure, Finish, Kind, Sign, Start, Usage
from proxy.dialects.ids import make_id
from proxy.dialects.json_text import encode_json, encode_string
from proxy.dialects.parts import Json, Request, Signature, ToolResult
from proxy.dialects.ui_message import notes
from proxy.dialects.ui_message.inputs import BROKEN, encode_input
from proxy.dialects.ui_message.reasons import FINISH_REASONS
from proxy.dialects.ui_message.usage import build_usage

KEEPALIVE: Final = b": keepalive\n"
DONE: Final = b"data: [DONE]\n\n"

_PARTS: Final[Mapping[Kind, bytes]] = {
    Kind.TEXT: b"text",
    Kind.REFUSAL: b"text",
    Kind.THINKING: b"reasoning",
    Kind.REDACTED: b"reasoning",
    Kind.SIGNATURE: b"reasoning",
}
"""What a block is for the page. Calls and images have chunks of their own; an opaque block has none."""


class Encoder:
    """Satisfies `chat.Encoder`. message_id: of the answer, when it is a message of its own."""

    def __init__(self, turn: Turn) -> None:
        self.message_id = make_message_id(turn)
        self._continues = is_continued(turn.request)
        self._count = 0
        self._open = BlockStart(Kind.OPAQUE)
        self._prefix = b""  # of a delta of the open block, b"" when it has none
        self._texts: list[str] = []  # of a tool call's arguments
        self._signature: Signature | None = None
        self._model = ""
        self._usage = Usage()
        self._ended = False

    @property
    def keepalive(self) -> bytes:
        """A comment with one LF: `eventsource-parser`, which the SDK reads with, skips it anywhere."""
        return b"" if self._ended else KEEPALIVE

    def encode(self, event: Event) -> bytes:
        match event:
            case Delta():
                if self._open.kind is Kind.TOOL:
                    self._texts.append(event.text)
                return self._prefix + encode_string(event.text) + b"}\n\n" if self._prefix else b""
            case BlockStart():
                return self._start_block(event)
            case Sign():
                self._signature = event.signature
            case BlockEnd():
                return self._end_block(self._open)
            case Usage():
                self._usage = self._usage.merge(event)
            case Start():
                return self._start(event)
            case Finish():
                self._ended = True
                return self._finish(event)
            case Failure():
                self._ended = True
                return b'data: {"type":"error","errorText":%b}\n\n' % encode_string(event.message)
        return b""

    def resume(self, start: Start) -> None:
        """Model and tokens are told at the end: of who came to it."""
        self._model = start.model
        self._usage = start.usage or Usage()

    def _start(self, start: Start) -> bytes:
        self._model = start.model
        self._usage = start.usage or self._usage
        named = b"" if self._continues else b',"messageId":"%b"' % self.message_id.encode()
        return b'data: {"type":"start"%b}\n\ndata: {"type":"start-step"}\n\n' % named

    def _start_block(self, start: BlockStart) -> bytes:
        self._open, self._signature, self._texts, self._prefix = start, start.signature, [], b""
        if start.kind in _PARTS:
            part, number = _PARTS[start.kind], self._count
            self._prefix = b'data: {"type":"%b-delta","id":"%d","delta":' % (part, number)
            refusal = start.kind is Kind.REFUSAL
            note = b',"providerMetadata":' + encode_json(notes.build_note(notes.REFUSAL, True)) if refusal else b""
            return b'data: {"type":"%b-start","id":"%d"%b}\n\n' % (part, number, note)
        if start.kind is Kind.TOOL:
            call_id = encode_string(start.id)
            self._prefix = b'data: {"type":"tool-input-delta","toolCallId":%b,"inputTextDelta":' % call_id
            return b'data: {"type":"tool-input-start",%b}\n\n' % _name_call(start)
        if start.kind is Kind.IMAGE:
            url = encode_string(f"data:{start.name};base64,{start.data}")
            return b'data: {"type":"file","mediaType":%b,"url":%b}\n\n' % (encode_string(start.name), url)
        return b""

    def _end_block(self, start: BlockStart) -> bytes:
        self._open, self._prefix = BlockStart(Kind.OPAQUE), b""
        if start.kind is Kind.TOOL:
            return _end_call(start, "".join(self._texts), self._signature)
        if start.kind not in _PARTS:
            return b""
        part, number, note = _PARTS[start.kind], self._count, b""
        self._count += 1
        if part == b"reasoning":
            member = notes.REDACTED if start.kind is Kind.REDACTED else notes.SIGNATURE
            note = notes.encode_signature(member, self._signature)
        return b'data: {"type":"%b-end","id":"%d"%b}\n\n' % (part, number, note)

    def _finish(self, finish: Finish) -> bytes:
        metadata = build_metadata(self._model, self._usage)
        told = b',"messageMetadata":' + encode_json(metadata) if metadata else b""
        form = b'data: {"type":"finish-step"}\n\ndata: {"type":"finish","finishReason":"%b"%b}\n\n'
        return form % (FINISH_REASONS[finish.reason].encode(), told) + DONE


def make_message_id(turn: Turn) -> str:
    """Ours, because a page tells its messages apart by it, and providers' ids repeat."""
    return make_id("msg_", turn.seed)


def is_continued(request: Request) -> bool:
    """Whether the page's last message is the assistant's: then the answer is more of it."""
    last = request.messages[-1] if request.messages else None
    return last is not None and (
        last.role == "assistant" or (bool(last.parts) and all(isinstance(part, ToolResult) for part in last.parts))
    )


def build_metadata(model: str, usage: Usage) -> dict[str, Json]:
    """The metadata of an answer's message."""
    return {name: value for name, value in (("model", model), ("usage", build_usage(usage))) if value}


def _name_call(start: BlockStart) -> bytes:
    return b'"toolCallId":%b,"toolName":%b' % (encode_string(start.id), encode_string(start.name))


def _end_call(start: BlockStart, arguments: str, signature: Signature | None) -> bytes:
    """The whole call. Its metadata stands here because `tool-input-start` of 6.0.0 takes none."""
    call, note = _name_call(start), notes.encode_signature(notes.SIGNATURE, signature)
    given = encode_string(arguments) if start.custom else encode_input(arguments)
    if given is not None:
        return b'data: {"type":"tool-input-available",%b,"input":%b%b}\n\n' % (call, given, note)
    broken = (call, encode_string(arguments), encode_string(BROKEN), note)
    return b'data: {"type":"tool-input-error",%b,"input":%b,"errorText":%b%b}\n\n' % broken
