"""The table of docs/failover.md, a test for each of its rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.accounts.cooldown import Level
from proxy.accounts.policy import History, Policy, Step, Verdict, is_flaky, is_reached, judge
from proxy.accounts.trouble import How, Trouble
from proxy.dialects.events import Failure, FailureKind
from tests.helpers.troubles import CONNECT, CUT, INVALID, LIMIT, OVERLOADED, REFUSED, SERVER, SILENT, answer

K = FailureKind
NOW = 1000.0
DAYS_18 = 18 * 86400.0


def pause(seconds: float) -> Verdict:
    return Verdict(Step.AGAIN, pause=seconds)


def cool(step: Step, level: Level, seconds: float, *, attention: bool = False) -> Verdict:
    return Verdict(step, level, seconds, attention)


ONCE = History()
WELL = History(well=True)
# what happened, what came before it, jitter, what follows
TABLE = {
    "429 with a delay": (answer(K.RATE_LIMIT, 429, delay=7), ONCE, 0, cool(Step.ACCOUNT, Level.ACCOUNT, 7)),
    "a delay counts, not the strikes": (
        answer(K.RATE_LIMIT, 429, delay=7), History(account_strikes=9), 1, cool(Step.ACCOUNT, Level.ACCOUNT, 7)),
    "429 with hardly any delay": (
        answer(K.RATE_LIMIT, 429, delay=0.01), ONCE, 0, cool(Step.ACCOUNT, Level.ACCOUNT, 1)),
    "429 for 18 days": (answer(K.RATE_LIMIT, 429, delay=DAYS_18), ONCE, 0, cool(Step.ACCOUNT, Level.ACCOUNT, 3600)),
    "429 for one model": (
        answer(K.RATE_LIMIT, 429, delay=7, model_only=True), ONCE, 0, cool(Step.ACCOUNT, Level.MODEL, 7)),
    "429 for one model without a delay": (
        answer(K.RATE_LIMIT, 429, model_only=True), ONCE, 0.5, cool(Step.ACCOUNT, Level.MODEL, 1)),
    "429 without a delay, least": (LIMIT, ONCE, 0, cool(Step.ACCOUNT, Level.ACCOUNT, 0.75)),
    "429 without a delay, most": (LIMIT, ONCE, 1, cool(Step.ACCOUNT, Level.ACCOUNT, 1.25)),
    "429 again": (LIMIT, History(account_strikes=1), 0.5, cool(Step.ACCOUNT, Level.ACCOUNT, 2)),
    "429 a fifth time": (LIMIT, History(account_strikes=4), 0.5, cool(Step.ACCOUNT, Level.ACCOUNT, 16)),
    "429 for ever": (LIMIT, History(account_strikes=5000), 1, cool(Step.ACCOUNT, Level.ACCOUNT, 60)),
    "quota": (answer(K.QUOTA, 429), ONCE, 0, cool(Step.ACCOUNT, Level.ACCOUNT, 300)),
    "quota again": (answer(K.QUOTA, 402), History(account_strikes=2), 1, cool(Step.ACCOUNT, Level.ACCOUNT, 1200)),
    "quota for ever": (answer(K.QUOTA, 402), History(account_strikes=99), 0, cool(Step.ACCOUNT, Level.ACCOUNT, 3600)),
    "quota until its reset": (answer(K.QUOTA, 429, delay=900), ONCE, 0, cool(Step.ACCOUNT, Level.ACCOUNT, 900)),
    "quota for 18 days": (answer(K.QUOTA, 429, delay=DAYS_18), ONCE, 0, cool(Step.ACCOUNT, Level.ACCOUNT, 3600)),
    "quota of one model": (
        answer(K.QUOTA, 429, delay=900, model_only=True), ONCE, 0, cool(Step.ACCOUNT, Level.MODEL, 900)),
    "401": (REFUSED, ONCE, 0, cool(Step.ACCOUNT, Level.ACCOUNT, 900, attention=True)),
    "401 again": (REFUSED, History(account_strikes=1), 0, cool(Step.ACCOUNT, Level.ACCOUNT, 1800, attention=True)),
    "401 for ever": (REFUSED, History(account_strikes=9), 0, cool(Step.ACCOUNT, Level.ACCOUNT, 3600, attention=True)),
    "401 at an account that has just worked": (REFUSED, History(succeeded=NOW - 60), 0, Verdict(Step.ACCOUNT)),
    "401 at one that worked some time ago": (
        REFUSED, History(succeeded=NOW - 61), 0, cool(Step.ACCOUNT, Level.ACCOUNT, 900, attention=True)),
    "401 a second time at one that has just worked": (
        REFUSED, History(succeeded=NOW, refusals=1), 0, cool(Step.ACCOUNT, Level.ACCOUNT, 900, attention=True)),
    "403": (answer(K.PERMISSION, 403), ONCE, 0, Verdict(Step.ACCOUNT)),
    "500": (SERVER, ONCE, 0, pause(0.1)),
    "502": (answer(K.BAD_GATEWAY, 502), ONCE, 1, pause(0.5)),
    "504": (answer(K.TIMEOUT, 504), ONCE, 0, pause(0.1)),
    "an answer that says it broke off": (answer(K.DISCONNECT), ONCE, 0, pause(0.1)),
    "a cut": (CUT, ONCE, 0, pause(0.1)),
    "the second 500 in a row": (SERVER, History(recent=1), 0, pause(0.1)),
    "the third 500 in a row": (SERVER, History(recent=2), 0, cool(Step.TARGET, Level.PROVIDER, 2)),
    "the third cut in a row": (CUT, History(recent=2), 0, cool(Step.TARGET, Level.PROVIDER, 2)),
    "500 while the provider is being tried again": (
        SERVER, History(provider_strikes=1), 0, cool(Step.TARGET, Level.PROVIDER, 4)),
    "529": (OVERLOADED, ONCE, 0, cool(Step.TARGET, Level.PROVIDER, 2)),
    "503 again": (answer(K.OVERLOADED, 503), History(provider_strikes=2), 0, cool(Step.TARGET, Level.PROVIDER, 8)),
    "503 for ever": (OVERLOADED, History(provider_strikes=70), 0, cool(Step.TARGET, Level.PROVIDER, 15)),
    "503 with a delay": (answer(K.OVERLOADED, 503, delay=5), ONCE, 0, cool(Step.TARGET, Level.PROVIDER, 5)),
    "503 with a long delay": (answer(K.OVERLOADED, 503, delay=600), ONCE, 0, cool(Step.TARGET, Level.PROVIDER, 15)),
    "503 with no delay at all": (answer(K.OVERLOADED, 503, delay=0), ONCE, 0, cool(Step.TARGET, Level.PROVIDER, 1)),
    "503 among good answers": (OVERLOADED, WELL, 0, Verdict(Step.TARGET, pause=0.1)),
    "503 among good answers, with a delay": (
        answer(K.OVERLOADED, 503, delay=5), WELL, 0, cool(Step.TARGET, Level.PROVIDER, 5)),
    "503 of a probe among good answers": (
        OVERLOADED, History(provider_strikes=1, well=True), 0, cool(Step.TARGET, Level.PROVIDER, 4)),
    "the third 500 in a row among good answers": (
        SERVER, History(recent=2, well=True), 0, Verdict(Step.TARGET, pause=0.1)),
    "silence among good answers": (SILENT, WELL, 0, Verdict(Step.LEAVE)),
    "silence": (SILENT, ONCE, 0, cool(Step.LEAVE, Level.PROVIDER, 2)),
    "silence again": (SILENT, History(provider_strikes=1), 0, cool(Step.LEAVE, Level.PROVIDER, 4)),
    "no connection": (CONNECT, ONCE, 0, cool(Step.ACCOUNT, Level.EGRESS, 1)),
    "no connection again": (CONNECT, History(egress_strikes=3), 0, cool(Step.ACCOUNT, Level.EGRESS, 8)),
    "no connection for ever": (CONNECT, History(egress_strikes=40), 0, cool(Step.ACCOUNT, Level.EGRESS, 15)),
    "nobody could be asked": (
        Trouble(How.OURS, Failure(K.OVERLOADED, "", 503)), History(egress_strikes=9), 0, Verdict(Step.GIVE_UP)),
    "too long a conversation": (answer(K.CONTEXT_LENGTH, 400), ONCE, 0, Verdict(Step.LARGER)),
    "413": (answer(K.TOO_LARGE, 413), ONCE, 0, Verdict(Step.LARGER)),
    "content filter": (answer(K.CONTENT_FILTER, 400), ONCE, 0, Verdict(Step.GIVE_UP)),
    "400": (INVALID, ONCE, 0, Verdict(Step.GIVE_UP)),
    "404": (answer(K.NOT_FOUND, 404), ONCE, 0, Verdict(Step.GIVE_UP)),
    "409": (answer(K.CONFLICT, 409), ONCE, 0, Verdict(Step.GIVE_UP)),
    "cancelled": (answer(K.CANCELLED, 499), ONCE, 0, Verdict(Step.GIVE_UP)),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_row(case: str) -> None:
    trouble, history, jitter, verdict = TABLE[case]
    assert judge(trouble, history, NOW, Policy(), jitter) == verdict


def test_every_kind_has_a_row() -> None:
    judged = {trouble.failure.kind for trouble, *_ in TABLE.values() if trouble.how is How.ANSWER}
    assert set(FailureKind) - judged == {K.AUTH, K.UNUSABLE}  # the last is ours alone


def test_a_key_that_is_refused_is_ours_whoever_says_so() -> None:
    assert judge(answer(K.AUTH, 401), ONCE, NOW, Policy(), 0) == judge(REFUSED, ONCE, NOW, Policy(), 0)


@given(
    how=st.sampled_from(How),
    kind=st.sampled_from(FailureKind),
    delay=st.none() | st.floats(0, 1e12),
    strikes=st.integers(0, 10**6),
    jitter=st.floats(0, 1),
    most=st.floats(1, 86400),
)
def test_no_cool_down_is_longer_than_the_longest(
    how: How, kind: FailureKind, delay: float | None, strikes: int, jitter: float, most: float
) -> None:
    trouble = Trouble(how, Failure(kind, "no", 500, retry_after=delay))
    verdict = judge(trouble, History(strikes, strikes, strikes), NOW, Policy(most), jitter)
    assert 0 <= verdict.seconds <= most
    assert (verdict.level is None) == (verdict.seconds == 0)
    assert 0 <= verdict.pause <= 0.5
    assert verdict.pause == 0 or verdict.step is Step.AGAIN


@pytest.mark.parametrize("case", TABLE)
def test_what_came_after_the_commit_is_held_against_the_same(case: str) -> None:
    trouble, history, jitter, verdict = TABLE[case]
    late = Trouble(trouble.how, trouble.failure, committed=True)
    assert judge(late, history, NOW, Policy(), jitter).level is verdict.level
    assert is_flaky(late) == is_flaky(trouble)


def test_flaky_is_what_may_happen_once() -> None:
    assert [is_flaky(trouble) for trouble in (CUT, SERVER)] == [True, True]
    assert [is_flaky(trouble) for trouble in (SILENT, CONNECT, OVERLOADED, INVALID, LIMIT, REFUSED)] == [False] * 6
    assert is_flaky(answer(K.TIMEOUT, 504))


@pytest.mark.parametrize(
    ("trouble", "reached"),
    [(LIMIT, True), (REFUSED, True), (INVALID, True), (answer(K.CONTEXT_LENGTH, 400), True),
     (OVERLOADED, False), (SERVER, False), (CONNECT, False), (SILENT, False), (CUT, False)],
)  # fmt: skip
def test_a_provider_that_answers_sensibly_is_at_work(trouble: Trouble, reached: bool) -> None:
    assert is_reached(trouble, judge(trouble, ONCE, NOW, Policy(), 0)) is reached
