"""Which addresses a provider's sessions may connect to: the last look before a socket is made.

A base URL names a host, and whoever answers for that name says where it leads. So it is the address really used that is
judged, each time, and not the name: aiohttp's connector asks `Guard.open_socket` for the socket of every address, those
of an account's proxy included. Public ones may be connected to; beside them what the configuration writes as an address
or as `localhost`, at the port that stands there, and what lies in the provider's `private_networks`. Another one raises
AddressRefused, for which happy eyeballs goes on to the next. Addresses of IPv6 that hold one of IPv4 count as that too.
"""

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp import AddrInfoType
from yarl import URL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

TOLD_MOST: Final = 32
"""Addresses that the operator is told of: who answers for a name may lead it to a new one each time."""

# IANA's registries of special-purpose addresses (RFC 6890); the first network that covers an address names its kind.
_IPV4: Final[tuple[tuple[IPv4Network, str], ...]] = tuple((IPv4Network(network), kind) for network, kind in (
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),  # with 169.254.169.254, where clouds keep the keys of a machine
    ("10.0.0.0/8", "private"),
    ("172.16.0.0/12", "private"),
    ("192.168.0.0/16", "private"),
    ("100.64.0.0/10", "shared"),  # behind a carrier's NAT, RFC 6598; clouds have services in it
    ("0.0.0.0/8", "unspecified"),  # Linux takes 0.0.0.0 for this machine
    ("224.0.0.0/4", "multicast"),
    ("192.0.0.0/24", "reserved"),
    ("192.0.2.0/24", "reserved"),
    ("192.88.99.0/24", "reserved"),
    ("198.18.0.0/15", "reserved"),
    ("198.51.100.0/24", "reserved"),
    ("203.0.113.0/24", "reserved"),
    ("240.0.0.0/4", "reserved"),
    ("168.63.129.16/32", "platform"),  # looks public: what every machine of Azure has its own host at
))  # fmt: skip

_IPV6: Final[tuple[tuple[IPv6Network, str], ...]] = tuple((IPv6Network(network), kind) for network, kind in (
    ("::1/128", "loopback"),
    ("::/128", "unspecified"),
    ("fe80::/10", "link-local"),
    ("fc00::/7", "private"),
    ("fec0::/10", "private"),  # deprecated, RFC 3879
    ("64:ff9b:1::/48", "private"),  # NAT64 of a network's own, RFC 8215: where its IPv4 address stands is not known
    ("ff00::/8", "multicast"),
    ("2001::/23", "reserved"),  # with Teredo, which leads to another one
    ("2001:db8::/32", "reserved"),
    ("3fff::/20", "reserved"),
))  # fmt: skip

_GLOBAL: Final = IPv6Network("2000::/3")
"""All that IANA has given out for unicast; what lies outside of it is reserved."""

_NAT64: Final = IPv6Network("64:ff9b::/96")
"""Translated to IPv4 on the way, RFC 6052 2.1: what DNS64 makes of public addresses."""


@dataclass(frozen=True, slots=True)
class Permit:
    """What a provider's sessions may connect to beside public addresses. places: address and port. loopback: ports at
    which this machine was named as `localhost`. networks: `private_networks`."""

    places: frozenset[tuple[str, int]] = frozenset()
    loopback: frozenset[int] = frozenset()
    networks: frozenset[Network] = frozenset()


NONE: Final = Permit()
"""Public addresses only."""


class AddressRefused(OSError):
    """An address that must not be connected to. Its text is constant: of several like it one stands for all."""

    def __init__(self) -> None:
        super().__init__("address refused")


class Guard:
    """tell: is told once of each address that was refused, and of its kind."""

    def __init__(self, permit: Permit, tell: Callable[[str, str], None]) -> None:
        self._permit = permit
        self._tell = tell
        self._told: set[str] = set()

    def open_socket(self, info: AddrInfoType) -> socket.socket:
        """aiohttp's `socket_factory`. Raises AddressRefused."""
        family, kind, protocol, _, place = info
        self.check(str(place[0]), int(place[1]))
        return socket.socket(family, kind, protocol)

    def check(self, host: str, port: int) -> None:
        """host: an address as text. Raises AddressRefused."""
        address = parse_literal(host)
        kind = "unknown" if address is None else name_kind(address)
        if not kind or (address is not None and self._permits(address, port, kind)):
            return
        name = host.partition("%")[0]  # without the interface
        if name not in self._told and len(self._told) < TOLD_MOST:
            self._told.add(name)
            self._tell(name, kind)
        raise AddressRefused

    def _permits(self, address: Address, port: int, kind: str) -> bool:
        permit, held = self._permit, read_held(address)
        if (str(address), port) in permit.places or (kind == "loopback" and port in permit.loopback):
            return True
        return any(address in network or (held is not None and held in network) for network in permit.networks)


def build_permit(urls: Iterable[URL], networks: Iterable[str]) -> Permit:
    """urls: where the configuration says that requests go, proxies included."""
    places, loopback = set(), set()
    for url in urls:
        host, port = (url.host or "").lower().rstrip("."), url.port or 0
        literal = parse_literal(host)
        if literal is not None:
            places.add((str(literal), port))
        elif host == "localhost" or host.endswith(".localhost"):  # RFC 6761 6.3
            loopback.add(port)
    return Permit(frozenset(places), frozenset(loopback), frozenset(map(ip_network, networks)))


def name_kind(address: Address) -> str:
    """Why `address` is none of the public internet's, in a word; "" when it is one."""
    held = read_held(address)
    if held is not None:
        return name_kind(held)
    if isinstance(address, IPv4Address):
        return next((kind for network, kind in _IPV4 if address in network), "")
    found = next((kind for network, kind in _IPV6 if address in network), "")
    return found or ("" if address in _GLOBAL else "reserved")


def read_held(address: Address) -> IPv4Address | None:
    """The address of IPv4 that one of IPv6 leads to: mapped (RFC 4291 2.5.5.2), NAT64, 6to4 (RFC 3056)."""
    if isinstance(address, IPv4Address):
        return None
    return address.ipv4_mapped or address.sixtofour or _read_nat64(address)


def parse_literal(text: str) -> Address | None:
    """None for what is no address, a name above all."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def _read_nat64(address: IPv6Address) -> IPv4Address | None:
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
