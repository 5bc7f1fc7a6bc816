"""A provider's answer on a model route, read and checked: a refusal, something else, a whole answer, the stage of a
stream. What it amounts to for the client is decided later; an answer that failed, however it was said, raises Declined.
"""

from dataclasses import dataclass, replace
from typing import Final

from proxy.dialects.chat import CountingProvider, Declined, Turn
from proxy.dialects.events import Failure, FailureKind, Start
from proxy.dialects.json_text import decode_json
from proxy.dialects.openai_chat.chunks import read_chunk
from proxy.dialects.openai_chat.usage import parse_usage
from proxy.dialects.openai_chat.usage_asked import is_usage_chunk
from proxy.dialects.passage import Passage
from proxy.dialects.reading import Reading
from proxy.dialects.registry import END_MARKS
from proxy.dialects.translate import Seen, Stage, Translation, build_whole
from proxy.edge.asking import Asking
from proxy.edge.downstream import Fields
from proxy.edge.model_fields import build_pass_fields
from proxy.edge.model_routes import Ask
from proxy.errors import PenstockError
from proxy.relay.clocks import Ticker
from proxy.relay.peek import collect
from proxy.relay.ports import Answer
from proxy.wire.hiding import mask_parts

LARGEST_ERROR: Final = 1024 * 1024
"""Bytes of a provider's error that are read: more than any has ever said."""

_JSON: Final = (b"Content-Type", b"application/json")
_NO_COUNT: Final = Failure(FailureKind.BAD_GATEWAY, "the provider's answer is no count of tokens", 502)


@dataclass(frozen=True, slots=True)
class Whole:
    """fields: the answer's own. received: bytes of the provider's body. seen: what was understood of it, None where it
    passes unread."""

    status: int
    fields: Fields
    body: bytes
    received: int
    seen: Seen | None = None


class Refusal(PenstockError):
    """A provider's error answer. passed: as it may go to a client of its own dialect; None where it is put anew."""

    def __init__(self, failure: Failure, passed: Whole | None) -> None:
        super().__init__(failure.kind.value)
        self.failure = failure
        self.passed = passed


async def read_refusal(asking: Asking, answer: Answer, ticker: Ticker, idle: float) -> Refusal:
    """An answer with an error's status."""
    body = await collect(answer.source, ticker, idle, LARGEST_ERROR)
    readable = not is_compressed(answer)
    failure = asking.provider.clean(asking.side.parse_error(answer.status, answer.headers, body if readable else b""))
    # A refusal of our key is none of the client's business.
    passes = asking.same and readable and failure.kind is not FailureKind.UPSTREAM_AUTH
    masked = mask_parts([body], asking.provider.secrets)[0] if passes else b""
    return Refusal(failure, _pass(asking, answer, masked) if passes else None)


async def build_other(asking: Asking, answer: Answer, ticker: Ticker, idle: float) -> Whole:
    """A count of tokens, or embeddings. Raises Declined."""
    body = await collect(answer.source, ticker, idle)
    if asking.same:
        return _pass(asking, answer, body, _read_bill(body) if asking.route.ask is Ask.EMBEDDINGS else None)
    count = asking.side.parse_count(body) if isinstance(asking.side, CountingProvider) else None
    if count is None:
        raise Declined(_NO_COUNT)
    return Whole(200, [_JSON], asking.client.build_count(count), len(body))


async def build_whole_answer(asking: Asking, answer: Answer, ticker: Ticker, idle: float) -> Whole:
    """One JSON document. Raises Declined."""
    body = await collect(answer.source, ticker, idle)
    reading = Reading(asking.side, asking.turn, streamed=_is_event_stream(answer), max_event=max(len(body), 1))
    events = reading.feed(body)
    events += reading.end()
    seen, built = build_whole(asking.client, asking.turn, events)
    passes = asking.same and not _is_event_stream(answer)
    unread = seen.failure is not None and seen.failure.kind is FailureKind.BAD_GATEWAY and passes and _is_json(body)
    if seen.failure is not None and not unread:
        raise Declined(seen.failure)
    if passes:  # also what nobody here can read: the client asked for it in this dialect
        return _pass(asking, answer, body, seen)
    return Whole(200, [_JSON], built, len(body), seen)


def _read_bill(body: bytes) -> Seen | None:
    """What embeddings have cost, and who made them; the numbers themselves are passed over."""
    try:
        read = read_chunk(body)
    except ValueError:
        return None
    return Seen(read.model if isinstance(read.model, str) else "", parse_usage(read.usage))


def open_reading(asking: Asking, answer: Answer) -> Reading:
    return Reading(asking.side, _lighten(asking.turn), streamed=_is_event_stream(answer))


def open_stage(asking: Asking, answer: Answer, *, track: bool) -> Stage:
    """What turns the provider's stream into the client's. track: remember what was delivered."""
    turn, client = _lighten(asking.turn), asking.client
    reading = open_reading(asking, answer)
    if asking.same and not turn.array and _is_event_stream(answer):
        encoder = client.open_encoder(turn)
        encoder.encode(Start())  # a stream is only begun once its first event has come
        mark = END_MARKS.get(asking.route.dialect, b"")
        hides = is_usage_chunk if asking.usage_added else None
        return Passage(reading, lambda: client.open_encoder(turn), encoder.keepalive, mark, track=track, hides=hides)
    return Translation(reading, client.open_encoder(turn), track=track)


def _lighten(turn: Turn) -> Turn:
    """Without what was said: a stream lives for minutes, and a request with its images can be large."""
    request = replace(turn.request, messages=turn.request.messages[-1:])
    return replace(turn, request=request, outgoing=replace(turn.outgoing, body=b""))


def _pass(asking: Asking, answer: Answer, body: bytes, seen: Seen | None = None) -> Whole:
    return Whole(answer.status, build_pass_fields(asking, answer), body, len(body), seen)


def is_compressed(answer: Answer) -> bool:
    """Whether the provider has compressed its answer, which it was asked not to."""
    return (answer.headers.get_first(b"content-encoding") or b"identity").strip().lower() != b"identity"


def _is_json(body: bytes) -> bool:
    try:
        decode_json(body)
    except ValueError:
        return False
    return True


def _is_event_stream(answer: Answer) -> bool:
    kind = answer.headers.get_first(b"content-type") or b""
    return kind.partition(b";")[0].strip().lower() == b"text/event-stream"
