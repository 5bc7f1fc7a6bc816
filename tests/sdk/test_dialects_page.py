"""docs/dialects.md is what its generator writes, and what it is generated from has no hole."""

import pytest

from tests.helpers.command import ROOT
from tests.sdk.dialects_page import build_page
from tests.sdk.matrix import CLIENTS, GAPS, PROVIDERS, find_gap, list_cells
from tests.sdk.parameters import LOST, PARAMETERS, find_fate, list_parameters


def test_the_page_is_current() -> None:
    assert (ROOT / "docs" / "dialects.md").read_text(encoding="utf-8") == build_page()


def test_every_gap_has_its_cells_and_a_reason() -> None:
    cells = [cell for client in CLIENTS for cell in list_cells(client)]
    assert {find_gap(cell) for cell in cells} - {None} == set(GAPS)
    assert all(gap.reason for gap in GAPS)


@pytest.mark.parametrize("client", PARAMETERS)
def test_no_parameter_vanishes_without_a_word(client: str) -> None:
    fates = {
        (provider, name): find_fate(client, provider, name)
        for provider in PROVIDERS
        for name in list_parameters(client)
    }
    assert [where for where, fate in fates.items() if fate == LOST] == []
