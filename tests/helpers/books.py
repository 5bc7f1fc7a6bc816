"""A book of accounts and requests that it serves, made short."""

from collections.abc import Sequence

from proxy.accounts.board import Board
from proxy.accounts.book import AccountRow, Book, Lease, Shut
from proxy.accounts.trouble import Trouble
from proxy.types import AccountName, ProviderName

P = ProviderName("p")
NOW = 1.8e9


def row(name: str, weight: int = 1, **more: object) -> AccountRow:
    return AccountRow(AccountName(name), weight, **more)  # type: ignore[arg-type]


def build(*rows: AccountRow, board: Board | None = None, strategy: str = "round-robin", affinity: bool = False) -> Book:
    return Book(P, rows or (row("a"),), board or Board(), strategy=strategy, affinity=affinity)


def take(
    book: Book, now: float = NOW, model: str = "", *, session: str = "", tokens: int = 0,
    skip: frozenset[int] = frozenset(), accounts_only: bool = False,
) -> Lease:  # fmt: skip
    lease = book.pick(now, model, session=session, tokens=tokens, skip=skip, accounts_only=accounts_only)
    assert isinstance(lease, Lease)
    return lease


def ask_shut(book: Book, now: float = NOW, model: str = "", skip: Sequence[int] = ()) -> Shut:
    shut = book.pick(now, model, skip=frozenset(skip), jitter=0.5)
    assert isinstance(shut, Shut)
    return shut


def end(book: Book, trouble: Trouble, now: float = NOW, model: str = "") -> int:
    lease = take(book, now, model)
    lease.fail(trouble, now, 0.5)
    lease.close(now)
    return lease.index


def serve(book: Book, count: int, **asked: str) -> list[int]:
    served = []
    for _ in range(count):
        lease = take(book, **asked)  # type: ignore[arg-type]
        served.append(lease.index)
        lease.close(NOW)
    return served
