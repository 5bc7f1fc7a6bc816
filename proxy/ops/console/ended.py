"""How a request ended, as the console is told once it is over."""

import msgspec

from proxy.ops.trail import to_ms
from proxy.relay.outcome import EndReason, Record


class Ended(msgspec.Struct, frozen=True):
    id: str
    end_reason: str
    status: int
    error: str
    duration_ms: float
    ttft_ms: float | None
    bytes_down: int
    events: int
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None


def build_ended(record: Record) -> Ended:
    return Ended(
        id=record.id,
        end_reason=(record.end or EndReason.DONE).value,
        status=record.status,
        error=record.error,
        duration_ms=to_ms(record.duration),
        ttft_ms=None if record.ttft is None else to_ms(record.ttft),
        bytes_down=record.bytes_down,
        events=record.events,
        tokens_in=record.usage.input if record.usage else None,
        tokens_out=record.usage.output if record.usage else None,
        cost=record.cost,
    )
