"""Where the commands that ask a running proxy look for it."""

from pathlib import Path

import pytest

from proxy.cli import build_parser
from proxy.config.address import Address
from proxy.tools import admin_options
from proxy.tools.admin_client import AdminError
from proxy.tools.admin_options import find_admin


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8089", Address("127.0.0.1", 8089)),
        ("[::1]:8089", Address("::1", 8089)),
        ("unix:/run/x.sock", Address(path="/run/x.sock")),
        ("/run/x.sock", Address(path="/run/x.sock")),
    ],
)
def test_an_address_may_be_a_socket_of_either_kind(text: str, address: Address) -> None:
    assert build_parser().parse_args(["accounts", "--admin", text]).admin == address
    assert find_admin([], {"PENSTOCK_ADMIN": text}) == address


def test_what_is_no_address_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        build_parser().parse_args(["accounts", "--admin", "8089"])
    assert "host:port" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environ", "content", "message"),
    [
        ({"PENSTOCK_ADMIN": "off"}, "", "the admin listener is off"),
        ({"PENSTOCK_ADMIN": "nonsense"}, "", "PENSTOCK_ADMIN: not an address"),
        ({}, '[server]\nadmin = "off"\n', "the admin listener is off"),
        ({}, '[server]\nadmin = "${MISSING}"\n', "give --admin"),
    ],
)
def test_without_an_address_nothing_is_asked(
    environ: dict[str, str], content: str, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "penstock.toml"
    file.write_text(content)
    with pytest.raises(AdminError, match=message):
        find_admin([file], environ)


def test_the_service_of_this_machine_is_asked_unless_another_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    service = tmp_path / "admin-1.sock"
    monkeypatch.setattr(admin_options, "SERVICE", str(service))
    assert find_admin([], {}) == Address("127.0.0.1", 8089)  # none is installed
    service.symlink_to("blue/admin.sock")
    assert find_admin([], {}) == Address(path=str(service))
    assert find_admin([], {"PENSTOCK_ADMIN": "127.0.0.1:1"}) == Address("127.0.0.1", 1)
    (tmp_path / "penstock.toml").write_text('[server]\nadmin = "127.0.0.1:2"\n')
    assert find_admin([], {}) == Address("127.0.0.1", 2)
    assert find_admin([tmp_path / "penstock.toml"], {}) == Address("127.0.0.1", 2)
