"""The stream of a Responses provider to events, and a whole response to the same (openai-python, types/responses/).

Blocks are told apart by `output_index`, and texts of a message by `content_index` too. Deltas make a block grow, the
events that repeat it complete (`….done`, `response.output_item.done`, the final response) add what no delta said and
close it. Of reasoning, parts are joined by blank lines; its signature is the encrypted content of the item that is
done, since the one of `added` is another. Exactly one of `response.completed`, `.incomplete`, `.failed` and `error`
ends the answer; a stream that ends before is cut. Items of server tools are opaque, unknown events mean nothing.
"""

from collections.abc import Callable, Mapping
from typing import Final

from proxy.dialects.chat import Turn
from proxy.dialects.events import BlockStart, Delta, Event, Failure, FailureKind, Kind, Start
from proxy.dialects.failures import parse_error_value
from proxy.dialects.ids import make_call_id
from proxy.dialects.json_text import decode_json
from proxy.dialects.openai_responses.blocks import Growing, Line
from proxy.dialects.openai_responses.carrying import build_signature
from proxy.dialects.openai_responses.chunks import Chunk, read_chunk, read_object
from proxy.dialects.openai_responses.errors import CODES
from proxy.dialects.openai_responses.naming import join_name
from proxy.dialects.openai_responses.reasons import map_finish
from proxy.dialects.openai_responses.thoughts import find_section, join_section, read_thoughts
from proxy.dialects.openai_responses.usage import parse_usage
from proxy.dialects.parts import Json
from proxy.wire.sse import Block, Parser

_DIALECT: Final = "openai-responses"
_CUT: Final = Failure(FailureKind.DISCONNECT, "the provider ended the answer before it was complete")
_NO_ANSWER: Final = Failure(FailureKind.BAD_GATEWAY, "the provider's answer is not a response")
_CANCELLED: Final = Failure(FailureKind.CANCELLED, "the provider cancelled the response")

_THINKING: Final = -1
_TOOL: Final = -2
_WHOLE: Final = -3
"""Stand where a text has its content index: an item has one block of these kinds."""

_DELTAS: Final[Mapping[str, Kind]] = {
    "response.output_text.delta": Kind.TEXT,
    "response.refusal.delta": Kind.REFUSAL,
    "response.function_call_arguments.delta": Kind.TOOL,
    "response.custom_tool_call_input.delta": Kind.TOOL,
    "response.reasoning_summary_text.delta": Kind.THINKING,
    "response.reasoning_text.delta": Kind.THINKING,
}

_DONE: Final[Mapping[str, Kind]] = {
    "response.output_text.done": Kind.TEXT,
    "response.refusal.done": Kind.REFUSAL,
    "response.function_call_arguments.done": Kind.TOOL,
    "response.custom_tool_call_input.done": Kind.TOOL,
}
"""Close a block; reasoning is closed by its item, which has the signature."""

_CALLS: Final = ("function_call", "custom_tool_call")


