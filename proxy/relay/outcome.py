"""How a request ended, and the one record of it from which the log line and every figure are written."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from proxy.dialects.events import Usage
from proxy.types import AccountName, ClientName, ProviderName, RequestId
from proxy.usage.meter import Told


class EndReason(Enum):
    """Why a request was over. The list is closed: dashboards and alerts count by it."""

    DONE = "done"
    LATE_CUT = "late_cut"
    CLIENT_GONE = "client_gone"
    UPSTREAM_CUT = "upstream_cut"
    CONNECT = "connect"
    FIRST_BYTE = "first_byte"
    TTFT = "ttft"
    PROGRESS = "progress"
    IDLE = "idle"
    WRITE_STALL = "write_stall"
    ERROR = "error"
    REFUSED = "refused"
    LIMIT = "limit"
    DRAIN = "drain"
    KILLED = "killed"


WENT_WELL: Final = frozenset({EndReason.DONE, EndReason.LATE_CUT, EndReason.CLIENT_GONE})
AT_THE_DOOR: Final = frozenset({EndReason.REFUSED, EndReason.LIMIT})
_SERVER_ERROR: Final = 500


class Phase(Enum):
    """How far a request had come: where a client was lost, above all."""

    ACCEPTED = "accepted"
    UPLOADING = "uploading"
    QUEUED = "queued"  # for an account, or between two attempts
    WAITING = "waiting"  # for the upstream's head
    HELD = "held"  # the head is here, nothing of substance yet
    STREAMING = "streaming"
    ENDED = "ended"


@dataclass(slots=True)
class Attempt:
    """One try at one upstream. `seconds` until its head, or until it failed with `error` (an error code's slug).

    started: seconds after the request's start. outcome: what was done about it: `won`, `lost` (another one was faster),
    `rescued`, `failed` (within its answer), `mismatch` (of a rescue), or the step that the policy took. told: what its
    answer has told of its usage, where one had begun and was over.
    """

    provider: ProviderName
    account: AccountName | None
    seconds: float = 0.0
    status: int | None = None
    error: str = ""
    model: str = ""
    started: float = 0.0
    outcome: str = ""
    told: Told | None = None


@dataclass(slots=True)
class Record:
    """Everything that is remembered of one request; times are seconds on the monotonic clock unless said otherwise."""

    id: RequestId
    started: float
    wall: float  # seconds since the epoch
    method: str = ""
    remote: str = ""
    door: str = "public"
    traceparent: str = ""  # the client's, as it came
    client: ClientName | None = None
    mount: str = ""
    dialect: str = ""
    provider: ProviderName | None = None
    account: AccountName | None = None
    status: int = 0
    error: str = ""  # the slug of the proxy's own answer
    detail: str = ""  # class and errno of the fault behind it
    end: EndReason | None = None
    phase: Phase = Phase.ACCEPTED
    first_byte: float | None = None  # after `started`: when the client's head was written
    ttft: float | None = None  # after `started`: when the first substance was written
    duration: float = 0.0
    bytes_up: int = 0
    bytes_down: int = 0
    events: int = 0
    heartbeats: int = 0
    tap_failed: bool = False
    malformed: int = 0  # events that were left out because they were no JSON
    model_asked: str = ""
    model: str = ""  # who answered, as the provider says
    finish: str = ""  # why the model stopped, a `Reason` of the hub
    usage: Usage | None = None
    usage_source: str = ""  # "reported", "partial", "estimated"; "" where there is none
    cost: float | None = None  # in the currency of the price table; None: nobody knows
    attempts: list[Attempt] = field(default_factory=list)
    rescues: int = 0  # attempts that went on with an answer that had broken off
    hedges: int = 0  # attempts beside one that was slow

    def begin(self, provider: ProviderName, account: AccountName | None, now: float, model: str = "") -> Attempt:
        """One more attempt, which is the current one from now on."""
        attempt = Attempt(provider, account, model=model, started=now - self.started)
        self.attempts.append(attempt)
        self.provider, self.account = provider, account
        return attempt

    @property
    def failed(self) -> bool:
        """It went wrong, and not because its client left. What was turned away at the door says nothing of us, however
        often it comes; what a provider failed at and a mount passed on does."""
        if self.end in AT_THE_DOOR:
            return bool(self.attempts)
        return self.end not in WENT_WELL or (self.end is EndReason.DONE and self.status >= _SERVER_ERROR)

    def close(self, reason: EndReason) -> None:
        """The first reason stands: what follows from it is not a reason of its own."""
        if self.end is None:
            self.end = reason
