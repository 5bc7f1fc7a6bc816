"""Keys in bytes that come in pieces: however they are cut, each byte of a key is a star, and no other is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.masking import Mask

KEYS = (b"sk-abcdef", b"sk-abcdefghij", b"efsk-ab", b"aaaa")


def mask(pieces: list[bytes], secrets: tuple[bytes, ...] = KEYS) -> bytes:
    made = Mask(secrets)
    return b"".join([*(made.feed(piece) for piece in pieces), made.end()])


def mark(data: bytes, secrets: tuple[bytes, ...] = KEYS) -> bytes:
    """The same, said plainly."""
    hidden = {
        at + offset
        for secret in secrets
        for at in range(len(data))
        if data.startswith(secret, at)
        for offset in range(len(secret))
    }
    return bytes(ord("*") if at in hidden else byte for at, byte in enumerate(data))


@pytest.mark.parametrize(
    ("data", "masked"),
    [
        (b"", b""),
        (b"nothing", b"nothing"),
        (b"key sk-abcdef!", b"key *********!"),
        (b"sk-abcdefghij", b"*************"),
        (b"sk-abcdefsk-ab", b"**************"),
        (b"sk-abcdefsk-abcdef", b"******************"),
        (b"sk-abcde", b"sk-abcde"),
        (b"aaaaaa", b"******"),
    ],
)
def test_a_key_is_masked_wherever_the_bytes_are_cut(data: bytes, masked: bytes) -> None:
    assert mark(data) == masked
    assert mask([data]) == masked
    assert mask([bytes([byte]) for byte in data]) == masked
    for at in range(len(data)):
        assert mask([data[:at], data[at:]]) == masked


@given(st.lists(st.sampled_from([*KEYS, b"sk-", b"ab", b"cdef", b"a", b"ghij", b"e", b"x"]), max_size=12), st.data())
def test_whatever_is_said_and_however_it_is_cut(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert mask(pieces) == mark(whole)


def test_only_what_may_be_a_key_is_held_back() -> None:
    made = Mask(KEYS)
    assert made.feed(b"data: no key here\n\n") == b"data: no key here\n\n"
    assert made.feed(b"x sk-") == b"x "
    assert made.feed(b"zzz") == b"sk-zzz"
    assert made.end() == b""


def test_without_keys_nothing_is_masked() -> None:
    assert mask([b"a", b"b"], ()) == mask([b"ab"], (b"",)) == b"ab"
