"""Who is at the other end: the caller's address, from the connection and from what trusted front proxies say.

`X-Forwarded-For` is a list that every proxy appends its own peer to, so only its right end was written by one that is
trusted. It is read from there: as long as the sender of an entry is trusted, the entry is the next sender. The first
that is not trusted, or is no address, ends it. Nothing that a caller has written is believed, or ever shown: an address
is what `ipaddress` makes of it. Pure.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from proxy.config.address import parse_network
from proxy.wire.headers import Headers

UNIX: Final = "unix"
"""Who comes over a Unix socket: all of them are one."""

_MOST_HOPS: Final = 16
"""Entries that are looked at: more proxies in a row than anybody has, and no work for a field of 64 KiB."""

_Ip = IPv4Address | IPv6Address


class Peers:
    """trusted: the front proxies, as `[server] trusted_proxies` has them."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        self._unix = UNIX in trusted
        self._networks = [parse_network(text) for text in trusted if text != UNIX]

    def is_trusted(self, peer: object) -> bool:
        """Whether a connection comes from a front proxy. peer: as `getpeername` gives it."""
        if isinstance(peer, tuple):
            ip = _read_ip(peer[0]) if self._networks else None
            return ip is not None and _is_within(ip, self._networks)
        return self._unix

    def find_remote(self, peer: object, headers: Headers) -> str:
        """The caller's address, or "unix"."""
        if not self.is_trusted(peer):
            return show_peer(peer)
        found: _Ip | None = None
        for entry in _read_entries(headers):
            found = entry
            if not _is_within(entry, self._networks):
                break
        return str(found) if found is not None else show_peer(peer)


def show_peer(peer: object) -> str:
    """The address of a connection's other end; an IPv4 one that came by an IPv6 listener is shown as IPv4."""
    if not isinstance(peer, tuple):
        return UNIX
    host = str(peer[0])
    ip = _read_ip(host) if ":" in host else None
    return str(ip) if ip is not None else host


def _read_entries(headers: Headers) -> list[_Ip]:
    """The last entries, the last first, up to one that is no address."""
    text = ",".join(value.decode("latin-1") for value in headers.get_all(b"x-forwarded-for"))
    entries = []
    for entry in reversed(text.rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]):
        ip = _read_entry(entry.strip(" \t"))
        if ip is None:
            break
        entries.append(ip)
    return entries


def _read_entry(text: str) -> _Ip | None:
    """An address, an IPv6 one perhaps in brackets; behind it perhaps a port, as some balancers write it."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return None if "%" in text else _read_ip(text)


def _read_ip(text: str) -> _Ip | None:
    try:
        ip = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip


def _is_within(ip: _Ip, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return any(ip in network for network in networks)
