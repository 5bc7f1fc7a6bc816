"""Addresses to listen on, read and written back."""

from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.address import Address, parse_address

ACCEPTED = [
    ("127.0.0.1:8088", Address("127.0.0.1", 8088), True),
    ("127.9.9.9:1", Address("127.9.9.9", 1), True),
    ("[::1]:8088", Address("::1", 8088), True),
    ("[::ffff:127.0.0.1]:80", Address(str(IPv6Address("::ffff:7f00:1")), 80), True),  # written anew from 3.13 on
    ("localhost:0", Address("localhost", 0), True),
    ("LOCALHOST.:1", Address("LOCALHOST.", 1), True),
    ("unix:/run/penstock.sock", Address(path="/run/penstock.sock"), True),
    ("0.0.0.0:8088", Address("0.0.0.0", 8088), False),
    ("[::]:8088", Address("::", 8088), False),
    ("*:8088", Address("", 8088), False),
    (":8088", Address("", 8088), False),
    ("10.0.0.1:65535", Address("10.0.0.1", 65535), False),
    ("proxy.example.com:8088", Address("proxy.example.com", 8088), False),
    ("localhost.example.com:8088", Address("localhost.example.com", 8088), False),
]
REFUSED = [
    "",
    "8088",
    "127.0.0.1",
    "localhost",
    "127.0.0.1:",
    "127.0.0.1:65536",
    "127.0.0.1:-1",
    "127.0.0.1:٣",
    "127.0.0.1:8088 ",
    "127.1:80",
    "256.0.0.1:80",
    "::1:8088",
    "[::1]",
    "[::1:8088",
    "[nonsense]:80",
    "a b:80",
    "-a:80",
    "ü:80",
    "http://127.0.0.1:80",
    "unix:",
    "unix:relative",
    "unix:/run/",
    "unix:/run/\n",
    "unix:/" + "x" * 107,
]


@pytest.mark.parametrize(("text", "address", "loopback"), ACCEPTED)
def test_address_is_read(text: str, address: Address, loopback: bool) -> None:
    assert parse_address(text) == address
    assert parse_address(text).is_loopback is loopback
    assert parse_address(text).is_unix is text.startswith("unix:")


@pytest.mark.parametrize(("text", "address", "_"), ACCEPTED)
def test_address_survives_writing_and_reading(text: str, address: Address, _: bool) -> None:
    assert parse_address(str(address)) == address


@pytest.mark.parametrize("text", ["127.0.0.1:8088", "[::1]:8088", "*:8088", "unix:/run/penstock.sock"])
def test_canonical_text_is_given_back(text: str) -> None:
    assert str(parse_address(text)) == text


@pytest.mark.parametrize("text", REFUSED)
def test_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        parse_address(text)


@given(st.text() | st.from_regex(r"[\[\]:a-z0-9.*%-]{0,20}", fullmatch=True))
def test_any_text_is_an_address_or_a_value_error(text: str) -> None:
    try:
        address = parse_address(text)
    except ValueError:
        return
    assert parse_address(str(address)) == address
