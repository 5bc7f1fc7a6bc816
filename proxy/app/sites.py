"""What serves on a listening socket: which of them speak TLS, and with which certificate.

Whether there is TLS at all is settled at start, the certificate may change. Raises PairError.
"""

import socket
import ssl
from typing import Final

from aiohttp import web

from proxy.config.address import Address
from proxy.config.model.server import Tls
from proxy.edge.acceptor import AcceptingSite
from proxy.edge.certificates import Certificates
from proxy.edge.runner import Runner

BACKLOG: Final = 4096
"""Connections the kernel may hold for us: asyncio's 100 overflow when many clients come back after a restart."""


class Sites:
    """Builds them. tls: as in the configuration; no certificate means no TLS."""

    def __init__(self, runner: Runner, tls: Tls) -> None:
        self._runner = runner
        self._certificates = Certificates(tls) if tls.certificate else None

    def read(self, tls: Tls) -> Certificates | None:
        """What `tls` comes to now, for `renew`."""
        return Certificates(tls) if self._certificates is not None and tls.certificate else self._certificates

    def renew(self, certificates: Certificates | None) -> None:
        """Connections that begin from now on are shown this certificate; the others keep theirs."""
        self._certificates = certificates

    def speaks_tls(self, address: Address, *, admin: bool) -> bool:
        """Not where only this machine listens in."""
        return self._certificates is not None and not address.is_unix and not (admin and address.is_loopback)

    def build(self, sock: socket.socket, address: Address, *, admin: bool) -> web.BaseSite:
        """The site that accepts on `sock`, which is bound to `address`. The operator's connections count nowhere."""
        get_context = self._get_context if self.speaks_tls(address, admin=admin) else None
        return AcceptingSite(self._runner, sock, backlog=BACKLOG, get_context=get_context, counted=not admin)

    def _get_context(self) -> ssl.SSLContext:
        if self._certificates is None:
            raise LookupError("a listener without TLS needs no certificate")
        return self._certificates.get_context()
