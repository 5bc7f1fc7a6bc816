"""The ledger and prices."""

from proxy.config.model import Ledger, Price


def test_a_quarter_is_kept_in_the_file_of_the_state() -> None:
    assert Ledger() == Ledger(path="", retain=90 * 86400.0)


def test_what_a_price_leaves_open_is_none() -> None:
    price = Price(input=1.0, output=2.0)
    assert (price.cached_input, price.cache_write, price.reasoning) == (None, None, None)
