"""Which addresses are connected to, judged alone: the table, what the configuration permits, and what is told of it."""

import ipaddress
import socket
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from proxy.upstream.guard import TOLD_MOST, AddressRefused, Guard, build_permit, name_kind, parse_literal

REFUSED = {
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "169.254.169.254": "link-local",
    "10.0.0.1": "private",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.168.1.1": "private",
    "100.64.0.1": "shared",
    "100.100.100.200": "shared",
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "224.0.0.1": "multicast",
    "192.0.0.192": "reserved",
    "198.18.0.1": "reserved",
    "203.0.113.9": "reserved",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "168.63.129.16": "platform",
    "::1": "loopback",
    "::": "unspecified",
    "::7f00:1": "reserved",
    "fe80::1": "link-local",
    "fe80::1%lo": "link-local",
    "fc00::1": "private",
    "fd00:ec2::254": "private",
    "fec0::1": "private",
    "ff02::1": "multicast",
    "100::1": "reserved",
    "2001::1": "reserved",
    "2001:db8::1": "reserved",
    "3fff::1": "reserved",
    "5f00::1": "reserved",
    "64:ff9b:1::7f00:1": "private",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:169.254.169.254": "link-local",
    "::ffff:0.0.0.0": "unspecified",
    "64:ff9b::10.0.0.1": "private",
    "64:ff9b::a9fe:a9fe": "link-local",
    "2002:7f00:1::": "loopback",
    "2002:c0a8:101::1": "private",
}
PUBLIC = (
    "1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "9.255.255.255", "11.0.0.0",
    "168.63.129.17", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2001:4860::8888", "::ffff:1.1.1.1",
    "64:ff9b::1.1.1.1", "2002:101:101::1",
)  # fmt: skip


class Told:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def __call__(self, address: str, kind: str) -> None:
        self.told.append((address, kind))


def judge(address: str, urls: Iterable[str] = (), networks: Iterable[str] = (), port: int = 443) -> bool:
    try:
        Guard(build_permit(map(URL, urls), networks), Told()).check(address, port)
    except AddressRefused:
        return False
    return True


@pytest.mark.parametrize(("address", "kind"), REFUSED.items())
def test_an_address_of_no_public_host_is_refused(address: str, kind: str) -> None:
    told = Told()
    with pytest.raises(AddressRefused):
        Guard(build_permit([URL("https://api.example.com")], []), told).check(address, 443)
    assert told.told == [(address.partition("%")[0], kind)]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_connected_to(address: str) -> None:
    assert judge(address)


@given(st.ip_addresses())
def test_nothing_is_let_through_that_the_standard_library_calls_private(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if name_kind(address) == "":
        held = isinstance(address, ipaddress.IPv6Address) and (
            address.ipv4_mapped or address.sixtofour or str(address).startswith("64:ff9b::")
        )
        assert held or (address.is_global and not address.is_multicast)


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_however_it_is_wrapped(address: ipaddress.IPv4Address) -> None:
    number, kind = int(address), name_kind(address)
    for wrapped in (0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80):
        assert name_kind(ipaddress.IPv6Address(wrapped)) == kind


@pytest.mark.parametrize("address", ["", "api.example.com", "0x7f.1", "127.1", "2130706433", "::1::"])
def test_what_is_no_address_is_refused(address: str) -> None:
    assert parse_literal(address) is None
    assert not judge(address)


@pytest.mark.parametrize(
    ("url", "address", "port", "may"),
    [
        ("http://127.0.0.1:8000/v1", "127.0.0.1", 8000, True),
        ("http://127.0.0.1:8000/v1", "127.0.0.1", 8001, False),  # another program's
        ("http://127.0.0.1:8000/v1", "127.0.0.2", 8000, False),
        ("http://10.0.0.1", "10.0.0.1", 80, True),
        ("https://10.0.0.1", "10.0.0.1", 443, True),
        ("http://[::1]:8000", "::1", 8000, True),
        ("http://[0:0::1]:8000", "::1", 8000, True),
        ("http://[::FFFF:10.0.0.1]:80", "::ffff:a00:1", 80, True),
        ("http://localhost:8000", "127.0.0.1", 8000, True),
        ("http://LocalHost.:8000", "::1", 8000, True),
        ("http://api.localhost:8000", "127.0.0.1", 8000, True),
        ("http://localhost:8000", "127.0.0.1", 8001, False),
        ("http://localhost:8000", "10.0.0.1", 8000, False),  # whoever answers for it does not say so
        ("http://notlocalhost:8000", "127.0.0.1", 8000, False),
        ("http://localhost.example.com:8000", "127.0.0.1", 8000, False),
    ],
)
def test_what_is_written_out_is_meant(url: str, address: str, port: int, may: bool) -> None:
    assert judge(address, [url], port=port) is may


@pytest.mark.parametrize(
    ("network", "address", "may"),
    [
        ("10.20.0.0/16", "10.20.3.4", True),
        ("10.20.0.0/16", "10.21.0.1", False),
        ("10.20.0.0/16", "::ffff:10.20.3.4", True),
        ("10.20.0.0/16", "64:ff9b::10.20.3.4", True),
        ("192.168.1.7", "192.168.1.7", True),
        ("fd00::/8", "fd12::1", True),
        ("fe80::/10", "fe80::1%lo", True),
        ("64:ff9b::/96", "64:ff9b::10.20.3.4", True),
        ("0.0.0.0/0", "169.254.169.254", True),
        ("0.0.0.0/0", "::1", False),
    ],
)
def test_a_network_of_the_provider_s_own_is_permitted(network: str, address: str, may: bool) -> None:
    assert judge(address, ["https://api.example.com"], [network]) is may


def test_each_address_is_told_once_and_never_more_than_a_bound() -> None:
    told = Told()
    guard = Guard(build_permit([], []), told)
    for number in (*range(200), *range(200)):
        with pytest.raises(AddressRefused, match=r"^address refused$"):
            guard.check(f"10.0.0.{number}", 443)
    assert told.told == [(f"10.0.0.{number}", "private") for number in range(TOLD_MOST)]


def test_a_socket_is_made_for_what_is_permitted_and_for_nothing_else() -> None:
    guard = Guard(build_permit([URL("http://127.0.0.1:80")], []), Told())
    kind, protocol = socket.SOCK_STREAM, socket.IPPROTO_TCP
    with guard.open_socket((socket.AF_INET, kind, protocol, "", ("127.0.0.1", 80))) as sock:
        assert (sock.family, sock.type, sock.proto) == (socket.AF_INET, kind, protocol)
    with pytest.raises(AddressRefused):
        guard.open_socket((socket.AF_INET6, kind, protocol, "", ("::1", 80, 0, 0)))


def test_permits_that_permit_the_same_are_the_same() -> None:
    one = build_permit([URL("http://10.0.0.1"), URL("http://localhost:1")], ["10.0.0.0/8"])
    assert one == build_permit([URL("http://localhost:1"), URL("http://10.0.0.1:80/v1")], ["10.0.0.0/8"])
    assert one != build_permit([URL("http://10.0.0.1")], ["10.0.0.0/8"])
    assert hash(one) != hash(build_permit([], []))
