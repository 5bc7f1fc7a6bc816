"""The sixteen scenarios, as data; `checks.py` has the wishes. docs/failover.md says in prose what is promised.

The model under test has one fallback, which is healthy unless a scenario says otherwise. Times are those of the full
profile.
"""

from collections.abc import Callable
from typing import Final

from tests.failover.checks import (
    RECOVERY,
    at_most,
    attempts,
    check_recovery,
    drive_recovery,
    expect,
    full_from,
    in_band_after,
    malformed,
    refused_for_policy,
    rescued,
    second_after,
    told,
    within,
)
from tests.failover.plays import Cut, Play, Script
from tests.failover.profile import FIRST_BYTE, PROGRESS, TTFT, Profile
from tests.failover.run import Scenario
from tests.failover.server import USAGE

_IN_PIECES = "an answer in one piece has no pieces"
_NOTHING_SENT = "nothing of an answer in one piece is sent before it is whole"


def always(*plays: Play) -> Callable[[Profile], Script]:
    return lambda profile: Script(plays)


_OVERLOADED = Play(error="overloaded")
_CUT_AT_40 = Play(stop_after=40, cut=Cut.FIN)
_ENDED_AT_40 = Play(stop_after=40, cut=Cut.CLEAN)
_NO_PREFILL = always(Play(prefill=False))


def _repeats_slowly(profile: Profile) -> Script:
    return Script((Play(pace=profile.limit(TTFT) * 1.3 / 40),))


def _late(profile: Profile) -> Script:
    return Script((Play(late=profile.limit(TTFT) * 2, pings=profile.time(3)),))


def _stalls(profile: Profile) -> Script:
    return Script((Play(stop_after=20, stall=profile.time(30) + 2 * profile.slack),))


def _stalls_and_pings(profile: Profile) -> Script:
    return Script((Play(stop_after=20, stall=profile.time(30) + 2 * profile.slack, pings=profile.time(3)),))


def _left_open(profile: Profile) -> Script:
    return Script((Play(mark=False, open_for=30.0),))


def _recovers(profile: Profile) -> Script:
    return Script(down_for=profile.time(RECOVERY), down=_OVERLOADED)


