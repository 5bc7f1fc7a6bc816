"""The record of a request, and the closed list of reasons for its end."""

import pytest

from proxy.relay.outcome import EndReason, Phase, Record
from proxy.types import ProviderName, RequestId


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


@pytest.mark.parametrize("end", EndReason)
@pytest.mark.parametrize("asked", [False, True])
def test_what_has_failed(end: EndReason, asked: bool) -> None:
    record = Record(RequestId("req"), 0.0, 0.0, end=end, status=200)
    if asked:
        record.begin(ProviderName("up"), None, 0.5)
    good = {EndReason.DONE, EndReason.LATE_CUT, EndReason.CLIENT_GONE}
    door = set() if asked else {EndReason.REFUSED, EndReason.LIMIT}
    assert record.failed is (end not in good | door)


@pytest.mark.parametrize(("status", "failed"), [(200, False), (404, False), (499, False), (500, True), (503, True)])
def test_a_providers_failure_that_was_passed_on_is_one(status: int, failed: bool) -> None:
    assert Record(RequestId("req"), 0.0, 0.0, end=EndReason.DONE, status=status).failed is failed
