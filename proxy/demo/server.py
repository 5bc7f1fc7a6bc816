"""The embedded upstream: a real HTTP/1.1 server on its own port that answers from a script and fails on
request.

It stands on `asyncio.Protocol` with a small strict HTTP reader of its own instead of on an HTTP framework.
Half of what it does is forbidden to a framework: bad chunk lines, lengths that lie, answers before the
body, a reset at a given event. Writing the other half through a framework as well would leave two writers
on one socket. It is also a second opinion: the proxy in front of it is not tested against the parser it is
built with.

`DemoUpstream(record=True)` keeps what arrived, for tests: see `record.py`. `stop` ends every stream at
once.
"""

import asyncio
import itertools
import time
from collections import Counter
from dataclasses import replace
from ssl import SSLContext
from typing import Final

from proxy.demo.answer import Answer, Request
from proxy.demo.connection import Connection
from proxy.demo.http1 import Body, LengthBody, MalformedRequest, RequestHead, open_body
from proxy.demo.params import DEFAULTS, BadParameter, Params, parse_params
from proxy.demo.produced import Product
from proxy.demo.record import WAIT, Log, RequestRecord
from proxy.demo.routes import PRODUCED, Route, answer, find_route, refuse
from proxy.demo.wirefaults import AnswerWriter, Ended

