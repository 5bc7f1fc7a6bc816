"""What can be said of the units without starting them."""

import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from proxy.config.load import build_config, load
from proxy.config.model import Config
from tests.helpers.systemd import ROOT

UNITS = ROOT / "systemd"
UNIT = UNITS / "penstock@.service"

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def read(key: str, path: Path = UNIT) -> list[str]:
    """The values of a key, in order."""
    return re.findall(rf"^{key}=(.*)$", path.read_text(), re.MULTILINE)


def load_first_config(tmp_path: Path) -> Config:
    (tmp_path / "key_client").write_text("x" * 40)
    return load([UNITS / "config.toml"], {"CREDENTIALS_DIRECTORY": str(tmp_path)})


@needs_systemd
def test_the_service_is_as_little_exposed_as_one_with_a_network_can_be(tmp_path: Path) -> None:
    shutil.copy(UNIT, tmp_path / "penstock@blue.service")
    asked = ["systemd-analyze", "security", "--offline=true", "--no-pager"]
    judged = subprocess.run(
        [*asked, "--threshold=10", tmp_path / "penstock@blue.service"], capture_output=True, text=True
    )
    assert judged.returncode == 0, judged.stdout
    assert "1.0 OK" in judged.stdout


def test_the_public_networks_are_those_that_the_script_prints() -> None:
    networks = runpy.run_path(str(ROOT / "scripts/networks"), run_name="not main")
    assert [f"IPAddressAllow={value}" for value in read("IPAddressAllow")] == networks["build_lines"]()
    assert sum(value.count(".") // 3 for value in read("IPAddressAllow")) == 74  # 73 networks and the resolver


def test_the_public_networks_hold_no_private_address() -> None:
    from ipaddress import ip_address, ip_network

    allowed = [ip_network(text) for value in read("IPAddressAllow") for text in value.split()]
    inside = {
        text for text in (
            "127.0.0.1", "10.1.2.3", "100.64.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1", "198.18.0.1",
            "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "1.1.1.1", "8.8.8.8",
            "172.32.0.1", "192.0.1.1", "2606:4700::1",
        )
        if any(ip_address(text) in network for network in allowed)
    }  # fmt: skip
    assert inside == {"1.1.1.1", "8.8.8.8", "172.32.0.1", "192.0.1.1", "2606:4700::1"}


def test_the_first_configuration_fits_the_units(tmp_path: Path) -> None:
    config = load_first_config(tmp_path)
    assert config.limits.drain == 55 * 60 < 3600
    assert read("TimeoutStopSec") == ["1h"]
    assert config.limits.memory == 2**30 < 2 * 2**30
    assert read("MemoryMax") == ["2G"]
    assert list(config.server.listen) == read("ListenStream", UNITS / "penstock.socket")


def test_the_commented_providers_of_the_first_configuration_are_right(tmp_path: Path) -> None:
    import tomllib

    lines = (UNITS / "config.toml").read_text().splitlines()
    opened = [re.sub(r"^# (?=\[|\w+(\.\w+)* = )", "", line) for line in lines]
    for name in ("client", "openai", "claude"):
        (tmp_path / f"key_{name}").write_text(name * 8)
    config = build_config([("opened", tomllib.loads("\n".join(opened)))], {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert set(config.providers) == {"openai", "claude", "local"}
    assert config.ledger.retain


@pytest.mark.parametrize("name", ["penstock.socket", "penstock-admin.socket"])
def test_a_socket_starts_a_service_that_is_shipped(name: str) -> None:
    (service,) = read("Service", UNITS / name)
    assert (UNITS / service.replace("@1.", "@.")).exists()


def test_every_unit_is_installed_and_removed() -> None:
    text = (ROOT / "scripts/deployment").read_text()
    (listed,) = re.findall(r'^unit_files="(.*)"', text, re.MULTILINE)
    assert set(listed.split()) == {path.name for path in UNITS.iterdir() if path.suffix in (".service", ".socket")}
