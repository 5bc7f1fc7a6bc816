"""Who serves the next request."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.accounts.board import Board
from proxy.accounts.book import Book, Lease
from proxy.accounts.strategies import STRATEGIES
from proxy.dialects.events import FailureKind as K
from tests.helpers.books import NOW, P, ask_shut, build, row, serve, take
from tests.helpers.troubles import answer


def test_a_book_without_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        Book(P, (), Board())


@pytest.mark.parametrize(
    ("strategy", "served"),
    [("round-robin", [0, 0, 1, 0, 2, 0, 0]), ("least-busy", [0, 0, 1, 0, 2, 0, 0]), ("fill-first", [0] * 7)],
)
def test_strategies(strategy: str, served: list[int]) -> None:
    assert serve(build(row("a", 5), row("b"), row("c"), strategy=strategy), 7) == served


def test_least_busy_sees_what_is_in_flight() -> None:
    book = build(row("a", 2), row("b"), strategy="least-busy")
    assert Counter(take(book).index for _ in range(9)) == {0: 6, 1: 3}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_skipped_ones_are_not_asked_again(strategy: str) -> None:
    book = build(row("a"), row("b"), row("c"), strategy=strategy)
    assert {take(book, skip=frozenset({0, 2})).index for _ in range(4)} == {1}
    shut = ask_shut(book, skip=[0, 1, 2])
    assert (shut.until, shut.failure.kind) == (None, K.UNUSABLE)


def test_models() -> None:
    book = build(row("a", models=("gpt-5*",)), row("b", models=("o3", "*/o[4]", "g*o*x")), row("c"))
    assert set(serve(book, 6, model="gpt-5-mini")) == {0, 2}
    assert set(serve(book, 6, model="o3")) == {1, 2}
    assert set(serve(book, 6, model="openai/o[4]")) == {1, 2}
    assert set(serve(book, 6, model="gpt-o-x")) == {1, 2}
    assert set(serve(book, 6, model="gx")) == {2}
    assert set(serve(book, 6, model="o3-mini")) == {2}
    assert set(serve(book, 6, model="openai/o4")) == {2}
    assert set(serve(book, 6)) == {0, 1, 2}


def test_no_account_serves_the_model() -> None:
    shut = ask_shut(build(row("a", models=("gpt-*",))), model="claude")
    assert shut.until is None
    assert (shut.failure.kind, shut.failure.status) == (K.UNUSABLE, 503)


def test_names_that_callers_invent_are_not_remembered_for_ever() -> None:
    book = build(row("a", models=("m*",)))
    for number in range(5000):
        take(book, model=f"m{number}")
    assert len(book._serving) <= 1024


# Limits of the configuration


@given(
    limits=st.lists(st.integers(1, 4), min_size=1, max_size=5),
    moves=st.lists(st.tuples(st.booleans(), st.integers(0, 100)), max_size=80),
    strategy=st.sampled_from([*STRATEGIES]),
    session=st.sampled_from(["", "s"]),
)
def test_never_more_streams_than_allowed(
    limits: list[int], moves: list[tuple[bool, int]], strategy: str, session: str
) -> None:
    rows = [row(str(number), max_streams=most) for number, most in enumerate(limits)]
    book = build(*rows, strategy=strategy, affinity=True)
    leases: list[Lease] = []
    for opens, which in moves:
        if opens:
            found = book.pick(NOW, session=session)
            assert isinstance(found, Lease) == (len(leases) < sum(limits))
            leases += [found] if isinstance(found, Lease) else []
        elif leases:
            leases.pop(which % len(leases)).close(NOW)
        flying = Counter(lease.index for lease in leases)
        assert all(flying[index] <= most for index, most in enumerate(limits))


@given(
    rpm=st.integers(1, 100), tpm=st.integers(1, 1000),
    asks=st.lists(st.tuples(st.floats(0, 20), st.integers(0, 1200)), min_size=1, max_size=60),
)  # fmt: skip
def test_never_more_per_minute_than_allowed(rpm: int, tpm: int, asks: list[tuple[float, int]]) -> None:
    """tokens: a request larger than the limit counts as the whole limit, or it could never be made."""
    book, now, made = build(row("a", rpm=rpm, tpm=tpm)), NOW, []
    for pause, tokens in asks:
        now += pause
        if isinstance(book.pick(now, tokens=tokens), Lease):
            made.append((now, tokens))
    for start, (begin, _) in enumerate(made):
        for stop in range(start, len(made)):
            window = 1 + (made[stop][0] - begin) / 60
            assert stop - start + 1 <= rpm * window + 1e-3
            assert sum(min(tokens, tpm) for _, tokens in made[start : stop + 1]) <= tpm * window + 1e-3


def test_limits_say_when() -> None:
    book = build(row("a", rpm=60), row("b", tpm=60, rpm=1))
    leases = [take(book) for _ in range(61)]
    assert Counter(lease.index for lease in leases) == {0: 60, 1: 1}
    shut = ask_shut(book)
    assert (shut.until, shut.failure.kind, shut.failure.retry_after) == (NOW + 1, K.RATE_LIMIT, 1)


def test_a_full_account_says_to_look_again() -> None:
    book = build(row("a", max_streams=1))
    take(book)
    assert (ask_shut(book).until, ask_shut(book).failure.kind) == (NOW + 1, K.RATE_LIMIT)


def test_tokens_that_were_used_beyond_the_guess_are_waited_for() -> None:
    book = build(row("a", tpm=60))
    take(book, tokens=10).close(NOW, 90)
    assert ask_shut(book).until == NOW + 31


# Sessions


def test_a_session_keeps_its_account() -> None:
    book = build(row("a"), row("b"), row("c"), affinity=True)
    home = take(book, session="s")
    assert home.sticky is True
    assert {take(book, session="s").index for _ in range(5)} == {home.index}
    assert {take(build(row("a"), row("b"), row("c"), affinity=True), session="s").index} == {home.index}
    assert take(book).sticky is None
    assert {take(book).index for _ in range(3)} == {0, 1, 2}
    assert take(build(affinity=False), session="s").sticky is None


def test_a_session_goes_to_its_next_account_and_comes_back() -> None:
    book = build(row("a"), row("b"), row("c"), affinity=True)
    home = take(book, session="s")
    home.fail(answer(K.RATE_LIMIT, 429, delay=5), NOW, 0)
    away = take(book, session="s")
    assert (away.index != home.index, away.sticky) == (True, False)
    assert take(book, session="s").index == away.index
    back = take(book, NOW + 5, session="s")
    assert (back.index, back.sticky, back.probe) == (home.index, True, True)


@given(session=st.text(min_size=1), models=st.lists(st.booleans(), min_size=2, max_size=6))
def test_a_session_belongs_to_an_account_that_serves_its_model(session: str, models: list[bool]) -> None:
    rows = [row(str(number), models=("m",) if serves else ("other",)) for number, serves in enumerate(models)]
    book = build(*rows, affinity=True)
    found = book.pick(NOW, "m", session=session)
    assert isinstance(found, Lease) == any(models)
    if isinstance(found, Lease):
        assert models[found.index]
        assert found.sticky
