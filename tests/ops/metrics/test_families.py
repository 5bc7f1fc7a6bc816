"""The names, labels and buckets that dashboards go by."""

import pytest

from proxy.ops.metrics.families import Families
from proxy.ops.metrics.series import Spread
from proxy.relay.outcome import EndReason
from tests.helpers.scraped import scrape

SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
OPERATION = (
    "gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_response_model", "error_type",
)  # fmt: skip

HISTOGRAMS = {
    "gen_ai_server_request_duration_seconds": ("request", [*SECONDS, 163.84, 327.68, 655.36]),
    "gen_ai_server_time_to_first_token_seconds": ("first_token", SECONDS),
    "gen_ai_client_operation_duration_seconds": ("operation", [*SECONDS, 163.84, 327.68, 655.36]),
    "gen_ai_client_operation_time_to_first_chunk_seconds": ("first_chunk", SECONDS),
    "gen_ai_client_operation_time_per_output_chunk_seconds": ("chunk", SECONDS),
    "gen_ai_client_token_usage": ("usage", [4**power for power in range(14)]),
}
"""Name, attribute and buckets, as the GenAI conventions have them."""


@pytest.mark.parametrize("name", HISTOGRAMS)
def test_a_histogram_of_the_conventions(name: str) -> None:
    attribute, bounds = HISTOGRAMS[name]
    families = Families()
    spread: Spread = getattr(families, attribute)
    labels = (*OPERATION, "gen_ai_token_type") if attribute == "usage" else OPERATION
    spread.note(labels, 1)  # each label's value is its own name
    found = scrape(families.collect()).find(f"{name}_bucket", **dict(zip(labels, labels, strict=True)))
    assert [float(bound) for (bound,) in found] == [*bounds, float("inf")]


def test_every_end_stands_at_nothing_before_the_first() -> None:
    found = scrape(Families().collect()).find("penstock_stream_end_total")
    assert found == {(reason.value,): 0 for reason in EndReason}


def test_each_family_says_what_it_is() -> None:
    families = list(Families().collect())
    assert len(families) > 15
    assert len({family.name for family in families}) == len(families)
    for family in families:
        assert family.name.startswith(("gen_ai_", "penstock_"))
        assert family.documentation.endswith(".")
