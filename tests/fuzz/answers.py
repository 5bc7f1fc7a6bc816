"""What providers say, spoiled, into every client's dialect: nothing raises, cuts make no difference, what a client
reads is whole, and an answer that failed never looks complete."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from proxy.dialects.answer import fold
from proxy.dialects.events import Event, Failure, FailureKind, Finish, Usage
from proxy.dialects.registry import CLIENTS, PROVIDERS
from proxy.dialects.translate import Stage, build_whole
from proxy.wire.headers import Headers
from proxy.wire.sse import Parser
from tests.fuzz.bend import bend, bend_stream, cut, draw_json, dump, maybe, some, spoil
from tests.fuzz.seeds import list_documents, list_errors, list_streams
from tests.helpers import crossing
from tests.helpers.crossing import ARRAY, BOTH, find_client, find_marks, find_provider, has_error, make_turn
from tests.helpers.order import check_order, merge_deltas

_CUT: Final = Failure(FailureKind.DISCONNECT, "the provider closed the connection within its answer", 502)


@dataclass(frozen=True, slots=True)
class Stream:
    """client: to whom it goes. clean: it ends by its framing; otherwise it is cut off."""

    dialect: str
    client: str
    pieces: list[bytes]
    clean: bool
    second: bytes = b""

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces)


def draw_stream(random: Random) -> Stream:
    dialect = random.choice(list(PROVIDERS))
    data = _draw_data(random, dialect)
    client = random.choice(crossing.CLIENTS)
    other = dialect if maybe(random, 0.5) else random.choice(list(PROVIDERS))
    second = _draw_data(random, other) if other == dialect and maybe(random, 0.5) else b""
    return Stream(dialect, client, cut(random, data), maybe(random, 0.7), second)


def _draw_data(random: Random, dialect: str) -> bytes:
    blocks = list(random.choice(list_streams(dialect)).blocks)
    if len(blocks) > 40:  # what is in the middle of a long answer is more of the same
        at = random.randrange(len(blocks) - 30)
        blocks = blocks[:8] + blocks[at + 8 : at + 20] + blocks[-8:]
    return bend_stream(random, blocks)


def check_decoded(stream: Stream) -> None:
    """The promises of every decoder, and that cuts make no difference."""
    events = crossing.read(stream.dialect, [stream.data])
    check_order(_until_end(events))
    check_usage(events)
    assert crossing.read(stream.dialect, stream.pieces) == events


def _until_end(events: Iterable[Event]) -> list[Event]:
    """What anybody reads of them: nothing behind a failure that was found in the framing."""
    read: list[Event] = []
    for event in events:
        read.append(event)
        if isinstance(event, Failure | Finish):
            break
    return read


def check_crossed(stream: Stream) -> None:
    out = _run(crossing.open_translation(stream.dialect, stream.client), [stream.data], clean=stream.clean)
    assert _run(crossing.open_translation(stream.dialect, stream.client), stream.pieces, clean=stream.clean) == out
    check_readable(stream.client, out)
    complete = bool(find_marks(stream.client, out))
    assert complete is not has_error(stream.client, out), "an answer is either complete or has failed"


def _run(stage: Stage, pieces: Iterable[bytes], *, clean: bool) -> bytes:
    out = []
    for piece in pieces:
        out.append(stage.feed(piece))
        assert isinstance(stage.keepalive, bytes)
    out.append(stage.end() if clean else stage.fail(_CUT))
    assert stage.ended
    if clean:
        assert stage.feed(b"data: {}\n\n") == stage.end() == stage.fail(_CUT) == b""
    assert stage.seen.usage.input is None or stage.seen.usage.input >= 0
    return b"".join(out)


def check_usage(events: Iterable[Event]) -> None:
    """Numbers that a ledger can hold, and a budget count."""
    for event in events:
        if isinstance(event, Usage):
            counts = (event.input, event.cache_read, event.cache_write, event.output, event.reasoning)
            assert all(count is None or 0 <= count < 1 << 62 for count in counts), event
            assert event.cost is None or 0 <= event.cost < 1 << 62, event


def check_readable(client: str, out: bytes) -> None:
    """Whole events, and every one of them JSON that is UTF-8."""
    if client == ARRAY:
        json.loads(out.decode())
        return
    parser = Parser()
    for block in parser.feed(out):
        if block.data is not None and not block.data.startswith(b"["):
            json.loads(block.data.decode(), parse_constant=_refuse)
    assert parser.tail == b"", "half an event was written"


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def draw_passed(random: Random) -> Stream:
    stream = draw_stream(random)
    while stream.dialect not in BOTH:
        stream = draw_stream(random)
    return replace(stream, client=stream.dialect)


def check_passed(stream: Stream) -> None:
    """Bytes as they came, of the same dialect: said the same however they are cut, and a failure is said."""
    first, second = crossing.open_passage(stream.dialect), crossing.open_passage(stream.dialect)
    out = _run(first, [stream.data], clean=stream.clean)
    again = _run(second, stream.pieces, clean=stream.clean)
    # The LF of a CRLF that comes by itself belongs to what follows, which may be left out, or nothing.
    assert again == out or (b"\r" in stream.data and again.replace(b"\n", b"") == out.replace(b"\n", b""))
    assert (first.seen.failure is None) is (second.seen.failure is None)
    if first.seen.failure is not None and first.seen.failure == _CUT:
        assert has_error(stream.client, out)


def check_resumed(stream: Stream) -> None:
    """An answer that broke off is gone on with by another one: one start, one end."""
    turn = make_turn(stream.client)
    for opened in (crossing.open_translation, crossing.open_passage):
        if opened is crossing.open_passage and (stream.dialect not in BOTH or stream.client != stream.dialect):
            continue
        stage: Stage = _track(stream, opened is crossing.open_passage)
        stage.withhold = True
        out = b"".join([stage.feed(piece) for piece in stream.pieces]) + stage.fail(_CUT)
        delivered = stage.seen.delivered
        if not stage.withheld or delivered is None or not delivered.plain:
            assert stage.settle() == b"" or stage.seen.failure is not None
            continue
        resumed = stage.resume(crossing.open_reading(stream.dialect, turn), continues=len(stream.second) % 2 == 0)
        out += resumed.feed(stream.second) + resumed.end()
        out += resumed.settle() or b"" if resumed.withheld else b""
        if opened is crossing.open_translation:
            check_readable(stream.client, out)


def _track(stream: Stream, passes: bool) -> Any:
    from proxy.dialects.passage import Passage
    from proxy.dialects.registry import DIALECTS, END_MARKS
    from proxy.dialects.translate import Translation

    turn = make_turn(stream.client)
    reading = crossing.open_reading(stream.dialect, turn)
    client = find_client(stream.client)
    if passes:
        mark = END_MARKS.get(stream.dialect, b"")
        keepalive = DIALECTS[stream.dialect].keepalive
        return Passage(reading, lambda: client.open_encoder(turn), keepalive, mark, track=True)
    return Translation(reading, client.open_encoder(turn), track=True)


@dataclass(frozen=True, slots=True)
class Document:
    dialect: str
    client: str
    body: bytes


def draw_document(random: Random) -> Document:
    dialect = random.choice(list(PROVIDERS))
    seed = random.choice(list_documents(dialect)).document if maybe(random, 0.95) else draw_json(random)
    body = dump(random, bend(random, seed))
    if maybe(random, 0.1):
        body = spoil(random, body)
    return Document(dialect, random.choice(list(CLIENTS)), body)


def check_document(document: Document) -> None:
    turn = make_turn(document.client, stream=False)
    events = find_provider(document.dialect).parse_answer(document.body, turn)
    check_order(events)
    check_usage(events)
    assert merge_deltas(crossing.read(document.dialect, [document.body], streamed=False, turn=turn)) == merge_deltas(
        events
    )
    seen, body = build_whole(find_client(document.client), turn, events)
    assert (seen.failure is None) is bool(body)
    if body:
        json.loads(body.decode(), parse_constant=_refuse)
    fold(events)


@dataclass(frozen=True, slots=True)
class Wrong:
    """An error answer."""

    dialect: str
    client: str
    status: int
    headers: Headers
    body: bytes


_FIELDS: Final = (
    b"retry-after", b"retry-after-ms", b"date", b"x-ratelimit-reset", b"x-ratelimit-remaining-requests",
    b"x-ratelimit-reset-tokens", b"anthropic-ratelimit-tokens-reset", b"x-should-retry", b"content-type",
    b"anthropic-ratelimit-requests-remaining", b"x-ratelimit-limit-tokens", b"x-ratelimit-remaining",
)  # fmt: skip
_VALUES: Final = (
    b"", b"0", b"1", b"-1", b"1.5", b"1e9", b"9" * 30, b"inf", b"nan", b"6m0s", b"1h2m3.5s", b"500ms", b"12ms3",
    b"Wed, 21 Oct 2026 07:28:00 GMT", b"Wed, 21 Oct 99999 07:28:00 GMT", b"Thu, 01 Jan 1970 00:00:00 GMT",
    b"2026-01-01T00:00:00Z", b"9999-12-31T23:59:59+99:99", b"0001-01-01T00:00:00+23:59", b"1763000000", b"\xff\xfe",
    b"Wed, 21 Oct 2026 07:28:00 -9999", b"0001-01-01T00:00:00Z", b"1" * 400, b"\xd9\xa3",
    b"Sun, 06 Nov 1994 08:49:37 +2400", b"1, 2", b"30;q=1", "３".encode(), b"0x10", b" 5 ", b"5 seconds", b"PT5S",
)  # fmt: skip


def draw_fields(random: Random) -> Headers:
    pairs = []
    for _ in range(some(random, 6)):
        value = random.choice(_VALUES)
        pairs.append((random.choice(_FIELDS), spoil(random, value) if maybe(random, 0.3) else value))
    return Headers(tuple(pairs))


def draw_wrong(random: Random) -> Wrong:
    status, value = random.choice(list_errors())
    if maybe(random, 0.3):
        status = random.choice(
            (200, 201, 301, 400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 529, 999)
        )
    body = dump(random, bend(random, value if maybe(random, 0.9) else draw_json(random)))
    if maybe(random, 0.2):
        body = spoil(random, body)
    dialects = list(PROVIDERS)
    return Wrong(random.choice(dialects), random.choice(list(CLIENTS)), status, draw_fields(random), body)


def check_wrong(wrong: Wrong) -> None:
    """Any error answer has a form in every dialect: a status, fields that are lines, JSON that is UTF-8."""
    failure = find_provider(wrong.dialect).parse_error(wrong.status, wrong.headers, wrong.body)
    assert failure.message
    delay = failure.retry_after
    assert delay is None or 0 <= delay <= 31 * 86400
    status, fields, body = find_client(wrong.client).build_error(failure, "req_1")
    assert 400 <= status < 600
    for name, value in fields.items():
        assert name.isascii()
        assert value.isascii()
        assert value.isprintable()
    json.loads(body.decode(), parse_constant=_refuse)
