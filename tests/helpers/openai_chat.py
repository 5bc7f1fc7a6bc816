"""Requests, turns and streams of the OpenAI family, as short as tests want to write them."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Asked, Outgoing, Target, Turn
from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Kind
from proxy.dialects.openai_chat import CLIENT, PROVIDER
from proxy.dialects.parts import Message, Part, Request, Text
from tests.helpers.order import check_order, decode_stream

CAPABILITIES = Capabilities()


def parse(body: dict[str, Any]) -> Request:
    """A request of a client; `messages` may be left out."""
    whole = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **body}
    return CLIENT.parse_request(json.dumps(whole).encode(), Asked())


def make_request(*messages: Message, dialect: str = "anthropic", **fields: Any) -> Request:
    """A request out of another dialect; every field that is given is named as it is called."""
    request = Request("m", list(messages) or [Message("user", (Text("hi"),))], dialect, **fields)
    request.named.update({field: field for field in fields})
    return request


def make_target(quirks: str = "openai", capabilities: Capabilities = CAPABILITIES, **more: Any) -> Target:
    return Target("model-1", capabilities, options={"quirks": quirks, **more.pop("options", {})}, **more)


def build(request: Request, target: Target | None = None) -> dict[str, Any]:
    """The body that is sent."""
    body: dict[str, Any] = json.loads(PROVIDER.build_request(request, target or make_target()).body)
    return body


def make_turn(request: Request | None = None, outgoing: Outgoing | None = None, **forms: str) -> Turn:
    return Turn(request or parse({}), outgoing or Outgoing("/", b"", forms=forms), "seed", 1700000000)


def with_tools(*names: str) -> Turn:
    """A turn whose client offered tools."""
    return make_turn(parse({"tools": [{"type": "function", "function": {"name": name}} for name in names]}))


def chunk(delta: Any = None, finish: Any = None, **more: Any) -> bytes:
    """One event of a stream."""
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}
    return event({"id": "chatcmpl-1", "model": "gpt", "choices": [choice], **more})


def event(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def decode(*pieces: bytes, turn: Turn | None = None) -> list[Event]:
    """The events of a stream, in order and merged."""
    events = decode_stream(PROVIDER.open_decoder(turn or make_turn()), b"".join(pieces))
    check_order(events)
    return events


def block(kind: Kind, *texts: str, **fields: Any) -> list[Event]:
    return [BlockStart(kind, **fields), *map(Delta, texts), BlockEnd()]


def encode(events: Iterable[Event], turn: Turn | None = None) -> bytes:
    encoder = CLIENT.open_encoder(turn or make_turn())
    return b"".join(encoder.encode(each) for each in events)


def read_stream(data: bytes) -> list[Any]:
    """The events of an encoded stream, decoded; `[DONE]` as text."""
    found = []
    for line in data.decode().split("\n\n")[:-1]:
        assert line.startswith("data: "), line
        text = line.removeprefix("data: ")
        found.append(text if text == "[DONE]" else json.loads(text))
    return found


def read_deltas(data: bytes) -> list[Any]:
    """What each chunk of an encoded stream adds."""
    return [chunk["choices"][0]["delta"] for chunk in read_stream(data) if chunk != "[DONE]" and chunk.get("choices")]


def parts_of(request: Request) -> list[list[Part]]:
    """The parts of each message, without their places."""
    return [[replace(part, at="") for part in message.parts] for message in request.messages]
