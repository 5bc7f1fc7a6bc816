"""Turns, streams and recordings for the tests of Anthropic's dialect."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from proxy.dialects.anthropic_messages import CLIENT, PROVIDER
from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Asked, Outgoing, Target, Turn
from proxy.dialects.events import Event
from proxy.dialects.names import NameMap
from proxy.dialects.parts import Message, Request, Text
from proxy.wire.sse import Parser
from tests.helpers.order import check_order, decode_stream

RECORDINGS = Path(os.environ.get("PENSTOCK_FIXTURES", Path(__file__).parents[2] / "../shared/fixtures"))
CLAUDE = Capabilities(family="claude", thinking="budget", output=64000)
HELLO = {"role": "user", "content": "Hello"}


def list_recordings(pattern: str) -> list[Any]:
    """The recordings that match, as parameters; skipped where there are none."""
    found = sorted(RECORDINGS.glob(pattern))
    if not found:
        reason = "no recordings (PENSTOCK_FIXTURES)"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="absent")]
    return [pytest.param(path, id=f"{path.parent.name}/{path.name}") for path in found]


def make_request(**fields: Any) -> Request:
    """A hub request of a client of another dialect, unless told otherwise."""
    messages = [Message("user", (Text("Hello"),))]
    return Request(**{"model": "m", "messages": messages, "dialect": "openai-chat", **fields})


def make_turn(request: Request | None = None, names: NameMap | None = None, **forms: str) -> Turn:
    outgoing = Outgoing("/v1/messages", b"", names=names or NameMap(), forms=forms)
    return Turn(request or make_request(), outgoing, "req_1", 0)


def parse(**body: Any) -> Request:
    """A client's request, as parsed."""
    return CLIENT.parse_request(dump({"model": "m", "max_tokens": 100, "messages": [HELLO], **body}), Asked())


def build(request: Request, capabilities: Capabilities = CLAUDE, **target: Any) -> dict[str, Any]:
    """The body that a request becomes."""
    return dict(json.loads(PROVIDER.build_request(request, Target("claude", capabilities, **target)).body))


def dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def stream(*events: dict[str, Any]) -> bytes:
    """Events as Anthropic writes them; a `message_start` opens them unless one is given."""
    if not any(event["type"] in ("message_start", "error") for event in events[:1]):
        events = ({"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": {}}}, *events)
    return b"".join(b"event: %b\ndata: %b\n\n" % (event["type"].encode(), dump(event)) for event in events)


def start(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, kind: str, **members: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **members}}


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def finish(reason: str, **usage: int) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage}


MESSAGE_STOP = {"type": "message_stop"}


def decode(data: bytes, turn: Turn | None = None) -> list[Event]:
    """The events of a stream, their order checked."""
    events = decode_stream(PROVIDER.open_decoder(turn or make_turn()), data)
    check_order(events)
    return events


def encode(events: list[Event], turn: Turn | None = None) -> bytes:
    encoder = CLIENT.open_encoder(turn or make_turn())
    return b"".join(encoder.encode(event) for event in events)


def read_events(data: bytes) -> list[dict[str, Any]]:
    """What stands in an encoded stream: whole events, each named as its JSON is."""
    parser = Parser()
    blocks = [block for block in parser.feed(data) if block.data is not None]
    assert parser.tail == b""
    values = [json.loads(block.data or b"") for block in blocks]
    assert [block.type for block in blocks] == [value["type"] for value in values]
    return values
