"""Events as lines: for people without letting a server drive the terminal, and as JSON."""

import json

import pytest

from proxy.tools.event_lines import KEPT_GAPS, Event, Summary, escape, format_json, format_text


def test_one_line_of_data_stands_beside_type_and_id() -> None:
    assert format_text(Event(1.0021, "tick", "3", '{"n":3}')) == '+ 1.002s  tick  #3  {"n":3}'


def test_an_event_without_id_shows_none() -> None:
    assert format_text(Event(0.0004, "message", "", "x")) == "+ 0.000s  message  x"


def test_several_lines_of_data_are_indented_below() -> None:
    assert format_text(Event(12.5, "message", "", "a\n b\n")) == "+12.500s  message\n    a\n     b\n    "


def test_nothing_that_drives_a_terminal_gets_through() -> None:
    shown = format_text(Event(0.1, "\x1b[2J", "\x07", "a\x1b]0;x\x07\r\x9b31m\x7f\u202e\u2028b"))
    assert shown.isprintable()
    assert r"\x1b[2J" in shown
    assert r"#\x07" in shown
    assert r"a\x1b]0;x\x07\r\x9b31m\x7f\u202e\u2028b" in shown


def test_text_in_any_script_stays_as_it_is() -> None:
    text = "Grüße, 世界 🎉 \\ 'quoted'"
    assert escape(text) == text


def test_json_is_one_ascii_line_that_reads_back() -> None:
    event = Event(1.00251, "tick", "3", "a\nb\x1b\x7f\u2028ü")
    line = format_json(event)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line) == {"gap_ms": 1002.51, "type": "tick", "id": "3", "data": event.data}


def test_summary_counts_gaps_between_events_only() -> None:
    summary = Summary()
    summary.connections = 2
    for gap in (9.0, 0.1, 0.3, 0.2):
        summary.note(gap)
    assert str(summary) == "4 events, 2 connections, median gap 0.200 s, longest 0.300 s"


@pytest.mark.parametrize(("events", "text"), [(0, "0 events, 1 connection"), (1, "1 event, 1 connection")])
def test_summary_without_two_events_has_no_gaps(events: int, text: str) -> None:
    summary = Summary()
    summary.connections = 1
    for _ in range(events):
        summary.note(1.0)
    assert str(summary) == text


def test_the_longest_gap_is_remembered_when_the_median_has_forgotten_it() -> None:
    summary = Summary()
    for gap in (0.0, 5.0, *[1.0] * (KEPT_GAPS + 1)):
        summary.note(gap)
    assert str(summary).endswith("median gap 1.000 s, longest 5.000 s")
