"""Every wish can be disappointed: a check that never complains would pass any gateway."""

import asyncio
from collections.abc import Iterator
from typing import cast

import pytest

from proxy.dialects.events import Usage
from proxy.relay.outcome import Record
from proxy.types import RequestId
from tests.failover import checks
from tests.failover.heard import Heard
from tests.failover.plays import HEALTHY, Script
from tests.failover.profile import FULL
from tests.failover.run import Check, Run, check_all
from tests.failover.server import Attempt, Faulty
from tests.failover.voices import POLICY, TEXT, TOKENS
from tests.helpers.service import RunningProxy


class FakeProxy:
    def __init__(self) -> None:
        self.records = [Record(RequestId("1"), 0.0, 0.0, malformed=1, usage=Usage(input=11, output=60))]


def full(model: str = "main", wall: float = 1.0) -> Heard:
    return Heard(
        status=200, text=TEXT, model=model, tokens=(11, 60), finished=True, complete=True, clean=True, wall=wall
    )


def error(tokens: int) -> Heard:
    return Heard(status=200, text="".join(TOKENS[:tokens]), clean=True, error="lost")


def short() -> Heard:
    return Heard(status=200, text="x", finished=True, complete=True, clean=True)


def refusal(reason: str, status: int = 400) -> Heard:
    return Heard(status=status, clean=True, error=reason)


def build(*heard: Heard, main: tuple[float, ...] = (0.0,), spare: tuple[float, ...] = ()) -> Run:
    provider = Faulty({"main": Script(), "spare": Script()}, 0.0)
    for model, times in (("main", main), ("spare", spare)):
        provider.attempts += [Attempt(model, "gemini", 0, at, True, HEALTHY, gone=asyncio.Event()) for at in times]
    run = Run("gemini", True, FULL, provider, cast(RunningProxy, FakeProxy()))
    run.heard = list(heard)
    run.asked = [at * checks.SPACING for at in range(len(heard))]
    return run


GOOD_AND_BAD: dict[str, tuple[Check, Run, Run]] = {
    "full": (checks.full_from("main"), build(full()), build(error(40))),
    "by whom": (checks.full_from("spare"), build(full("spare")), build(full("main"))),
    "attempts at one": (checks.attempts(main=1), build(full()), build(full(), main=(0, 1))),
    "attempts in all": (checks.attempts(most=2), build(full(), spare=(1,)), build(full(), spare=(1, 2))),
    "attempts in a time": (checks.at_most(1, 3), build(full(), spare=(4,)), build(full(), spare=(2,))),
    "time": (checks.within(10), build(full(wall=12.0)), build(full(wall=14.0))),
    "error within": (checks.in_band_after(40), build(error(40)), build(error(39))),
    "no error within": (checks.in_band_after(40), build(error(40)), build(full())),
    "rescued": (checks.rescued, build(full(), spare=(1,)), build(error(40), spare=(1,))),
    "rescued elsewhere": (checks.rescued, build(full(), spare=(1,)), build(full(), main=(0, 1))),
    "delay kept": (checks.second_after(1.8), build(full(), main=(0, 2)), build(full(), main=(0, 1))),
    "delay waited for": (checks.second_after(1.8), build(full(), main=(0, 2)), build(full())),
    "told": (checks.told("main", (11, 60)), build(full()), build(full("spare"))),
    "malformed": (checks.malformed(1), build(full()), build()),
    "reason": (checks.refused_for_policy, build(refusal(POLICY)), build(refusal("no"))),
    "status": (checks.refused_for_policy, build(refusal(POLICY)), build(refusal(POLICY, 502))),
    "recovered": (checks.check_recovery, build(full("spare"), full(), main=(0,)), build(full("spare"), main=())),
    "served": (checks.check_recovery, build(full("spare"), full()), build(refusal("down"), full())),
    "probes": (checks.check_recovery, build(full("spare"), full()), build(full("spare"), full(), main=(0, 4))),
    "silence": (check_all, build(full()), build(Heard(status=200, gap=12.0, clean=True, error="x"))),
    "short": (
        check_all,
        build(error(40)),
        build(Heard(status=200, text="x", finished=True, complete=True, clean=True)),
    ),
    "hammered": (check_all, build(full(), main=(0,) * 6), build(full(), main=(0,) * 7)),
}


@pytest.mark.parametrize("name", GOOD_AND_BAD)
def test_a_check_is_content_and_can_complain(name: str) -> None:
    check, good, bad = GOOD_AND_BAD[name]
    if name == "malformed":
        bad.proxy.records[0].malformed = 0
    assert list(check(good)) == []
    assert list(check(bad)) != []


def never(run: Run) -> Iterator[str]:
    yield "no"


def test_several_wishes_are_all_looked_at() -> None:
    assert list(checks.expect(never, never)(build())) == ["no", "no"]
