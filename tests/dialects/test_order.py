"""The helper that checks what decoders promise: it finds each broken promise, and nothing in a whole answer."""

import pytest

from proxy.dialects.events import (
    BlockEnd,
    BlockStart,
    Delta,
    Event,
    Failure,
    FailureKind,
    Finish,
    Kind,
    Reason,
    Sign,
    Start,
    Usage,
)
from proxy.dialects.parts import Signature
from proxy.wire.sse import Block
from tests.helpers.feeds import every_cut
from tests.helpers.order import check_order, decode_stream, merge_deltas, whole

SIGNED = Signature("a", "x")
START, END, DONE = Start("id", "m"), BlockEnd(), Finish(Reason.STOP)
TEXT = BlockStart(Kind.TEXT)
TOOL = BlockStart(Kind.TOOL, "call_1", "tool")
CUT = Failure(FailureKind.DISCONNECT, "cut")


@pytest.mark.parametrize(
    "events",
    [
        [START, DONE],
        [START, TEXT, Delta("a"), Delta("b"), END, Usage(1), DONE],
        [START, BlockStart(Kind.THINKING), Delta("a"), Sign(SIGNED), END, TOOL, Delta("{}"), END, DONE],
        [START, BlockStart(Kind.THINKING, signature=SIGNED), END, DONE],
        [
            START,
            BlockStart(Kind.REDACTED, signature=SIGNED),
            END,
            BlockStart(Kind.SIGNATURE, signature=SIGNED),
            END,
            DONE,
        ],
        [START, BlockStart(Kind.IMAGE, name="image/png", data="AAAA"), END, DONE],
        [START, BlockStart(Kind.OPAQUE, name="anthropic", data={}), END, DONE],
        [START, CUT],
        [START, TEXT, Delta("a"), CUT],
        [START, TOOL, CUT],
        [CUT],
    ],
)
def test_a_whole_answer_passes(events: list[Event]) -> None:
    check_order(events)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([], "neither a Finish nor a Failure"),
        ([START], "neither a Finish nor a Failure"),
        ([DONE], "a Start is first"),
        ([TEXT], "a Start is first"),
        ([START, START, DONE], "event 1: a Start is first, and there is one"),
        ([START, DONE, DONE], "event 2: Finish after the end"),
        ([START, DONE, Usage(1)], "event 2: Usage after the end"),
        ([START, CUT, DONE], "event 2: Finish after the end"),
        ([START, TEXT, TEXT], "a block within a block"),
        ([START, TEXT, END, DONE], "an empty block of kind text"),
        ([START, TEXT, Delta(""), END, DONE], "an empty Delta"),
        ([START, TEXT, Delta("a"), DONE], "a Finish within a block"),
        ([START, Delta("a")], "Delta outside of blocks"),
        ([START, Sign(SIGNED)], "Sign outside of blocks"),
        ([START, END], "a BlockEnd outside of blocks"),
        ([START, TOOL, END], "a call without arguments"),
        ([START, BlockStart(Kind.TOOL, "", "tool")], "a call without its id and name"),
        ([START, BlockStart(Kind.TOOL, "id")], "a call without its id and name"),
        ([START, BlockStart(Kind.TEXT, "id")], "text with the id or name of a call"),
        ([START, BlockStart(Kind.REDACTED)], "redacted without its signature"),
        ([START, BlockStart(Kind.SIGNATURE)], "signature without its signature"),
        ([START, BlockStart(Kind.IMAGE, name="image/png")], "an image without"),
        ([START, BlockStart(Kind.OPAQUE, data={})], "an opaque block without"),
        ([START, BlockStart(Kind.REDACTED, signature=SIGNED), Delta("a")], "text in a block of kind redacted"),
        ([START, BlockStart(Kind.REFUSAL), Sign(SIGNED)], "a Sign in a block of kind refusal"),
        ([START, BlockStart(Kind.THINKING), Sign(SIGNED), Sign(SIGNED)], "a block signed twice"),
        ([START, BlockStart(Kind.THINKING, signature=SIGNED), Sign(SIGNED)], "a block signed twice"),
        ([START, BlockStart(Kind.THINKING), Sign(Signature("a", ""))], "an empty signature"),
        ([START, Usage(-1)], "negative tokens"),
        ([START, Failure(FailureKind.SERVER, "")], "a Failure that says nothing"),
    ],
)
def test_a_broken_promise_is_named(events: list[Event], said: str) -> None:
    with pytest.raises(AssertionError) as broken:
        check_order(events)
    assert said in str(broken.value)


def test_deltas_and_usages_are_merged_where_they_meet() -> None:
    events = [
        START,
        TEXT,
        Delta("a"),
        Delta("b"),
        Usage(1),
        Usage(output=2),
        Delta("c"),
        END,
        TEXT,
        Delta("d"),
        END,
        DONE,
    ]
    merged = [START, TEXT, Delta("ab"), Usage(1, output=2), Delta("c"), END, TEXT, Delta("d"), END, DONE]
    assert merge_deltas(events) == merged


class Echo:
    """Says what data it was fed, and what was left."""

    def __init__(self) -> None:
        self.malformed = 0
        self.complete = self.ended = False

    def feed(self, block: Block) -> list[Event]:
        if block.data is None:
            return []
        return [Delta(block.text)] if self.complete else self._start(block)

    def end(self, tail: bytes = b"") -> list[Event]:
        self.ended = True
        return [Delta(tail.decode()), END, DONE]

    def _start(self, block: Block) -> list[Event]:
        self.complete = True
        return [START, TEXT, Delta(block.text)]


def test_a_stream_is_decoded_however_it_is_cut() -> None:
    data = b"data: a\n\n: c\n\ndata: b\n\ndata: rest"
    expected = [START, TEXT, Delta("abdata: rest"), END, DONE]
    for pieces in every_cut(data):
        assert decode_stream(Echo(), data, pieces) == expected
    assert decode_stream(Echo(), data) == whole(Echo(), data) == expected


@pytest.mark.parametrize(
    ("data", "said"), [(b"data: a", "a Start is first"), (b"data:\n\ndata: a\n\ndata", "an empty Delta")]
)
def test_a_whole_stream_is_checked_before_it_is_merged(data: bytes, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        whole(Echo(), data)
