"""Output items as they grow, and the events that tell of it (openai-python, types/responses/response_*_event.py).

An item opens (`response.output_item.added`), takes blocks and their deltas, and closes with its complete self
(`response.output_item.done`), which is also its place in the final response. Every class here is one kind of item and
returns bytes: whole events, numbered by the one `Writer` of an answer. What a delta's event says before and after the
text is put together once per block.
"""

from typing import Final, Protocol

from proxy.dialects.events import BlockStart, Kind
from proxy.dialects.json_text import encode_json, encode_string
from proxy.dialects.openai_responses.naming import split_name
from proxy.dialects.parts import Json

_PLACE: Final = b'"item_id":%b,"output_index":%d,"content_index":%d'


class Writer:
    """Numbers events. head: of the delta under way, up to its text."""

    __slots__ = ("head", "number", "texts")

    def __init__(self) -> None:
        self.number = 0
        self.head = b""
        self.texts: list[str] = []

    def event(self, kind: bytes, members: bytes) -> bytes:
        """members: JSON members without braces."""
        number = self.number
        self.number = number + 1
        return b'event: %b\ndata: {"type":"%b",%b,"sequence_number":%d}\n\n' % (kind, kind, members, number)

    def open_delta(self, kind: bytes, place: bytes) -> None:
        """Deltas to come are of this event, at this place."""
        self.head = b'event: %b\ndata: {"type":"%b",%b,"delta":' % (kind, kind, place)
        self.texts = []

    def delta(self, text: str) -> bytes:
        number = self.number
        self.number = number + 1
        self.texts.append(text)
        return b'%b%b,"sequence_number":%d}\n\n' % (self.head, encode_string(text), number)

    def text(self) -> bytes:
        """All deltas of the block as one JSON string."""
        return encode_string("".join(self.texts))


class Item(Protocol):
    """end_block: the block's deltas are complete. close: the item is; status is the API's word. `json` is the item
    when it was closed."""

    json: bytes

    def open(self, writer: Writer) -> bytes: ...
    def end_block(self, writer: Writer) -> bytes: ...
    def close(self, writer: Writer, status: bytes) -> bytes: ...


def _added(writer: Writer, index: int, item: bytes) -> bytes:
    return writer.event(b"response.output_item.added", b'"output_index":%d,"item":%b' % (index, item))


def _done(writer: Writer, index: int, item: bytes) -> bytes:
    return writer.event(b"response.output_item.done", b'"output_index":%d,"item":%b' % (index, item))


class MessageItem:
    """Texts and refusals that follow each other: content parts of one message."""

    __slots__ = ("_contents", "_id", "_index", "_kind", "_members", "_place", "json")

    def __init__(self, item_id: str, index: int) -> None:
        self._id, self._index = item_id, index
        self._contents: list[bytes] = []
        self._kind = Kind.TEXT
        self._members = b""  # that others give a message, and we do not
        self._place = b""
        self.json = b""

    def open(self, writer: Writer) -> bytes:
        return _added(writer, self._index, self._build(b"in_progress"))

    def open_block(self, writer: Writer, kind: Kind) -> bytes:
        self._kind = kind
        self._place = _PLACE % (encode_string(self._id), self._index, len(self._contents))
        self._open_delta(writer)
        return writer.event(b"response.content_part.added", b'%b,"part":%b' % (self._place, self._part(b'""')))

    def _open_delta(self, writer: Writer) -> None:
        if self._kind is Kind.TEXT:
            # The SDK's type of this delta wants the member `logprobs`, and nobody minds where it stands.
            writer.open_delta(b"response.output_text.delta", self._place + b',"logprobs":[]')
        else:
            writer.open_delta(b"response.refusal.delta", self._place)

    def move(self, writer: Writer, item_id: str, index: int, part: int, members: dict[str, Json]) -> None:
        """Client and item know each other by these already, and by what was said of the block under way."""
        self._id, self._index = item_id or self._id, index
        self._members = b"," + encode_json(members)[1:-1] if members else b""
        self._place = _PLACE % (encode_string(self._id), index, part)
        texts = writer.texts
        self._open_delta(writer)
        writer.texts = texts

    def end_part(self, writer: Writer) -> bytes:
        """The second half of `end_block`."""
        return writer.event(b"response.content_part.done", b'%b,"part":%b' % (self._place, self._contents[-1]))

    def end_block(self, writer: Writer) -> bytes:
        text = writer.text()
        self._contents.append(self._part(text))
        if self._kind is Kind.TEXT:
            done = writer.event(b"response.output_text.done", b'%b,"text":%b,"logprobs":[]' % (self._place, text))
        else:
            done = writer.event(b"response.refusal.done", b'%b,"refusal":%b' % (self._place, text))
        return done + self.end_part(writer)

    def close(self, writer: Writer, status: bytes) -> bytes:
        self.json = self._build(status)
        return _done(writer, self._index, self.json)

    def _part(self, text: bytes) -> bytes:
        if self._kind is Kind.TEXT:
            return b'{"type":"output_text","annotations":[],"logprobs":[],"text":%b}' % text
        return b'{"type":"refusal","refusal":%b}' % text

    def _build(self, status: bytes) -> bytes:
        return b'{"id":%b,"type":"message","status":"%b","role":"assistant","content":[%b]%b}' % (
            encode_string(self._id),
            status,
            b",".join(self._contents),
            self._members,
        )


