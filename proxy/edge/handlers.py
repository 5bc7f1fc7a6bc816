"""A request on a mount: one upstream, asked once, and its answer passed on byte for byte.

Up to the head everything that fails raises, and becomes an answer; from the head on the pump owns the stream and what
fails ends the connection visibly.
"""

import asyncio
import math
from typing import Final

from aiohttp import web

from proxy.accounts.book import Lease, Shut
from proxy.accounts.trouble import How, Trouble
from proxy.dialects.failures import parse_failure
from proxy.edge.client_stream import open_stream
from proxy.edge.documents import build_sandbox, is_browser
from proxy.edge.downstream import Downstream, Fields
from proxy.edge.faults import read_fault
from proxy.edge.granting import admit_mount
from proxy.edge.house import House, Mount
from proxy.edge.scope import SCOPE, Look, Scope
from proxy.edge.upload import ClientUpload, build_upload
from proxy.errors import Code, Refused, UpstreamFault
from proxy.relay.attempt import open_attempt
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import EndReason, Phase, Record
from proxy.relay.ports import Answer, Source, UpstreamRequest
from proxy.relay.pump import Clocks, Pump
from proxy.relay.veil import veil
from proxy.wire.headers import filter_response
from proxy.wire.requests import get_body_length, wants_continue
from proxy.wire.sse import EventCounter
from proxy.wire.target import join_query

_WITHOUT_BODY: Final = frozenset({204, 304})
_TOO_MANY: Final = 429


async def handle_mount(request: web.BaseRequest, ticker: Ticker) -> web.StreamResponse:
    """Forward `request` to its mount's provider. Raises Refused or UpstreamFault before the head."""
    scope = request[SCOPE]
    mount = scope.mount
    if mount is None:
        raise Refused(Code.NOT_FOUND)
    admit_mount(scope, ticker.wall())
    head, limits = scope.head, scope.house.limits
    scope.tape = scope.house.shared.open_tape(scope.record)
    upload = build_upload(request, get_body_length(head.headers), limits, ticker, wants_continue=wants_continue(head))
    answer, lease = await _ask_in_turn(scope, mount, upload, ticker)
    source = answer.source
    try:
        response = _build_response(request, scope, mount, answer, upload)
        tap, clocks = _choose_tap(scope.house, mount, answer)
        del answer, head  # a stream lives for minutes, and the fields of two heads are three kilobytes
        scope.forget_fields()
        await _pass_on(request, scope, response, source, tap, clocks, ticker)
        return response
    finally:
        if source is not None:
            source.abort()  # harmless when the body is complete
        lease.close(ticker.wall())
        _note_upload(scope.record, upload)


async def _ask(scope: Scope, mount: Mount, lease: Lease, upload: ClientUpload | None, ticker: Ticker) -> Answer:
    record = scope.record
    record.phase = Phase.UPLOADING if upload is not None and not upload.complete else Phase.WAITING
    opener = mount.provider.openers[lease.index]
    attempt = record.begin(mount.provider.name, opener.account, ticker.now())
    outgoing = UpstreamRequest(scope.head.method, _build_target(mount, scope), scope.headers, upload)
    try:
        answer = await open_attempt(opener, outgoing, scope.house.limits.first_byte, ticker, attempt, scope.tape)
    except UpstreamFault as fault:
        if upload is not None and upload.fault is not None:
            raise upload.fault from None  # the client's side failed first; upstream only saw the end of it
        lease.fail(read_fault(fault), ticker.wall(), 0.5)
        raise
    except asyncio.CancelledError:
        attempt.outcome = "lost"
        raise
    finally:
        _note_upload(record, upload)
    lease.learn(answer.headers, ticker.wall())
    if answer.status == _TOO_MANY:
        # Only what the head says: the body is the client's. Other statuses may be about the request alone.
        failure = parse_failure(answer.status, answer.headers, b"")
        if failure.retry_after is not None:
            lease.fail(Trouble(How.ANSWER, failure), ticker.wall(), 0.5)
    elif answer.status < 400:
        lease.succeed(ticker.wall())
    return veil(answer, mount.provider.secrets)


async def _ask_in_turn(scope: Scope, mount: Mount, upload: ClientUpload | None, ticker: Ticker) -> tuple[Answer, Lease]:
    """One attempt; another account only where nothing can have been done yet: nobody accepted the connection, or a GET
    or HEAD without a body, which changes nothing (RFC 9110 9.2.2)."""
    tried: set[int] = set()
    harmless = upload is None and scope.head.method in ("GET", "HEAD")
    failed: UpstreamFault | None = None
    while True:
        lease = mount.provider.book.pick(ticker.wall(), skip=frozenset(tried), accounts_only=True)
        if isinstance(lease, Shut):
            raise failed or _refuse(lease, ticker.wall())
        try:
            return await _ask(scope, mount, lease, upload, ticker), lease
        except UpstreamFault as fault:
            lease.close(ticker.wall())
            tried.add(lease.index)
            sent = upload is not None and upload.taken > 0
            if sent or not (harmless or read_fault(fault).how is How.CONNECT):
                raise
            failed = fault
        except BaseException:
            lease.close(ticker.wall())
            raise


