"""What went wrong with one attempt, as the policy judges it. Data only."""

from dataclasses import dataclass
from enum import Enum

from proxy.dialects.events import Failure


class How(Enum):
    """Told by place: what the provider says, and what its connection does, are different things."""

    ANSWER = "answer"  # an error status, or an error event within a 200: the failure's kind says which
    CONNECT = "connect"  # no connection: name, route, TCP, TLS, the account's proxy
    OURS = "ours"  # nobody was asked: this process lacks what it takes, a file descriptor above all
    CUT = "cut"  # the connection broke, or the body ended without a finish
    SILENT = "silent"  # no head, or nothing of substance, in time


@dataclass(frozen=True, slots=True)
class Trouble:
    """committed: it came after substance had gone to the client."""

    how: How
    failure: Failure
    committed: bool = False
