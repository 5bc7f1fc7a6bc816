"""The page that is scraped, and the one that explains it: each metric is named in both, and no others."""

import re
from pathlib import Path

from tests.helpers.observed import Observed
from tests.helpers.promql import History
from tests.helpers.scraped import read_page

PAGE = (Path(__file__).parents[2] / "docs/metrics.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`((?:gen_ai|penstock)_[a-z_]+)(?:\{[a-z,]+\})?`", PAGE))


def test_the_page_names_every_metric(history: History) -> None:
    names = {re.sub(r"_(bucket|count|sum)$", "", name) for _, scrape in history.scrapes for name in scrape.names}
    shown = {name for name in names if not name.startswith("process_")}
    hidden = {"penstock_token_details_total"}  # nobody has read from a cache
    labels = {"gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_response_model",
              "gen_ai_token_type"}  # fmt: skip
    assert NAMED - labels == shown | hidden


def test_the_page_names_the_labels_of_a_metric(history: History) -> None:
    for name, labels in re.findall(r"`((?:gen_ai|penstock)_[a-z_]+)\{([a-z,]+)\}`", PAGE):
        found = [sample.labels for _, scrape in history.scrapes for sample in scrape.samples if sample.name == name]
        assert all(set(labels.split(",")) <= sample.keys() for sample in found), name


def test_both_forms_say_the_same(observed: Observed) -> None:
    text, openmetrics = read_page(observed.text), read_page(observed.openmetrics)
    assert observed.openmetrics.endswith(b"# EOF\n")
    series = [[(sample.name, sample.labels) for sample in scrape.samples] for scrape in (text, openmetrics)]
    assert series[0] == series[1]
    ends = [scrape.find("penstock_stream_end_total") for scrape in (text, openmetrics)]
    assert ends[0] == ends[1]
