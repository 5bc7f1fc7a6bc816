"""One try at one upstream, up to its head: the side of the commit point where everything is still possible.

`open_attempt` returns an Answer whose body has not begun to flow, or raises UpstreamFault. The first-byte clock runs
from the start of the attempt and starts over with every byte of the request's body that goes up, so that a slow
upload is not taken for a silent upstream. Connecting has its own, shorter limit inside the opener.
"""

from dataclasses import replace

from proxy.errors import Code, UpstreamFault
from proxy.relay.clocks import Ticker, wait_while_moving
from proxy.relay.outcome import Attempt
from proxy.relay.ports import Answer, Opener, UpstreamRequest
from proxy.relay.watching import Take, Tape, TapedSource


async def open_attempt(
    opener: Opener,
    request: UpstreamRequest,
    first_byte: float,
    ticker: Ticker,
    attempt: Attempt,
    tape: Tape | None = None,
) -> Answer:
    """Ask `opener`, wait at most `first_byte` seconds (0: for ever) for a head, and note how it went in `attempt`.
    tape: who records it, to the end of its body."""
    if tape is None:
        return await _open(opener, request, first_byte, ticker, attempt)
    take = tape.open(attempt, request)
    try:
        answer = await _open(opener, request, first_byte, ticker, attempt)
    except UpstreamFault as fault:
        take.ended(fault)
        raise
    except BaseException:
        take.aborted()
        raise
    return _record(answer, take)


async def _open(
    opener: Opener, request: UpstreamRequest, first_byte: float, ticker: Ticker, attempt: Attempt
) -> Answer:
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


def _record(answer: Answer, take: Take) -> Answer:
    take.answered(answer)
    if answer.source is None:
        take.ended(None)
        return answer
    return replace(answer, source=TapedSource(answer.source, take))
