"""What a scenario asks for, each wish a `Check` that yields what is wrong; `expect` takes several together."""

import asyncio
import time
from collections.abc import Iterator
from typing import Final

from tests.failover.run import Check, Run
from tests.failover.voices import POLICY, TOKENS

RECOVERY: Final = 60.0
"""Seconds that a provider is down in S15; a request comes every SPACING, and REUSE is when it has to serve again."""
SPACING: Final = 4.0
REUSE: Final = 30.0


def expect(*wishes: Check) -> Check:
    def check(run: Run) -> Iterator[str]:
        for wish in wishes:
            yield from wish(run)

    return check


def full_from(*models: str) -> Check:
    def check(run: Run) -> Iterator[str]:
        heard = run.only
        if heard.verdict != "full":
            yield f"not the full answer: {heard.describe()}"
        elif heard.model not in models:
            yield f"answered by {heard.model!r}"

    return check


def attempts(*, main: int | None = None, spare: int | None = None, most: int = 6) -> Check:
    """Exactly so many at each, and no more than `most` in all."""

    def check(run: Run) -> Iterator[str]:
        for name, wanted, seen in (("main", main, len(run.main)), ("spare", spare, len(run.spare))):
            if wanted is not None and seen != wanted:
                yield f"{seen} attempts at {name} instead of {wanted}"
        if len(run.attempts) > most:
            yield f"{len(run.attempts)} attempts"

    return check


def rescued(run: Run) -> Iterator[str]:
    """The whole answer; a stream that broke is not asked for once more where it broke."""
    yield from full_from("main", "spare")(run)
    if run.stream:
        yield from attempts(main=1)(run)


def at_most(count: int, seconds: float) -> Check:
    def check(run: Run) -> Iterator[str]:
        if run.count_attempts(seconds) > count:
            yield f"{run.count_attempts(seconds)} attempts in {seconds} s"

    return check


def within(seconds: float, *, scaled: bool = True) -> Check:
    """With the machine's slack; scaled: a limit of the profile, otherwise a time as it stands."""

    def check(run: Run) -> Iterator[str]:
        most = (run.profile.limit(seconds) if scaled else seconds) + run.profile.slack
        if run.only.wall > most:
            yield f"took {run.only.wall:.1f} s, more than {most:.1f}"

    return check


def in_band_after(tokens: int) -> Check:
    """The text that was delivered, and then an error that looks like no success."""

    def check(run: Run) -> Iterator[str]:
        heard = run.only
        if heard.verdict != "error":
            yield f"no clear error: {heard.describe()}"
        if heard.text != "".join(TOKENS[:tokens]):
            yield f"{len(heard.text)} characters were delivered"

    return check


def second_after(seconds: float) -> Check:
    def check(run: Run) -> Iterator[str]:
        if len(run.main) < 2:
            yield "the delay was not waited for"
        elif run.main[1].at - run.main[0].at < seconds:
            yield f"asked again after {run.main[1].at - run.main[0].at:.2f} s"

    return check


def told(model: str, tokens: tuple[int, int]) -> Check:
    def check(run: Run) -> Iterator[str]:
        heard = run.only
        if (heard.model, heard.tokens) != (model, tokens):
            yield f"model {heard.model!r} with {heard.tokens} tokens"
        usage = run.record.usage
        if usage is None or (usage.input, usage.output) != tokens:
            yield f"recorded as {usage}"

    return check


def malformed(count: int) -> Check:
    def check(run: Run) -> Iterator[str]:
        if run.record.malformed != count:
            yield f"{run.record.malformed} events were counted as malformed"

    return check


def refused_for_policy(run: Run) -> Iterator[str]:
    heard = run.only
    if heard.status != 400 or heard.verdict != "refused" or POLICY not in (heard.error or ""):
        yield f"not the provider's reason: {heard.describe()}"


async def drive_recovery(run: Run) -> None:
    """A request every few seconds, whatever became of the last, until the first model has answered or time is over."""
    spacing = run.profile.time(SPACING)
    last = run.profile.time(RECOVERY) + run.profile.limit(REUSE)
    started, number = time.monotonic(), 0
    async with asyncio.TaskGroup() as group:
        while number * spacing < last and not _recovered(run):
            group.create_task(run.ask_tested())
            number += 1
            await asyncio.sleep(started + number * spacing - time.monotonic())


def _recovered(run: Run) -> bool:
    return any(heard.verdict == "full" and heard.model == "main" for heard in run.heard)


def check_recovery(run: Run) -> Iterator[str]:
    for number, heard in enumerate(run.heard):
        if heard.verdict != "full":
            yield f"request {number}: {heard.describe()}"
    if not _recovered(run):
        yield "the first model was not used again"
    down_until = run.asked[0] + run.profile.time(RECOVERY)
    asked = sum(at < down_until for at in run.asked)
    probes = sum(attempt.at < down_until for attempt in run.main)
    if probes * 2 > asked:
        yield f"{probes} probes for {asked} requests"
