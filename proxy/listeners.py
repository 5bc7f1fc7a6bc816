"""Listening sockets: opened from addresses, or inherited from systemd (sd_listen_fds(3)).

Returns bound sockets that do not accept yet. Raises BindError, which names the address and what is in the way.
"""

import errno
import os
import socket
import stat
from collections.abc import Iterable, MutableMapping
from typing import Final

from proxy.config.address import Address
from proxy.errors import PenstockError

_FIRST_FD: Final = 3  # SD_LISTEN_FDS_START
_NAMES: Final = ("http", "unknown", "")
"""Names of descriptors that mean callers: ours, and what stands where nobody gave one (sd_listen_fds(3)); a socket unit
gives its own name otherwise."""

_UNIX_MODE: Final = 0o660
"""Read and write for owner and group: a front proxy joins the group, nobody else connects."""

_OPTIONS: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000),
)
"""A client whose host vanished is noticed within 60 s, silent or not (RFC 1122 4.2.3.6, RFC 5482); the kernel's default
is two hours. Linux hands them from a listener to its connections (tcp(7)), which saves each of them five calls."""

_REASONS: Final = {
    errno.EADDRINUSE: "another program is listening there",
    errno.EACCES: "not permitted; ports below 1024 need a privilege",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


class BindError(PenstockError):
    """A listener could not be opened."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address = address
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot listen on {self.address}: {self.reason}"


def open_listeners(addresses: Iterable[Address]) -> list[socket.socket]:
    """A bound socket for each address a listener stands for; on failure those opened before are closed."""
    opened: list[socket.socket] = []
    try:
        for address in addresses:
            opened += _open_unix(address) if address.is_unix else _open_tcp(address)
    except BaseException:
        for sock in opened:
            sock.close()
        raise
    return opened


def take_inherited(environ: MutableMapping[str, str] | None = None) -> list[socket.socket]:
    """The sockets that systemd passed to this process, if any; children of ours will not take them for theirs."""
    env = os.environ if environ is None else environ
    pid, count = env.pop("LISTEN_PID", ""), env.pop("LISTEN_FDS", "")
    names = env.pop("LISTEN_FDNAMES", "").split(":")
    if pid != str(os.getpid()) or not count.isdecimal():
        return []
    names += [""] * int(count)
    return [_adopt(_FIRST_FD + index, names[index]) for index in range(int(count))]


def _adopt(number: int, name: str) -> socket.socket:
    """A descriptor that is ours by now. A name that somebody gave it for another purpose is no invitation."""
    what = f"descriptor {number} of the service manager"
    if name not in _NAMES and not name.endswith(".socket"):
        raise BindError(what, f"its name is none of ours: FileDescriptorName={_NAMES[0]} makes it a listener")
    try:
        sock = socket.socket(fileno=number)
        accepts = sock.type == socket.SOCK_STREAM and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError:
        raise BindError(what, "it is no socket") from None
    if not accepts:
        raise BindError(what, "it is no stream socket that listens; Accept= must be no")
    sock.setblocking(False)
    sock.set_inheritable(False)
    return sock


def watch_peers(sock: socket.socket) -> None:
    """Make the connections of a TCP listener notice a peer that is gone without a word."""
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        for level, option, value in _OPTIONS:
            sock.setsockopt(level, option, value)


def read_address(sock: socket.socket) -> Address:
    """Where a bound socket is; an abstract one (unix(7)) with an @ for its first byte."""
    name = sock.getsockname()
    if sock.family == socket.AF_UNIX:
        return Address(path=name if isinstance(name, str) else os.fsdecode(name).replace("\0", "@", 1))
    return Address(name[0], name[1])


def show_address(address: Address, *, tls: bool = False) -> str:
    """The address of a listener, as a URL would have it or `unix:/path`."""
    return str(address) if address.is_unix else f"{'https' if tls else 'http'}://{address}"


def _open_tcp(address: Address) -> list[socket.socket]:
    try:
        infos = socket.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror:
        raise BindError(str(address), "the host name is not known") from None
    sockets: list[socket.socket] = []
    try:
        for family, kind, number, _, name in dict.fromkeys(infos):
            sock = socket.socket(family, kind, number)
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(name)
            sock.setblocking(False)
    except OSError as error:
        for sock in sockets:
            sock.close()
        raise BindError(str(address), _explain(error)) from None
    return sockets


def _open_unix(address: Address) -> list[socket.socket]:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale(address.path)
        sock.bind(address.path)
        os.chmod(address.path, _UNIX_MODE)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise BindError(str(address), _explain(error)) from None
    return [sock]


def _remove_stale(path: str) -> None:
    """A socket file outlives its process; only one that nobody answers on is taken away."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.connect(path)
    except FileNotFoundError:
        return
    except ConnectionRefusedError:
        os.unlink(path)


def _explain(error: OSError) -> str:
    return _REASONS.get(error.errno or 0, errno.errorcode.get(error.errno or 0, type(error).__name__))
