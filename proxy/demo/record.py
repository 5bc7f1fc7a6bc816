"""What arrived at the demo and what left it, kept so that a test can assert on this end too, and wait
instead of sleep.

One `RequestRecord` per request, written by the connection and the answer writer, read by tests. The log
keeps the last `KEPT` when recording is on and none when it is off; the counters are always kept. Waiting
works by predicate: whoever changes a record calls `changed`, and every waiter looks again.
"""

import asyncio
import hashlib
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from proxy.demo.http1 import RequestHead
from proxy.demo.produced import KEPT as KEPT_PRODUCTS
from proxy.demo.produced import Bill, End, Product

KEPT: Final = 1000  # requests; more than any one test makes, and a few MB at most
WAIT: Final = 10.0  # seconds; a waiter that is not served by then is a failing test, not a slow one


@dataclass(slots=True, eq=False)
class RequestRecord:
    """One request. `number` counts from 1; times are the loop's clock in seconds; hashes are SHA-256 in hex.

    `body_*` is the request's body as decoded, `sent_*` the answer's body before chunk framing, `closed_by` is
    "peer" or "demo".
    """

    number: int
    connection: int
    peer: str
    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    arrived_at: float
    body_length: int = 0
    body_complete: bool = False
    status: int | None = None
    events: int = 0
    sent_length: int = 0
    answered: bool = False
    closed_at: float | None = None
    closed_by: str | None = None
    bill: Bill | None = None
    end: End = End.LEFT
    _body_hash: "hashlib._Hash" = field(default_factory=hashlib.sha256, repr=False)
    _sent_hash: "hashlib._Hash" = field(default_factory=hashlib.sha256, repr=False)

    @property
    def body_sha256(self) -> str:
        return self._body_hash.hexdigest()

    @property
    def sent_sha256(self) -> str:
        return self._sent_hash.hexdigest()

    def took(self, piece: bytes) -> None:
        self.body_length += len(piece)
        self._body_hash.update(piece)

    def sent(self, piece: bytes) -> None:
        self.sent_length += len(piece)
        self._sent_hash.update(piece)


class Log:
    """The records and counters of one demo. `events` counts by route name, `faults` by parameter name; `products` are
    kept in any case."""

    def __init__(self, *, record: bool) -> None:
        self.recording = record
        self.records: deque[RequestRecord] = deque(maxlen=KEPT)
        self.products: deque[Product] = deque(maxlen=KEPT_PRODUCTS)
        self.requests = 0
        self.malformed = 0
        self.events: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self._waiters: set[asyncio.Future[None]] = set()

    def arrive(self, connection: int, peer: str, head: RequestHead) -> RequestRecord:
        """A request head was read."""
        self.requests += 1
        now = asyncio.get_running_loop().time()
        record = RequestRecord(self.requests, connection, peer, head.method, head.target, head.headers, now)
        if self.recording:
            self.records.append(record)
        self.changed()
        return record

    def finish(self, record: RequestRecord, route: str) -> None:
        """Whatever became of a request has become of it."""
        product = Product(
            record.number, route, record.status, record.events, record.sent_length, record.end, record.bill
        )
        self.products.append(product)
        self.changed()

    def close(self, connection: int, by: str) -> None:
        """A connection has ended: so have its requests."""
        now = asyncio.get_running_loop().time()
        for record in self.records:
            if record.connection == connection:
                record.closed_at, record.closed_by = now, by
        self.changed()

    def find(self, number: int) -> RequestRecord | None:
        """The record of request `number`, None before it came. Raises LookupError once it has been dropped."""
        if not self.recording:
            raise LookupError("this demo does not record: DemoUpstream(record=True)")
        if number > self.requests:
            return None
        for record in reversed(self.records):
            if record.number == number:
                return record
        raise LookupError(f"request {number} is no longer kept")

    def changed(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, number: int, ready: Callable[[RequestRecord], bool], within: float) -> RequestRecord:
        """The record of request `number` as soon as it is `ready`. Raises TimeoutError after `within` seconds."""

        def is_ready() -> bool:
            record = self.find(number)
            return record is not None and ready(record)

        async with asyncio.timeout(within):
            await self.until(is_ready)
        record = self.find(number)
        assert record is not None  # noqa: S101 - it was there a moment ago and nothing has run since
        return record

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return once `is_so`, asked now and after every change."""
        while not is_so():
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)
