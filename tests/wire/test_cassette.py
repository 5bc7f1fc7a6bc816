"""The format of cassettes: there and back, whatever stands in them, and files that broke off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.cassette import (
    DATA,
    MAGIC,
    Asked,
    Cassette,
    Head,
    NoCassette,
    Piece,
    Take,
    build_cassette,
    encode_fields,
    encode_piece,
    hide_content,
    parse_cassette,
    parse_pieces,
)
from tests.helpers.cassettes import build_take, cassettes


@given(cassettes())
def test_there_and_back(cassette: Cassette) -> None:
    assert parse_cassette(build_cassette(cassette)) == cassette


@given(cassettes(), st.data())
def test_a_file_that_broke_off_is_good_up_to_its_last_whole_piece(cassette: Cassette, data: st.DataObject) -> None:
    whole = build_cassette(cassette)
    cut = data.draw(st.integers(len(MAGIC), len(whole)))
    pieces = parse_pieces(whole)
    found = parse_pieces(whole[:cut])
    assert found == pieces[: len(found)]
    ends = [len(MAGIC) + sum(map(len, map(encode_piece, pieces[:count]))) for count in range(len(pieces) + 1)]
    assert len(found) == sum(1 for end in ends if end <= cut) - 1


def test_the_layout_is_the_documented_one() -> None:
    assert encode_piece(Piece(2, 1.25, DATA, b"data: x\n\n")) == b"2 1250000 data 9\ndata: x\n\n\n"


def test_a_moment_is_rounded_to_the_nearest_microsecond_and_never_before_the_start() -> None:
    assert encode_piece(Piece(1, 0.0000016, DATA, b"")) == b"1 2 data 0\n\n"
    assert encode_piece(Piece(1, -0.5, DATA, b"")) == b"1 0 data 0\n\n"


def test_what_is_missing_is_counted_and_has_its_place() -> None:
    take = build_take((0.1, b"first"), (0.2, 1234), (0.3, b"last"), (0.4, 1))
    (found,) = parse_cassette(build_cassette(Cassette(takes=[take]))).takes
    assert found == take
    assert found.answer == b"firstlast"
    assert found.lost == 1235
    assert found.list_reads() == [(0.1, b"first"), (0.3, b"last")]


def test_without_content_moments_and_lengths_stay() -> None:
    take = build_take((0.1, b"c4n4ry"), (0.2, b"said"), body=b"c4n4ry")
    pieces = parse_pieces(build_cassette(Cassette(takes=[take])))
    hidden = MAGIC + b"".join(map(encode_piece, hide_content(pieces)))
    assert b"c4n4ry" not in hidden
    (found,) = parse_cassette(hidden).takes
    assert found.data == [(0.1, 6), (0.2, 4)]
    assert (found.head, found.end, found.body) == (take.head, take.end, None)


def test_without_content_nobody_reads_a_query() -> None:
    take = Take(1, 0.0, Asked("up", target="/search?q=c4n4ry&key=***", method="GET"))
    pieces = parse_pieces(build_cassette(Cassette(takes=[take])))
    hidden = MAGIC + b"".join(map(encode_piece, hide_content(pieces)))
    (found,) = parse_cassette(hidden).takes
    assert (found.asked.target, found.asked.method) == ("/search?***", "GET")


def test_pieces_of_takes_that_ran_at_a_time_may_mingle() -> None:
    one, two = build_take((0.1, b"a"), (0.3, b"b"), number=1), build_take((0.2, b"c"), number=2)
    alone = [parse_pieces(build_cassette(Cassette(takes=[take])))[1:] for take in (one, two)]
    mingled = [alone[1][0], *alone[0], *alone[1][1:]]
    assert parse_cassette(MAGIC + b"".join(map(encode_piece, mingled))).takes == [one, two]


def test_an_unknown_kind_is_skipped() -> None:
    data = build_cassette(Cassette(takes=[build_take((0.1, b"a"))]))
    assert parse_cassette(data + b"1 5 later 2\n{}\n") == parse_cassette(data)


def test_header_fields_keep_every_byte() -> None:
    pairs = [(b"X-Odd", bytes(range(128, 256)))]
    take = build_take(head=Head(200, "", encode_fields(pairs)))
    (found,) = parse_cassette(build_cassette(Cassette(takes=[take]))).takes
    assert found.head is not None
    assert found.head.headers[0][1].encode("latin-1") == pairs[0][1]


DEEP = b'{"a":' * 1500 + b"{" + b" " * 1498 + b"}"
"""Nothing is missing before the parser has given up."""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no cassette"),
        (b"data: x\n\n", "no cassette"),
        (b"penstock-cassette 2\n", "a cassette of another version"),
        (MAGIC + b"1 0 answer 2\n[]\n", "a cassette whose 'answer' cannot be read"),
        (MAGIC + b"1 0 answer 1\n\xff\n", "a cassette whose 'answer' cannot be read"),
        (MAGIC + b"0 0 outcome 1\n1\n", "a cassette whose outcome cannot be read"),
        (MAGIC + b"0 0 outcome 9000\n" + DEEP + b"\n", "a cassette whose outcome cannot be read"),
        (MAGIC + b"1 0 answer 9000\n" + DEEP + b"\n", "a cassette whose 'answer' cannot be read"),
    ],
)
def test_what_is_no_cassette_says_so(data: bytes, message: str) -> None:
    with pytest.raises(NoCassette) as caught:
        parse_cassette(data)
    assert str(caught.value) == message


def test_a_length_that_lies_ends_the_reading() -> None:
    good = encode_piece(Piece(1, 0.0, DATA, b"a"))
    assert len(parse_pieces(MAGIC + good + b"1 0 data 1\nab\n" + good)) == 1
    assert len(parse_pieces(MAGIC + good + b"1 0 data 999999999999999999\na\n")) == 1
