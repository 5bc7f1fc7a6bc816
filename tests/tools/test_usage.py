"""`penstock usage`: a real command on a real file, also while somebody writes to it."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from proxy.store import database
from proxy.store.database import MIGRATIONS, open_database
from proxy.store.entries import write_entries
from proxy.store.ledger import Ledger
from proxy.tools.usage import LedgerError, find_ledger, read_report
from tests.helpers.command import Finished, ran
from tests.helpers.entries import build_entry


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of three requests of today, and one of long ago."""
    path, now = tmp_path / "penstock.db", time.time()
    with closing(open_database(path)) as connection:
        write_entries(connection, [
            build_entry(1, started=now, client="alice", model="gpt-5", provider="up", input=10, output=2, cost=0.5),
            build_entry(2, started=now, client="alice", model="gpt-5", provider="up", input=10, output=3, cost=0.25),
            build_entry(3, started=now, client="bob", model="gpt-5", provider="up", account="a", input=5),
            build_entry(4, started=now - 8 * 86400, client="alice", model="old", input=1),
        ])  # fmt: skip
    return path


async def ask(path: Path, *arguments: str) -> Finished:
    return await ran("usage", "--file", str(path), *arguments)


async def test_the_last_week_is_summed_by_client_and_model(path: Path) -> None:
    done = await ask(path)
    assert (done.code, done.err) == (0, "")
    assert [line.split() for line in done.out.splitlines()] == [
        ["CLIENT", "MODEL", "REQUESTS", "INPUT", "OUTPUT", "COST"],
        ["alice", "gpt-5", "2", "20", "5", "0.7500"],
        ["bob", "gpt-5", "1", "5", "0"],
        ["total", "3", "25", "5", "0.7500"],
    ]


async def test_it_is_told_apart_and_shown_as_wanted(path: Path) -> None:
    found = json.loads((await ask(path, "--since", "30d", "--by", "client", "--json")).out)
    assert [(row["client"], row["requests"], row["cost"]) for row in found["rows"]] == [
        ("alice", 3, 0.75), ("bob", 1, None),
    ]  # fmt: skip
    assert found["total"]["requests"] == 4
    lines = (await ask(path, "--by", "account,provider", "--csv")).out.splitlines()
    assert [line.split(",")[:3] for line in lines] == [
        ["account", "provider", "requests"], ["", "up", "2"], ["up/a", "up", "1"],
    ]  # fmt: skip


async def test_a_day_begins_at_midnight_utc(path: Path) -> None:
    today = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 3600))  # of a test that runs at midnight
    assert json.loads((await ask(path, "--since", today, "--json")).out)["since"] == f"{today}T00:00:00Z"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--since", "yesterday"], "not a time"),
        (["--since", "2026-13-01"], "not a time"),
        (["--by", "client,weekday"], "not to be told apart by"),
        (["--by", ""], "not to be told apart by"),
        (["--json", "--csv"], "not allowed with"),
    ],
)
async def test_wrong_usage(path: Path, arguments: list[str], message: str) -> None:
    done = await ask(path, *arguments)
    assert done.code == 2
    assert message in done.err


async def test_the_file_is_found_as_serve_would(path: Path, tmp_path: Path) -> None:
    config = tmp_path / "penstock.toml"
    config.write_text('[ledger]\npath = "${STATE_DIRECTORY:-.}/penstock.db"\n')
    environ = {"STATE_DIRECTORY": str(tmp_path)}
    assert find_ledger([config], environ) == path
    assert (await ran("usage", "--config", str(config), env=environ)).out.startswith("CLIENT")
    config.write_text('[ledger]\npath = ":memory:"\n')
    done = await ran("usage", "--config", str(config))
    assert (done.code, done.err) == (1, "penstock: no ledger is kept: [ledger] path names no file\n")


async def test_what_is_no_ledger_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "penstock.db"
    done = await ask(path)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"penstock: {path}: there is no such file; --file says where the ledger is\n"
    assert not path.exists(), "who only reads makes no file"
    path.write_bytes(b"no database" * 1000)
    assert (await ask(path)).err == f"penstock: {path}: file is not a database\n"


def test_a_file_of_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "penstock.db"
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", MIGRATIONS[:1])
        open_database(path).close()
    with pytest.raises(LedgerError, match="there is no ledger in this file yet"):
        read_report(path, ("client",), 0.0)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(LedgerError, match="written by a later version"):
        read_report(path, ("client",), 0.0)


async def test_it_is_read_while_it_is_written(path: Path) -> None:
    ledger = Ledger(path)
    try:
        ledger.put(build_entry("new", started=time.time(), client="carol"))
        with closing(open_database(path)) as other:
            other.execute("BEGIN IMMEDIATE")  # as a writer in its transaction
            assert "alice" in (await ask(path)).out
            other.execute("COMMIT")
    finally:
        await ledger.close()
    assert "carol" in (await ask(path)).out
