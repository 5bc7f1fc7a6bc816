"""Accounts in turn."""

import pytest

from proxy.accounts.book import Book


@pytest.mark.parametrize("size", [1, 2, 5])
def test_each_account_serves_in_turn(size: int) -> None:
    book = Book(size)
    assert [book.pick() for _ in range(2 * size)] == 2 * list(range(size))


@pytest.mark.parametrize("size", [0, -1])
def test_a_book_without_accounts_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="at least one account"):
        Book(size)
