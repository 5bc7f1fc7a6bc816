"""Events to the stream of a Responses client: the official order of events, items and their places, every end."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.answer import fold, unfold
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
from proxy.dialects.json_text import decode_json
from proxy.dialects.openai_responses import CLIENT
from proxy.dialects.parts import Signature
from tests.helpers.responses import (
    CALL,
    CALL_2,
    COMPLETE,
    FAILED,
    FAILURE,
    INCOMPLETE,
    LONE,
    REFUSAL,
    SAID,
    TEXT,
    THOUGHT,
    decode,
    encode,
    make_turn,
    read,
    tell,
)


def final(events: list[Event]) -> dict[str, Any]:
    response: dict[str, Any] = read(encode(events))[-1]["response"]
    return response


class TestSignatures:
    def test_a_foreign_one_is_sealed_in_its_reasoning_item(self) -> None:
        item = final(tell(THOUGHT))["output"][0]
        assert item["summary"] == [{"type": "summary_text", "text": "Hmm."}]
        assert item["encrypted_content"] == "gw1.a.RXFRQg"

    def test_one_that_comes_alone_has_an_item(self) -> None:
        item = final(tell(LONE))["output"][0]
        assert (item["summary"], item["encrypted_content"]) == ([], "gw1.g.UVVKRA")

    def test_a_call_s_own_stands_before_it_with_its_id(self) -> None:
        carrier, call = final(tell(CALL))["output"]
        assert carrier["type"] == "reasoning"
        assert carrier["encrypted_content"] == f"call={call['call_id']}:gw1.g.UVVKRA"

    def test_a_call_s_late_one_stands_after_it(self) -> None:
        late = (BlockStart(Kind.TOOL, "call_1", "add"), Delta("{}"), Sign(Signature("g", "QUJD")))
        call, carrier, _ = final(tell(late, TEXT))["output"]
        assert carrier["encrypted_content"] == f"call={call['call_id']}:gw1.g.UVVKRA"


class TestEnds:
    @pytest.mark.parametrize(
        ("reason", "blocks", "status", "cause"),
        [
            (Reason.STOP, [TEXT], "completed", None),
            (Reason.STOP_SEQUENCE, [TEXT], "completed", None),
            (Reason.TOOL_USE, [CALL_2], "completed", None),
            (Reason.LENGTH, [TEXT], "incomplete", "max_output_tokens"),
            (Reason.CONTEXT_FULL, [TEXT], "incomplete", "max_output_tokens"),
            (Reason.CONTENT_FILTER, [], "incomplete", "content_filter"),
            (Reason.REFUSAL, [REFUSAL], "completed", None),
            (Reason.REFUSAL, [TEXT], "incomplete", "content_filter"),
            (Reason.PAUSE, [TEXT], "completed", None),
            (Reason.MALFORMED_TOOL, [], "completed", None),
            (Reason.OTHER, [], "completed", None),
        ],
    )
    def test_a_reason_becomes_a_status(self, reason: Reason, blocks: list[Any], status: str, cause: str | None) -> None:
        told = read(encode(tell(*blocks, reason=reason)))
        response = told[-1]["response"]
        assert told[-1]["type"] == f"response.{status}"
        assert response["status"] == status
        assert response["incomplete_details"] == ({"reason": cause} if cause else None)
        assert response["error"] is None

    def test_only_the_item_that_was_cut_is_incomplete(self) -> None:
        output = final(tell(TEXT, CALL_2, reason=Reason.LENGTH))["output"]
        assert [item["status"] for item in output] == ["completed", "incomplete"]

    @pytest.mark.parametrize("name", FAILED)
    def test_a_failure_is_said_twice_and_completes_nothing(self, name: str) -> None:
        told = read(encode(FAILED[name]))
        assert [event["type"] for event in told[-2:]] == ["error", "response.failed"]
        assert told[0]["type"] == "response.created"
        error, failed = told[-2:]
        assert (error["code"], error["param"]) == ("rate_limit_exceeded", None)
        assert failed["response"]["status"] == "failed"
        assert failed["response"]["error"] == {"code": "rate_limit_exceeded", "message": error["message"]}
        done = [event["item"]["type"] for event in told if event["type"] == "response.output_item.done"]
        assert set(done) <= {"reasoning"}  # which carries a signature; no call that somebody would run

    def test_an_item_that_was_closed_stays_in_a_failed_response(self) -> None:
        response = final([Start(), *TEXT, BlockEnd(), *CALL_2, FAILURE])
        assert [item["type"] for item in response["output"]] == ["message"]

    @pytest.mark.parametrize("last", [FAILURE, Finish(Reason.STOP)])
    def test_after_the_end_there_is_nothing(self, last: Event) -> None:
        encoder = CLIENT.open_encoder(make_turn())
        for event in [Start(), *TEXT, BlockEnd(), last]:
            encoder.encode(event)
        for event in [Start(), *TEXT, BlockEnd(), Usage(), Finish(Reason.STOP), FAILURE]:
            assert encoder.encode(event) == b""

    @pytest.mark.parametrize("kind", FailureKind)
    def test_every_failure_has_a_code(self, kind: FailureKind) -> None:
        failed = read(encode([Failure(kind, "why")]))[-1]["response"]
        assert failed["error"]["code"]
        assert failed["error"]["message"] == "why"

    def test_the_keepalive_is_one_comment_line(self) -> None:
        assert CLIENT.open_encoder(make_turn()).keepalive == b": keepalive\n"


class TestWhole:
    @pytest.mark.parametrize("name", [*COMPLETE, *INCOMPLETE])
    def test_a_whole_answer_is_what_the_stream_ends_with(self, name: str) -> None:
        events = {**COMPLETE, **INCOMPLETE}[name]
        assert decode_json(CLIENT.build_answer(fold(events), make_turn())) == final(events)

    def test_a_count(self) -> None:
        assert decode_json(CLIENT.build_count(7)) == {"object": "response.input_tokens", "input_tokens": 7}


class TestRoundTrip:
    @pytest.mark.parametrize("name", [*COMPLETE, *INCOMPLETE])
    def test_what_was_encoded_decodes_to_the_same_texts_and_calls(self, name: str) -> None:
        events = {**COMPLETE, **INCOMPLETE}[name]
        before, after = fold(events), fold(decode(encode(events)))
        assert _describe(after.parts) == _describe(before.parts)
        assert after.finish.reason is before.finish.reason
        assert after.usage.merge(before.usage) == after.usage

    @given(st.lists(st.sampled_from(["text", "refusal", "thought", "call"]), max_size=6), st.data())
    def test_any_answer_comes_back(self, kinds: list[str], data: st.DataObject) -> None:
        texts = [data.draw(st.text(st.characters(), min_size=1, max_size=8)) for _ in kinds]
        blocks = [_block(kind, text, place) for place, (kind, text) in enumerate(zip(kinds, texts, strict=True))]
        events = tell(*blocks)
        assert _describe(fold(decode(encode(events))).parts) == _describe(fold(events).parts)
        assert list(unfold(fold(decode(encode(events)))))[-1] != Finish(Reason.OTHER)


def _block(kind: str, text: str, place: int) -> list[Event]:
    starts = {
        "text": BlockStart(Kind.TEXT), "refusal": BlockStart(Kind.REFUSAL), "thought": BlockStart(Kind.THINKING),
        "call": BlockStart(Kind.TOOL, f"call_{place}", "f"),
    }  # fmt: skip
    return [starts[kind], *map(Delta, text)]


def _describe(parts: Any) -> list[Any]:
    """Texts and calls; what only carries signatures is another dialect's on the way back."""
    found: list[Any] = []
    for part in parts:
        text = getattr(part, "text", "") or getattr(part, "arguments", "")
        if text:
            found.append((type(part), text, getattr(part, "name", ""), getattr(part, "id", "")))
        elif hasattr(part, "media"):
            found.append((type(part), part.media))
    return found


def test_the_sample_is_what_it_should_be() -> None:
    assert final(tell(TEXT))["output"][0]["content"] == [
        {"type": "output_text", "annotations": [], "logprobs": [], "text": SAID}
    ]
