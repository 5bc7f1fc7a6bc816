"""What `GET /streams` tells: the requests in flight, oldest first, in the words of the log line."""

from collections.abc import Iterable

import msgspec

from proxy.edge.scope import Scope
from proxy.ops.trail import Try, build_trail


class StreamView(msgspec.Struct, omit_defaults=True, frozen=True, kw_only=True):
    """seconds: since its start. ttft: seconds to the first substance. still: seconds without any.
    trail: its attempts so far; the last one may still be waiting."""

    id: str
    seconds: float
    phase: str
    method: str
    remote: str
    client: str | None = None
    route: str = ""
    dialect: str = ""
    model_asked: str = ""
    model: str = ""
    provider: str | None = None
    account: str | None = None
    bytes_up: int
    bytes_down: int
    events: int
    still: float | None = None
    ttft: float | None = None
    trail: list[Try] = []


def build_streams(scopes: Iterable[Scope], now: float) -> list[StreamView]:
    """now: on the clock of the records."""
    return [_build_stream(scope, now) for scope in scopes]


def _build_stream(scope: Scope, now: float) -> StreamView:
    record = scope.record
    look = scope.look() if scope.look is not None else None
    last = record.attempts[-1] if record.attempts else None
    return StreamView(
        id=record.id,
        seconds=round(now - record.started, 3),
        phase=record.phase.value,
        method=record.method,
        remote=record.remote,
        client=record.client,
        route=record.mount,
        dialect=record.dialect,
        model_asked=record.model_asked,
        model=record.model,
        provider=record.provider or (last.provider if last else None),
        account=record.account or (last.account if last else None),
        bytes_up=record.bytes_up,
        bytes_down=look.bytes if look else record.bytes_down,
        events=look.events if look else record.events,
        still=round(look.still, 1) if look else None,
        ttft=None if record.ttft is None else round(record.ttft, 3),
        trail=build_trail(record.attempts),
    )
