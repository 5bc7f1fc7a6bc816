"""From a finished request's record to its row in the ledger: all that its log line says, tokens by kind, and cost.

Nothing that came from outside can keep a row, or those beside it, out of the file: texts are cut and made Unicode, and
numbers have been held within bounds by whoever settled the record.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from proxy.dialects.events import Usage
from proxy.dialects.json_text import encode_json
from proxy.ops.trail import build_trail, is_telling, to_ms
from proxy.relay.outcome import EndReason, Record
from proxy.store.entries import Entry

LONGEST: Final = 512
"""Characters of a text: twice the longest name of a model that is taken; what a provider answers may be any."""

_NOTHING: Final = Usage()


def build_booking(put: Callable[[Entry], None]) -> Callable[[Record], None]:
    """An observer of finished requests that puts down those of the public door."""

    def book(record: Record) -> None:
        if record.door != "admin":
            put(build_entry(record))

    return book


def build_entry(record: Record) -> Entry:
    usage = record.usage or _NOTHING
    end = record.end or EndReason.DONE
    return Entry(
        id=record.id,
        started=record.wall,
        door=record.door,
        remote=_clean(record.remote),
        client=record.client,
        method=_clean(record.method),
        route=_clean(record.mount),
        dialect=record.dialect,
        model=_clean(record.model),
        model_asked=_clean(record.model_asked),
        provider=record.provider,
        account=record.account,
        status=record.status,
        end_reason=end.value,
        phase=record.phase.value if end is EndReason.CLIENT_GONE else "",
        error=_clean(record.error),
        detail=_clean(record.detail),
        finish=record.finish,
        ttfb_ms=None if record.first_byte is None else to_ms(record.first_byte),
        ttft_ms=None if record.ttft is None else to_ms(record.ttft),
        duration_ms=to_ms(record.duration),
        bytes_up=record.bytes_up,
        bytes_down=record.bytes_down,
        events=record.events,
        heartbeats=record.heartbeats,
        tap_failed=record.tap_failed,
        malformed=record.malformed,
        attempts=len(record.attempts),
        rescues=record.rescues,
        hedges=record.hedges,
        trail=_build_trail(record),
        input=usage.input,
        cache_read=usage.cache_read,
        cache_write=usage.cache_write,
        output=usage.output,
        reasoning=usage.reasoning,
        source=record.usage_source,
        cost=record.cost,
    )


def _build_trail(record: Record) -> str | None:
    if not is_telling(record.attempts):
        return None
    return encode_json(msgspec.to_builtins(build_trail(record.attempts))).decode()


def _clean(text: str) -> str:
    text = text[:LONGEST]
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
