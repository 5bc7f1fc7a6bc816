"""Ids made from a request's id: the same each time, and told from those of providers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.ids import fit_call_id, is_synthetic, make_call_id, make_id
from tests.helpers.feeds import fuzz


@fuzz
@given(st.text(max_size=20), st.integers(0, 1000))
def test_an_id_is_its_prefix_and_24_letters_and_digits(seed: str, count: int) -> None:
    made = make_id("msg_", seed, count)
    assert re.fullmatch("msg_[a-z0-9]{24}", made)
    assert made == make_id("msg_", seed, count)
    assert len({made, make_id("msg_", seed, count + 1), make_id("msg_", seed + "x", count)}) == 3


@fuzz
@given(st.text(max_size=20), st.integers(0, 1000))
def test_our_call_ids_are_known_again_and_fit_everywhere(seed: str, count: int) -> None:
    made = make_call_id(seed, count)
    assert is_synthetic(made)
    assert fit_call_id(made) == made


@pytest.mark.parametrize(
    "call_id", ["", "call_1", "call_gAbCdEfGhIjKlMnOpQrStUvW", "toolu_01", "call_136903", "call_g", "0", "xcall_g"]
)
def test_ids_of_providers_are_not_taken_for_ours(call_id: str) -> None:
    assert not is_synthetic(call_id)


@fuzz
@given(st.text(max_size=80))
def test_a_call_id_is_made_to_fit_once(call_id: str) -> None:
    fitted = fit_call_id(call_id)
    assert re.fullmatch("[a-zA-Z0-9_-]{1,64}", fitted)
    assert fit_call_id(fitted) == fitted
    if re.fullmatch("[a-zA-Z0-9_-]{1,64}", call_id):
        assert fitted == call_id


def test_call_ids_that_do_not_fit_stay_apart() -> None:
    assert fit_call_id("functions.x:0") != fit_call_id("functions.x:1")
    assert fit_call_id("x" * 65) != fit_call_id("x" * 66)
