"""A certificate authority of the tests' own, made with the `openssl` command: one for the run, in a folder given."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

_DAYS = "2"


@dataclass(frozen=True)
class Authority:
    """`ca_file` is what a client has to trust; `context(name)` is a server's, for 127.0.0.1 unless told otherwise."""

    folder: Path

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.pem")

    def context(self, name: str = "IP:127.0.0.1") -> ssl.SSLContext:
        place = self.folder / name.replace(":", "-").replace(".", "-")
        if not place.with_suffix(".pem").exists():
            self._issue(place, name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(place.with_suffix(".pem"), place.with_suffix(".key"))
        return context

    def _issue(self, place: Path, name: str) -> None:
        request, key, extensions = (str(place.with_suffix(end)) for end in (".csr", ".key", ".ext"))
        Path(extensions).write_text(f"subjectAltName={name}\n")
        _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server", "-keyout", key, "-out", request)
        signer = ("-CA", self.ca_file, "-CAkey", str(self.folder / "ca.key"), "-set_serial", "2")
        _openssl(
            "x509", "-req", "-in", request, "-days", _DAYS, *signer, "-extfile", extensions, "-out", f"{place}.pem"
        )  # fmt: skip


def make_authority(folder: Path) -> Authority:
    """A new authority whose files are in `folder`."""
    key, certificate = str(folder / "ca.key"), str(folder / "ca.pem")
    extensions = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    _openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", _DAYS, "-subj", "/CN=Test CA",
        "-keyout", key, "-out", certificate, *extensions,
    )  # fmt: skip
    return Authority(folder)


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
