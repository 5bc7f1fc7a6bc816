"""The two sides as the rest of the proxy sees them: one turn through both."""

import json

from proxy.dialects.answer import fold
from proxy.dialects.chat import Asked, Turn
from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.gemini import CLIENT, PROVIDER
from proxy.wire.headers import NO_FIELDS
from proxy.wire.sse import Parser
from tests.helpers.gemini import GEMINI_3, chunk, make_target, read_sse, to_sse


def test_one_turn_from_request_to_answer() -> None:
    body = json.dumps({
        "contents": [{"role": "user", "parts": [{"text": "2+3?"}]}],
        "tools": [{"functionDeclarations": [{"name": "add", "parametersJsonSchema": {"properties": {"a": {}}}}]}],
        "generationConfig": {"thinkingConfig": {"includeThoughts": True}},
    }).encode()  # fmt: skip
    request = CLIENT.parse_request(body, Asked("gemini-3", True))
    turn = Turn(request, PROVIDER.build_request(request, make_target(GEMINI_3)), "req_1", 0)
    called = {"functionCall": {"name": "add", "args": {"a": 2}, "id": "x"}, "thoughtSignature": "QUJD"}
    data = to_sse(
        chunk({"text": "Sum", "thought": True}, responseId="r", modelVersion="m"), chunk(called), chunk(finish="STOP")
    )
    decoder, encoder = PROVIDER.open_decoder(turn), CLIENT.open_encoder(turn)
    events = [event for block in Parser().feed(data) for event in decoder.feed(block)] + decoder.end()
    said = read_sse(b"".join(encoder.encode(event) for event in events))
    parts = [part for item in said for part in item["candidates"][0]["content"]["parts"]]
    assert parts == [{"text": "Sum", "thought": True}, called, {"text": ""}]
    whole = json.loads(CLIENT.build_answer(fold(events), turn))
    assert whole["candidates"][0]["content"]["parts"] == parts[:2]
    assert PROVIDER.parse_answer(json.dumps(whole).encode(), turn)[0] == events[0]


def test_errors_and_counts() -> None:
    failure = PROVIDER.parse_error(503, NO_FIELDS, b'{"error":{"message":"Later."}}')
    assert failure == Failure(FailureKind.OVERLOADED, "Later.", 503)
    assert CLIENT.build_error(failure, "req_1")[0] == 503
    assert json.loads(CLIENT.build_count(31)) == {"totalTokens": 31}
    assert CLIENT.content_type == "text/event-stream; charset=utf-8"
    assert PROVIDER.origin == "g"
