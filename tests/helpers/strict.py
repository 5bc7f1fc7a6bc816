"""A client's stream, put together as its SDK does, but forgiving nothing: a second start, a text twice, a place, an id
or a number that is not the one expected, anything behind the end. Raises AssertionError.

`read_strictly(client, out)` says what an answer came to; `out` may end anywhere between two events.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from proxy.wire.sse import Parser
from tests.helpers.crossing import ARRAY

Json = Any


@dataclass(slots=True)
class Said:
    """names: what the stream calls itself. starts: how often it began. calls: name and arguments."""

    text: str = ""
    calls: list[list[Json]] = field(default_factory=list)
    names: set[Json] = field(default_factory=set)
    starts: int = 0
    output: Json = None
    finished: bool = False
    failed: bool = False

    @property
    def over(self) -> bool:
        return self.finished or self.failed


def read_strictly(client: str, out: bytes) -> Said:
    said = Said()
    _READERS[client](said, list_events(client, out))
    assert not said.finished or not said.failed
    return said


def list_events(client: str, out: bytes) -> list[Json]:
    """The JSON of each event; a text that is none stands as it is."""
    if client == ARRAY:
        return list(json.loads(out))
    parser = Parser()
    blocks = [block for block in parser.feed(out) if block.data is not None]
    assert not parser.tail.strip(b"\r\n") or parser.tail.startswith(b":")
    events = []
    for block in blocks:
        text = block.text
        event: Json = text if text.startswith("[") else json.loads(text)
        if client in ("anthropic", "openai-responses"):
            assert event["type"] == block.type
        events.append(event)
    return events


def _read_chat(said: Said, events: list[Json]) -> None:
    for event in events:
        assert not said.failed
        if event == "[DONE]":
            assert said.finished
            assert event is events[-1]
            continue
        if "choices" in event:
            said.names.add((event["id"], event["created"], event["model"]))
        if "error" in event:
            said.failed = True
            continue
        if event.get("usage"):
            said.output = event["usage"]["completion_tokens"]
        for choice in event["choices"]:
            assert not said.finished
            delta = choice["delta"]
            said.starts += "role" in delta
            said.text += delta.get("content") or ""
            for call in delta.get("tool_calls", ()):
                if call["index"] == len(said.calls):
                    said.calls.append([call["function"]["name"], ""])
                said.calls[call["index"]][1] += call["function"].get("arguments") or ""
            said.finished = choice["finish_reason"] is not None
    said.finished = said.finished and events[-1] == "[DONE]"


def _read_anthropic(said: Said, events: list[Json]) -> None:
    blocks: list[str] = []
    open_block: int | None = None
    stopped = False
    for event in events:
        assert not said.over
        match event["type"]:
            case "message_start":
                said.starts += 1
                said.names.add((event["message"]["id"], event["message"]["model"]))
            case "content_block_start":
                assert (open_block, event["index"]) == (None, len(blocks))
                open_block = event["index"]
                blocks.append(event["content_block"]["type"])
                if blocks[-1] == "tool_use":
                    said.calls.append([event["content_block"]["name"], ""])
            case "content_block_delta":
                assert event["index"] == open_block
                if blocks[-1] == "text":
                    said.text += event["delta"]["text"]
                else:
                    said.calls[-1][1] += event["delta"]["partial_json"]
            case "content_block_stop":
                assert event["index"] == open_block
                open_block = None
            case "message_delta":
                assert (open_block, stopped) == (None, False)
                stopped = True
                said.output = event["usage"]["output_tokens"]
            case "message_stop":
                assert stopped
                said.finished = True
            case "error":
                said.failed = True
            case other:
                assert other == "ping"
        assert said.starts == 1 or event["type"] in ("ping", "error")


class _Items:
    """The output of a response as its events tell it."""

    def __init__(self) -> None:
        self.output: list[Json] = []
        self.done: list[int] = []

    def take(self, event: Json) -> None:
        place = event.get("output_index")
        if event["type"] == "response.output_item.added":
            assert place == len(self.output)
            assert len(self.done) == place
            self.output.append(event["item"])
            return
        assert place == len(self.output) - 1
        assert place not in self.done
        item = self.output[place]
        if event["type"] == "response.output_item.done":
            self.done.append(place)
            self.output[place] = event["item"]
            assert event["item"] == item | {"status": event["item"]["status"]}
            return
        assert event["item_id"] == item["id"]
        self._take_within(item, event)

    def _take_within(self, item: Json, event: Json) -> None:
        part: Json = item["content"][-1] if item.get("content") else {}
        match event["type"].removeprefix("response."):
            case "content_part.added":
                assert event["content_index"] == len(item["content"])
                item["content"].append(event["part"])
            case "output_text.delta":
                assert event["content_index"] == len(item["content"]) - 1
                part["text"] += event["delta"]
            case "output_text.done":
                assert event["text"] == part["text"]
            case "content_part.done":
                assert event["part"] == part
            case "function_call_arguments.delta":
                item["arguments"] += event["delta"]
            case "function_call_arguments.done":
                assert event["arguments"] == item["arguments"]
            case other:
                raise AssertionError(other)


def _read_responses(said: Said, events: list[Json]) -> None:
    items, counts = _Items(), dict.fromkeys(("output_text.done", "content_part.done"), 0)
    for number, event in enumerate(events):
        assert event["sequence_number"] == number
        assert not said.over
        kind = event["type"].removeprefix("response.")
        if kind in counts:
            counts[kind] += 1
        response = event.get("response")
        if response is not None:
            said.names.add((response["id"], response["created_at"], response["model"]))
        said.starts += kind == "created"
        if kind in ("completed", "incomplete"):
            assert (response["output"], response["status"]) == (items.output, kind)
            assert set(counts.values()) == {sum(item["type"] == "message" for item in items.output)}
            said.output = (response["usage"] or {}).get("output_tokens")
            said.finished = True
        elif kind == "failed":
            said.failed = True
        elif response is None and kind != "error":
            items.take(event)
    for item in items.output:
        if item["type"] == "message":
            said.text += "".join(part["text"] for part in item["content"])
        else:
            said.calls.append([item["name"], item["arguments"]])


def _read_gemini(said: Said, events: list[Json]) -> None:
    said.starts = 1  # every event is one
    for event in events:
        assert not said.over
        if "error" in event:
            said.failed = True
            continue
        said.names.add((event["responseId"], event["modelVersion"]))
        (candidate,) = event["candidates"]
        for part in candidate["content"]["parts"]:
            said.text += part.get("text", "")
            if "functionCall" in part:
                said.calls.append([part["functionCall"]["name"], json.dumps(part["functionCall"]["args"])])
        said.finished = "finishReason" in candidate
        if said.finished:
            said.output = event["usageMetadata"].get("candidatesTokenCount")


def _read_page(said: Said, events: list[Json]) -> None:
    open_text: str | None = None
    ended = False
    for event in events:
        if isinstance(event, str):
            assert (said.finished, said.failed) == (event == "[DONE]", event == "[FAILED]")
            assert event is events[-1]
            ended = True
            continue
        assert not said.over
        match event["type"]:
            case "start":
                said.starts += 1
                said.names.add(event["messageId"])
            case "text-start":
                assert open_text is None
                open_text = event["id"]
            case "text-delta":
                assert event["id"] == open_text
                said.text += event["delta"]
            case "text-end":
                assert event["id"] == open_text
                open_text = None
            case "tool-input-available":
                said.calls.append([event["toolName"], json.dumps(event["input"])])
            case "finish":
                said.output = event["messageMetadata"].get("usage", {}).get("outputTokens")
                said.finished = True
            case "error":
                said.failed = True
    assert ended or not said.finished


_READERS: Final[dict[str, Callable[[Said, list[Json]], None]]] = {
    "openai-chat": _read_chat,
    "openrouter": _read_chat,
    "openai-responses": _read_responses,
    "anthropic": _read_anthropic,
    "gemini": _read_gemini,
    ARRAY: _read_gemini,
    "ui-message": _read_page,
    "event-source": _read_page,
}
