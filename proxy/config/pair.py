"""A certificate and its key, as two PEM files: whether they fit, and until when the certificate is good.

`load_pair` puts them into a context and raises PairError, which names the file that is to blame and never what stands
in it. `read_validity` reads the two dates of the first certificate in the file, and of nothing else in it: X.509 in
DER is tag, length and value all the way down (RFC 5280 4.1, X.690 8.1), and the standard library has no reader that
does without a peer. Raises ValueError there for what is no certificate.
"""

import ssl
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

from proxy.errors import PenstockError

Part = Literal["certificate", "key"]

MAX_FILE: Final = 1024 * 1024
"""Bytes of a file: a chain has some thousand."""

_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"
_KEY_MARK: Final = "PRIVATE KEY-----"

_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
_TIMES: Final = {0x17: "%y%m%d%H%M%SZ", 0x18: "%Y%m%d%H%M%SZ"}  # RFC 5280 4.1.2.5: UTCTime until 2049, GeneralizedTime

_STRANGER: Final = "it is not the key of this certificate"
_REASONS: Final[dict[str, tuple[Part, str]]] = {
    "KEY_VALUES_MISMATCH": ("key", _STRANGER),
    "KEY_TYPE_MISMATCH": ("key", _STRANGER),
    "NO_CERTIFICATE_ASSIGNED": ("key", _STRANGER),  # to a key of this kind, that is: RSA, EC
    "EE_KEY_TOO_SMALL": ("certificate", "its key is too short for today's clients"),
    "CA_KEY_TOO_SMALL": ("certificate", "the key of one that signed it is too short for today's clients"),
    "CA_MD_TOO_WEAK": ("certificate", "it is signed with a digest that is broken"),
}  # fmt: skip
"""What OpenSSL says, to whose fault it is."""


class PairError(PenstockError):
    """The pair cannot be served. part: which of the two is to blame."""

    def __init__(self, part: Part, message: str) -> None:
        super().__init__(part, message)
        self.part = part
        self.message = message

    def __str__(self) -> str:
        return f"server.tls.{self.part}: {self.message}"


class Validity(NamedTuple):
    start: datetime
    end: datetime


class _Locked(Exception):
    """OpenSSL has asked for a passphrase."""


def load_pair(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Let `context` show this certificate. Raises PairError."""
    _check_certificate(_read("certificate", certificate))
    if _KEY_MARK not in _read("key", key):
        raise PairError("key", "there is no private key in it, as PEM")
    try:
        context.load_cert_chain(certificate, key, _refuse_passphrase)
    except _Locked:
        raise PairError("key", "it has a passphrase, and nobody is there to type it: remove it with openssl") from None
    except ssl.SSLError as error:
        part, message = _REASONS.get(error.reason or "", ("key", "OpenSSL cannot read it with this certificate"))
        raise PairError(part, message) from None
    except OSError as error:
        raise PairError("key", f"cannot be read: {error.strerror}") from None


def read_validity(certificate: str) -> Validity:
    """From when until when it is good. Raises ValueError, or PairError for a file that cannot be read."""
    return _parse_validity(_decode(_read("certificate", certificate)))


def _check_certificate(text: str) -> None:
    try:
        _parse_validity(_decode(text))
    except ValueError:
        raise PairError("certificate", "there is no certificate in it, as PEM") from None


def _read(part: Part, path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(MAX_FILE).decode("latin-1")  # text may stand between the blocks, in whatever encoding
    except OSError as error:
        raise PairError(part, f"cannot be read: {error.strerror}") from None


def _decode(text: str) -> bytes:
    start = text.find(_BEGIN)
    end = text.find(_END, start)
    if start < 0 or end < 0:
        raise ValueError("no certificate")
    return ssl.PEM_cert_to_DER_cert(text[start : end + len(_END)])


def _parse_validity(der: bytes) -> Validity:
    _, certificate, _ = _take(der, _SEQUENCE)
    _, fields, _ = _take(certificate, _SEQUENCE)
    tag, _, rest = _take(fields)
    if tag == _VERSION:  # absent in the first version of X.509; then the first field is the serial number
        _, _, rest = _take(rest)
    for _ in ("signature", "issuer"):
        _, _, rest = _take(rest, _SEQUENCE)
    _, validity, _ = _take(rest, _SEQUENCE)
    start_tag, start, rest = _take(validity)
    end_tag, end, _ = _take(rest)
    return Validity(_parse_time(start_tag, start), _parse_time(end_tag, end))


def _take(data: bytes, wanted: int | None = None) -> tuple[int, bytes, bytes]:
    """Tag and value of the first element, and what is behind it."""
    if len(data) < 2 or (wanted is not None and data[0] != wanted):
        raise ValueError("not as X.509 has it")
    tag, length, at = data[0], data[1], 2
    if length >= 0x80:
        at += length - 0x80
        length = int.from_bytes(data[2:at], "big")
    if len(data) < at + length or at > 6:
        raise ValueError("cut short")
    return tag, data[at : at + length], data[at + length :]


def _parse_time(tag: int, value: bytes) -> datetime:
    time_format = _TIMES.get(tag)
    if time_format is None:
        raise ValueError("no time")
    return datetime.strptime(value.decode("ascii"), time_format).replace(tzinfo=UTC)


def _refuse_passphrase() -> str:
    raise _Locked
