"""What the tests of Gemini's dialect share: recordings, turns, targets and streams."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Asked, Outgoing, Target, Turn
from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Finish, Kind, Reason, Start
from proxy.dialects.gemini.decode import Decoder
from proxy.dialects.gemini.encode import Encoder
from proxy.dialects.gemini.request_in import parse_request
from proxy.dialects.parts import Effort, Message, Reasoning, Request, Text
from proxy.wire.sse import Parser
from tests.helpers.order import decode_stream

_RECORDINGS = Path(os.environ.get("PENSTOCK_FIXTURES", Path(__file__).parents[2] / "../shared/fixtures"))

GEMINI_3 = Capabilities(
    family="gemini", thinking="level", efforts=(Effort.LOW, Effort.HIGH), signed_calls=True, off=False
)
GEMINI_25 = Capabilities(family="gemini", thinking="budget", budget=(0, 24576), json_tools=False)
CLAUDE = Capabilities(family="claude", thinking="adaptive", budget=(1024, 32000), both=False, output=32000)
GPT = Capabilities(family="gpt", images=False)


def list_recordings(folder: str, ending: str) -> list[Any]:
    """The recordings of a folder as parameters, skipped as one where they are absent."""
    files = sorted((_RECORDINGS / folder).glob(f"*{ending}"))
    files = [file for file in files if not file.name.endswith((".meta.json", ".request.json")) or ending != ".json"]
    if not files:
        reason = "no recordings beside the checkout (PENSTOCK_FIXTURES)"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="absent")]
    return [pytest.param(file, id=file.name) for file in files]


def read_recording(name: str) -> bytes:
    """One recording by its path in the folder of all; skips the test where it is absent."""
    file = _RECORDINGS / name
    if not file.exists():
        pytest.skip("no recordings beside the checkout (PENSTOCK_FIXTURES)")
    return file.read_bytes()


def make_turn(request: Request | None = None, *, array: bool = False, show: bool = False, **outgoing: Any) -> Turn:
    request = request or Request("asked", [], "gemini")
    if show:
        request.reasoning = Reasoning("adaptive", show=True)
    return Turn(request, Outgoing("/", b"", **outgoing), "req_1", 0, array)


def make_target(capabilities: Capabilities = GEMINI_25, model: str = "gemini-x", **options: str) -> Target:
    return Target(model, capabilities, options=options)


def make_request(*messages: Message, **fields: Any) -> Request:
    """A request of another dialect's client, one question unless messages are given; every field counts as named."""
    request = Request("asked", list(messages) or [Message("user", (Text("Hi"),))], "openai-chat")
    for name, value in fields.items():
        setattr(request, name, value)
        request.named[name] = f"their_{name}"
    return request


def parse(body: dict[str, Any], **asked: Any) -> Request:
    """A caller's request with one question, unless the body has contents."""
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], **body}
    return parse_request(json.dumps(body).encode(), Asked(**{"model": "m", "stream": False, **asked}))


def chunk(*parts: dict[str, Any], finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """One response with a candidate."""
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], **fields}


def to_sse(*chunks: dict[str, Any], end: str = "\r\n") -> bytes:
    return "".join(f"data: {json.dumps(item)}{end}{end}" for item in chunks).encode()


def decode(data: bytes, turn: Turn | None = None, pieces: Iterable[bytes] | None = None) -> list[Event]:
    return decode_stream(Decoder(turn or make_turn()), data, pieces)


def decode_parts(*parts: dict[str, Any], finish: str | None = "STOP", turn: Turn | None = None) -> list[Event]:
    """The events of a stream with one part in each chunk, between its start and its finish."""
    chunks = [chunk(part) for part in parts]
    events = decode(to_sse(*chunks, chunk(finish=finish)), turn)
    assert isinstance(events[0], Start)
    assert isinstance(events[-1], Finish)
    return events[1:-1]


def encode(events: Iterable[Event], turn: Turn | None = None) -> bytes:
    encoder = Encoder(turn or make_turn())
    return b"".join(encoder.encode(event) for event in events)


def read_sse(data: bytes) -> list[Any]:
    """The JSON of every event; nothing else may stand in `data`."""
    blocks = Parser().feed(data)
    assert b"".join(block.raw for block in blocks) == data
    assert all(block.raw == b"data: " + (block.data or b"") + b"\n\n" for block in blocks)
    return [json.loads(block.data or b"") for block in blocks]


def answer(*blocks: Event, reason: Reason = Reason.STOP, raw: str = "") -> list[Event]:
    """A whole answer around some blocks."""
    return [Start("answer_1", "model-1"), *blocks, Finish(reason, raw)]


def text_block(text: str, kind: Kind = Kind.TEXT) -> list[Event]:
    return [BlockStart(kind), Delta(text), BlockEnd()]