class Decoder:
    """complete: a response was completed or incomplete. ended: nothing more will come."""

    __slots__ = ("_failure", "_items", "_line", "_started", "_turn", "complete", "ended", "malformed")

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._line = Line()
        self._items: set[int | str] = set()  # ids and indexes of items that are done
        self._started = False
        self._failure: Failure | None = None
        self.malformed = 0
        self.complete = False
        self.ended = False

    @property
    def failing(self) -> bool:
        return self._failure is not None

    def feed(self, block: Block) -> list[Event]:
        data = block.data
        if data is None or self.ended:
            return []
        chunk = read_chunk(data)
        if chunk is None:
            # OpenRouter ends its stream like a chat completion; a final response comes before it.
            self.malformed += not data.startswith(b"[DONE]")
            return []
        name = chunk.type or block.type
        if self._failure is not None:
            return self._fail(self._failure) if name in _FINAL else []
        kind = _DELTAS.get(name)
        if kind is not None:
            return self._grow(chunk, kind, name)
        if name == "error" or (chunk.error is not None and not chunk.type):
            # Held: `response.failed` follows, and whoever passes the bytes on has to see it come.
            self._failure = parse_error_value(read_object(data), 0, CODES)
            return []
        if name in _DONE:
            return self._close(chunk, _DONE[name])
        handler = _HANDLERS.get(name)
        return [] if handler is None else handler(self, chunk)

    def end(self, tail: bytes = b"") -> list[Event]:
        events: list[Event] = []
        for block in Parser().feed(tail + b"\n\n") if tail else ():
            if block.data is not None and read_chunk(block.data) is not None:
                events += self.feed(block)
        return events if self.ended else events + self._fail(self._failure or _CUT)

    def take_response(self, response: dict[str, Json]) -> list[Event]:
        """A final response: what it says that was not said yet, and the end."""
        events = self._start(response)
        status = response.get("status")
        if status in ("failed", "cancelled"):
            failed = parse_error_value(response, 0, CODES) if response.get("error") else None
            return events + self._fail(failed or (_CANCELLED if status == "cancelled" else parse_error_value({})))
        self._take_output(response.get("output"))
        for block in self._line.unfinished():
            self._finish_block(block)
        events += self._line.advance()
        details = response.get("incomplete_details")
        cause = details.get("reason") if isinstance(details, dict) else None
        usage = parse_usage(response.get("usage"))
        self.complete = self.ended = True
        finish = map_finish(_text(status), _text(cause), frozenset(self._line.kinds))
        return [*events, *([] if usage is None else [usage]), finish]

    def _fail(self, failure: Failure) -> list[Event]:
        self.ended = True
        return [failure]

    def _start(self, response: dict[str, Json]) -> list[Event]:
        if self._started:
            return []
        self._started = True
        return [Start(_text(response.get("id")), _text(response.get("model")))]

    def _advance(self) -> list[Event]:
        events = self._line.advance()
        return [*self._start({}), *events] if events else events

    def _grow(self, chunk: Chunk, kind: Kind, name: str) -> list[Event]:
        key = (chunk.output_index, _find_place(chunk, kind))
        text = chunk.delta
        live = self._line.live
        if (
            live is not None
            and live.key == key
            and text
            and (kind is not Kind.THINKING or live.section == find_section(chunk, name))
        ):
            live.texts.append(text)
            return [Delta(text)]
        block = self._line.get(key, BlockStart(kind))
        if block.done:
            return []
        if kind is Kind.THINKING:
            text = join_section(block, name, chunk)
        block.add(text)
        return self._advance()

    def _close(self, chunk: Chunk, kind: Kind) -> list[Event]:
        block = self._line.get((chunk.output_index, _find_place(chunk, kind)), BlockStart(kind))
        if block.done:
            return []
        block.complete(chunk.done)
        # A call whose name is still to come waits for its item.
        block.done = kind is not Kind.TOOL or block.opened or block.ready
        return self._advance()

    def _begin(self, chunk: Chunk) -> list[Event]:
        return self._start(read_object(chunk.response))

    def _add_item(self, chunk: Chunk) -> list[Event]:
        """Takes its place in line; a message has none until it says something."""
        item = read_object(chunk.item)
        index = chunk.output_index
        if item.get("type") in _CALLS:
            self._line.get((index, _TOOL), self._build_call(item))
        elif item.get("type") == "reasoning":
            self._line.get((index, _THINKING), BlockStart(Kind.THINKING))
        return self._advance()

    def _end_item(self, chunk: Chunk) -> list[Event]:
        self._take_item(chunk.output_index, read_object(chunk.item))
        return self._advance()

    def _end_response(self, chunk: Chunk) -> list[Event]:
        response = read_object(chunk.response)
        # The event's name says how it ended even where the object does not.
        response["status"] = response.get("status") or chunk.type.rpartition(".")[2]
        return self.take_response(response)

    def _take_output(self, output: Json) -> None:
        """The items of a final response that were not done before, by id or, without one, by place."""
        for index, item in enumerate(output if isinstance(output, list) else ()):
            if isinstance(item, dict) and self._items.isdisjoint(_find_ids(item) or {index}):
                self._take_item(index, item)

    def _take_item(self, index: int, item: dict[str, Json]) -> None:
        if index in self._items:
            return
        self._items |= {index, *_find_ids(item)}
        kind = item.get("type")
        if kind == "message":
            self._take_contents(index, item.get("content"))
        elif kind in _CALLS:
            start = self._build_call(item)
            block = self._line.get((index, _TOOL), start)
            if not block.opened:
                block.start = start
            self._complete(block, item.get("input" if start.custom else "arguments"))
        elif kind == "reasoning":
            block = self._line.get((index, _THINKING), BlockStart(Kind.THINKING))
            content = _text(item.get("encrypted_content"))
            if content:
                block.signature = build_signature(_text(item.get("id")), content)
            self._complete(block, read_thoughts(item, block))
        elif item:
            self._complete(self._line.get((index, _WHOLE), _build_whole(item)), "")

    def _take_contents(self, index: int, contents: Json) -> None:
        for place, content in enumerate(contents if isinstance(contents, list) else ()):
            if not isinstance(content, dict):
                continue
            kind = Kind.REFUSAL if content.get("type") == "refusal" else Kind.TEXT
            text = content.get("refusal" if kind is Kind.REFUSAL else "text")
            self._complete(self._line.get((index, place), BlockStart(kind)), text)

    def _complete(self, block: Growing, text: Json) -> None:
        if not block.done:
            block.complete(_text(text))
            self._finish_block(block)

    def _finish_block(self, block: Growing) -> None:
        block.done = True
        start = block.start
        if start.kind is Kind.TOOL and not block.opened:
            # Without a name nobody can be called; without an id somebody can.
            self.malformed += not start.name
            call_id = start.id or make_call_id(self._turn.seed, len(self._line))
            block.start = BlockStart(Kind.TOOL, call_id, start.name, custom=start.custom)

    def _build_call(self, item: dict[str, Json]) -> BlockStart:
        name = self._turn.outgoing.names.back(_text(item.get("name")))
        name = join_name(_text(item.get("namespace")), name) if name else ""
        return BlockStart(Kind.TOOL, _text(item.get("call_id")), name, custom=item.get("type") == "custom_tool_call")