SCENARIOS: Final[tuple[Scenario, ...]] = (
    Scenario(
        "S01",
        "429 with Retry-After: 2, once",
        always(Play(error="rate", retry_after="2"), Play()),
        expect(full_from("main"), second_after(1.8), at_most(2, 1.5), attempts(main=2)),
    ),
    Scenario(
        "S02",
        "429 for ever, no delay named",
        always(Play(error="rate")),
        expect(full_from("spare"), at_most(4, 3.0), attempts(spare=1)),
    ),
    Scenario(
        "S03",
        "500 once",
        always(Play(error="server"), Play()),
        expect(full_from("main"), attempts(main=2, spare=0)),
    ),
    Scenario("S04", "503 for ever", always(_OVERLOADED), expect(full_from("spare"), attempts(spare=1))),
    Scenario("S05", "TCP reset before the head, once", always(Play(reset=True), Play()), full_from("main", "spare")),
    Scenario(
        "S06",
        "accepts, never answers",
        always(Play(silent=True)),
        expect(full_from("spare"), attempts(main=1, spare=1), within(FIRST_BYTE)),
    ),
    Scenario(
        "S07",
        "head at once, first token too late",
        _late,
        expect(full_from("spare"), attempts(main=1, spare=1), within(TTFT)),
        streamed_only=_IN_PIECES,
    ),
    Scenario("S08", "cut after 40 of 60 tokens", always(_CUT_AT_40), rescued, rescue="restart"),
    Scenario(
        "S08",
        "the same, without rescue",
        always(_CUT_AT_40),
        expect(in_band_after(40), attempts(main=1, spare=0)),
        variant="off",
        streamed_only=_NOTHING_SENT,
    ),
    Scenario(
        "S08",
        "the same, continued by the fallback",
        always(_CUT_AT_40),
        expect(rescued, attempts(spare=1)),
        variant="continue",
        spare=always(Play(prefill=True)),
        rescue="continue",
        prefill=True,
        streamed_only=_NOTHING_SENT,
    ),
    Scenario(
        "S08",
        "the same, nobody is declared able",
        always(_CUT_AT_40),
        rescued,
        variant="undeclared",
        rescue="continue",
        prefill=None,
        streamed_only=_NOTHING_SENT,
    ),
    Scenario(
        "S08",
        "the same, repeated more slowly than ttft",
        always(_CUT_AT_40),
        rescued,
        variant="slow",
        spare=_repeats_slowly,
        rescue="restart",
        streamed_only=_NOTHING_SENT,
    ),
    Scenario(
        "S08",
        "the same, the fallback says another text",
        always(_CUT_AT_40),
        expect(in_band_after(40), attempts(main=1, spare=1)),
        variant="differs",
        spare=always(Play(differs=True)),
        rescue="restart",
        streamed_only=_NOTHING_SENT,
    ),
    Scenario(
        "S09",
        "silent after 20 tokens",
        _stalls,
        expect(rescued, attempts(main=1, spare=1), within(PROGRESS)),
        rescue="restart",
    ),
    Scenario(
        "S09",
        "the same, without rescue",
        _stalls,
        expect(in_band_after(20), attempts(main=1, spare=0), within(PROGRESS)),
        variant="off",
        streamed_only=_NOTHING_SENT,
    ),
    Scenario(
        "S09",
        "the same, with pings",
        _stalls_and_pings,
        expect(rescued, attempts(main=1, spare=1), within(PROGRESS)),
        variant="pings",
        rescue="restart",
        streamed_only=_IN_PIECES,
    ),
    Scenario(
        "S10",
        "one event is no JSON",
        always(Play(bad_after=20)),
        expect(full_from("main"), attempts(main=1, spare=0), malformed(1)),
        streamed_only=_IN_PIECES,
    ),
    Scenario(
        "S11",
        "complete, without an end mark",
        always(Play(mark=False)),
        expect(full_from("main"), attempts(main=1, spare=0), within(0.0), told("main", USAGE)),
        streamed_only=_IN_PIECES,
    ),
    Scenario(
        "S11",
        "the same, and the connection stays open",
        _left_open,
        expect(full_from("main"), attempts(main=1, spare=0), within(5.0, scaled=False), told("main", USAGE)),
        variant="open",
        streamed_only=_IN_PIECES,
    ),
    Scenario(
        "S12",
        "400 context length exceeded",
        always(Play(error="context")),
        expect(full_from("spare"), attempts(main=1, spare=1)),
    ),
    Scenario(
        "S13",
        "400 content policy",
        always(Play(error="policy")),
        expect(refused_for_policy, attempts(main=1, spare=0)),
    ),
    Scenario(
        "S14",
        "as S08, the fallback refuses prefill",
        always(_ENDED_AT_40),
        rescued,
        spare=_NO_PREFILL,
        rescue="restart",
        streamed_only=_NOTHING_SENT,
    ),
    Scenario(
        "S14",
        "the same, though it was declared able",
        always(_ENDED_AT_40),
        rescued,
        variant="continue",
        spare=_NO_PREFILL,
        rescue="continue",
        prefill=True,
        streamed_only=_NOTHING_SENT,
    ),
    Scenario(
        "S14",
        "the same, without rescue",
        always(_ENDED_AT_40),
        expect(in_band_after(40), attempts(main=1, spare=0)),
        variant="off",
        spare=_NO_PREFILL,
        streamed_only=_NOTHING_SENT,
    ),
    Scenario("S15", "503 for a minute, then healthy", _recovers, check_recovery, sparse=True, drive=drive_recovery),
    Scenario(
        "S16",
        "503 for ever: who answered, what it cost",
        always(_OVERLOADED),
        expect(full_from("spare"), told("spare", (USAGE[0] + 1, USAGE[1]))),
    ),
)
