"""What middlewares and handler share about one request, found at `request[SCOPE]`."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from aiohttp import web

from proxy.dialects.base import Dialect
from proxy.dialects.registry import CALLERS, RAW
from proxy.edge.house import House, Mount
from proxy.edge.model_routes import ModelRoute
from proxy.relay.outcome import EndReason, Record
from proxy.relay.watching import Tape, Watchers
from proxy.types import RequestId
from proxy.usage.allowance import Grant
from proxy.wire.headers import NO_FIELDS
from proxy.wire.requests import Head


class Look(NamedTuple):
    """A running stream at one moment. bytes, events: of the upstreams' bodies, an answer's that broke off among them.
    substance: moves with what carries the answer. still: seconds since it last moved, exact to one tick. stalled:
    seconds in which a client that is waited for has read nothing."""

    bytes: int
    events: int
    substance: int
    still: float
    stalled: float


@dataclass(slots=True, eq=False)
class Scope:
    """head: the request's. mount, route or page: where it leads, none on the admin door. rest: the raw path behind the
    mount's prefix. query: raw, None without a `?`. headers: what goes upstream, once filtered. own_fields: what every
    answer of a model route carries. stop: ends the request from outside. look: how far the stream has come, None while
    none runs. time_next: has a running stream's next read timed on its way to the client. watchers: who looks at what
    the client is sent. tape: who records its attempts. grant: what its client was given."""

    record: Record
    house: House
    head: Head
    task: asyncio.Task[object] | None
    mount: Mount | None = None
    route: ModelRoute | None = None
    page: bool = False
    rest: str = ""
    query: str | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    own_fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    stop: Callable[[EndReason], None] | None = None
    look: Callable[[], Look] | None = None
    time_next: Callable[[Callable[[float], None]], None] | None = None
    watchers: Watchers = field(default_factory=Watchers)
    tape: Tape | None = None
    grant: Grant | None = None

    @property
    def dialect(self) -> Dialect:
        """What the caller can read."""
        if self.route is not None:
            return CALLERS[self.route.dialect]
        return self.mount.provider.dialect if self.mount else RAW

    def forget_fields(self) -> None:
        """Let go of the request's fields once they have served."""
        head = self.head
        self.head = Head(head.method, head.target, head.version, NO_FIELDS)
        self.headers = []

    def end(self, reason: EndReason) -> None:
        """End the request now: a running stream visibly, anything before it by cancellation."""
        self.record.close(reason)
        if self.stop is not None:
            self.stop(reason)
        elif self.task is not None:
            self.task.cancel()


SCOPE = web.RequestKey("scope", Scope)


_random = random.Random()  # noqa: S311 - names a request and opens nothing; seeded from the system


def make_request_id() -> RequestId:
    """An id that collides with none: 96 random bits, without a system call each."""
    return RequestId(f"req_{_random.getrandbits(96):024x}")
