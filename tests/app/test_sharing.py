"""Who says what to whom: processes are played, each with clients and accounts of its own, on one real file."""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.accounts.board import Board
from proxy.accounts.book import AccountRow, Book, Lease, Shut
from proxy.app.sharing import Sharing
from proxy.store import shares
from proxy.store.database import open_database
from proxy.types import AccountName, ClientName, ProviderName
from proxy.usage.allowance import Allowance, Allowances, Denied, Grant, Limit
from tests.helpers.fakes import FakeTicker

ANN, BOB = ClientName("ann"), ClientName("bob")
UP = ProviderName("up")


class Clock(FakeTicker):
    """Stands at the present. lead: of its wall clock on that of all processes."""

    def __init__(self, lead: float = 0.0) -> None:
        super().__init__()
        self._epoch = time.time() - self.now() + lead


class Process:
    """path: the file, None for none. limits: of ann; bob has none."""

    def __init__(self, path: Path | None, *, lead: float = 0.0, account: dict[str, Any] | None = None, **limits: Any):
        self.ticker = Clock(lead)
        self.allowances, self.board = Allowances(), Board()
        self.allowances.renew({ANN: Allowance(**limits), BOB: Allowance()})
        self.book = Book(UP, [AccountRow(AccountName("a"), **(account or {}))], self.board)
        self.sharing = Sharing(path, self.allowances, self.board, self.ticker)
        self.sharing.start()

    def admit(self, client: ClientName = ANN, **use: Any) -> Grant | Denied | None:
        return self.allowances.admit(client, self.ticker.wall(), **use)

    def let_in(self, **use: Any) -> Grant:
        grant = self.admit(**use)
        assert isinstance(grant, Grant)
        return grant

    def is_denied(self) -> bool:
        said = self.admit()
        if isinstance(said, Grant):
            said.close(self.ticker.wall())
        return isinstance(said, Denied)

    def reload(self, *clients: ClientName, **limits: Any) -> None:
        self.allowances.renew({name: Allowance(**limits) for name in clients})
        self.sharing.renew()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "penstock.db"


async def settle(*processes: Process) -> None:
    """Some turns of their clocks, and what a thread makes of each."""
    for _ in range(6):
        for process in processes:
            process.ticker.advance(0.25)
            if process.sharing._asked is not None:
                await asyncio.wait([process.sharing._asked], timeout=10)
                await asyncio.sleep(0)  # what came of it is heard


async def wait_until(is_so: Callable[[], bool], *processes: Process) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await settle(*processes)


@pytest.mark.parametrize("lead", [0.0, 3600.0, -3600.0])
async def test_what_one_lets_in_is_used_up_at_the_other(path: Path, lead: float) -> None:
    one, other = Process(path, rpm=3), Process(path, lead=lead, rpm=3)
    for _ in range(3):
        one.let_in().close(one.ticker.wall())
    await wait_until(other.is_denied, one, other)
    other.ticker.advance(60)
    assert not other.is_denied()
    for process in (one, other):
        await process.sharing.close()


async def test_accounts_are_shared_too(path: Path) -> None:
    one, other = (Process(path, account={"max_streams": 2, "rpm": 4}) for _ in range(2))
    leases = [one.book.pick(one.ticker.wall()) for _ in range(2)]
    state = other.board.account(UP, "a")
    await wait_until(lambda: state.elsewhere == 2, one, other)
    assert isinstance(other.book.pick(other.ticker.wall()), Shut)
    for lease in leases:
        assert isinstance(lease, Lease)
        lease.close(one.ticker.wall())
    await wait_until(lambda: state.elsewhere == 0, one, other)
    assert state.requests is not None
    assert state.requests.left(other.ticker.wall()) == pytest.approx(2, abs=0.5)
    for process in (one, other):
        await process.sharing.close()


async def test_the_last_of_it_is_said_at_the_end(path: Path) -> None:
    one = Process(path, tokens_per_day=10, max_streams=1)
    one.let_in(tokens=10)
    await one.sharing.close()
    later = Process(path, tokens_per_day=10, max_streams=1)
    denied = later.admit()
    assert isinstance(denied, Denied)
    assert denied.limit is Limit.TOKENS_PER_DAY
    assert later.sharing is not None
    await later.sharing.close()


async def test_a_reload_brings_limits_clients_and_what_they_have_used(path: Path) -> None:
    one, other = Process(path, tokens_per_day=10), Process(path)
    assert len(other.ticker) == 0
    one.let_in(tokens=10)
    other.reload(BOB, rpm=5)
    assert len(other.ticker) == 1
    await settle(one, other)
    other.reload(ANN, BOB, tokens_per_day=10)
    assert other.is_denied()
    other.reload()
    assert len(other.ticker) == 0
    for process in (one, other):
        await process.sharing.close()


async def test_streams_of_a_client_that_is_gone_from_the_configuration_count_no_more(path: Path) -> None:
    one, other = Process(path, max_streams=1), Process(path, max_streams=1)
    one.let_in()
    await wait_until(other.is_denied, one, other)
    one.reload(BOB, rpm=5)
    await wait_until(lambda: not other.is_denied(), one, other)
    for process in (one, other):
        await process.sharing.close()


async def test_without_limits_or_without_a_file_there_is_nothing(path: Path) -> None:
    for process in (Process(path, models=("x",)), Process(None, rpm=3, max_streams=1)):
        process.let_in().close(process.ticker.wall())
        assert len(process.ticker) == 0
        await process.sharing.close()
    assert not path.exists()


async def test_a_file_that_fails_leaves_each_to_its_own_count_and_is_made_up_for(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(shares, "RETRY", 0.01)
    path.mkdir()
    one, other = Process(path, max_streams=2, tokens_per_day=10), Process(path, max_streams=2, tokens_per_day=10)
    one.let_in(tokens=4), other.let_in(tokens=4)
    await settle(one, other)
    one.let_in(tokens=4)
    assert one.is_denied()
    assert not other.is_denied()
    path.rmdir()
    await wait_until(other.is_denied, one, other)
    await wait_until(lambda: caplog.text.count("limits are shared in") == 2, one, other)
    counted = one.allowances.find_counted(one.allowances.list_counted()[0][0])
    assert counted is not None
    await wait_until(lambda: counted.elsewhere == 1, one, other)
    for process in (one, other):
        await process.sharing.close()
    open_database(path).close()
    assert len(caplog.messages) == 4
