"""The record of a request, and the closed list of reasons for its end."""

from proxy.relay.outcome import EndReason, Phase, Record
from proxy.types import RequestId


def test_the_first_reason_stands() -> None:
    record = Record(RequestId("req"), 0.0, 0.0)
    assert record.end is None
    record.close(EndReason.DRAIN)
    record.close(EndReason.CLIENT_GONE)
    assert record.end is EndReason.DRAIN


def test_a_record_begins_where_its_request_does() -> None:
    record = Record(RequestId("req"), 1.0, 2.0)
    assert (record.phase, record.attempts, record.first_byte, record.status) == (Phase.ACCEPTED, [], None, 0)


def test_records_share_nothing() -> None:
    assert Record(RequestId("a"), 0.0, 0.0).attempts is not Record(RequestId("b"), 0.0, 0.0).attempts


def test_the_list_of_reasons_is_closed() -> None:
    assert [reason.value for reason in EndReason] == [
        "done", "late_cut", "client_gone", "upstream_cut", "connect", "first_byte", "ttft", "progress", "idle",
        "write_stall", "error", "refused", "limit", "drain", "killed",
    ]  # fmt: skip
