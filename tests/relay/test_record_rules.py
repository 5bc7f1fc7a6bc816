"""Rules: who is recorded, and what counts as failed."""

import pytest

from proxy.relay.outcome import EndReason, Record
from proxy.relay.record_rules import Rules, Wish, has_failed, parse_rules
from proxy.types import ClientName, ProviderName, RequestId


def build_record(*, client: str | None = None, model: str = "") -> Record:
    record = Record(RequestId("req_1"), 0.0, 0.0, client=ClientName(client) if client else None)
    record.model_asked = model
    return record


@pytest.mark.parametrize(
    ("when", "client", "model", "wanted"),
    [
        ((), "alice", "gpt-5", False),
        (("failed",), "alice", "gpt-5", False),
        (("all",), None, "", True),
        (("client:alice",), "alice", "gpt-5", True),
        (("client:alice",), "bob", "gpt-5", False),
        (("client:alice",), None, "gpt-5", False),
        (("model:gpt-*",), "bob", "gpt-5", True),
        (("model:gpt-*",), "bob", "my-gpt-5", False),
        (("model:gpt-5",), "bob", "gpt-5.1", False),
        (("model:claude-*", "client:bob"), "bob", "gpt-5", True),
    ],
)
def test_who_is_wanted(when: tuple[str, ...], client: str | None, model: str, wanted: bool) -> None:
    assert parse_rules(when).wants(build_record(client=client, model=model), lambda: 0.0) is wanted


def test_a_sample_is_drawn_and_the_largest_counts() -> None:
    rules = parse_rules(["sample:0.01", "sample:0.25"])
    assert [rules.wants(build_record(), lambda chance=chance: chance) for chance in (0.0, 0.2, 0.25, 0.9)] == [
        True, True, False, False,
    ]  # fmt: skip


def test_nothing_is_drawn_where_nothing_is_sampled() -> None:
    def fail() -> float:
        raise AssertionError

    assert not parse_rules(["failed"]).wants(build_record(), fail)
    assert parse_rules([]) == Rules()


@pytest.mark.parametrize(
    ("wish", "wanted"),
    [
        (Wish(1.0), True),
        (Wish(1.0, client="alice"), True),
        (Wish(1.0, client="bob"), False),
        (Wish(1.0, model="gpt-*"), True),
        (Wish(1.0, client="alice", model="claude-*"), False),
    ],
)
def test_what_a_wish_wants(wish: Wish, wanted: bool) -> None:
    assert wish.wants(build_record(client="alice", model="gpt-5")) is wanted


@pytest.mark.parametrize(
    ("end", "status", "outcome", "failed"),
    [
        (EndReason.DONE, 200, "won", False),
        (EndReason.LATE_CUT, 200, "won", False),
        (EndReason.CLIENT_GONE, 200, "", False),
        (EndReason.DRAIN, 200, "", False),
        (EndReason.DONE, 200, "rescued", True),
        (EndReason.CLIENT_GONE, 200, "failed", True),
        (EndReason.DONE, 500, "", True),
        (EndReason.REFUSED, 400, "", True),
        *((end, 200, "", True) for end in EndReason if end.value in ("upstream_cut", "progress", "idle", "killed")),
    ],
)
def test_what_has_failed(end: EndReason, status: int, outcome: str, failed: bool) -> None:
    record = build_record()
    record.begin(ProviderName("up"), None, 0.0).outcome = outcome
    record.status = status
    record.close(end)
    assert has_failed(record) is failed


def test_what_was_never_asked_of_a_provider_has_nothing_to_show() -> None:
    record = build_record()
    record.close(EndReason.ERROR)
    assert not has_failed(record)
