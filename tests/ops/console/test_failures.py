"""The last failures: what counts as one, and what is told of it."""

import json

from proxy.ops.console.failures import MOST, Failures
from proxy.relay.outcome import EndReason, Record
from proxy.types import ProviderName, RequestId


def build_record(end: EndReason, *, asked: bool = False, name: str = "req_1") -> Record:
    record = Record(RequestId(name), 0.0, 0.0, end=end)
    if asked:
        record.begin(ProviderName("up"), None, 0.5).error = "upstream_cut"
    return record


def test_newer_ones_are_told_first_and_with_their_trail() -> None:
    failures = Failures()
    failures.put(build_record(EndReason.ERROR, name="a"), 1)
    failures.put(build_record(EndReason.IDLE, asked=True, name="b"), 2)
    told = [json.loads(line) for line in failures.list_between(0, 2)]
    assert [line["request_id"] for line in told] == ["b", "a"]
    assert (told[0]["end_reason"], told[0]["trail"][0]["error"]) == ("idle", "upstream_cut")
    assert [json.loads(line)["request_id"] for line in failures.list_between(1, 2)] == ["b"]
    assert failures.list_between(2, 9) == []
    assert [json.loads(line)["request_id"] for line in failures.list_between(0, 1)] == ["a"]


def test_only_the_last_are_kept() -> None:
    failures = Failures()
    for number in range(MOST + 5):
        failures.put(build_record(EndReason.ERROR, name=str(number)), number)
    told = [json.loads(line)["request_id"] for line in failures.list_between(-1, MOST + 5)]
    assert told == [str(number) for number in range(MOST + 4, 4, -1)]
