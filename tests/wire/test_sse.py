"""The parser, counter and encoder of server-sent events. The cases from elsewhere are in test_sse_vectors.py."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.sse import Block, EventCounter, Parser, encode_comment, encode_event
from tests.helpers.feeds import CutBytes, cut_anywhere, every_cut, fuzz

BOM = b"\xef\xbb\xbf"
Event = tuple[str, str, str]

# What stands in a stream, and the events in it as (type, data, last event id).
CASES: dict[str, tuple[bytes, list[Event]]] = {
    "lf": (b"data: a\n\ndata: b\n\n", [("message", "a", ""), ("message", "b", "")]),
    "crlf": (b"data: a\r\n\r\ndata: b\r\n\r\n", [("message", "a", ""), ("message", "b", "")]),
    "cr": (b"data: a\r\rdata: b\r\r", [("message", "a", ""), ("message", "b", "")]),
    "mixed line ends": (b"data: a\rdata: b\r\ndata: c\n\r", [("message", "a\nb\nc", "")]),
    "crlf then lf": (b"data: a\r\n\ndata: b\n\r\n", [("message", "a", ""), ("message", "b", "")]),
    "byte order mark": (BOM + b"data: a\n\n", [("message", "a", "")]),
    "only a byte order mark": (BOM, []),
    "half a byte order mark": (BOM[:2], []),
    "what begins like a byte order mark": (b"\xef\xbbdata: a\n\ndata: b\n\n", [("message", "b", "")]),
    "two byte order marks": (BOM + BOM + b"data: a\n\n", []),
    "a byte order mark later": (b"data: a\n\n" + BOM + b"data: b\n\n", [("message", "a", "")]),
    "a byte order mark and a blank line": (BOM + b"\ndata: a\n\n", [("message", "a", "")]),
    "a byte order mark and a cr": (BOM + b"\r\ndata: a\n\n", [("message", "a", "")]),
    "one space goes": (b"data:a\n\ndata: b\n\ndata:  c\n\n",
                       [("message", "a", ""), ("message", "b", ""), ("message", " c", "")]),
    "several data lines": (b"data: a\ndata\ndata: b\n\n", [("message", "a\n\nb", "")]),
    "empty data is an event": (b"data\n\ndata:\n\n", [("message", "", ""), ("message", "", "")]),
    "no data is none": (b"event: x\n\n", []),
    "type": (b"event: x\ndata: a\n\ndata: b\n\n", [("x", "a", ""), ("message", "b", "")]),
    "the last type counts": (b"event: x\nevent: y\ndata: a\n\n", [("y", "a", "")]),
    "an empty type is message": (b"event: x\nevent\ndata: a\n\n", [("message", "a", "")]),
    "an id stays": (b"id: 1\ndata: a\n\ndata: b\n\n", [("message", "a", "1"), ("message", "b", "1")]),
    "an id alone counts": (b"id: 1\n\ndata: a\n\n", [("message", "a", "1")]),
    "an empty id takes it back": (b"id: 1\ndata: a\n\nid\ndata: b\n\n", [("message", "a", "1"), ("message", "b", "")]),
    "an id with NUL is none": (b"id: 1\n\nid: 2\0\ndata: a\n\n", [("message", "a", "1")]),
    "NUL in data": (b"data: a\0b\n\n", [("message", "a\0b", "")]),
    "a broken sequence": (b"data: a\xffb\n\n", [("message", "a�b", "")]),
    "other line separators": ("data: \u2028\u0085\x0b\x0c\n\n".encode(), [("message", "\u2028\u0085\x0b\x0c", "")]),
    "unknown fields": (b"dat: x\n data: y\nDATA: z\ndata : q\nfoo\ndata: a\n\n", [("message", "a", "")]),
    "an unfinished event": (b"data: a\n\ndata: b\n", [("message", "a", "")]),
    "an unfinished line": (b"data: a\n\ndata: b", [("message", "a", "")]),
    "blank lines": (b"\n\n\r\r\n\ndata: a\n\n\n", [("message", "a", "")]),
    "nothing": (b"", []),
}  # fmt: skip


def parse(pieces: list[bytes], **options: Any) -> tuple[Parser, list[Block]]:
    parser = Parser(**options)
    blocks = [block for piece in pieces for block in parser.feed(piece)]
    return parser, blocks


def get_events(blocks: list[Block]) -> list[Event]:
    return [(block.type, block.text, block.last_event_id) for block in blocks if block.data is not None]


def count(pieces: list[bytes]) -> int:
    counter = EventCounter()
    for piece in pieces:
        counter.feed(piece)
    return counter.events


@pytest.mark.parametrize("name", CASES)
def test_events_are_the_same_wherever_the_stream_is_cut(name: str) -> None:
    data, events = CASES[name]
    for pieces in every_cut(data):
        _, blocks = parse(pieces)
        assert get_events(blocks) == events, pieces


@pytest.mark.parametrize("name", CASES)
def test_blocks_and_tail_are_the_input_again(name: str) -> None:
    data, _ = CASES[name]
    for pieces in every_cut(data):
        parser, blocks = parse(pieces)
        assert b"".join(block.raw for block in blocks) + parser.tail == data, pieces


@pytest.mark.parametrize("name", CASES)
def test_the_counter_agrees(name: str) -> None:
    data, events = CASES[name]
    for pieces in every_cut(data):
        assert count(pieces) == len(events), pieces


@pytest.mark.parametrize("data", [b"data: a\n\n", b"data: a\r\n\r", b"data: a\r\r", b"data: a\n\r", b"data: a\r\n\n"])
def test_an_event_is_there_with_the_first_byte_that_ends_its_blank_line(data: bytes) -> None:
    parser, counter = Parser(), EventCounter()
    assert parser.feed(data[:-1]) == []
    counter.feed(data[:-1])
    assert (counter.events, counter.at_boundary) == (0, False)
    assert [block.raw for block in parser.feed(data[-1:])] == [data]
    counter.feed(data[-1:])
    assert (counter.events, counter.at_boundary) == (1, True)


def test_an_lf_behind_a_cr_goes_with_the_next_block() -> None:
    parser = Parser()
    assert [block.raw for block in parser.feed(b"data: a\r\r")] == [b"data: a\r\r"]
    assert [block.raw for block in parser.feed(b"\ndata: b\n\n")] == [b"\ndata: b\n\n"]


@pytest.mark.parametrize(
    ("data", "delay"),
    [
        (b"retry: 10\n\n", 10),
        (b"retry:0010\n\n", 10),
        (b"retry: 10\nretry: x\n\n", 10),
        (b"retry: 1\n\nretry: 2\n\n", 2),
        (b"retry\n\n", None),
        (b"retry: \n\n", None),
        (b"retry: +1\n\n", None),
        (b"retry: 1.5\n\n", None),
        (b"retry:  1\n\n", None),
        ("retry: \u0661\n\n".encode(), None),
        (b"retry: " + b"1" * 1001 + b"\n\n", None),
    ],
)
def test_a_delay_is_ascii_digits(data: bytes, delay: int | None) -> None:
    for pieces in every_cut(data[:60]) if len(data) < 60 else ([data],):
        assert parse(pieces)[0].retry_ms == delay


def test_comments_are_counted_and_no_part_of_an_event() -> None:
    data = b": one\ndata: a\n:two\n\n:\n\n"
    for pieces in every_cut(data):
        parser, blocks = parse(pieces)
        assert parser.comments == 3
        assert get_events(blocks) == [("message", "a", "")]


@pytest.mark.parametrize("start", [b"", BOM])
def test_whole_lines_of_the_tail_count_at_the_end_but_no_event(start: bytes) -> None:
    for pieces in every_cut(start + b": one\nretry: 7\nid: 9\ndata: a\n: two"):
        parser, blocks = parse(pieces)
        parser.end()
        assert blocks == []
        assert (parser.comments, parser.retry_ms, parser.last_event_id) == (1, 7, "")


def test_an_id_of_an_event_that_never_ended_is_not_the_last_one() -> None:
    parser, _ = parse([b"id: 1\n\nid: 2\ndata: x\n"])
    parser.end()
    assert parser.last_event_id == "1"


@pytest.mark.parametrize("start", [b"", BOM])
def test_a_block_above_the_cap_is_counted_and_forgotten_and_the_next_is_parsed(start: bytes) -> None:
    data = start + b"id: 5\ndata: 0123456789012345\n\ndata: b\n\n"
    for pieces in every_cut(data):
        parser, blocks = parse(pieces, max_event=16)
        assert get_events(blocks) == [("message", "b", "")], pieces
        assert parser.oversized == 1
        assert parser.tail == b""


def test_a_block_as_long_as_the_cap_is_parsed() -> None:
    data = b"data: 0123\n\n"
    for pieces in every_cut(data):
        parser, blocks = parse(pieces, max_event=len(data))
        assert len(blocks) == 1
        assert parser.oversized == 0
        parser, blocks = parse(pieces, max_event=len(data) - 1)
        assert (blocks, parser.oversized) == ([], 1)


def test_nothing_of_an_oversized_block_is_kept_while_it_comes() -> None:
    parser = Parser(max_event=100)
    for _ in range(50):
        parser.feed(b"data: 0123456789\n")
        assert len(parser.tail) <= 100
    assert parser.tail == b""


def test_the_counter_keeps_eight_bytes_at_most() -> None:
    counter = EventCounter()
    for _ in range(100):
        counter.feed(b"data: " + b"x" * 1000)
        kept = [value for name in EventCounter.__slots__ if isinstance(value := getattr(counter, name), bytes)]
        assert len(kept) == 1
        assert len(kept[0]) <= 8


def test_text_of_a_block_without_data_is_empty() -> None:
    (block,) = Parser().feed(b"\n")
    assert (block.data, block.text) == (None, "")


def test_a_block_shows_its_type_and_size_but_not_its_data() -> None:
    (block,) = Parser().feed(b"event: x\ndata: secret\n\n")
    assert repr(block) == "<Block x 23 bytes>"
    (block,) = Parser().feed(b"\n")
    assert repr(block) == "<Block message 1 bytes, no event>"


# Streams of what matters to a parser, and of what must not.
_WORDS = [b"\n", b"\r", b"\r\n", b"\n\n", b"data", b"data:", b"data: x", b"event: e", b"id: 1", b"retry: 5", b":", b"x",
          b" ", b"\0", BOM, BOM[:1], b"\xff", b"\xc3", "é".encode()]  # fmt: skip
STREAMS = st.lists(st.sampled_from(_WORDS), max_size=25).map(b"".join)


@fuzz
@given(cut_anywhere(STREAMS))
def test_any_stream_gives_the_same_events_whole_and_in_pieces(stream: CutBytes) -> None:
    data, pieces = stream
    whole, whole_blocks = parse([data])
    parser, blocks = parse(pieces)
    assert get_events(blocks) == get_events(whole_blocks)
    for one in (whole, parser):
        one.end()
    assert (parser.comments, parser.retry_ms, parser.last_event_id) == (
        whole.comments,
        whole.retry_ms,
        whole.last_event_id,
    )
    assert b"".join(block.raw for block in blocks) + parser.tail == data


@fuzz
@given(cut_anywhere(STREAMS))
def test_the_counter_agrees_with_the_parser_on_any_stream_at_every_piece(stream: CutBytes) -> None:
    parser, counter, events = Parser(), EventCounter(), 0
    for piece in stream[1]:
        events += len(get_events(parser.feed(piece)))
        counter.feed(piece)
        assert counter.events == events


@fuzz
@given(cut_anywhere(STREAMS))
def test_a_comment_at_a_boundary_changes_no_event(stream: CutBytes) -> None:
    data, pieces = stream
    counter, sent = EventCounter(), b""
    for piece in pieces:
        sent += piece
        counter.feed(piece)
        if counter.at_boundary and sent:
            broken_in = sent + encode_comment(b"keepalive") + data[len(sent) :]
            assert get_events(parse([broken_in])[1]) == get_events(parse([data])[1])


def test_the_counter_stands_at_a_boundary_before_anything_came() -> None:
    assert EventCounter().at_boundary


_LINE = st.binary(max_size=20).filter(lambda line: not set(line) & set(b"\r\n\0"))


@fuzz
@given(st.lists(_LINE, min_size=1, max_size=4), st.sampled_from([b"\n", b"\r", b"\r\n"]), _LINE, _LINE)
def test_what_was_encoded_is_parsed_again(lines: list[bytes], end: bytes, kind: bytes, event_id: bytes) -> None:
    raw = encode_event(end.join(lines), kind, event_id)
    (block,) = parse([raw])[1]
    assert block.data == b"\n".join(lines)
    assert block.type == (kind.decode("utf-8", "replace") or "message")
    assert block.last_event_id == event_id.decode("utf-8", "replace")
    assert block.raw == raw


def test_an_event_of_one_line_is_encoded_as_vendors_write_it() -> None:
    assert encode_event(b"{}") == b"data: {}\n\n"
    assert encode_event(b"{}", b"ping", b"7") == b"event: ping\nid: 7\ndata: {}\n\n"
    assert encode_event(b"a\nb") == b"data: a\ndata: b\n\n"


@fuzz
@given(_LINE)
def test_an_encoded_comment_is_one_comment_and_no_event(text: bytes) -> None:
    parser, blocks = parse([encode_comment(text), b"data: a\n\n"])
    assert parser.comments == 1
    assert get_events(blocks) == [("message", "a", "")]
