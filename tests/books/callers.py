"""Callers of all kinds: `call` sends a plan's request, behaves as the plan says and tells what came back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from tests.books.house import KEYS, House
from tests.books.plans import Leave, Plan
from tests.helpers.rawhttp import Reply, parse_head

WAIT = 30.0  # seconds


@dataclass(frozen=True)
class Call:
    """What became of a plan for its caller. id: None where no head came. whole: the answer ended by its framing.
    killed: the operator's command found it."""

    plan: Plan
    reply: Reply | None = None
    whole: bool = False
    killed: bool = False

    @property
    def id(self) -> str | None:
        return self.reply.headers.get("x-penstock-request-id") if self.reply else None


async def call(plan: Plan, house: House) -> Call:
    async with asyncio.timeout(WAIT), _connect(house.port) as (reader, writer):
        body = plan.encode()
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        key = f"Authorization: Bearer {KEYS[plan.caller]}\r\n"
        head = (
            f"{plan.method} {plan.target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{length}{key}{plan.headers}\r\n"
        )
        if plan.leave is Leave.UPLOADING:
            writer.write(head.encode() + body[:20])
            await asyncio.sleep(0.05)  # it is read by then, and if it were not, nothing would depend on it
            return Call(plan)
        writer.write(head.encode() + body)
        if plan.leave is Leave.SOON:
            with suppress(TimeoutError):
                async with asyncio.timeout(plan.after):
                    await reader.read()
            return Call(plan)
        return await _read(plan, house, reader)


@asynccontextmanager
async def _connect(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _read(plan: Plan, house: House, reader: asyncio.StreamReader) -> Call:
    raw, killed = b"", False
    if plan.leave is not Leave.NEVER:
        while plan.mark not in raw and (data := await reader.read(65536)):
            raw += data
        if plan.leave is not Leave.KILLED:
            return Call(plan, _parse(raw))
        reply = _parse(raw)
        killed = reply is not None and await house.kill(reply.headers["x-penstock-request-id"])
        if not killed:
            return Call(plan, reply)
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            raw += data
    reply = _parse(raw)
    return Call(plan, reply, reply is not None and _is_whole(reply), killed)


def _parse(raw: bytes) -> Reply | None:
    """The body stays framed."""
    head, found, body = raw.partition(b"\r\n\r\n")
    if not found:
        return None
    reply = parse_head(head)
    reply.body = body
    return reply


def _is_whole(reply: Reply) -> bool:
    if "transfer-encoding" in reply.headers:
        return reply.body.endswith(b"\r\n0\r\n\r\n") or reply.body == b"0\r\n\r\n"
    return len(reply.body) == int(reply.headers.get("content-length", 0))


async def call_all(plans: list[Plan], house: House, at_once: int) -> list[Call]:
    """So many at a time."""
    waiting, calls = iter(plans), list[Call]()

    async def work() -> None:
        for plan in waiting:
            calls.append(await call(plan, house))

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())
    return calls
