"""What the tests of the Responses dialect share: turns, answers of every kind as events, and streams from JSON."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Asked, Outgoing, Target, Turn
from proxy.dialects.events import (
    BlockEnd,
    BlockStart,
    Delta,
    Event,
    Failure,
    FailureKind,
    Finish,
    Kind,
    Reason,
    Sign,
    Start,
    Usage,
)
from proxy.dialects.json_text import decode_json, encode_json
from proxy.dialects.openai_responses import CLIENT, PROVIDER
from proxy.dialects.parts import Effort, Json, Message, Request, Signature, Text
from proxy.wire.sse import Parser
from tests.helpers.order import whole

ABLE = Capabilities(family="gpt", efforts=(Effort.NONE, Effort.LOW, Effort.MEDIUM, Effort.HIGH))
PLAIN = Capabilities(family="gpt", thinking="none")


def make_turn(request: Request | None = None, **outgoing: Any) -> Turn:
    request = request or make_request(Message("user", (Text("hello"),)))
    return Turn(request, Outgoing("/responses", b"", **outgoing), "req_1", 1700000000)


def make_request(*messages: Message, dialect: str = "anthropic", **fields: Any) -> Request:
    """With `named` filled in for what is given, as a parser would."""
    named = {name: f"{name}_of_the_client" for name in fields if name not in ("extra", "hints")}
    return Request("asked", list(messages), dialect, named=named, **fields)


def parse(**members: Json) -> Request:
    return CLIENT.parse_request(encode_json({"model": "m", "input": "hi", **members}), Asked())


def parse_items(*items: Json, **members: Json) -> list[Message]:
    return parse(input=list(items), **members).messages


def build(request: Request, able: Capabilities = ABLE, drop: Iterable[str] = ()) -> dict[str, Any]:
    """The body for a provider."""
    outgoing = PROVIDER.build_request(request, Target("gpt", able, frozenset(drop)))
    body: dict[str, Any] = decode_json(outgoing.body)
    return body


def find_dropped(request: Request, able: Capabilities = ABLE, drop: Iterable[str] = ()) -> list[str]:
    return list(PROVIDER.build_request(request, Target("gpt", able, frozenset(drop))).dropped)


def stream(*events: Mapping[str, Json]) -> bytes:
    """A provider's stream of these events, numbered."""
    told = [encode_json({**event, "sequence_number": number}) for number, event in enumerate(events)]
    names = [str(event["type"]).encode() for event in events]
    return b"".join(b"event: %b\ndata: %b\n\n" % pair for pair in zip(names, told, strict=True))


def decode(data: bytes, turn: Turn | None = None) -> list[Event]:
    return whole(PROVIDER.open_decoder(turn or make_turn()), data)


def encode(events: Iterable[Event], turn: Turn | None = None) -> bytes:
    """The client's stream, with a keep-alive wherever one may stand."""
    encoder = CLIENT.open_encoder(turn or make_turn())
    return b"".join(encoder.encode(event) + encoder.keepalive for event in events)


def read(data: bytes) -> list[dict[str, Any]]:
    """The events of a client's stream; the name of each has to be its type."""
    found: list[dict[str, Any]] = []
    for block in Parser().feed(data):
        if block.data is not None:
            event = decode_json(block.data)
            assert block.type == event["type"]
            found.append(event)
    return found


def tell(*blocks: Sequence[Event], reason: Reason = Reason.STOP) -> list[Event]:
    """A whole answer of blocks without their ends."""
    events: list[Event] = [Start("foreign", "model-1", Usage(input=9))]
    for block in blocks:
        events += [*block, BlockEnd()]
    return [*events, Usage(input=9, cache_read=3, output=7, reasoning=2), Finish(reason)]


SAID = "Hello “\u2028” \U0001f600"
TEXT = (BlockStart(Kind.TEXT), Delta("Hel"), Delta("lo “\u2028” \U0001f600"))
SIGNED_TEXT = (*TEXT, Sign(Signature("g", "VEVYVA==")))
THOUGHT = (BlockStart(Kind.THINKING), Delta("Hm"), Delta("m."), Sign(Signature("a", "EqQB")))
SIGNED = (BlockStart(Kind.THINKING), Sign(Signature("g", "QUJD")))
HIDDEN = (BlockStart(Kind.REDACTED, signature=Signature("a", "EmwK")),)
LONE = (BlockStart(Kind.SIGNATURE, signature=Signature("g", "QUJD")),)
REFUSAL = (BlockStart(Kind.REFUSAL), Delta("I "), Delta("won't."))
CALL = (BlockStart(Kind.TOOL, "call_1", "add", signature=Signature("g", "QUJD")), Delta('{"a":'), Delta("1}"))
CALL_2 = (BlockStart(Kind.TOOL, "call_2", "files::read"), Delta("{}"))
CUSTOM = (BlockStart(Kind.TOOL, "call_3", "patch", custom=True), Delta("*** Begin"), Delta(" Patch"))
IMAGE = (BlockStart(Kind.IMAGE, name="image/png", data="iVBORw0KGgo="),)

COMPLETE: Mapping[str, list[Event]] = MappingProxyType(
    {
        "text": tell(TEXT),
        "texts": tell(TEXT, TEXT),
        "signed-text": tell(SIGNED_TEXT, TEXT),
        "thought": tell(THOUGHT, TEXT),
        "signed": tell(SIGNED, HIDDEN, LONE, TEXT),
        "refusal": tell(REFUSAL, reason=Reason.REFUSAL),
        "text-refusal": tell(TEXT, REFUSAL, reason=Reason.REFUSAL),
        "calls": tell(THOUGHT, TEXT, CALL, CALL_2, CUSTOM, reason=Reason.TOOL_USE),
        "image": tell(TEXT, IMAGE),
        "nothing": tell(),
    }
)
INCOMPLETE: Mapping[str, list[Event]] = MappingProxyType(
    {
        "length": tell(THOUGHT, TEXT, reason=Reason.LENGTH),
        "length-in-call": tell(TEXT, CALL, reason=Reason.LENGTH),
        "filter": tell(TEXT, reason=Reason.CONTENT_FILTER),
    }
)
FAILURE = Failure(FailureKind.RATE_LIMIT, "slow down", 429, "rate_limit_exceeded", 12.0)
FAILED: Mapping[str, list[Event]] = MappingProxyType(
    {
        "before": [FAILURE],
        "within": [Start("foreign", "model-1"), *CALL, FAILURE],
        "after-text": [Start("foreign", "model-1"), *TEXT, BlockEnd(), FAILURE],
    }
)
