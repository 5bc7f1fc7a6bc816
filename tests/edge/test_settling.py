"""What a finished request has used and cost, from its attempts."""

from dataclasses import replace
from typing import Any

from proxy.dialects.events import Usage
from proxy.edge.house import House
from proxy.edge.settling import settle
from proxy.relay.outcome import Record
from proxy.types import ProviderName, RequestId
from proxy.usage.meter import Told
from proxy.usage.prices import Price, PriceTable
from tests.helpers.edge import build_house

HOUSE = replace(
    build_house(),
    prices=PriceTable({
        "a/m": Price(input=1.0, output=10.0),
        "b/m": Price(input=2.0, output=20.0),
        "a/said": Price(input=5.0, output=5.0),
    }),
)  # fmt: skip


def settled(*answers: tuple[str, str, Told | None], house: House = HOUSE, **fields: Any) -> Record:
    record = Record(RequestId("req_1"), 0.0, 0.0)
    for name, value in fields.items():
        setattr(record, name, value)
    for provider, model, told in answers:
        record.begin(ProviderName(provider), None, 0.0, model).told = told
    settle(record, house)
    return record


def told(*counts: int | None, size: int = 0, complete: bool = True) -> Told:
    read_in, output = counts
    return Told(Usage(read_in, output=output), size, 0, complete)


def test_a_request_that_nobody_began_to_answer_has_used_nothing() -> None:
    record = settled(("a", "m", None), bytes_up=4000)
    assert (record.usage, record.usage_source, record.cost) == (None, "", None)


def test_an_answer_is_paid_at_its_provider_s_price() -> None:
    record = settled(("b", "m", None), ("a", "m", told(1_000_000, 100_000)))
    assert (record.usage, record.usage_source, record.cost) == (Usage(1_000_000, output=100_000), "reported", 2.0)


def test_an_answer_that_was_gone_on_with_elsewhere_is_paid_twice() -> None:
    record = settled(("a", "m", told(500_000, None, size=400_000, complete=False)), ("b", "m", told(500_000, 100_000)))
    assert (record.usage, record.usage_source) == (Usage(1_000_000, output=200_000), "partial")
    assert record.cost == 0.5 + 1.0 + 1.0 + 2.0


def test_what_the_provider_left_open_is_estimated_from_the_request() -> None:
    record = settled(("a", "m", told(None, None, size=40, complete=False)), bytes_up=4001)
    assert (record.usage, record.usage_source) == (Usage(1001, output=10), "estimated")


def test_no_estimate_is_above_what_the_model_takes() -> None:
    house = replace(HOUSE, rows=[("m", {"context": 200_000})], known_models={})
    record = settled(("a", "m", told(None, None, complete=False)), bytes_up=40_000_000, house=house)
    assert record.usage == Usage(200_000, output=0)
    record = settled(("a", "m", told(None, None, complete=False)), bytes_up=400, house=house)
    assert record.usage == Usage(100, output=0)


def test_a_model_that_a_provider_chose_itself_has_a_price_by_its_own_name() -> None:
    assert settled(("a", "auto", told(1_000_000, 0)), model="said").cost == 5.0
    assert settled(("a", "m", told(1_000_000, 0)), model="said").cost == 1.0
    assert settled(("a", "auto", told(1_000_000, 0)), model="unknown").cost is None


def test_a_cost_that_is_known_in_part_counts_for_that_part() -> None:
    record = settled(("a", "m", told(1_000_000, 0)), ("c", "m", told(1_000_000, 0)))
    assert record.cost == 1.0