KEPT_BODY: Final = (
    32 * 1024 * 1024
)  # bytes of a request body that a route gets to see; the largest vendor limit (Anthropic's)
UNKNOWN_LENGTH: Final = 2**62  # what follows a malformed head has no end that could be found
MALFORMED: Final = b"HTTP/1.1 %d Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class DemoUpstream:
    """The demo upstream. `start` binds (port 0: any free one), `stop` ends every connection and leaves no task.
    pace: seconds between two events, where a request does not say.

    Counters: `requests`, `connections` (open ones), `malformed`, `events` by route name, `faults` by parameter name.
    """

    def __init__(self, *, record: bool = False, pace: float = DEFAULTS.pace) -> None:
        self.log = Log(record=record)
        self._unsaid = replace(DEFAULTS, pace=pace)
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._numbers = itertools.count(1)
        self._stopping = False
        self._scheme = "http"
        self._host = ""
        self._port = 0

    async def start(self, host: str = "127.0.0.1", port: int = 0, ssl: SSLContext | None = None) -> None:
        """Listen. Raises OSError when the address cannot be had."""
        self._stopping = False
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self, next(self._numbers)), host, port, ssl=ssl)
        self._scheme = "http" if ssl is None else "https"
        self._host, self._port = self._server.sockets[0].getsockname()[:2]

    async def stop(self) -> None:
        """Close the listener, abort every connection, and return once all their tasks have ended. Twice is harmless."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
            self._server = None
        connections = list(self._connections)
        tasks = [connection.task for connection in connections if connection.task is not None]
        for connection in connections:
            connection.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.log.until(lambda: not self._connections)

    @property
    def port(self) -> int:
        return self._port

    @property
    def base_url(self) -> str:
        """Such as `http://127.0.0.1:41234`, without a slash at the end."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{self._scheme}://{host}:{self._port}"

    @property
    def requests(self) -> int:
        return self.log.requests

    @property
    def connections(self) -> int:
        return len(self._connections)

    @property
    def malformed(self) -> int:
        return self.log.malformed

    @property
    def events(self) -> Counter[str]:
        return self.log.events

    @property
    def faults(self) -> Counter[str]:
        return self.log.faults

    @property
    def records(self) -> tuple[RequestRecord, ...]:
        """The kept records, oldest first."""
        return tuple(self.log.records)

    @property
    def products(self) -> tuple[Product, ...]:
        """The requests that are over, and what became of them."""
        return tuple(self.log.products)

    # Waiting, for tests: `number` counts requests from 1; TimeoutError after `within` seconds.

    async def wait_request(self, number: int, *, within: float = WAIT) -> RequestRecord:
        """Until the head of that request has been read."""
        return await self.log.wait(number, lambda record: True, within)

    async def wait_body(self, number: int, *, within: float = WAIT) -> RequestRecord:
        """Until its body has been read to the end."""
        return await self.log.wait(number, lambda record: record.body_complete, within)

    async def wait_events(self, number: int, count: int, *, within: float = WAIT) -> RequestRecord:
        """Until so many events of its answer have been handed to the kernel."""
        return await self.log.wait(number, lambda record: record.events >= count, within)

    async def wait_answered(self, number: int, *, within: float = WAIT) -> RequestRecord:
        """Until its answer has been written to the end."""
        return await self.log.wait(number, lambda record: record.answered, within)

    async def wait_closed(self, number: int, *, within: float = WAIT) -> RequestRecord:
        """Until its connection has ended; `closed_by` says by whom."""
        return await self.log.wait(number, lambda record: record.closed_at is not None, within)

    # What a connection calls.

    def joined(self, connection: Connection) -> None:
        self._connections.add(connection)
        if self._stopping:
            connection.abort()

    def left(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self.log.close(connection.number, connection.closed_by)

    async def serve(self, connection: Connection) -> None:
        """All requests of one connection, until it ends."""
        try:
            while await self._exchange(connection):
                pass
            connection.close()
        except MalformedRequest as bad:
            self.log.malformed += 1
            await connection.write(MALFORMED % bad.status)
            await connection.linger_close(LengthBody(UNKNOWN_LENGTH))
        except (Ended, ConnectionError):
            pass

    async def _exchange(self, connection: Connection) -> bool:
        """One request and its answer. Returns whether another may follow."""
        head = await connection.read_head()
        body = open_body(head)
        record = self.log.arrive(connection.number, connection.peer, head)
        route = find_route(head.path)
        try:
            return await self._answer(connection, head, body, record, route)
        finally:
            if head.path != PRODUCED:
                self.log.finish(record, route.name if route else "none")

    async def _answer(
        self, connection: Connection, head: RequestHead, body: Body, record: RequestRecord, route: Route | None
    ) -> bool:
        refusal: Answer | None = None
        try:
            wishes = (value.decode("latin-1") for value in head.values(b"x-demo"))
            params = parse_params(head.query, wishes, self._unsaid)
        except BadParameter as bad:
            params, refusal = Params(), refuse(route, record.number, 400, str(bad))
        writer = AnswerWriter(connection, head, params, self.log, record, route.name if route else "none")
        if params.early is not None:
            return await self._answer_early(connection, writer, params, body, record, route)
        kept = await self._read_body(connection, head, body, record)
        if params.accept_only:
            self.log.faults["accept_only"] += 1
            await connection.hold()
        if params.delay:
            await asyncio.sleep(params.delay)
        whole = len(kept) == record.body_length
        request = Request(head, params, bytes(kept), whole, record.number, int(time.time()), self.log.products)
        return await writer.write_answer(refusal or answer(route, request))

    async def _read_body(
        self, connection: Connection, head: RequestHead, body: Body, record: RequestRecord
    ) -> bytearray:
        if not body.done and not head.old and b"100-continue" in map(bytes.lower, head.values(b"expect")):
            await connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        kept = bytearray()
        async for piece in connection.read_body(body):
            record.took(piece)
            self.log.changed()
            kept += piece[: KEPT_BODY - len(kept)]
        record.body_complete = True
        self.log.changed()
        return kept

    async def _answer_early(
        self,
        connection: Connection,
        writer: AnswerWriter,
        params: Params,
        body: Body,
        record: RequestRecord,
        route: Route | None,
    ) -> bool:
        assert params.early is not None  # noqa: S101 - the caller asked
        self.log.faults["early"] += 1
        refusal = refuse(route, record.number, params.early, "the demo was asked to answer early")
        keep = await writer.write_answer(refusal, keep_alive=params.early_close == "keep")
        if params.early_close == "reset":
            await connection.reset()
            raise Ended
        if not keep:
            await connection.linger_close(body)
            raise Ended
        async for piece in connection.read_body(body):
            record.took(piece)
            self.log.changed()
        record.body_complete = True
        self.log.changed()
        return True
