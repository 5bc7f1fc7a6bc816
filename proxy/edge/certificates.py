"""How callers that connect by TLS are met: the context of a certificate, made once and never changed.

A renewed certificate gets a new context: put into the one in use, half of a pair that does not fit would stay in it.
Connections keep the context that they began with. TLS 1.2 and 1.3, with forward secrecy and authenticated encryption
only (RFC 9325 4.2), and HTTP/1.1 as the one protocol offered (RFC 7301). Raises PairError.
"""

import ssl
from typing import Final

from proxy.config.model.server import Tls
from proxy.config.pair import load_pair

_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2; those of 1.3 are all good. Every client of the last ten years has one of them."""


class Certificates:
    """What `[server] tls` names, as it was when this was made."""

    def __init__(self, tls: Tls) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.set_ciphers(_CIPHERS)
        self._context.set_alpn_protocols(["http/1.1"])
        self._context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION  # work without end, and CRIME
        load_pair(self._context, tls.certificate, tls.key)

    def get_context(self) -> ssl.SSLContext:
        """For a connection that begins now."""
        return self._context
