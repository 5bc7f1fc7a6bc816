"""From a record to a row: everything that the log line says, and nothing that a file could not hold."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.events import Usage
from proxy.ops.booking import LONGEST, build_booking, build_entry
from proxy.ops.log import build_line
from proxy.relay.outcome import Attempt, EndReason, Phase, Record
from proxy.store.database import open_database
from proxy.store.entries import Entry, write_entries
from proxy.types import AccountName, ClientName, ProviderName, RequestId

UP, A = ProviderName("up"), AccountName("a")


def build_record(**fields: Any) -> Record:
    record = Record(RequestId("req_1"), 0.0, 1_700_000_000.25, method="POST", remote="127.0.0.1")
    for name, value in fields.items():
        setattr(record, name, value)
    return record


FULL = build_record(
    client=ClientName("dev"), mount="chat", dialect="openai-chat", provider=UP, account=A, status=200, error="cut",
    detail="ECONNRESET", end=EndReason.CLIENT_GONE, phase=Phase.STREAMING, first_byte=0.01234, ttft=0.5, duration=2.0,
    bytes_up=1, bytes_down=2, events=3, heartbeats=4, tap_failed=True, malformed=5, model_asked="asked", model="said",
    finish="stop", usage=Usage(10, 4, 2, 30, 20), usage_source="reported", cost=0.5, rescues=6, hedges=7,
    attempts=[Attempt(UP, A, 0.1, 429, "rate_limit"), Attempt(UP, A)],
)  # fmt: skip

RENAMED = {
    "request_id": "id", "tokens_in": "input", "tokens_cached": "cache_read", "tokens_cache_write": "cache_write",
    "tokens_out": "output", "tokens_reasoning": "reasoning", "usage_source": "source",
}  # fmt: skip
"""Fields of the log line to columns."""

PUT_OTHERWISE = {"level", "ts"}


def test_a_row_holds_everything_that_the_log_line_says() -> None:
    line, entry = build_line(FULL, "info"), msgspec.to_builtins(build_entry(FULL))
    for name in line.__struct_fields__:
        if name in PUT_OTHERWISE:
            continue
        said, kept = msgspec.to_builtins(getattr(line, name)), entry[RENAMED.get(name, name)]
        assert (json.loads(kept) if name == "trail" else kept) == said, name
    assert entry["started"] == 1_700_000_000.25


def test_a_row_holds_tokens_by_kind_and_what_they_cost() -> None:
    entry = build_entry(FULL)
    assert (entry.input, entry.cache_read, entry.cache_write, entry.output, entry.reasoning) == (10, 4, 2, 30, 20)
    assert (entry.source, entry.cost, entry.finish) == ("reported", 0.5, "stop")


def test_what_is_not_known_is_nothing() -> None:
    entry = build_entry(build_record())
    assert (entry.client, entry.ttfb_ms, entry.input, entry.output, entry.cost, entry.trail) == (None,) * 6
    assert (entry.source, entry.end_reason, entry.phase) == ("", "done", "")


def test_requests_to_the_operator_s_own_door_are_not_put_down() -> None:
    put: list[Entry] = []
    book = build_booking(put.append)
    book(build_record(door="admin"))
    assert put == []
    book(FULL)
    assert put == [build_entry(FULL)]


texts = st.text(st.characters(categories=None), max_size=20)  # also half characters and NUL


@given(texts, texts, texts, texts)
def test_no_text_keeps_a_row_out_of_the_file(remote: str, model: str, asked: str, detail: str) -> None:
    attempts = [Attempt(UP, A, model=asked, status=500), Attempt(UP, None, model=model)]
    record = build_record(remote=remote, model=model, model_asked=asked, detail=detail, attempts=attempts)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(f"CREATE TABLE requests ({', '.join(Entry.__struct_fields__)})")
        write_entries(connection, [build_entry(record)])
        kept = connection.execute("SELECT remote, model, model_asked, detail, trail FROM requests").fetchone()
    assert list(kept[:4]) == [
        text.encode("utf-8", "replace").decode() for text in (remote, model, asked, detail)
    ]  # fmt: skip
    assert [entry.get("model", "") for entry in json.loads(kept[4])] == [asked, model]


def test_a_long_text_is_cut() -> None:
    assert build_entry(build_record(model="m" * 100_000)).model == "m" * LONGEST


def test_the_file_takes_a_full_row(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "x.db")) as connection:
        write_entries(connection, [build_entry(FULL), build_entry(build_record(id="req_2"))])
        assert connection.execute("SELECT count(*), total(cost) FROM requests").fetchone() == (2, 0.5)
