"""Certificate and key: whether they fit, whose fault it is when they do not, and until when they are good."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config import pair as pairs
from proxy.config.model import Tls
from proxy.config.pair import PairError, load_pair, read_validity
from tests.helpers.certificates import make_pair, run_openssl


def build_context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return make_pair(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    options = ("-nodes", "-pkeyopt", "ec_paramgen_curve:P-256")
    return make_pair(tmp_path_factory.mktemp("other"), *options, kind="ec")


def find_fault(certificate: str | Path, key: str | Path) -> tuple[str, str]:
    with pytest.raises(PairError) as caught:
        load_pair(build_context(), str(certificate), str(key))
    assert str(caught.value) == f"server.tls.{caught.value.part}: {caught.value.message}"
    return caught.value.part, caught.value.message


def test_a_pair_that_fits(good: Tls, other: Tls) -> None:
    for tls in (good, other):
        load_pair(build_context(), tls.certificate, tls.key)


def test_both_may_stand_in_one_file_in_any_order(good: Tls, tmp_path: Path) -> None:
    certificate, key = Path(good.certificate).read_text(), Path(good.key).read_text()
    for text in (certificate + key, key + certificate, f"# é, not ASCII\n{certificate}\n{certificate}{key}"):
        file = tmp_path / "both.pem"
        file.write_text(text)
        load_pair(build_context(), str(file), str(file))
        assert read_validity(str(file)) == read_validity(good.certificate)


def test_a_key_of_another_certificate(good: Tls, other: Tls, tmp_path: Path) -> None:
    stranger = make_pair(tmp_path)
    for key in (stranger.key, other.key):
        assert find_fault(good.certificate, key) == ("key", "it is not the key of this certificate")


def test_a_key_with_a_passphrase_asks_nobody(tmp_path: Path) -> None:
    tls = make_pair(tmp_path, "-passout", "pass:canary-phrase")
    part, message = find_fault(tls.certificate, tls.key)
    assert part == "key"
    assert message.startswith("it has a passphrase")


def test_files_that_hold_something_else(good: Tls, tmp_path: Path) -> None:
    empty, words = tmp_path / "empty", tmp_path / "words"
    empty.touch()
    words.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    no_certificate = ("certificate", "there is no certificate in it, as PEM")
    assert find_fault(empty, good.key) == no_certificate
    assert find_fault(words, good.key) == no_certificate
    assert find_fault(good.key, good.certificate) == no_certificate
    assert find_fault(good.certificate, empty) == ("key", "there is no private key in it, as PEM")
    assert find_fault(good.certificate, good.certificate) == ("key", "there is no private key in it, as PEM")


def test_a_key_that_is_broken_off(good: Tls, tmp_path: Path) -> None:
    half = tmp_path / "half"
    half.write_text(Path(good.key).read_text()[:800])
    assert find_fault(good.certificate, half) == ("key", "OpenSSL cannot read it with this certificate")


def test_a_file_that_is_not_there(good: Tls, tmp_path: Path) -> None:
    assert find_fault(tmp_path / "none", good.key) == ("certificate", "cannot be read: No such file or directory")
    assert find_fault(good.certificate, tmp_path) == ("key", "cannot be read: Is a directory")


def test_a_key_that_is_too_short(tmp_path: Path) -> None:
    tls = make_pair(tmp_path, "-nodes", kind="rsa:1024")
    assert find_fault(tls.certificate, tls.key) == ("certificate", "its key is too short for today's clients")


def test_from_when_until_when_it_is_good(good: Tls) -> None:
    start, end = read_validity(good.certificate)
    assert abs(start - datetime.now(UTC)) < timedelta(hours=1)
    assert end - start == timedelta(days=2)


def test_dates_behind_2049_have_another_form(tmp_path: Path) -> None:
    _, end = read_validity(make_pair(tmp_path, days="20000").certificate)
    assert end.year > 2070


def test_a_certificate_of_the_first_version_has_no_version(tmp_path: Path) -> None:
    request, certificate, key = (str(tmp_path / name) for name in ("csr", "pem", "key"))
    run_openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", key, "-out", request)
    run_openssl("x509", "-req", "-in", request, "-signkey", key, "-days", "3", "-out", certificate)
    start, end = read_validity(certificate)
    assert end - start == timedelta(days=3)


def test_a_certificate_that_is_cut_anywhere_is_none(good: Tls) -> None:
    der = ssl.PEM_cert_to_DER_cert(Path(good.certificate).read_text())
    for cut in range(len(der)):
        with pytest.raises(ValueError):  # noqa: PT011 - what is wrong with it differs
            pairs._parse_validity(der[:cut])


@given(st.integers(0, 2**16), st.integers(0, 255))
def test_a_certificate_with_a_wrong_byte_is_read_or_refused(good: Tls, at: int, byte: int) -> None:
    der = bytearray(ssl.PEM_cert_to_DER_cert(Path(good.certificate).read_text()))
    der[at % len(der)] = byte
    try:
        assert pairs._parse_validity(bytes(der)).end.tzinfo is UTC
    except ValueError:
        return


@given(st.binary(max_size=200))
def test_nothing_but_a_fault_comes_of_other_bytes(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what is wrong with it differs
        pairs._parse_validity(data)
