"""Events to the stream of a Responses client, and to a whole response: one path for both.

An `Encoder` takes the hub's events and returns whole SSE events. Texts and refusals that follow each other share a
message item; every other block is an item of its own. An item is closed only when the next block or the end comes:
until then nobody knows whether its status is completed or incomplete. A failure closes nothing, since Codex runs a
call as soon as its item is done. After the end there is nothing. Never raises for what a decoder may send.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from proxy.dialects.answer import Answer, unfold
from proxy.dialects.base import COMMENT_KEEPALIVE
from proxy.dialects.chat import Turn
from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Failure, Finish, Kind, Sign, Start, Usage
from proxy.dialects.ids import make_id
from proxy.dialects.json_text import encode_json
from proxy.dialects.openai_responses.carrying import write_call, write_redacted, write_thinking
from proxy.dialects.openai_responses.errors import build_stream_error
from proxy.dialects.openai_responses.items_out import CallItem, Item, MessageItem, ReasoningItem, WholeItem, Writer
from proxy.dialects.openai_responses.reasons import find_cause
from proxy.dialects.openai_responses.response import ResponseObject
from proxy.dialects.openai_responses.told import read_told
from proxy.dialects.parts import Json, Signature
from proxy.dialects.signatures import seal

_DIALECT: Final = "openai-responses"


class Encoder:
    """`response` is the final object once it is there."""

    __slots__ = ("_block", "_item", "_kinds", "_late", "_object", "_output", "_textual", "_turn", "_usage", "_writer",
                 "response")  # fmt: skip

    keepalive: Final = COMMENT_KEEPALIVE

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._writer = Writer()
        self._object: ResponseObject | None = None
        self._output: list[Item] = []
        self._item: Item | None = None  # open: the last one of the output
        self._block: BlockStart | None = None
        self._textual = False  # the open block takes deltas, and its event is prepared
        self._late = ""  # what a call or a text was signed with after it began, as it will be carried
        self._kinds: set[Kind] = set()
        self._usage = Usage()
        self.response = b""

    def encode(self, event: Event) -> bytes:
        if self._textual and type(event) is Delta:
            return self._writer.delta(event.text)
        if self.response:
            return b""
        return _HANDLERS[type(event)](self, event)

    def resume(self, start: Start) -> None:
        self._usage = start.usage or Usage()

    def adopt(self, told: Sequence[bytes]) -> bytes:
        """Response and item go on under the ids, at the place and with the numbers that the client knows."""
        known, item, writer = read_told(told), self._item, self._writer
        created = self._turn.created if known.created is None else known.created
        self._object = ResponseObject(replace(self._turn, created=created), known.start, told=True)
        if not isinstance(item, MessageItem):
            writer.number = known.number
            return b""
        item.move(writer, known.item_id, known.index, known.part, known.members)
        self._output = [WholeItem(place, known.items.get(place, b"")) for place in range(known.index)]
        self._output.append(item)
        if known.done:
            self._close()
        writer.number = known.number
        return item.end_part(writer) if self._block is None and not (known.parted or known.done) else b""

    def _start(self, event: Start) -> bytes:
        if event.usage is not None:
            self._usage = self._usage.merge(event.usage)
        if self._object is not None:
            return b""
        self._object = ResponseObject(self._turn, event)
        members = b'"response":' + self._object.build(b"in_progress")
        writer = self._writer
        return writer.event(b"response.created", members) + writer.event(b"response.in_progress", members)

    def _start_block(self, event: BlockStart) -> bytes:
        before = b"" if self._object is not None else self._start(Start())
        self._kinds.add(event.kind)
        self._block = event
        return before + _OPENERS[event.kind](self, event)

    def _delta(self, event: Delta) -> bytes:
        """The first text of a thought; any other block without a prepared delta takes none."""
        item = self._item
        if self._block is None or self._block.kind is not Kind.THINKING or not isinstance(item, ReasoningItem):
            return b""
        self._textual = True
        return item.open_block(self._writer) + self._writer.delta(event.text)

    def _sign(self, event: Sign) -> bytes:
        block, item = self._block, self._item
        if isinstance(item, ReasoningItem):
            self._seal(item, event.signature)
        elif block is not None and block.kind is Kind.TOOL:
            self._late = write_call(event.signature, block.id)
        elif isinstance(item, MessageItem):
            self._late = seal(event.signature)
        return b""

    def _end_block(self, event: BlockEnd) -> bytes:
        self._block = None
        self._textual = False
        return b"" if self._item is None else self._item.end_block(self._writer)

    def _add_usage(self, event: Usage) -> bytes:
        self._usage = self._usage.merge(event)
        return b""

    def _finish(self, event: Finish) -> bytes:
        before = b"" if self._object is not None else self._start(Start())
        cause = find_cause(event.reason, frozenset(self._kinds))
        status = b"completed" if cause is None else b"incomplete"
        before += self._close(status)
        return before + self._end(status, cause=cause)

    def _fail(self, event: Failure) -> bytes:
        before = b"" if self._object is not None else self._start(Start())
        members, error = build_stream_error(event)
        return before + self._writer.event(b"error", members) + self._end(b"failed", error=error)

    def _end(self, status: bytes, *, error: bytes = b"null", cause: str | None = None) -> bytes:
        assert self._object is not None  # noqa: S101
        self._block = None
        self._textual = False
        output = [item.json for item in self._output if item.json]
        self.response = self._object.build(status, output, self._usage, error=error, cause=cause)
        return self._writer.event(b"response." + status, b'"response":' + self.response)

    def _close(self, status: bytes = b"completed") -> bytes:
        """The open item is complete; a signature that came late follows it."""
        item, self._item = self._item, None
        closed = b"" if item is None else item.close(self._writer, status)
        if self._late:
            closed += self._add_reasoning(self._late)
            self._late = ""
        return closed

    def _add_reasoning(self, content: str) -> bytes:
        """A whole reasoning item that only carries."""
        item = ReasoningItem(self._make_id("rs_"), len(self._output), content)
        self._output.append(item)
        return item.open(self._writer) + item.close(self._writer, b"completed")

    def _open(self, item: Item) -> bytes:
        self._output.append(item)
        self._item = item
        return item.open(self._writer)

    def _make_id(self, prefix: str) -> str:
        return make_id(prefix, self._turn.seed, len(self._output))

    def _open_message(self, event: BlockStart) -> bytes:
        item, opened = self._item, b""
        if not isinstance(item, MessageItem) or self._late:
            opened = self._close()
            item = MessageItem(self._make_id("msg_"), len(self._output))
            opened += self._open(item)
        self._textual = True
        return opened + item.open_block(self._writer, event.kind)

    def _open_thinking(self, event: BlockStart) -> bytes:
        closed = self._close()
        item = ReasoningItem(self._make_id("rs_"), len(self._output))
        if event.signature is not None:
            self._seal(item, event.signature)
        return closed + self._open(item)

    def _seal(self, item: ReasoningItem, signature: Signature) -> None:
        redacted = self._block is not None and self._block.kind is Kind.REDACTED
        item.content = write_redacted(signature) if redacted else write_thinking(signature, item.id)

    def _open_call(self, event: BlockStart) -> bytes:
        opened = self._close()
        if event.signature is not None:
            opened += self._add_reasoning(write_call(event.signature, event.id))
        item = CallItem(self._make_id("ctc_" if event.custom else "fc_"), len(self._output), event)
        self._textual = True
        return opened + self._open(item)

    def _open_image(self, event: BlockStart) -> bytes:
        closed = self._close()
        item: dict[str, Json] = {
            "id": self._make_id("ig_"),
            "type": "image_generation_call",
            "status": "completed",
            "result": event.data,
            "output_format": event.name.rpartition("/")[2],
        }
        return closed + self._open(WholeItem(len(self._output), encode_json(item)))

    def _open_opaque(self, event: BlockStart) -> bytes:
        """Another dialect's block means nothing here."""
        closed = self._close()
        if event.name != _DIALECT or not isinstance(event.data, dict):
            return closed
        return closed + self._open(WholeItem(len(self._output), encode_json(event.data)))


