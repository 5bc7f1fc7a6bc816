"""A request on a mount: one upstream, asked once, and its answer passed on byte for byte.

Up to the head everything that fails raises, and becomes an answer; from the head on the pump owns the stream and what
fails ends the connection visibly.
"""

from typing import Final

from aiohttp import web

from proxy.edge.client_stream import open_stream
from proxy.edge.downstream import Downstream, Fields
from proxy.edge.house import House, Mount
from proxy.edge.scope import SCOPE, Scope
from proxy.edge.upload import ClientUpload, build_upload
from proxy.errors import Code, Refused, UpstreamFault
from proxy.relay.attempt import open_attempt
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import EndReason, Phase
from proxy.relay.ports import Answer, UpstreamRequest
from proxy.relay.pump import Clocks, Pump
from proxy.wire.headers import filter_response
from proxy.wire.requests import get_body_length, wants_continue
from proxy.wire.sse import EventCounter
from proxy.wire.target import join_query

_WITHOUT_BODY: Final = frozenset({204, 304})
_EVENT_STREAM: Final = b"text/event-stream"


async def handle_mount(request: web.BaseRequest, ticker: Ticker) -> web.StreamResponse:
    """Forward `request` to its mount's provider. Raises Refused or UpstreamFault before the head."""
    scope = request[SCOPE]
    mount = scope.mount
    if mount is None:
        raise Refused(Code.NOT_FOUND)
    head = scope.head
    upload = build_upload(
        request, get_body_length(head.headers), scope.house.limits, ticker, wants_continue=wants_continue(head)
    )
    answer = await _ask(scope, mount, upload, ticker)
    return await _pass_on(request, scope, mount, answer, upload, ticker)


async def _ask(scope: Scope, mount: Mount, upload: ClientUpload | None, ticker: Ticker) -> Answer:
    record = scope.record
    record.phase = Phase.UPLOADING if upload is not None and not upload.complete else Phase.WAITING
    opener = mount.provider.openers[mount.provider.book.pick()]
    record.account = opener.account
    outgoing = UpstreamRequest(scope.head.method, _build_target(mount, scope), scope.headers, upload)
    try:
        return await open_attempt(opener, outgoing, scope.house.limits.first_byte, ticker, record)
    except UpstreamFault:
        if upload is not None and upload.fault is not None:
            raise upload.fault from None  # the client's side failed first; upstream only saw the end of it
        raise
    finally:
        record.bytes_up = upload.taken if upload else 0


def _build_target(mount: Mount, scope: Scope) -> str:
    return join_query((mount.provider.base_path + scope.rest) or "/", scope.query)


async def _pass_on(
    request: web.BaseRequest, scope: Scope, mount: Mount, answer: Answer, upload: ClientUpload | None, ticker: Ticker
) -> web.StreamResponse:
    record = scope.record
    is_stream = (answer.headers.get_first(b"content-type") or b"").lower().startswith(_EVENT_STREAM)
    response = Downstream(
        answer.status,
        answer.reason,
        _build_fields(scope, mount, answer, is_stream=is_stream),
        answer.length,
        bodiless=request.method == "HEAD" or answer.status in _WITHOUT_BODY,
        has_date=b"date" in answer.headers,
        close=upload is not None and not upload.complete,  # an early answer: the rest of the body is not wanted
    )
    pump: Pump | None = None
    try:
        stream = await open_stream(request, response)
        record.status = answer.status
        record.first_byte = ticker.now() - record.started
        record.phase = Phase.STREAMING
        if answer.source is None:
            await stream.finish()
            return response
        tap = EventCounter() if is_stream else None
        pump = Pump(answer.source, stream, tap, _choose_clocks(scope.house, mount, answer, is_stream=is_stream), ticker)
        scope.stop = pump.interrupt
        await pump.run()
        return response
    finally:
        if answer.source is not None and (pump is None or pump.ended is not EndReason.DONE):
            answer.source.abort()
        if pump is not None:
            _note_end(scope, pump, tap)
        record.bytes_up = upload.taken if upload else 0


def _note_end(scope: Scope, pump: Pump, tap: EventCounter | None) -> None:
    record = scope.record
    scope.stop = None
    record.bytes_down = pump.received
    record.events = tap.events if tap else 0
    record.heartbeats = pump.heartbeats
    record.tap_failed = pump.tap_failed
    if pump.fault is not None:
        record.error, record.detail = pump.fault.code.slug, pump.fault.detail
    if pump.ended is not None:
        record.close(pump.ended)
        record.phase = Phase.ENDED if pump.ended is EndReason.DONE else record.phase


def _choose_clocks(house: House, mount: Mount, answer: Answer, *, is_stream: bool) -> Clocks:
    """A heartbeat only where a line of ours cannot harm: in a plain event stream of no announced length."""
    limits = house.limits
    plain = is_stream and answer.length is None and b"content-encoding" not in answer.headers
    return Clocks(limits.idle, limits.write_stall, mount.heartbeat if plain else 0.0, mount.provider.dialect.keepalive)


def _build_fields(scope: Scope, mount: Mount, answer: Answer, *, is_stream: bool) -> Fields:
    """Upstream's end-to-end fields without any that shows a key of ours, ours after them."""
    fields = filter_response(answer.headers)
    if mount.provider.secrets:
        fields = [pair for pair in fields if not any(secret in pair[1] for secret in mount.provider.secrets)]
    if is_stream:
        if b"cache-control" not in answer.headers:
            fields.append((b"Cache-Control", b"no-cache"))
        if b"x-accel-buffering" not in answer.headers:
            fields.append((b"X-Accel-Buffering", b"no"))
    fields.append((b"x-penstock-request-id", scope.record.id.encode()))
    fields.append((b"x-penstock-provider", mount.provider.name.encode()))
    if scope.record.account is not None:
        fields.append((b"x-penstock-account", scope.record.account.encode()))
    return fields
