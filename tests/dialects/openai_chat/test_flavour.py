"""A row of the family: another dialect changes what it names and nothing else."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from proxy.dialects.chat import Asked, Outgoing, Turn
from proxy.dialects.events import Failure, FailureKind, Finish, Kind, Reason
from proxy.dialects.openai_chat.decode import ChatDecoder
from proxy.dialects.openai_chat.flavour import OPENAI_CHAT
from proxy.dialects.openai_chat.quirks import Quirk
from proxy.dialects.openai_chat.reasons import REASONS
from proxy.dialects.openai_chat.request_out import RequestWriter
from proxy.dialects.openai_chat.sides import Client, Provider
from proxy.dialects.parts import Signature
from proxy.wire.headers import NO_FIELDS
from tests.helpers.openai_chat import DONE, block, chunk, encode, event, make_request, make_target, read_deltas
from tests.helpers.order import whole


class Writer(RequestWriter):
    path = "/talk"

    def finish(self) -> None:
        self.body["finished"] = True


class Decoder(ChatDecoder):
    def take_details(self, details: Sequence[Any], shown: str) -> None:
        self.say(Kind.THINKING, shown + "!")
        self.sign(Signature("x", json.dumps(details)))


OTHER = replace(
    OPENAI_CHAT,
    name="other",
    find_quirk=lambda target: Quirk(max_tokens="most"),
    writer=Writer,
    decoder=Decoder,
    origin="x",
    codes={"1302": FailureKind.RATE_LIMIT},
    reasons={**REASONS, "sensitive": Reason.CONTENT_FILTER},
    failing={"broken": FailureKind.BAD_GATEWAY},
    reasoning_names=("reasoning", "reasoning_content"),
)
CLIENT, PROVIDER = Client(OTHER), Provider(OTHER)


def turn() -> Turn:
    request = CLIENT.parse_request(b'{"model":"m","messages":[{"role":"user","content":"hi"}]}', Asked())
    assert request.dialect == "other"
    return Turn(request, Outgoing("/", b""), "seed", 1)


def test_its_requests() -> None:
    outgoing = PROVIDER.build_request(make_request(max_tokens=5), make_target())
    assert outgoing.path == "/talk"
    assert json.loads(outgoing.body) == {
        "model": "model-1", "messages": [{"role": "user", "content": "hi"}], "most": 5, "finished": True,
    }  # fmt: skip


def test_its_streams() -> None:
    delta = {"reasoning": "a", "reasoning_details": [{"a": 1}]}
    events = whole(PROVIDER.open_decoder(turn()), chunk(delta, "sensitive") + DONE)
    assert events[-1] == Finish(Reason.CONTENT_FILTER, "sensitive")
    assert any(getattr(each, "signature", None) == Signature("x", '[{"a": 1}]') for each in events)
    (failure,) = whole(PROVIDER.open_decoder(turn()), event({"error": {"code": "1302", "message": "slow"}}))
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.RATE_LIMIT
    failure = whole(PROVIDER.open_decoder(turn()), chunk({}, "broken"))[-1]
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.code) == (FailureKind.BAD_GATEWAY, "broken")


def test_its_errors() -> None:
    body = b'{"error":{"code":"1302","message":"slow"}}'
    assert PROVIDER.parse_error(400, NO_FIELDS, body).kind is FailureKind.RATE_LIMIT
    assert PROVIDER.origin == "x"


def test_its_answers() -> None:
    encoder = CLIENT.open_encoder(turn())
    data = b"".join(map(encoder.encode, block(Kind.THINKING, "a")))
    assert read_deltas(data) == [{"reasoning": "a", "reasoning_content": "a"}]
    assert read_deltas(encode(block(Kind.THINKING, "a"))) == [{"reasoning_content": "a"}]
