"""Whose address a request has: that of the connection, unless a front proxy that is trusted says otherwise."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.edge.peers import UNIX, Peers, show_peer
from proxy.wire.headers import Headers

FRONT = ("10.0.0.1", 40000)


def build_headers(*values: str) -> Headers:
    return Headers(tuple((b"X-Forwarded-For", value.encode("latin-1")) for value in values))


@pytest.mark.parametrize(
    ("values", "remote"),
    [
        ((), "10.0.0.1"),
        (("192.0.2.7",), "192.0.2.7"),
        (("192.0.2.7, 198.51.100.2",), "198.51.100.2"),
        (("192.0.2.7, 10.0.0.9",), "192.0.2.7"),
        (("192.0.2.7,10.0.0.9 ,\t10.0.0.8",), "192.0.2.7"),
        (("192.0.2.7", "10.0.0.9"), "192.0.2.7"),
        (("10.0.0.3, 10.0.0.2",), "10.0.0.3"),
        (("192.0.2.7:5000",), "192.0.2.7"),
        (("2001:db8::1",), "2001:db8::1"),
        (("[2001:db8::1]",), "2001:db8::1"),
        (("[2001:DB8:0::1]:443",), "2001:db8::1"),
        (("::ffff:192.0.2.7",), "192.0.2.7"),
        (("unknown",), "10.0.0.1"),
        (("192.0.2.7, secret",), "10.0.0.1"),
        (("192.0.2.7, secret, 10.0.0.2",), "10.0.0.2"),
        (("192.0.2.7,",), "10.0.0.1"),
        (("fe80::1%secret",), "10.0.0.1"),
        (("0x7f.1",), "10.0.0.1"),
        (("192.0.2.07",), "10.0.0.1"),
    ],
)
def test_the_list_is_read_from_the_end_that_was_written_by_those_who_are_trusted(
    values: tuple[str, ...], remote: str
) -> None:
    assert Peers(["10.0.0.0/8"]).find_remote(FRONT, build_headers(*values)) == remote


@pytest.mark.parametrize(
    ("trusted", "peer", "found"),
    [
        ((), FRONT, False),
        (("10.0.0.1/32",), FRONT, True),
        (("10.0.0.2/32",), FRONT, False),
        (("2001:db8::/32",), ("2001:db8::5", 1, 0, 0), True),
        (("2001:db8::/32",), FRONT, False),
        (("fe80::/10",), ("fe80::1%eth0", 1, 0, 2), True),
        (("10.0.0.1/32",), ("::ffff:10.0.0.1", 1, 0, 0), True),
        (("10.0.0.1/32",), "", False),
        (("unix",), "", True),
        (("unix",), None, True),
        (("unix",), FRONT, False),
        (("unix", "10.0.0.1/32"), FRONT, True),
    ],
)
def test_who_is_trusted(trusted: tuple[str, ...], peer: object, found: bool) -> None:
    peers = Peers(trusted)
    assert peers.is_trusted(peer) is found
    said = peers.find_remote(peer, build_headers("192.0.2.7"))
    assert said == ("192.0.2.7" if found else show_peer(peer))


@pytest.mark.parametrize(
    ("peer", "shown"),
    [
        (FRONT, "10.0.0.1"),
        (("::1", 1, 0, 0), "::1"),
        (("::ffff:10.0.0.1", 1, 0, 0), "10.0.0.1"),
        (("fe80::1%eth0", 1, 0, 2), "fe80::1"),
        ("", UNIX),
        (b"\0abstract", UNIX),
        (None, UNIX),
    ],
)
def test_how_a_peer_is_shown(peer: object, shown: str) -> None:
    assert show_peer(peer) == shown


def test_a_field_of_any_length_is_little_work() -> None:
    peers, headers = Peers(["0.0.0.0/0"]), build_headers(",".join(["192.0.2.7"] * 6000))
    began = time.thread_time()
    for _ in range(100):
        assert peers.find_remote(FRONT, headers) == "192.0.2.7"
    assert time.thread_time() - began < 1


def test_no_more_hops_are_followed_than_anybody_has() -> None:
    headers = build_headers(",".join(["192.0.2.7", *(f"10.0.1.{n}" for n in range(16))]))
    assert Peers(["10.0.0.0/8"]).find_remote(FRONT, headers) == "10.0.1.0"


@given(st.lists(st.binary(max_size=40), max_size=3))
def test_what_a_caller_writes_is_never_shown_but_as_an_address(values: list[bytes]) -> None:
    headers = build_headers(*(value.decode("latin-1") for value in values))
    remote = Peers(["0.0.0.0/0", "::/0"]).find_remote(FRONT, headers)
    assert set(remote) <= set("0123456789abcdef.:")