def _refuse(shut: Shut, now: float) -> Refused:
    """All accounts are left alone for now, and nothing was tried."""
    if shut.failure.status != _TOO_MANY:
        return Refused(Code.UNUSABLE)
    wait = math.ceil(max((shut.until or now) - now, 1.0))
    return Refused(Code.COOLING, {"Retry-After": str(wait)})


def _build_target(mount: Mount, scope: Scope) -> str:
    return join_query((mount.provider.base_path + scope.rest) or "/", scope.query)


async def _pass_on(
    request: web.BaseRequest,
    scope: Scope,
    response: Downstream,
    source: Source | None,
    tap: EventCounter | None,
    clocks: Clocks,
    ticker: Ticker,
) -> None:
    record = scope.record
    stream = await open_stream(request, response)
    record.status = response.status
    record.first_byte = ticker.now() - record.started
    record.phase = Phase.STREAMING
    if source is None:
        await stream.finish()
        record.phase = Phase.ENDED
        return
    pump = Pump(source, stream, tap, clocks, ticker)
    scope.stop, scope.time_next = pump.interrupt, pump.time_next
    scope.look = lambda: Look(pump.received, tap.events if tap else 0, pump.received, *pump.measure())
    try:
        await pump.run()
    finally:
        scope.stop = scope.look = scope.time_next = None
        _note_end(record, pump, tap)


def _note_end(record: Record, pump: Pump, tap: EventCounter | None) -> None:
    record.bytes_down = pump.received
    record.events = tap.events if tap else 0
    record.heartbeats = pump.heartbeats
    record.tap_failed = pump.tap_failed
    if pump.fault is not None:
        record.error, record.detail = pump.fault.code.slug, pump.fault.detail
    if pump.ended is not None:
        record.close(pump.ended)
    if pump.ended is EndReason.DONE:
        record.phase = Phase.ENDED


def _note_upload(record: Record, upload: ClientUpload | None) -> None:
    if upload is not None:
        record.bytes_up = upload.taken
        if upload.fault is not None:
            record.error = upload.fault.code.slug  # what broke first: upstream was only told by a closed connection


def _build_response(
    request: web.BaseRequest, scope: Scope, mount: Mount, answer: Answer, upload: ClientUpload | None
) -> Downstream:
    reason = answer.reason.encode("utf-8", "surrogateescape")
    return Downstream(
        answer.status,
        "" if any(secret in reason for secret in mount.provider.secrets) else answer.reason,
        _build_fields(scope, mount, answer),
        answer.length,
        bodiless=request.method == "HEAD" or answer.status in _WITHOUT_BODY,
        has_date=b"date" in answer.headers,
        close=upload is not None and not upload.complete,  # an early answer: the rest of the body is not wanted
    )


def _is_event_stream(answer: Answer) -> bool:
    """By the media type's essence, in any case (WHATWG HTML 9.2.3, RFC 9110 8.3.1)."""
    kind = answer.headers.get_first(b"content-type") or b""
    return kind.partition(b";")[0].strip().lower() == b"text/event-stream"


def _choose_tap(house: House, mount: Mount, answer: Answer) -> tuple[EventCounter | None, Clocks]:
    """Events are counted where they can be read. A heartbeat is written only where a line of ours cannot harm: in a
    plain event stream of no announced length."""
    limits = house.limits
    plain = _is_event_stream(answer) and b"content-encoding" not in answer.headers
    heartbeat = mount.heartbeat if plain and answer.length is None else 0.0
    clocks = Clocks(limits.idle, limits.write_stall, heartbeat, mount.provider.dialect.keepalive)
    return EventCounter() if plain else None, clocks


def _build_fields(scope: Scope, mount: Mount, answer: Answer) -> Fields:
    """Upstream's end-to-end fields without any that shows a key of ours, ours after them."""
    fields = filter_response(answer.headers)
    secrets = mount.provider.secrets
    shown = b"\n".join(map(b"\n".join, fields))
    if any(secret in shown for secret in secrets):
        fields = [pair for pair in fields if not any(secret in pair[0] or secret in pair[1] for secret in secrets)]
    if _is_event_stream(answer):
        if b"cache-control" not in answer.headers:
            fields.append((b"Cache-Control", b"no-cache"))
        if b"x-accel-buffering" not in answer.headers:
            fields.append((b"X-Accel-Buffering", b"no"))
    if is_browser(scope.head.headers):  # of several types, browsers believe the last that is one (Fetch 2.2.2)
        fields += build_sandbox(b", ".join(answer.headers.get_all(b"content-type")))
    fields.append((b"x-penstock-request-id", scope.record.id.encode()))
    fields.append((b"x-penstock-provider", mount.provider.name.encode()))
    if scope.record.account is not None:
        fields.append((b"x-penstock-account", scope.record.account.encode()))
    return fields
