"""What a faulty provider does, as data: a `Play` for one request, a `Script` for one after the other."""

from dataclasses import dataclass
from enum import Enum


class Cut(Enum):
    """How a body ends before its time."""

    FIN = "fin"  # the connection is closed, without the last chunk
    RESET = "reset"
    CLEAN = "clean"  # the last chunk, as if all had been said


@dataclass(frozen=True, slots=True)
class Play:
    """error: of errors.py, in place of an answer. silent: no answer ever. late: seconds between the head and the first
    token. stop_after: tokens until `stall` seconds of silence, then `cut`. pings: seconds between the provider's own
    keep-alives while it is late or stalls. bad_after: tokens until an event that is no JSON. mark: whether the
    dialect's end mark is sent. pace: seconds between tokens, None for the server's. open_for: seconds that the body
    stays open after all was said. differs: another text, from the tenth token on. prefill: whether the model goes on
    with an assistant's turn; None takes it for history and begins anew."""

    error: str = ""
    retry_after: str = ""
    reset: bool = False
    silent: bool = False
    late: float = 0.0
    pings: float = 0.0
    stop_after: int | None = None
    stall: float = 0.0
    cut: Cut | None = None
    bad_after: int | None = None
    mark: bool = True
    pace: float | None = None
    open_for: float = 0.0
    differs: bool = False
    prefill: bool | None = None


HEALTHY = Play()


@dataclass(frozen=True, slots=True)
class Script:
    """plays: one per request, the last for all that follow. down_for: seconds after the first request in which
    `down` is played, whatever the number."""

    plays: tuple[Play, ...] = (HEALTHY,)
    down_for: float = 0.0
    down: Play = HEALTHY

    def choose(self, number: int, elapsed: float) -> Play:
        """number: of the request, from 0. elapsed: seconds since the first one."""
        if elapsed < self.down_for:
            return self.down
        return self.plays[min(number, len(self.plays) - 1)]
