"""Every query of the dashboard finds data in what a proxy really says."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.promql import History

FILE = Path(__file__).parents[2] / "grafana/dashboard.json"
DASHBOARD = json.loads(FILE.read_text(encoding="utf-8"))
PANELS = DASHBOARD["panels"]
QUERIES = [pytest.param(panel, target, id=f"{panel['title']}-{target['refId']}") for panel in PANELS
           for target in panel["targets"]]  # fmt: skip

RATE = "1m"
"""What Grafana takes for `$__rate_interval` with a scrape every 15 seconds."""


def fill_in(query: str) -> str:
    """As Grafana does: all instances, and the interval."""
    return query.replace("$instance", ".*").replace("$__rate_interval", RATE)


@pytest.mark.parametrize(("panel", "target"), QUERIES)
def test_a_query_returns_data(panel: dict[str, Any], target: dict[str, Any], history: History) -> None:
    found = history.ask(fill_in(target["expr"]))
    assert isinstance(found, dict)
    assert found
    assert not [value for value in found.values() if math.isnan(value)]


@pytest.mark.parametrize(("panel", "target"), QUERIES)
def test_a_legend_names_labels_that_the_query_has(
    panel: dict[str, Any], target: dict[str, Any], history: History
) -> None:
    found = history.ask(fill_in(target["expr"]))
    assert isinstance(found, dict)
    wanted = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
    labels = {name for series in found for name, _ in series}
    assert labels == wanted


@pytest.mark.parametrize(("panel", "target"), QUERIES)
def test_a_query_keeps_to_the_chosen_instances(panel: dict[str, Any], target: dict[str, Any]) -> None:
    selectors = re.findall(r"(?:gen_ai|penstock|process)_\w+({[^}]*})?", target["expr"].replace("by (", "("))
    named = [selector for selector in selectors if selector]
    assert named
    assert all('instance=~"$instance"' in selector for selector in named)


def test_what_is_gone_is_noticed(history: History) -> None:
    """The checks above can fail."""
    assert history.ask("rate(penstock_stream_ends_total[1m])") == {}
    assert history.ask('penstock_account_state{alias="a"}') == {}


def test_there_are_twelve_panels_side_by_side() -> None:
    assert len(PANELS) == 12
    assert len({panel["id"] for panel in PANELS}) == len({panel["title"] for panel in PANELS}) == 12
    places = [(p["gridPos"]["x"], p["gridPos"]["y"], p["gridPos"]["w"], p["gridPos"]["h"]) for p in PANELS]
    assert places == [(8 * (number % 3), 8 * (number // 3), 8, 8) for number in range(12)]


def test_every_panel_says_what_it_shows() -> None:
    for panel in PANELS:
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]


def test_it_names_no_data_source_of_one_installation() -> None:
    sources = re.findall(r'"uid": "([^"]*)"', FILE.read_text(encoding="utf-8"))
    assert set(sources) == {"${datasource}", "penstock"}
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"]] == ["datasource", "instance"]
