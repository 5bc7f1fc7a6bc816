"""Streams of Responses providers to events: recordings at every cut, servers that leave things out, and every end."""

import random
from typing import Any

import pytest

from proxy.dialects.answer import fold
from proxy.dialects.events import BlockEnd, BlockStart, Delta, Failure, FailureKind, Finish, Kind, Reason, Start
from proxy.dialects.json_text import decode_json, encode_json
from proxy.dialects.openai_responses import PROVIDER
from proxy.dialects.parts import Json, Thinking, ToolCall
from proxy.wire.sse import Parser
from tests.helpers.order import check_order, decode_stream
from tests.helpers.recordings import list_recordings, load_recording
from tests.helpers.responses import decode, make_turn, stream
from tests.helpers.responses_stream import CREATED, call, completed, done, failure, message, said


class TestRecordings:
    @pytest.mark.parametrize("name", list_recordings("openai_responses/*.sse"))
    def test_every_cut_gives_the_same_events(self, name: str) -> None:
        data = load_recording(name).body
        expected = decode(data)
        single = [data[at : at + 1] for at in range(len(data))]
        assert decode_stream(PROVIDER.open_decoder(make_turn()), data, single) == expected
        places = random.Random(name).sample(range(len(data)), min(40, len(data)))
        for at in places:
            assert decode_stream(PROVIDER.open_decoder(make_turn()), data, [data[:at], data[at:]]) == expected

    @pytest.mark.parametrize("name", list_recordings("openai_responses/*.sse"))
    def test_truncated_anywhere_it_is_a_failure(self, name: str) -> None:
        data = load_recording(name).body
        whole = decode(data)
        for end in [data.find(b"\n\n", at) for at in range(0, len(data), 997)]:
            events = decode(data[: end + 2])
            assert isinstance(events[-1], Failure) or events == whole
            if isinstance(events[-1], Failure) and not isinstance(whole[-1], Failure):
                assert events[-1].kind is FailureKind.DISCONNECT

    @pytest.mark.parametrize(
        ("file", "kind", "code"),
        [
            ("err-rate-limited.sse", FailureKind.RATE_LIMIT, "rate_limit_exceeded"),
            ("err-insufficient-quota.sse", FailureKind.QUOTA, "insufficient_quota"),
        ],
    )
    def test_an_error_is_said_once(self, file: str, kind: FailureKind, code: str) -> None:
        if not list_recordings("openai_responses/*.sse")[0].values[0]:
            pytest.skip("no recordings (PENSTOCK_FIXTURES)")
        events = decode(load_recording(f"openai_responses/{file}").body)
        assert [type(event) for event in events] == [Start, Failure]
        assert (failure(events).kind, failure(events).code) == (kind, code)

    def test_the_signature_is_the_one_of_the_item_that_is_done(self) -> None:
        if not list_recordings("openai_responses/*.sse")[0].values[0]:
            pytest.skip("no recordings (PENSTOCK_FIXTURES)")
        answer = fold(decode(load_recording("openai_responses/reasoning-summary-tool-gpt5.sse").body))
        thought, called = answer.parts
        assert isinstance(thought, Thinking)
        assert isinstance(called, ToolCall)
        assert thought.signature is not None
        assert decode_json(thought.signature.value)["encrypted_content"].startswith("gAAAAABqPBJWAIvEAmUTQCqL")
        assert thought.text.startswith("**Getting weather info**\n\nI need to respond")
        assert called.arguments == '{"location":"Florence, Italy"}'
        assert (answer.finish.reason, answer.usage.reasoning) == (Reason.TOOL_USE, 64)


