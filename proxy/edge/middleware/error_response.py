"""Turns what was raised before the head into an answer that the caller's SDK can read.

After the head nothing can be said any more: whoever wrote it has to cut the connection, and does not raise.
"""

import logging

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.dialects.chat import Declined, Invalid
from proxy.dialects.events import Failure
from proxy.edge.downstream import Fields, build_refusal
from proxy.edge.failures import ENDS, build_failure, map_code, map_invalid
from proxy.edge.scope import SCOPE, Scope
from proxy.errors import Code, Refused, UpstreamFault
from proxy.relay.outcome import EndReason

_LOG = logging.getLogger("penstock.edge")


def build() -> Middleware:
    @web.middleware
    async def error_response(request: web.Request, handler: Handler) -> web.StreamResponse:
        scope = request[SCOPE]
        try:
            return await handler(request)
        except Refused as refused:
            extra = [(name.encode(), value.encode()) for name, value in refused.headers.items()]
            return _answer(request, scope, refused.code, extra, close=refused.close)
        except UpstreamFault as fault:
            scope.record.detail = fault.detail
            return _answer(request, scope, fault.code)
        except Invalid as invalid:
            return _decline(request, scope, map_invalid(invalid))
        except Declined as declined:
            return _decline(request, scope, declined.failure)
        except web.HTTPException:
            return _answer(request, scope, Code.NOT_FOUND)
        except ConnectionError:
            raise  # the client is gone; aiohttp ends the connection
        except Exception as error:
            # The text of a foreign exception may hold anything: its class and its place are enough to find it.
            _LOG.error("unexpected %s", type(error).__name__, exc_info=error, extra={"request_id": scope.record.id})
            return _answer(request, scope, Code.INTERNAL, close=True)

    return error_response


def _answer(
    request: web.Request, scope: Scope, code: Code, extra: Fields | None = None, *, close: bool = False
) -> web.StreamResponse:
    record = scope.record
    record.error = code.slug
    record.status = code.status
    record.close(ENDS.get(code, EndReason.REFUSED))
    if request.writer.output_size > 0:
        raise ConnectionResetError("the head is out: the answer can only be cut")
    # A body that nobody will read would be taken for the next request: the connection ends with this answer.
    close = close or not request.content.is_eof()
    failure = map_code(code) if scope.route is not None else None
    if scope.route is not None and failure is not None:
        return build_failure(scope, scope.route, failure, extra or [], close=close)
    return build_refusal(code, record.id, scope.dialect, [*scope.own_fields, *(extra or [])], close=close)


def _decline(request: web.Request, scope: Scope, failure: Failure) -> web.StreamResponse:
    if scope.route is None or request.writer.output_size > 0:
        raise ConnectionResetError("the head is out: the answer can only be cut")
    return build_failure(scope, scope.route, failure, [], close=not request.content.is_eof())
