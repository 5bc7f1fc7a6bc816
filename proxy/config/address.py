"""Addresses to listen on: `host:port`, `[v6]:port` and `unix:/path` to an `Address` and back.

An empty host or `*` means all interfaces. Port 0 asks the system for a free one. Raises `ValueError` with a
message that says what is wrong and never repeats the text. Resolves no name and opens no socket: whether
the host exists is not known here, and only literals and the name `localhost` count as loopback.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

MAX_PORT: Final = 65535
MAX_UNIX_PATH: Final = 107  # sun_path holds 108 bytes on Linux, the last of them NUL (unix(7))

_LABEL: Final = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST_NAME: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_PORT: Final = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener stands: `host` and `port`, or `path` of a Unix socket. `host` is "" for all interfaces."""

    host: str = ""
    port: int = 0
    path: str = ""

    @property
    def is_unix(self) -> bool:
        """True for a Unix socket: `path` is set, `host` and `port` mean nothing."""
        return bool(self.path)

    @property
    def is_loopback(self) -> bool:
        """True when only programs on this machine reach it: 127.0.0.0/8, ::1, `localhost`, a Unix socket."""
        if self.is_unix or self.host.lower().rstrip(".") == "localhost":
            return True
        try:
            literal = ip_address(self.host)
        except ValueError:
            return False
        mapped = literal.ipv4_mapped if isinstance(literal, IPv6Address) else None
        return (mapped or literal).is_loopback

    def __str__(self) -> str:
        if self.is_unix:
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host or "*"
        return f"{host}:{self.port}"


def parse_address(text: str) -> Address:
    """`127.0.0.1:8088`, `[::1]:8088`, `localhost:8088`, `*:8088`, `:8088` or `unix:/run/x.sock` to an Address."""
    if text.startswith("unix:"):
        return Address(path=_parse_unix_path(text.removeprefix("unix:")))
    host, colon, port = text.rpartition(":")
    if not colon or (host.startswith("[") and not host.endswith("]")):
        raise ValueError("not an address: the port is missing, write host:port, [v6]:port or unix:/path")
    return Address(host=parse_host(host), port=parse_port(port))


def parse_network(text: str) -> IPv4Network | IPv6Network:
    """`10.0.0.0/8`, `fd00::/8`, or one address, to the network that it is."""
    address = text.partition("/")[0]
    try:
        scope = getattr(ip_address(address), "scope_id", None)
    except ValueError:
        raise ValueError("neither an IP address nor a network such as 10.0.0.0/8") from None
    if scope is not None:
        raise ValueError("not a network: an interface, such as %eth0, is no part of one")
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError("not a network: behind the slash stands how many bits count, and the others are 0") from None


def parse_host(text: str) -> str:
    """A host as it stands before `:port`: IPv4, `[IPv6]` (the brackets are taken off), a name, "" or `*` (both "")."""
    if text in ("", "*"):
        return ""
    if text.startswith("["):
        return _parse_bracketed(text)
    if ":" in text:
        raise ValueError("not an address: an IPv6 host stands in brackets, write [v6]:port")
    if text.replace(".", "").isdecimal():
        return _parse_ipv4(text)
    if len(text) > 253 or not _HOST_NAME.fullmatch(text):
        raise ValueError("not an address: the host is neither an IP address nor a host name")
    return text


def parse_port(text: str) -> int:
    """A port from 0 to 65535; 0 lets the system choose."""
    if not _PORT.fullmatch(text) or int(text) > MAX_PORT:
        raise ValueError(f"not an address: the port is not a number from 0 to {MAX_PORT}")
    return int(text)


def _parse_bracketed(text: str) -> str:
    try:
        return str(IPv6Address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        raise ValueError("not an address: no IPv6 address stands between the brackets") from None


def _parse_ipv4(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise ValueError("not an address: the host looks like IPv4 but is none") from None


def _parse_unix_path(path: str) -> str:
    if not path.startswith("/") or path.endswith("/"):
        raise ValueError("not an address: a Unix socket needs an absolute path, write unix:/path")
    if not path.isprintable():
        raise ValueError("not an address: the path of the Unix socket holds unprintable characters")
    if len(path.encode("utf-8")) > MAX_UNIX_PATH:
        raise ValueError(f"not an address: the path of a Unix socket has at most {MAX_UNIX_PATH} bytes")
    return path
