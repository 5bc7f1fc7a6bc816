"""The page is what the official encoder writes, in slices; and official parsers read it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Gauge, Info, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from proxy.ops.metrics.page import OPENMETRICS, SLICE, TEXT, Format, choose_format
from proxy.ops.metrics.series import Counts, Spread
from tests.helpers.scraped import read_page


def build(rows: int, text: str = "v") -> CollectorRegistry:
    """A registry with families of every kind that is used, one of them without a sample."""
    registry = CollectorRegistry()
    counts, spread = Counts("c", "A # sign.", "who"), Spread("h_seconds", "Says \\ this.", (1.0, 2.0), "who")
    for row in range(rows):
        counts.add((f"{text}{row}",), row)
        spread.note((f"{text}{row}",), row / 2)

    class Both:
        def collect(self):  # type: ignore[no-untyped-def]
            return [counts.collect(), spread.collect(), Counts("empty", "Says.", "who").collect()]

    registry.register(Both())
    Gauge("g", "Says.", registry=registry).set(0.1)
    Info("i", "Says.", registry=registry).info({"version": text})
    return registry


@pytest.mark.parametrize("rows", [0, 1, SLICE - 1, SLICE, SLICE + 1, 3 * SLICE])
def test_it_is_what_the_official_encoders_write(rows: int) -> None:
    registry = build(rows)
    assert b"".join(TEXT.encode(registry.collect())) == generate_latest(registry)
    assert b"".join(OPENMETRICS.encode(registry.collect())) == openmetrics.generate_latest(registry)


@given(st.text(max_size=10))
def test_it_is_so_whatever_a_label_says(text: str) -> None:
    registry = build(2, text)
    assert b"".join(TEXT.encode(registry.collect())) == generate_latest(registry)
    assert b"".join(OPENMETRICS.encode(registry.collect())) == openmetrics.generate_latest(registry)


def test_no_slice_is_long() -> None:
    registry = build(10 * SLICE)
    pieces = list(TEXT.encode(registry.collect()))
    assert max(piece.count(b"\n") for piece in pieces) == SLICE
    assert len(pieces) > 10


@pytest.mark.parametrize("form", [TEXT, OPENMETRICS], ids=["text", "openmetrics"])
def test_official_parsers_read_it(form: Format) -> None:
    found = read_page(b"".join(form.encode(build(3, 'q"\\\n').collect())))
    assert found.find("c_total") == {(f'q"\\\n{row}',): row for row in range(3)}
    assert found.total("h_seconds_count") == 3
    assert found.find("i_info") == {('q"\\\n',): 1}


PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.5"
)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/plain;version=0.0.4", TEXT),
        (PROMETHEUS, OPENMETRICS),
        ("Application/OpenMetrics-Text", OPENMETRICS),
        ("text/plain, application/openmetrics-text;version=x\r\ny;q=0.1", OPENMETRICS),
        ("application/openmetrics-text; q=0, text/plain", TEXT),
        ("application/openmetrics-text;q=0.000", TEXT),
        ("application/openmetrics-textual", TEXT),
    ],
)
def test_the_scraper_says_which_it_reads(accept: str, form: Format) -> None:
    assert choose_format(accept) is form


def test_the_kinds_are_the_official_ones() -> None:
    assert TEXT.kind == "text/plain; version=0.0.4; charset=utf-8"
    assert OPENMETRICS.kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
