"""The table of `penstock top`: rates from two looks, orders, what fits a screen, and nothing that drives a terminal."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.tools.top_lines import ORDERS, Order, Sample, build_keys, build_screen

QUIET = [{"provider": "up", "state": "open", "accounts": [{"account": "a", "state": "open", "cooldowns": []}]}]


def stream(name: str = "req_1", **fields: Any) -> dict[str, Any]:
    return {
        "id": name, "seconds": 2.5, "phase": "streaming", "method": "POST", "remote": "127.0.0.1", "client": "dev",
        "model": "gpt-5", "provider": "up", "account": "a", "bytes_up": 10, "bytes_down": 2048, "events": 30,
        "still": 0.2, "ttft": 0.5, "trail": [{}, {}], **fields,
    }  # fmt: skip


def show(*streams: dict[str, Any], before: Sample | None = None, **options: Any) -> list[str]:
    return build_screen("here", Sample(10.0, streams, QUIET), before, options.pop("order", Order()), **options)


def test_a_stream_is_one_line() -> None:
    head, *table = show(stream())
    assert head == "penstock at here   1 in flight, 1 streaming"
    assert table == [
        "",
        "ID      AGE  PHASE      CLIENT  MODEL  ACCOUNT  TRY   TTFT  EVENTS  BYTES  STILL",
        "req_1  2.5s  streaming  dev     gpt-5  up/a       2  0.50s      30   2.0k   0.2s",
    ]


def test_two_looks_give_rates() -> None:
    before = Sample(8.0, [stream(events=10), stream("gone", events=9)], QUIET)
    head, _, columns, old, new = show(stream(events=30), stream("req_2", events=6, seconds=1.0), before=before)
    assert head.endswith("2 in flight, 2 streaming   13 events/s")
    at = columns.index("EV/S")
    assert (old[at : at + 4].strip(), new[at : at + 4].strip()) == ("10", "3")


def test_nobody_in_flight_is_said() -> None:
    assert show() == ["penstock at here   0 in flight, 0 streaming", "", "no streams"]


def test_one_that_waits_has_no_empty_columns() -> None:
    line = stream(phase="waiting", client=None, model="", model_asked="fast", account=None, events=0, bytes_down=0)
    del line["still"], line["ttft"], line["trail"]
    columns, told = show(line)[2:]
    assert columns.split() == ["ID", "AGE", "PHASE", "CLIENT", "MODEL", "ACCOUNT", "EVENTS", "BYTES"]
    assert told.split() == ["req_1", "2.5s", "waiting", "127.0.0.1", "fast", "up", "0", "0"]


def test_who_is_left_alone_is_named() -> None:
    cooling = {"level": "account", "state": "cooling", "why": "rate_limit", "seconds_left": 42.0}
    asking = {"level": "model", "state": "attention", "why": "auth", "seconds_left": 0.0, "model": "gpt-5"}
    providers = [{"provider": "up", "cooldowns": [], "accounts": [
        {"account": "a", "cooldowns": [cooling]}, {"account": None, "cooldowns": [asking]}]}]  # fmt: skip
    lines = build_screen("here", Sample(0.0, [], providers), None, Order())
    assert lines[1] == "left alone: up/a (rate_limit, 42 s), up gpt-5 (auth, attention)"


@pytest.mark.parametrize("key", ORDERS)
def test_each_order_puts_the_most_striking_first_and_can_be_turned(key: str) -> None:
    calm = stream("calm", seconds=1.0, still=0.1, ttft=0.1, bytes_down=10, client="a", model="a", account="a", events=1)
    wild = stream("wild", seconds=9.0, still=5.0, ttft=4.0, bytes_down=90, client="b", model="b", account="b", events=9)
    first = ["calm", "wild"] if key in "cmp" else ["wild", "calm"]
    for turned in (False, True):
        lines = show(calm, wild, order=Order(key, turned), before=Sample(9.0, [], QUIET))
        assert [line.split()[0] for line in lines[-2:]] == (first[::-1] if turned else first)
    assert f"[{key}]" in build_keys(Order(key))


def test_a_screen_that_is_too_low_says_how_many_are_not_shown() -> None:
    streams = [stream(f"req_{number}") for number in range(50)]
    lines = show(*streams, width=60, height=12)
    assert len(lines) <= 12
    assert lines[-1] == f"… {50 - (len(lines) - 4)} more"
    assert len(show(*streams)) == 53


@given(st.text(), st.integers(1, 200), st.integers(1, 60))
def test_no_text_from_outside_drives_the_terminal_or_leaves_the_screen(text: str, width: int, height: int) -> None:
    cooling = {"level": "account", "state": text, "why": text, "seconds_left": 0.0, "model": text}
    providers = [{"provider": text, "cooldowns": [cooling], "accounts": []}]
    streams = [stream(client=text, model=text, account=text, phase=text)]
    lines = build_screen("here", Sample(0.0, streams, providers), None, Order(), width, height)
    assert all(line.isprintable() and len(line) <= width for line in lines)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.0, "0.0s"), (59.9, "59.9s"), (61, "1m01s"), (3599, "59m59s"), (3660, "1h01m")]
)
def test_an_age_is_short(seconds: float, shown: str) -> None:
    assert show(stream(seconds=seconds))[-1].split()[1] == shown


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0"), (1023, "1023"), (1536, "1.5k"), (3 << 20, "3.0M"), (1 << 31, "2.0G")]
)
def test_a_size_is_short(count: int, shown: str) -> None:
    assert show(stream(bytes_down=count))[-1].split()[-2] == shown