class ReasoningItem:
    """A thought as one summary part, opened by its first text: a signature alone has none."""

    __slots__ = ("_index", "_place", "_summary", "content", "id", "json")

    def __init__(self, item_id: str, index: int, content: str = "") -> None:
        self.id, self._index = item_id, index
        self._place = b'"item_id":"%b","output_index":%d,"summary_index":0' % (item_id.encode(), index)
        self._summary = b""
        self.content = content
        self.json = b""

    def open(self, writer: Writer) -> bytes:
        writer.texts = []
        return _added(writer, self._index, b'{"id":"%b","type":"reasoning","summary":[]}' % self.id.encode())

    def open_block(self, writer: Writer) -> bytes:
        writer.open_delta(b"response.reasoning_summary_text.delta", self._place)
        part = b'%b,"part":{"type":"summary_text","text":""}' % self._place
        return writer.event(b"response.reasoning_summary_part.added", part)

    def end_block(self, writer: Writer) -> bytes:
        if not writer.texts:
            return b""
        text = writer.text()
        self._summary = b'{"type":"summary_text","text":%b}' % text
        done = writer.event(b"response.reasoning_summary_text.done", b'%b,"text":%b' % (self._place, text))
        part = b'%b,"part":%b' % (self._place, self._summary)
        return done + writer.event(b"response.reasoning_summary_part.done", part)

    def close(self, writer: Writer, status: bytes) -> bytes:
        content = b',"encrypted_content":%b' % encode_string(self.content) if self.content else b""
        head = b'{"id":"%b","type":"reasoning","summary":[%b]' % (self.id.encode(), self._summary)
        self.json = head + content + b"}"
        return _done(writer, self._index, self.json)


class CallItem:
    """A call of a function, or of a custom tool, whose input is free text."""

    __slots__ = ("_custom", "_head", "_index", "_place", "_text", "json")

    def __init__(self, item_id: str, index: int, start: BlockStart) -> None:
        namespace, name = split_name(start.name)
        members: dict[str, Json] = {"id": item_id, "call_id": start.id, "name": name}
        if namespace:
            members["namespace"] = namespace
        members["type"] = "custom_tool_call" if start.custom else "function_call"
        self._custom = start.custom
        self._head = encode_json(members)[:-1]
        self._index = index
        self._place = b'"item_id":"%b","output_index":%d' % (item_id.encode(), index)
        self._text = b'""'
        self.json = b""

    def open(self, writer: Writer) -> bytes:
        kind = b"custom_tool_call_input" if self._custom else b"function_call_arguments"
        writer.open_delta(b"response.%b.delta" % kind, self._place)
        return _added(writer, self._index, self._build(b"in_progress"))

    def end_block(self, writer: Writer) -> bytes:
        self._text = writer.text()
        if self._custom:
            return writer.event(b"response.custom_tool_call_input.done", b'%b,"input":%b' % (self._place, self._text))
        members = b'%b,"arguments":%b' % (self._place, self._text)
        return writer.event(b"response.function_call_arguments.done", members)

    def close(self, writer: Writer, status: bytes) -> bytes:
        self.json = self._build(status)
        return _done(writer, self._index, self.json)

    def _build(self, status: bytes) -> bytes:
        name = b"input" if self._custom else b"arguments"
        return b'%b,"status":"%b","%b":%b}' % (self._head, status, name, self._text)


class WholeItem:
    """An item that is there at once: an image, or one of the vendor's own, as it came."""

    __slots__ = ("_index", "json")

    def __init__(self, index: int, item: bytes) -> None:
        self._index = index
        self.json = item

    def open(self, writer: Writer) -> bytes:
        return _added(writer, self._index, self.json)

    def end_block(self, writer: Writer) -> bytes:
        return b""

    def close(self, writer: Writer, status: bytes) -> bytes:
        return _done(writer, self._index, self.json)
