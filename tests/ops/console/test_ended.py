"""How a request that was a row has ended."""

from proxy.dialects.events import Usage
from proxy.ops.console.ended import build_ended
from proxy.relay.outcome import EndReason, Record
from proxy.types import RequestId


def test_an_end_is_told_with_what_it_came_to() -> None:
    record = Record(RequestId("req_1"), 1.0, 2.0, status=200, duration=1.5, ttft=0.25, bytes_down=9, events=3)
    record.end, record.usage, record.cost = EndReason.KILLED, Usage(input=5, output=7), 0.5
    record.error = "cancelled"
    told = build_ended(record)
    assert (told.id, told.end_reason, told.status, told.error) == ("req_1", "killed", 200, "cancelled")
    assert (told.duration_ms, told.ttft_ms, told.bytes_down, told.events) == (1500.0, 250.0, 9, 3)
    assert (told.tokens_in, told.tokens_out, told.cost) == (5, 7, 0.5)


def test_what_is_not_known_is_null() -> None:
    told = build_ended(Record(RequestId("req_1"), 1.0, 2.0))
    assert (told.end_reason, told.ttft_ms, told.tokens_in, told.tokens_out, told.cost) == ("done", *[None] * 4)
