"""A certificate authority of the tests' own, made with the `openssl` command: one for the run, in a folder given; and
pairs of certificate and key that have something wrong with them."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from proxy.config.model import Tls

_DAYS = "2"


@dataclass(frozen=True)
class Authority:
    """`ca_file` is what a client has to trust; `context(name)` is a server's, for 127.0.0.1 unless told otherwise, and
    `pair(name)` its files."""

    folder: Path

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.pem")

    def pair(self, name: str = "IP:127.0.0.1") -> Tls:
        place = self.folder / name.replace(":", "-").replace(".", "-")
        if not place.with_suffix(".pem").exists():
            self._issue(place, name)
        return Tls(certificate=f"{place}.pem", key=f"{place}.key")

    def context(self, name: str = "IP:127.0.0.1") -> ssl.SSLContext:
        pair = self.pair(name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        return context

    def trust(self) -> ssl.SSLContext:
        """A client's context."""
        return ssl.create_default_context(cafile=self.ca_file)

    def _issue(self, place: Path, name: str) -> None:
        request, key, extensions = (str(place.with_suffix(end)) for end in (".csr", ".key", ".ext"))
        Path(extensions).write_text(f"subjectAltName={name}\n")
        run_openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server", "-keyout", key, "-out", request)
        signer = ("-CA", self.ca_file, "-CAkey", str(self.folder / "ca.key"), "-set_serial", "2")
        run_openssl(
            "x509", "-req", "-in", request, "-days", _DAYS, *signer, "-extfile", extensions, "-out", f"{place}.pem"
        )  # fmt: skip


def make_authority(folder: Path) -> Authority:
    """A new authority whose files are in `folder`."""
    key, certificate = str(folder / "ca.key"), str(folder / "ca.pem")
    extensions = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    run_openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", _DAYS, "-subj", "/CN=Test CA",
        "-keyout", key, "-out", certificate, *extensions,
    )  # fmt: skip
    return Authority(folder)


def make_pair(folder: Path, *options: str, kind: str = "rsa:2048", days: str = _DAYS) -> Tls:
    """A certificate that has signed itself, by the options of `openssl req`; its key has no passphrase unless told."""
    folder.mkdir(exist_ok=True)
    certificate, key = str(folder / "cert.pem"), str(folder / "key.pem")
    run_openssl(
        "req", "-x509", "-newkey", kind, "-subj", "/CN=alone", "-days", days, "-keyout", key, "-out", certificate,
        *(options or ("-nodes",)),
    )  # fmt: skip
    return Tls(certificate=certificate, key=key)


def run_openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
