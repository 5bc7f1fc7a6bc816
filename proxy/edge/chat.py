"""A request on a model route, in whatever dialect: what the proxy answers by itself, and what it asks others for.

The body is read whole, understood as far as it takes to know who may answer, and handed to `serving.py`.
"""

import time

from aiohttp import web

from proxy.dialects.chat import Declined, Invalid
from proxy.dialects.estimate import estimate_tokens
from proxy.dialects.events import Failure, FailureKind
from proxy.dialects.json_text import make_unicode
from proxy.dialects.model_lists import build_list, build_model
from proxy.edge.asking import aim
from proxy.edge.downstream import WholeAnswer
from proxy.edge.granting import admit_question
from proxy.edge.model_fields import build_fields
from proxy.edge.model_routes import Ask, ModelRoute
from proxy.edge.question import Question, understand
from proxy.edge.scope import SCOPE, Scope
from proxy.edge.serving import Serving
from proxy.edge.upload import build_upload
from proxy.errors import Code, Refused
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import Phase
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
    question = understand(scope, route, body, int(time.time()))
    del body
    scope.record.model_asked = make_unicode(question.model)
    admit_question(scope, question, ticker.wall())
    scope.tape = scope.house.shared.open_tape(scope.record)
    if route.ask is Ask.COUNT and not aim(scope, question, question.found.goals[0]).counts:
        return _answer_count(scope, question)
    return await Serving(request, scope, question, ticker).run()


def _answer_list(scope: Scope, route: ModelRoute) -> WholeAnswer:
    created = scope.house.created
    if route.model is None:
        body = build_list(route.dialect, scope.house.list_models(scope.record.client), created)
    elif scope.house.find_model(scope.record.client, route.model) is not None:
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


def _answer_count(scope: Scope, question: Question) -> WholeAnswer:
    scope.record.provider = scope.house.providers[question.found.goals[0].provider].name
    body = question.client.build_count(estimate_tokens(question.read()))
    fields = [(b"Content-Type", b"application/json"), *build_fields(scope, question)]
    return WholeAnswer(200, [*fields, (b"x-penstock-estimated", b"true")], body)
