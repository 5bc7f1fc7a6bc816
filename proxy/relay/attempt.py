"""One try at one upstream, up to its head: the side of the commit point where everything is still possible.

`open_attempt` returns an Answer whose body has not begun to flow, or raises UpstreamFault. The first-byte clock runs
from the start of the attempt and starts over with every byte of the request's body that goes up, so that a slow
upload is not taken for a silent upstream. Connecting has its own, shorter limit inside the opener.
"""

from proxy.errors import Code, UpstreamFault
from proxy.relay.clocks import Ticker, wait_while_moving
from proxy.relay.outcome import Attempt
from proxy.relay.ports import Answer, Opener, UpstreamRequest


async def open_attempt(
    opener: Opener, request: UpstreamRequest, first_byte: float, ticker: Ticker, attempt: Attempt
) -> Answer:
    """Ask `opener`, wait at most `first_byte` seconds (0: for ever) for a head, and note how it went in `attempt`."""
    begun = ticker.now()
    upload = request.upload
    try:
        answer = await wait_while_moving(
            ticker, first_byte, lambda: upload.taken if upload else 0, opener.open(request)
        )
    except UpstreamFault as fault:
        attempt.error = fault.code.slug
        raise
    except TimeoutError:
        attempt.error = Code.FIRST_BYTE_TIMEOUT.slug
        raise UpstreamFault(Code.FIRST_BYTE_TIMEOUT) from None
    finally:
        attempt.seconds = ticker.now() - begun
    attempt.status = answer.status
    return answer
