"""How much flows, sample by sample: what the console's small plots are drawn from."""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from proxy.ops.trail import to_ms

MOST_TIMES: Final = 32
"""Times to the first token in one sample: dots in a plot of a few hundred pixels."""


class Gaps(msgspec.Struct, frozen=True):
    p50: float
    p95: float
    max: float


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """started, finished, failed: requests since the sample before. gap_ms: over the streams that run."""

    at: float
    streams: int
    streaming: int
    started: int
    finished: int
    failed: int
    events_per_s: float
    bytes_per_s: float
    ttft_ms: list[float]
    gap_ms: Gaps | None


class Tally:
    """What is counted in one sample."""

    def __init__(self) -> None:
        self.streams = self.streaming = self.started = self.finished = self.failed = self.events = self.bytes = 0
        self.times: list[float] = []
        self.gaps: list[float] = []

    def build(self, at: float, seconds: float) -> Rates:
        """seconds: since the sample before, 0 for the first one."""
        return Rates(
            at=round(at, 3),
            streams=self.streams,
            streaming=self.streaming,
            started=self.started,
            finished=self.finished,
            failed=self.failed,
            events_per_s=round(self.events / seconds, 1) if seconds else 0.0,
            bytes_per_s=round(self.bytes / seconds, 1) if seconds else 0.0,
            ttft_ms=[to_ms(time) for time in self.times[-MOST_TIMES:]],
            gap_ms=_sum_up(self.gaps),
        )


def _sum_up(gaps: Sequence[float]) -> Gaps | None:
    if not gaps:
        return None
    ordered = sorted(map(to_ms, gaps))
    return Gaps(_pick(ordered, 0.5), _pick(ordered, 0.95), ordered[-1])


def _pick(ordered: Sequence[float], share: float) -> float:
    return ordered[math.ceil(share * len(ordered)) - 1]
