"""Suites that were written for plain connections, run over TLS.

Within `over_tls(authority)` a RunningProxy shows a certificate on its public port, and whoever connects to that port
with `bare` or `connected` speaks TLS; nothing else changes. A test module that imports other modules' tests, and has
this for a fixture, runs them so.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from proxy.config.model import Tls
from tests.helpers.certificates import Authority

_authorities: list[Authority] = []
_ports: set[int] = set()


@contextmanager
def over_tls(authority: Authority) -> Iterator[None]:
    _authorities.append(authority)
    try:
        yield
    finally:
        _authorities.clear()
        _ports.clear()


def choose_pair(port: int, configured: Tls) -> Tls:
    """What a proxy shows at its public port."""
    if not _authorities:
        return configured
    _ports.add(port)
    return _authorities[0].pair()


def choose_context(port: int | str) -> ssl.SSLContext | None:
    """What a client has to speak there, if that is TLS. The end of a connection is no end of what is said on it."""
    if port not in _ports:
        return None
    return build_strict(_authorities[0])


def build_strict(authority: Authority) -> ssl.SSLContext:
    """A client's context, to which a connection that ends without close_notify is one that broke off (RFC 8446 6.1);
    Python's usual one lets that pass."""
    context = authority.trust()
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return context
