"""A request on a model route, in whatever dialect: asked of a provider, answered in the client's own.

Until the answer has substance everything that fails becomes a status; from then on the pump owns the stream, and what
fails is said in-band. A whole answer is collected first, so it never breaks off.
"""

import time

from aiohttp import web

from proxy.dialects.chat import Declined, Invalid
from proxy.dialects.estimate import estimate_tokens
from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.model_lists import build_list, build_model
from proxy.edge.answers import answer_error, answer_other, answer_stream, answer_whole, is_compressed
from proxy.edge.asking import Asking, understand
from proxy.edge.downstream import WholeAnswer
from proxy.edge.model_fields import build_fields
from proxy.edge.model_routes import Ask, ModelRoute
from proxy.edge.scope import SCOPE, Scope
from proxy.edge.upload import build_upload
from proxy.errors import Code, Refused
from proxy.relay.attempt import open_attempt
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import Phase
from proxy.relay.ports import Answer, UpstreamRequest
from proxy.relay.whole_upload import WholeUpload
from proxy.wire.requests import get_body_length, wants_continue


async def handle_models(request: web.BaseRequest, ticker: Ticker) -> web.StreamResponse:
    """Answer a model route. Raises Refused, Declined, Invalid or UpstreamFault before the head."""
    scope = request[SCOPE]
    route = scope.route
    if route is None:
        raise Refused(Code.NOT_FOUND)
    if route.ask is Ask.UPGRADE:
        raise Refused(Code.UPGRADE, {"Upgrade": "HTTP/1.1"})  # RFC 9110 15.5.22; the client falls back to POST
    if route.ask in (Ask.MODELS, Ask.MODEL):
        return _answer_list(scope, route)
    # Nothing is kept of an answer once it was sent. At this a browser that came back after the end stops, and so does a
    # page that looks for a stream to resume.
    back = route.dialect == "event-source" and scope.head.headers.get_first(b"last-event-id")
    if back or route.ask is Ask.RESUME:
        return WholeAnswer(204, build_fields(scope), b"")
    body = await _read_body(request, scope, ticker)
    asking = understand(scope, route, body, int(time.time()))
    del body
    return await _serve(request, scope, asking, ticker)


def _answer_list(scope: Scope, route: ModelRoute) -> WholeAnswer:
    models, created = scope.house.models, scope.house.created
    if route.model is None:
        body = build_list(route.dialect, models.names, created)
    elif models.find(route.model) is not None:
        body = build_model(route.dialect, route.model, created)
    else:
        raise Declined(Failure(FailureKind.NOT_FOUND, "there is no model of this name", 404, param="model"))
    return WholeAnswer(200, [(b"Content-Type", b"application/json"), *build_fields(scope)], body)


async def _read_body(request: web.BaseRequest, scope: Scope, ticker: Ticker) -> bytes:
    head = scope.head
    encoding = (head.headers.get_first(b"content-encoding") or b"identity").strip().lower()
    if encoding != b"identity":
        raise Invalid("", "a compressed body is not read here: send it as it is")
    upload = build_upload(
        request, get_body_length(head.headers), scope.house.limits, ticker, wants_continue=wants_continue(head)
    )
    if upload is None:
        return b""
    scope.record.phase = Phase.UPLOADING
    whole = upload.take_whole()
    if whole is None:
        whole = b"".join([part async for part in upload.read()])
    if upload.fault is not None:
        raise upload.fault
    scope.record.bytes_up = len(whole)
    return whole


async def _serve(request: web.BaseRequest, scope: Scope, asking: Asking, ticker: Ticker) -> web.StreamResponse:
    record = scope.record
    record.provider = asking.provider.name
    record.model_asked = asking.model
    if asking.route.ask is Ask.COUNT and not asking.counts:
        return _answer_count(scope, asking)
    answer = await _ask(scope, asking, ticker)
    source = answer.source
    try:
        if not 200 <= answer.status <= 299:
            return await answer_error(scope, asking, answer, ticker)
        if is_compressed(answer):
            raise Declined(Failure(FailureKind.BAD_GATEWAY, "the provider compressed its answer unasked", 502))
        if asking.route.ask is not Ask.CHAT:
            return await answer_other(scope, asking, answer, ticker)
        if not asking.stream:
            return await answer_whole(scope, asking, answer, ticker)
        return await answer_stream(request, scope, asking, answer, ticker)
    finally:
        if source is not None:
            source.abort()  # harmless when the body is complete


async def _ask(scope: Scope, asking: Asking, ticker: Ticker) -> Answer:
    provider, record = asking.provider, scope.record
    opener = provider.openers[provider.book.pick()]
    record.account = opener.account
    record.phase = Phase.WAITING
    upload = WholeUpload(asking.turn.outgoing.body)
    outgoing = UpstreamRequest("POST", asking.target, asking.headers, upload)
    return await open_attempt(opener, outgoing, scope.house.limits.first_byte, ticker, record)


def _answer_count(scope: Scope, asking: Asking) -> WholeAnswer:
    body = asking.client.build_count(estimate_tokens(asking.turn.request))
    fields = [(b"Content-Type", b"application/json"), *build_fields(scope, asking), (b"x-penstock-estimated", b"true")]
    return WholeAnswer(200, fields, body)
