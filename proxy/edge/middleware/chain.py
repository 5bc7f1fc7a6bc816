"""The middlewares, outermost first, and why each stands where it does."""

from collections.abc import Callable

from aiohttp.typedefs import Middleware

from proxy.edge.gate import Doors
from proxy.edge.house import House
from proxy.edge.memory import Memory
from proxy.edge.middleware import (
    access_record,
    admission,
    client_auth,
    disconnect,
    error_response,
    gate,
    request_headers,
    scope,
)
from proxy.edge.streams import Streams
from proxy.relay.clocks import Ticker
from proxy.relay.outcome import Record


def build_chain(
    get_house: Callable[[], House],
    doors: Doors,
    streams: Streams,
    memory: Memory,
    ticker: Ticker,
    write_record: Callable[[Record], None],
) -> list[Middleware]:
    return [
        scope.build(get_house, doors, ticker),  # all others need it
        access_record.build(ticker, write_record),  # outside of everything that can decide a request's fate
        disconnect.build(),  # names the reason before the line is written; inside nobody need think of it
        error_response.build(),  # everything below may raise Refused or UpstreamFault
        gate.build(),  # a refused head costs nothing more, and tells the dialect that errors are put in
        admission.build(streams, memory, ticker),  # before work, so that an overload stays cheap
        client_auth.build(),  # before the body is asked for: a 100 goes to nobody unknown
        request_headers.build(),  # last: it strips what authentication has read
    ]
