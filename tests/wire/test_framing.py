"""Body framing: what a decoder gives back, where it says the body ends, and what it refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.framing import (
    LAST_CHUNK,
    BodyDecoder,
    ChunkedBody,
    EofBody,
    FramingError,
    LengthBody,
    Truncated,
    encode_chunk,
)
from proxy.wire.limits import MAX_CHUNK_DIGITS, MAX_CHUNK_LINE, MAX_TRAILERS
from tests.helpers.feeds import CutBytes, cut_anywhere, every_cut, fuzz, one_by_one


def decode(decoder: BodyDecoder, pieces: list[bytes]) -> bytes:
    return b"".join([decoder.feed(piece) for piece in pieces])


def decode_until_refused(pieces: list[bytes]) -> tuple[bytes, FramingError]:
    """What came out before the fault, the fault's own share included, and the fault."""
    decoder, payload = ChunkedBody(), b""
    try:
        for piece in pieces:
            payload += decoder.feed(piece)
        decoder.end()
    except FramingError as error:
        return payload + error.payload, error
    raise AssertionError(f"not refused: {pieces}")


@pytest.mark.parametrize(
    ("wire", "payload"),
    [
        (b"0\r\n\r\n", b""),
        (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", b"01234567890123456789"),
        (b"00003\r\nabc\r\n000\r\n\r\n", b"abc"),
        (b"3\r\n\r\n\n\r\n0\r\n\r\n", b"\r\n\n"),  # data that looks like line ends
        (b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n"),  # data that looks like an end
        (b"3\nabc\n0\n\n", b"abc"),
        (b"3\nabc\r\n0\r\n\n", b"abc"),
        (b"3 \t\r\nabc\r\n0 \r\n\r\n", b"abc"),
        (b"3;a=b\r\nabc\r\n0;last\r\n\r\n", b"abc"),
        (b'3 ; a="b;\t\xe9"\r\nabc\r\n0\r\n\r\n', b"abc"),
        (b"3;\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"1\r\na\r\n0\r\nX-T: 1\r\nY: 2\r\n\r\n", b"a"),
        (b"1\r\na\r\n0\nX-T: 1\n\n", b"a"),
    ],
)
def test_a_chunked_body_is_decoded_wherever_it_is_cut(wire: bytes, payload: bytes) -> None:
    for pieces in every_cut(wire):
        decoder = ChunkedBody()
        assert decode(decoder, pieces) == payload, pieces
        assert decoder.done
        assert decoder.excess == b""
        decoder.end()


@pytest.mark.parametrize("more", [b"HTTP/1.1 200 OK\r\n", b"\r\n", b"0\r\n\r\n"])
def test_what_follows_the_last_chunk_is_excess(more: bytes) -> None:
    for pieces in every_cut(b"3\r\nabc\r\n0\r\n\r\n" + more):
        decoder = ChunkedBody()
        assert decode(decoder, pieces) == b"abc"
        assert decoder.excess == more


def test_a_chunked_body_is_not_done_before_its_very_last_byte() -> None:
    decoder = ChunkedBody()
    *most, last = one_by_one(b"3;x\r\nabc\r\n0\r\nT: 1\r\n\r\n")
    for byte in most:
        decoder.feed(byte)
        assert not decoder.done
    decoder.feed(last)
    assert decoder.done


def test_one_whole_chunk_per_read_is_decoded_between_others() -> None:
    decoder = ChunkedBody()
    reads = [
        b"2\r\nab\r\n",
        b"2\r\ncd\r\n1",
        b"\r\ne\r\n",
        b"2\r\nfg\r\n",
        b"2\r\nh",
        b"i\r\n",
        b"1\r\nj\r\n",
        LAST_CHUNK,
    ]
    assert [decoder.feed(read) for read in reads] == [b"ab", b"cd", b"e", b"fg", b"h", b"i", b"j", b""]
    assert decoder.done


def test_the_data_of_a_chunk_is_given_on_before_the_chunk_is_whole() -> None:
    decoder = ChunkedBody()
    assert decoder.feed(b"ff\r\nab") == b"ab"
    assert decoder.feed(b"c") == b"c"


MALFORMED = {
    "no digits": b"\r\nabc\r\n",
    "no hexadecimal digit": b"g\r\nabc\r\n",
    "a prefix": b"0x3\r\nabc\r\n",
    "a sign": b"+3\r\nabc\r\n",
    "a minus": b"-3\r\nabc\r\n",
    "an underscore": b"1_0\r\nabc\r\n",
    "a blank before": b" 3\r\nabc\r\n",
    "a word behind": b"3 x\r\nabc\r\n",
    "a bare CR": b"3\rabc\r\n",
    "a bare CR in an extension": b"3;a\rb\r\nabc\r\n",
    "a control byte in an extension": b"3;a\x01b\r\nabc\r\n",
    "a NUL behind": b"3\0\r\nabc\r\n",
    "too many digits": b"0" * (MAX_CHUNK_DIGITS + 1) + b"\r\nabc\r\n",
    "data longer than its size": b"3\r\nabcd\r\n0\r\n\r\n",
    "data shorter than its size": b"3\r\na\r\n0\r\n\r\n",
    "no line end behind data": b"3\r\nabc0\r\n\r\n",
    "a letter and LF behind data": b"3\r\nabcx\n",
    "a CR behind data": b"3\r\nabc\rx\n",
    "a line end short of its size": b"3\r\nab\r\n",
    "a bare LF behind data": b"3\r\nabc\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_chunk_is_refused_wherever_it_is_cut_after_what_came_before_it(name: str) -> None:
    good, bad = b"4\r\ngood\r\n", MALFORMED[name]
    delivered = b"good" + (bad[3:6] if bad.startswith(b"3\r\n") else b"")
    for pieces in every_cut(good + bad):
        payload, error = decode_until_refused(pieces)
        assert not isinstance(error, Truncated)
        assert payload == delivered, pieces


def test_a_size_line_has_a_limit() -> None:
    line = b"1;" + b"x" * (MAX_CHUNK_LINE - 4)
    assert ChunkedBody().feed(line + b"\r\na") == b"a"
    for pieces in ([line + b"x\r\na"], [line, b"x\r\na"], [line + b"xxxx"], one_by_one(line + b"x\r\n")):
        payload, error = decode_until_refused(pieces)
        assert error.what == "line too long in chunked body"
        assert payload == b""


@pytest.mark.parametrize(
    "trailers",
    [
        b"a: " + b"x" * MAX_TRAILERS,
        b"a: " + b"x" * MAX_TRAILERS + b"\r\n\r\n",
        b"a: 1\r\n" * (MAX_TRAILERS // 6 + 1),
    ],
)
def test_trailers_have_a_limit(trailers: bytes) -> None:
    wire = b"1\r\na\r\n0\r\n" + trailers
    half = len(wire) // 2
    for pieces in ([wire], [wire[:half], wire[half:]]):
        payload, error = decode_until_refused(pieces)
        assert not isinstance(error, Truncated)
        assert payload == b"a"


@pytest.mark.parametrize("length", range(len(b"3\r\nabc\r\n0\r\n\r\n")))
def test_a_chunked_body_that_stops_early_is_truncated(length: int) -> None:
    payload, error = decode_until_refused([b"3\r\nabc\r\n0\r\n\r\n"[:length]])
    assert isinstance(error, Truncated)
    assert payload == b"abc"[: max(0, length - 3)]


_DATA = st.lists(st.binary(min_size=1, max_size=40), max_size=6)
_MORE = st.binary(max_size=10)


@fuzz
@given(st.tuples(_DATA, _MORE).flatmap(
    lambda drawn: st.tuples(
        st.just(drawn), cut_anywhere(st.just(b"".join(map(encode_chunk, drawn[0])) + LAST_CHUNK + drawn[1]))
    )
))  # fmt: skip
def test_any_data_in_chunks_comes_back(drawn: tuple[tuple[list[bytes], bytes], CutBytes]) -> None:
    (data, more), (_, pieces) = drawn
    decoder = ChunkedBody()
    assert decode(decoder, pieces) == b"".join(data)
    assert decoder.done
    assert decoder.excess == more


@fuzz
@given(cut_anywhere(st.binary(max_size=60)))
def test_any_bytes_are_decoded_or_refused_alike_wherever_they_are_cut(stream: CutBytes) -> None:
    def run(pieces: list[bytes]) -> tuple[bytes, bool | str, bytes]:
        decoder, payload = ChunkedBody(), b""
        try:
            for piece in pieces:
                payload += decoder.feed(piece)
        except FramingError as error:
            return payload + error.payload, error.what, b""
        return payload, decoder.done, decoder.excess

    data, pieces = stream
    assert run(pieces) == run([data]) == run(one_by_one(data))


@pytest.mark.parametrize("data", [b"", b"a", b"abc\r\n"])
def test_a_body_with_a_length_ends_at_it(data: bytes) -> None:
    for more in (b"", b"HTTP/1.1"):
        for pieces in every_cut(data + more) if data + more else ([b""],):
            decoder = LengthBody(len(data))
            assert decode(decoder, pieces) == data, pieces
            assert decoder.done
            assert decoder.excess == more
            decoder.end()


def test_a_body_shorter_than_its_length_is_truncated() -> None:
    decoder = LengthBody(5)
    assert decoder.feed(b"abcd") == b"abcd"
    assert not decoder.done
    with pytest.raises(Truncated):
        decoder.end()


def test_a_body_of_length_zero_is_done_at_once() -> None:
    assert LengthBody(0).done


def test_a_body_up_to_the_close_ends_with_it() -> None:
    decoder = EofBody()
    assert decoder.feed(b"abc") == b"abc"
    assert not decoder.done
    decoder.end()
    assert decoder.done
    assert decoder.excess == b""


def test_a_fault_names_what_was_wrong() -> None:
    _, error = decode_until_refused([b"x\r\n"])
    assert str(error) == error.what == "chunk size"