_HANDLERS: Final[Mapping[str, Callable[[Decoder, Chunk], list[Event]]]] = {
    "response.created": Decoder._begin,
    "response.queued": Decoder._begin,
    "response.in_progress": Decoder._begin,
    "response.output_item.added": Decoder._add_item,
    "response.output_item.done": Decoder._end_item,
    "response.completed": Decoder._end_response,
    "response.incomplete": Decoder._end_response,
    "response.failed": Decoder._end_response,
    "response.cancelled": Decoder._end_response,
}


_FINAL: Final = frozenset(name for name, handler in _HANDLERS.items() if handler is Decoder._end_response)


def parse_answer(body: bytes, turn: Turn) -> list[Event]:
    """The events of a whole response; an error body is a failure, as is anything else."""
    try:
        value = decode_json(body)
    except ValueError:
        return [_NO_ANSWER]
    if not isinstance(value, dict):
        return [_NO_ANSWER]
    if not isinstance(value.get("output"), list):
        return [parse_error_value(value, 0, CODES) if value.get("error") else _NO_ANSWER]
    if value.get("status") in ("in_progress", "queued"):
        return [_CUT]
    return Decoder(turn).take_response(value)


def _find_place(chunk: Chunk, kind: Kind) -> int:
    return _THINKING if kind is Kind.THINKING else _TOOL if kind is Kind.TOOL else chunk.content_index


def _find_ids(item: dict[str, Json]) -> set[int | str]:
    return {name for name in (_text(item.get("id")), _text(item.get("call_id"))) if name}


def _build_whole(item: dict[str, Json]) -> BlockStart:
    data = item.get("result")
    if item.get("type") == "image_generation_call" and isinstance(data, str) and data:
        form = _text(item.get("output_format")) or "png"
        return BlockStart(Kind.IMAGE, name=f"image/{form}", data=data)
    return BlockStart(Kind.OPAQUE, name=_DIALECT, data=item)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