_HANDLERS: Final[Mapping[type, Callable[[Encoder, Any], bytes]]] = {
    Start: Encoder._start,
    BlockStart: Encoder._start_block,
    Delta: Encoder._delta,
    Sign: Encoder._sign,
    BlockEnd: Encoder._end_block,
    Usage: Encoder._add_usage,
    Finish: Encoder._finish,
    Failure: Encoder._fail,
}

_OPENERS: Final[Mapping[Kind, Callable[[Encoder, BlockStart], bytes]]] = {
    Kind.TEXT: Encoder._open_message,
    Kind.REFUSAL: Encoder._open_message,
    Kind.THINKING: Encoder._open_thinking,
    Kind.REDACTED: Encoder._open_thinking,
    Kind.SIGNATURE: Encoder._open_thinking,
    Kind.TOOL: Encoder._open_call,
    Kind.IMAGE: Encoder._open_image,
    Kind.OPAQUE: Encoder._open_opaque,
}


def build_answer(answer: Answer, turn: Turn) -> bytes:
    """The body of a whole answer: the response that a stream of it would end with."""
    encoder = Encoder(turn)
    for event in unfold(answer):
        encoder.encode(event)
    return encoder.response


def build_count(tokens: int) -> bytes:
    """What `POST /v1/responses/input_tokens` answers (types/responses/input_token_count_response.py)."""
    return encode_json({"object": "response.input_tokens", "input_tokens": tokens})
