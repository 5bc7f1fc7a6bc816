"""What a caller meets at a TLS listener, told by handshakes in memory."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from proxy.config.model import Tls
from proxy.config.pair import PairError
from proxy.edge.certificates import Certificates
from tests.helpers.certificates import Authority, make_authority, make_pair


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificates(authority: Authority) -> Certificates:
    return Certificates(authority.pair())


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> Any:
    """The client's side, once both are content. Raises ssl.SSLError."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    caller = client.wrap_bio(down, up, server_hostname="127.0.0.1")
    called = server.wrap_bio(up, down, server_side=True)
    waiting = [caller, called]
    for _ in range(10):
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                pass
    assert not waiting
    return caller


def test_the_best_that_both_know_is_spoken(certificates: Certificates, authority: Authority) -> None:
    client = authority.trust()
    client.set_alpn_protocols(["h2", "http/1.1"])
    side = shake_hands(certificates.get_context(), client)
    assert (side.version(), side.selected_alpn_protocol()) == ("TLSv1.3", "http/1.1")


def test_a_client_that_knows_http2_only_is_not_told_that_it_is_spoken(
    certificates: Certificates, authority: Authority
) -> None:
    client = authority.trust()
    client.set_alpn_protocols(["h2"])
    assert shake_hands(certificates.get_context(), client).selected_alpn_protocol() is None


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_versions_that_are_broken_are_refused(
    certificates: Certificates, authority: Authority, version: ssl.TLSVersion
) -> None:
    client = authority.trust()
    client.minimum_version = client.maximum_version = version
    client.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        shake_hands(certificates.get_context(), client)


@pytest.mark.parametrize(
    ("ciphers", "met"),
    [
        ("ECDHE-RSA-AES128-GCM-SHA256", True),
        ("ECDHE-RSA-CHACHA20-POLY1305", True),
        ("AES128-GCM-SHA256", False),  # no forward secrecy
        ("ECDHE-RSA-AES128-SHA256", False),  # CBC
        ("DHE-RSA-AES128-GCM-SHA256", False),
    ],
)
def test_of_tls_1_2_the_good_ciphers_only(
    certificates: Certificates, authority: Authority, ciphers: str, met: bool
) -> None:
    client = authority.trust()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(ciphers)
    if met:
        assert shake_hands(certificates.get_context(), client).cipher()[0] == ciphers
        return
    with pytest.raises(ssl.SSLError):
        shake_hands(certificates.get_context(), client)


def test_nobody_may_ask_for_another_handshake(certificates: Certificates) -> None:
    assert certificates.get_context().options & ssl.OP_NO_RENEGOTIATION
    assert certificates.get_context().options & ssl.OP_NO_COMPRESSION


def test_a_pair_that_does_not_fit_makes_none(tmp_path: Path, authority: Authority) -> None:
    with pytest.raises(PairError) as caught:
        Certificates(Tls(certificate=authority.pair().certificate, key=make_pair(tmp_path).key))
    assert caught.value.part == "key"