class TestEnds:
    @pytest.mark.parametrize(
        ("end", "finish"),
        [
            (completed(), Finish(Reason.STOP, "completed")),
            (completed(call(9, "{}")), Finish(Reason.TOOL_USE, "completed")),
            (
                completed(status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
                Finish(Reason.LENGTH, "max_output_tokens"),
            ),
            (
                completed(call(9, "{}"), status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
                Finish(Reason.LENGTH, "max_output_tokens"),
            ),
            (
                completed(status="incomplete", incomplete_details={"reason": "content_filter"}),
                Finish(Reason.CONTENT_FILTER, "content_filter"),
            ),
            (
                completed(status="incomplete", incomplete_details={"reason": "steered"}),
                Finish(Reason.OTHER, "steered"),
            ),
            ({"type": "response.incomplete", "response": {}}, Finish(Reason.OTHER, "incomplete")),
            ({"type": "response.completed"}, Finish(Reason.STOP, "completed")),
        ],
    )
    def test_a_final_response_finishes(self, end: dict[str, Json], finish: Finish) -> None:
        decoder = PROVIDER.open_decoder(make_turn())
        events = decode_stream(decoder, stream(CREATED, said("Hi"), end))
        check_order(events)
        assert events[-1] == finish
        assert decoder.complete
        assert decoder.ended

    @pytest.mark.parametrize(
        ("ends", "kind", "message"),
        [
            ([completed(status="failed", error={"code": "server_error", "message": "oops"})], "SERVER", "oops"),
            ([completed(status="failed", error=None)], "SERVER", ""),
            ([completed(status="cancelled")], "CANCELLED", "the provider cancelled the response"),
            ([{"type": "error", "code": "rate_limit_exceeded", "message": "slow", "param": None}], "RATE_LIMIT",
             "slow"),
            ([{"type": "error", "error": {"code": "context_length_exceeded", "message": "long"}}], "CONTEXT_LENGTH",
             "long"),
            ([{"type": "error", "code": "server_error", "message": "first"}, said("x"),
              completed(status="failed", error={"code": "rate_limit_exceeded", "message": "second"})], "SERVER",
             "first"),
        ],
    )  # fmt: skip
    def test_a_failure_ends_it_once(self, ends: list[dict[str, Json]], kind: str, message: str) -> None:
        events = decode(stream(CREATED, said("Hi"), *ends, said("more"), completed()))
        assert failure(events).kind is FailureKind[kind]
        assert failure(events).message == message or not message
        assert sum(isinstance(event, Failure) for event in events) == 1
        assert BlockEnd() not in events

    def test_an_error_without_a_type_is_one(self) -> None:
        assert failure(decode(b'data: {"error":{"code":503,"message":"away"}}\n\n')).kind is FailureKind.OVERLOADED

    @pytest.mark.parametrize("data", [b"", b": OPENROUTER PROCESSING\n\n", b"data: [DONE]\n\n"])
    def test_nothing_at_all_is_a_cut(self, data: bytes) -> None:
        decoder = PROVIDER.open_decoder(make_turn())
        events = decode_stream(decoder, data)
        assert failure(events).kind is FailureKind.DISCONNECT
        assert (decoder.malformed, decoder.complete) == (0, False)
        assert decoder.end() == []

    def test_an_end_without_its_blank_line_counts_if_it_is_whole(self) -> None:
        data = stream(CREATED, said("Hi"), completed())
        assert decode(data[:-2]) == decode(data)
        assert failure(decode(data[:-3])).kind is FailureKind.DISCONNECT

    def test_comments_and_done_of_openrouter_mean_nothing(self) -> None:
        data = stream(CREATED, said("Hi"), completed())
        events = decode(b": OPENROUTER PROCESSING\n\n" + data + b"data: [DONE]\n\n")
        assert events == decode(data)

    def test_usage_comes_before_the_finish(self) -> None:
        usage = {"input_tokens": 5, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 4}}
        events = decode(stream(CREATED, said("Hi"), completed(usage=usage)))
        assert (events[-2].input, events[-2].cache_read, events[-2].output) == (5, 4, 2)  # type: ignore[union-attr]


class TestWhole:
    @pytest.mark.parametrize("name", list_recordings("openai_responses/ns-*.json"))
    def test_a_recorded_answer_is_read(self, name: str) -> None:
        events = PROVIDER.parse_answer(load_recording(name).body, make_turn())
        check_order(events)
        answer = fold(events)
        assert [type(part) for part in answer.parts] == [Thinking, ToolCall]
        assert (answer.start.model, answer.usage.input, answer.usage.reasoning) == ("gpt-5.5-2026-04-23", 94, 63)
        assert answer.finish.reason is Reason.TOOL_USE

    def test_a_whole_answer_is_the_stream_s_last_word(self) -> None:
        item = message("Hello")
        data = stream(CREATED, said("Hel"), said("lo"), done(0, **item), completed(item))
        response: Any = completed(item)["response"]
        assert PROVIDER.parse_answer(encode_json(response), make_turn()) == decode(data)

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (b"", "BAD_GATEWAY"),
            (b"<html>", "BAD_GATEWAY"),
            (b"[]", "BAD_GATEWAY"),
            (b"{}", "BAD_GATEWAY"),
            (b'{"error":{"code":"rate_limit_exceeded","message":"slow"}}', "RATE_LIMIT"),
            (b'{"output":[],"status":"failed","error":{"code":"server_error","message":"x"}}', "SERVER"),
            (b'{"output":[],"status":"queued"}', "DISCONNECT"),
            (b'{"output":[],"status":"cancelled"}', "CANCELLED"),
        ],
    )
    def test_anything_else_is_a_failure(self, body: bytes, kind: str) -> None:
        events = PROVIDER.parse_answer(body, make_turn())
        check_order(events)
        assert failure(events).kind is FailureKind[kind]


def test_deltas_pass_one_by_one() -> None:
    """Nothing is held back: a delta is an event as soon as it is there."""
    decoder = PROVIDER.open_decoder(make_turn())
    blocks = Parser().feed(stream(CREATED, said("a"), said("b"), said("c")))
    assert [decoder.feed(block) for block in blocks] == [
        [Start("resp_1", "gpt")],
        [BlockStart(Kind.TEXT), Delta("a")],
        [Delta("b")],
        [Delta("c")],
    ]


def test_an_error_with_broken_text_is_an_error() -> None:
    sent = b'event: error\ndata: {"error":{"message":"oops"},"more\xff":1}\n\n'
    failure = decode_stream(PROVIDER.open_decoder(make_turn()), sent)[-1]
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.message) == (FailureKind.SERVER, "oops")


@pytest.mark.parametrize("levels", [300, 2000])
@pytest.mark.parametrize("kind", ["response.output_text.delta", "error", "response.created", "response.in_progress"])
def test_an_event_that_nests_too_deeply_ends_nothing_but_itself(kind: str, levels: int) -> None:
    nested = '{"a":' * levels + "1" + "}" * levels
    sent = f'event: {kind}\ndata: {{"more":{nested}}}\n\n'.encode()
    decoder = PROVIDER.open_decoder(make_turn())
    assert isinstance(decode_stream(decoder, sent)[-1], Failure)
    assert decoder.ended
