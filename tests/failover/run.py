"""One scenario with one client: what was asked, what was heard, what the provider saw. `perform` makes it happen."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from proxy.relay.outcome import Record
from tests.failover.asking import ask
from tests.failover.heard import Heard
from tests.failover.plays import Script
from tests.failover.profile import LINEUPS, QUIET, Profile, build_config
from tests.failover.server import Attempt, Faulty, faulty
from tests.helpers.service import RunningProxy, running

MOST_ATTEMPTS = 6
"""Of one request, whatever happens."""


@dataclass(slots=True)
class Run:
    """heard: the answers in the order of asking; asked: when, on the monotonic clock. after: the answer to a request
    that came when all was over."""

    client: str
    stream: bool
    profile: Profile
    provider: Faulty
    proxy: RunningProxy
    heard: list[Heard] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    after: Heard = field(default_factory=Heard)

    async def ask(self, model: str = "tested") -> Heard:
        return await ask(self.proxy.port, self.client, model, stream=self.stream)

    async def ask_tested(self) -> Heard:
        self.asked.append(time.monotonic())
        at = len(self.heard)
        self.heard.append(Heard())
        self.heard[at] = await self.ask()
        return self.heard[at]

    @property
    def only(self) -> Heard:
        return self.heard[0]

    @property
    def main(self) -> list[Attempt]:
        return self.provider.list_attempts("main")

    @property
    def spare(self) -> list[Attempt]:
        return self.provider.list_attempts("spare")

    @property
    def attempts(self) -> list[Attempt]:
        return [attempt for attempt in self.provider.attempts if attempt.model != "sound"]

    def count_attempts(self, seconds: float) -> int:
        """In so many seconds from the first one on."""
        attempts = self.attempts
        return sum(attempt.at - attempts[0].at <= seconds for attempt in attempts)

    @property
    def record(self) -> Record:
        return self.proxy.records[0]


Check = Callable[[Run], Iterator[str]]
"""Yields what is wrong."""


async def ask_once(run: Run) -> None:
    await run.ask_tested()


@dataclass(frozen=True, slots=True)
class Scenario:
    """name: S01 to S16. variant: what is different from the plain one. main, spare: the scripts of the model under test
    and of its fallback. prefill: what is declared of the fallback, None for nothing. streamed_only: why it says nothing
    about an answer in one piece. sparse: long, and busy for a small part of that."""

    name: str
    title: str
    main: Callable[[Profile], Script]
    check: Check
    variant: str = ""
    spare: Callable[[Profile], Script] = lambda profile: Script()
    rescue: str = "off"
    prefill: bool | None = False
    streamed_only: str = ""
    sparse: bool = False
    drive: Callable[[Run], Awaitable[None]] = ask_once

    @property
    def label(self) -> str:
        return f"{self.name} {self.variant}".strip()


@dataclass(frozen=True, slots=True)
class Result:
    """attempts: at the model under test, and at its fallback. gap, wall: seconds, the longest of all requests."""

    scenario: Scenario
    client: str
    stream: bool
    complaints: tuple[str, ...]
    attempts: tuple[int, int]
    gap: float
    wall: float


async def perform(scenario: Scenario, client: str, profile: Profile, lineup: str, *, stream: bool) -> Result:
    async with _set_up(scenario, client, profile, lineup, stream=stream) as run:
        await scenario.drive(run)
        complaints = [*check_all(run)]
        complaints += await _check_afterwards(run)
        complaints += scenario.check(run)
        gap, wall = max(heard.gap for heard in run.heard), max(heard.wall for heard in run.heard)
        return Result(scenario, client, stream, tuple(complaints), (len(run.main), len(run.spare)), gap, wall)


@asynccontextmanager
async def _set_up(
    scenario: Scenario, client: str, profile: Profile, lineup: str, *, stream: bool
) -> AsyncIterator[Run]:
    scripts = {"main": scenario.main(profile), "spare": scenario.spare(profile), "sound": Script()}
    async with faulty(scripts, profile.pace) as provider:
        config = build_config(
            profile,
            provider.port,
            LINEUPS[lineup][client],
            rescue=scenario.rescue,
            prefill=scenario.prefill,
            stream=stream,
        )
        async with running(config) as proxy:
            yield Run(client, stream, profile, provider, proxy)


def check_all(run: Run) -> Iterator[str]:
    """What holds in every scenario."""
    if len(run.attempts) > MOST_ATTEMPTS * len(run.heard):
        yield f"{len(run.attempts)} attempts"
    for heard in run.heard:
        quiet = run.profile.limit(QUIET) + run.profile.slack / 3
        if run.stream and heard.gap > quiet:
            yield f"nothing was heard for {heard.gap:.1f} s"
        if heard.verdict in ("short", "broken"):
            yield heard.describe()


async def _check_afterwards(run: Run) -> list[str]:
    """The proxy is as good as before: it answers, and has let go of every attempt that it gave up."""
    complaints = []
    run.after = await run.ask("sound")
    if run.after.verdict != "full":
        complaints.append(f"afterwards: {run.after.describe()}")
    given_up = [attempt for attempt in run.attempts if not attempt.over]
    try:
        async with asyncio.timeout(run.profile.slack):
            for attempt in given_up:
                await attempt.gone.wait()
    except TimeoutError:
        complaints.append("an attempt that was given up is still open at the provider")
    return complaints
