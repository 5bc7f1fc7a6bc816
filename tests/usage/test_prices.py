"""What tokens cost."""

import pytest

from proxy.dialects.events import Usage
from proxy.usage import prices
from proxy.usage.prices import Price, PriceTable

FULL = Price(input=1.0, output=10.0, cached_input=0.25, cache_write=2.0, reasoning=20.0)


def cost(price: Price, usage: Usage) -> float | None:
    found = PriceTable({"up/m": price}).find_cost("up", "m", usage)
    return None if found is None else round(found * 1e6, 6)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(100), 100.0),
        (Usage(100, cache_read=40), 60 + 10.0),
        (Usage(100, 40, 20), 40 + 10.0 + 40),
        (Usage(output=5), 50.0),
        (Usage(output=5, reasoning=2), 30.0 + 40),
        (Usage(100, 40, 20, 5, 2), 90.0 + 70),
        (Usage(10, cache_read=40), 2.5),  # more than there was: no token costs twice
        (Usage(10, 5, 40), 1.25 + 10),
        (Usage(output=1, reasoning=9), 20.0),
        (Usage(0, output=0), 0.0),
        (Usage(cache_read=7), None),
        (Usage(), None),
    ],
)
def test_each_kind_has_its_price(usage: Usage, expected: float | None) -> None:
    assert cost(FULL, usage) == expected


def test_a_kind_without_a_price_costs_as_what_it_is_part_of() -> None:
    assert cost(Price(input=1.0, output=10.0), Usage(100, 40, 20, 5, 2)) == 150.0
    assert cost(Price(input=1.0, output=10.0, cached_input=0.0), Usage(100, 40)) == 60.0


def test_an_exact_name_goes_before_a_pattern_and_a_longer_pattern_before_a_shorter_one() -> None:
    names = ["*/*", "up/*", "up/gpt-*", "up/gpt-5", "*/gpt-5-mini"]
    table = PriceTable({name: Price(input=at, output=0.0) for at, name in enumerate(names)})
    for provider, model, name in [
        ("up", "gpt-5", "up/gpt-5"),
        ("up", "gpt-4", "up/gpt-*"),
        ("up", "gpt-5-mini", "*/gpt-5-mini"),
        ("up", "o3", "up/*"),
        ("other", "o3", "*/*"),
        ("other", "gpt-5", "*/*"),
    ]:
        for _ in range(2):  # the second one is remembered
            found = table.find_price(provider, model)
            assert found is not None
            assert names[int(found.input)] == name, model


def test_what_has_no_price_has_no_cost() -> None:
    for table in (PriceTable(), PriceTable({"up/m": FULL}), PriceTable({"up/a*": FULL})):
        assert table.find_cost("up", "n", Usage(1, output=1)) is None
        assert table.find_cost("down", "m", Usage(1, output=1)) is None


def test_what_the_provider_says_goes_before_any_price() -> None:
    assert PriceTable({"up/m": FULL}).find_cost("up", "m", Usage(100, cost=0.5)) == 0.5
    assert PriceTable().find_cost("up", "m", Usage(cost=0.0)) == 0.0


def test_names_that_callers_invent_are_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "_MOST_NAMES", 3)
    table = PriceTable({"up/*": FULL})
    for at in range(10):
        assert table.find_price("up", str(at)) is FULL
        assert len(table._found) <= 3
