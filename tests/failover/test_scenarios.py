"""Sixteen ways for a provider to fail, with clients of four dialects: all at once, in a tenth of the time.

One run of all of them gives the results that the tests look at; its scorecard stands at the end of the output.
`scripts/failover` runs them alone, in their own time, and with providers of other dialects.
"""

import asyncio
import os

import pytest

from tests.failover.__main__ import find_run
from tests.failover.profile import SCALED
from tests.failover.run import Result
from tests.failover.scenarios import SCENARIOS
from tests.failover.scorecard import CLIENTS, build_card, play

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

LINEUPS = ("same", "mixed", "cross")
CASES = [
    pytest.param(scenario.label, client, stream, id=f"{scenario.label}-{client}-{'stream' if stream else 'whole'}")
    for scenario in SCENARIOS
    for client in CLIENTS
    for stream in (True, False)
    if stream or not scenario.streamed_only
]


@pytest.fixture(scope="module", params=LINEUPS)
def results(request: pytest.FixtureRequest) -> dict[tuple[str, str, bool], Result]:
    run = asyncio.run if os.environ.get("PENSTOCK_TEST_LOOP") == "asyncio" else find_run()
    found: list[Result] = run(play(SCENARIOS, CLIENTS, SCALED, request.param))
    _show(request.config, build_card(found, f"times: scaled; providers: {request.param}"))
    return {(result.scenario.label, result.client, result.stream): result for result in found}


def _show(config: pytest.Config, card: str) -> None:
    """On the terminal, past what is captured."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    if capture is not None:
        with capture.global_and_fixture_disabled():
            print(f"\n{card}")


@pytest.mark.parametrize(("label", "client", "stream"), CASES)
def test_scenario(results: dict[tuple[str, str, bool], Result], label: str, client: str, stream: bool) -> None:
    assert results[label, client, stream].complaints == ()


def test_there_are_sixteen() -> None:
    assert sorted({scenario.name for scenario in SCENARIOS}) == [f"S{number:02}" for number in range(1, 17)]
    assert len({scenario.label for scenario in SCENARIOS}) == len(SCENARIOS)
