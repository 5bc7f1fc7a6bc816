"""Strict readers of four dialects: a body of events, or one document, into a Heard.

Each keeps to the letter of its dialect: one start, ids that stay, deltas only where a block is open, one finish,
nothing behind the end, and after an error nothing at all that looks like an end.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.failover.heard import Heard


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    data: str


def split_events(body: bytes, heard: Heard) -> Iterator[Event]:
    """By the WHATWG rules, for LF and CRLF; an event without its blank line is a fault."""
    name, data = "", []
    *lines, rest = body.decode().replace("\r\n", "\n").split("\n")
    heard.expect(not rest, "the last line has no end")
    for line in lines:
        if line.startswith(":"):
            heard.keepalives += 1
        elif line:
            key, _, value = line.partition(": ")
            heard.expect(key in ("event", "data"), f"a field {key[:20]!r}")
            if key == "event":
                name = value
            else:
                data.append(value)
        elif data:
            yield Event(name, "\n".join(data))
            name, data = "", []
        else:
            heard.keepalives += 1
    heard.expect(not data, "the last event is not whole")


class Listener:
    """`hear` takes the events in order; `starts` are counted in `close`."""

    def __init__(self, heard: Heard) -> None:
        self.heard = heard
        self.starts = 0
        self.id: Any = None

    def hear(self, event: Event) -> None:
        heard = self.heard
        heard.expect(not heard.complete, "an event after the end")
        heard.expect(heard.error is None or self.may_follow(event), "an event after the error")
        if event.data == "[DONE]":
            self.end()
            return
        try:
            value = json.loads(event.data)
        except ValueError:
            heard.faults.append("an event that is no JSON")
            return
        self.take(event.name, value)

    def close(self) -> None:
        said = self.heard.text or self.heard.finished
        self.heard.expect(self.starts == 1 if said else self.starts <= 1, f"{self.starts} starts")

    def may_follow(self, event: Event) -> bool:
        return False

    def end(self) -> None:
        self.heard.faults.append("an end mark of another dialect")

    def take(self, name: str, value: Any) -> None:
        raise NotImplementedError

    def keep_id(self, value: Any) -> None:
        self.heard.expect(bool(value) and self.id in (None, value), "the id changes")
        self.id = value

    def fail(self, error: Any) -> None:
        self.heard.expect(isinstance(error, dict) and bool(error.get("message")), "an error without a message")
        self.heard.error = error["message"]


class ChatListener(Listener):
    def end(self) -> None:
        self.heard.complete = True
        self.heard.expect(self.heard.finished, "[DONE] without a finish")

    def take(self, name: str, value: Any) -> None:
        heard = self.heard
        if "error" in value:
            self.fail(value["error"])
            return
        heard.expect(value["object"] == "chat.completion.chunk" and not name, "not a chunk")
        self.keep_id(value["id"])
        heard.model = value["model"]
        if usage := value.get("usage"):
            heard.tokens = usage["prompt_tokens"], usage["completion_tokens"]
        for choice in value["choices"]:
            heard.expect(not heard.finished, "a choice after the finish")
            delta = choice["delta"]
            self.starts += "role" in delta
            heard.expect(self.starts > 0, "text before the start")
            heard.text += delta.get("content") or ""
            heard.finished = choice["finish_reason"] is not None
            heard.expect(choice["finish_reason"] in (None, "stop"), "another finish")


class AnthropicListener(Listener):
    def __init__(self, heard: Heard) -> None:
        super().__init__(heard)
        self._open: int | None = None
        self._blocks = 0

    def take(self, name: str, value: Any) -> None:
        kind = value["type"]
        self.heard.expect(name == kind, "an event under another name")
        if kind == "ping":
            self.heard.expect(self.starts == 1, "a ping before the start")
            self.heard.keepalives += 1
        elif kind == "error":
            self.fail(value["error"])
        elif kind == "message_start":
            self.starts += 1
            self.keep_id(value["message"]["id"])
            self._note(value["message"])
        else:
            self.heard.expect(self.starts == 1, "text before the start")
            self._take_inner(kind, value)

    def _take_inner(self, kind: str, value: Any) -> None:
        heard = self.heard
        match kind:
            case "content_block_start":
                heard.expect(self._open is None and value["index"] == self._blocks, "a block out of order")
                heard.expect(value["content_block"]["type"] == "text", "a block that is no text")
                self._open = value["index"]
                self._blocks += 1
                heard.text += value["content_block"]["text"]
            case "content_block_delta":
                heard.expect(self._open == value["index"], "a delta without its block")
                heard.text += value["delta"]["text"]
            case "content_block_stop":
                heard.expect(self._open == value["index"], "a stop without its block")
                self._open = None
            case "message_delta":
                heard.expect(self._open is None and not heard.finished, "a finish out of order")
                heard.finished = value["delta"]["stop_reason"] == "end_turn"
                self._note(value)
            case "message_stop":
                heard.expect(heard.finished, "message_stop without a finish")
                heard.complete = True
            case _:
                heard.faults.append(f"an event {kind!r}")

    def _note(self, value: Any) -> None:
        self.heard.model = value.get("model", self.heard.model)
        usage = value.get("usage") or {}
        asked, said = self.heard.tokens or (0, 0)
        self.heard.tokens = usage.get("input_tokens", asked), usage.get("output_tokens", said)


class GeminiListener(Listener):
    def take(self, name: str, value: Any) -> None:
        heard = self.heard
        if "error" in value:
            self.fail(value["error"])
            return
        self.starts = 1  # a stream has no event of its own for it: the id tells
        self.keep_id(value["responseId"])
        heard.model = value["modelVersion"]
        if usage := value.get("usageMetadata"):
            heard.tokens = usage["promptTokenCount"], usage.get("candidatesTokenCount", 0)
        for candidate in value.get("candidates", ()):
            heard.expect(not heard.finished, "a candidate after the finish")
            for part in candidate.get("content", {}).get("parts", ()):
                heard.text += part["text"]
            if "finishReason" in candidate:
                heard.expect(candidate["finishReason"] == "STOP", "another finish")
                heard.finished = heard.complete = True


class ResponsesListener(Listener):
    def __init__(self, heard: Heard) -> None:
        super().__init__(heard)
        self._next = 0
        self._open: list[str] = []
        self._item: Any = None

    def may_follow(self, event: Event) -> bool:
        return event.name == "response.failed"

    def take(self, name: str, value: Any) -> None:
        heard = self.heard
        kind = value["type"]
        heard.expect(name == kind, "an event under another name")
        heard.expect(value["sequence_number"] == self._next, "sequence numbers do not go on")
        self._next = value["sequence_number"] + 1
        if "response" in value:
            self.keep_id(value["response"]["id"])
            heard.model = value["response"]["model"]
        if self._item is not None and "item_id" in value:
            heard.expect(value["item_id"] == self._item, "the item's id changes")
        heard.expect(kind == "response.created" or self.starts == 1 or kind == "error", "text before the start")
        self._take_inner(kind, value)

    def _take_inner(self, kind: str, value: Any) -> None:
        heard = self.heard
        match kind:
            case "response.created":
                self.starts += 1
            case "response.in_progress":
                pass
            case "response.output_item.added":
                heard.expect(value["item"]["type"] == "message" and not self._open, "an item out of order")
                self._item = value["item"]["id"]
                self._open.append("item")
            case "response.content_part.added":
                heard.expect(self._open == ["item"], "a part out of order")
                self._open.append("part")
            case "response.output_text.delta":
                heard.expect(self._open == ["item", "part"], "a delta without its part")
                heard.text += value["delta"]
            case "response.output_text.done":
                heard.expect(value["text"] == heard.text, "the text that is done is another one")
            case "response.content_part.done":
                heard.expect(value["part"]["text"] == heard.text, "the part that is done is another one")
                heard.expect(self._open == ["item", "part"] and bool(self._open.pop()), "a part that was not open")
            case "response.output_item.done":
                heard.expect(_read_item(value["item"]) == heard.text, "the item that is done is another one")
                heard.expect(self._open == ["item"] and bool(self._open.pop()), "an item that was not open")
            case "response.completed":
                self._complete(value["response"])
            case "error":
                self.fail(value.get("error") or value)
            case "response.failed":
                heard.expect(heard.error is not None, "response.failed without an error event")
                self.fail(value["response"]["error"])
            case _:
                heard.faults.append(f"an event {kind!r}")

    def _complete(self, response: Any) -> None:
        heard = self.heard
        heard.finished = heard.complete = True
        heard.expect(not self._open and response["status"] == "completed", "completed too early")
        heard.expect("".join(map(_read_item, response["output"])) == heard.text, "the response is another one")
        heard.tokens = response["usage"]["input_tokens"], response["usage"]["output_tokens"]


def _read_item(item: Any) -> str:
    return "".join(part["text"] for part in item.get("content", ()))


LISTENERS: Final[Mapping[str, Callable[[Heard], Listener]]] = {
    "openai-chat": ChatListener,
    "openai-responses": ResponsesListener,
    "anthropic": AnthropicListener,
    "gemini": GeminiListener,
}


def listen(dialect: str, body: bytes, heard: Heard) -> None:
    """Read a stream's body."""
    listener = LISTENERS[dialect](heard)
    try:
        for event in split_events(body, heard):
            listener.hear(event)
    except (KeyError, TypeError, IndexError, UnicodeDecodeError) as bad:
        heard.faults.append(f"an event without {bad}")
    listener.close()
