"""Sockets of the service manager, measured by the rules of `[server] listen`."""

from typing import Any

import pytest

from proxy.config.address import Address, parse_address
from proxy.config.load import build_config
from proxy.config.model import Config
from proxy.config.passed import SOURCE, check_passed, is_listen
from proxy.errors import ConfigError

CLIENTS = {"clients": {"a": {"key": "0123456789abcdef"}}}
PROVIDER = {"providers": {"up": {"dialect": "raw", "base_url": "http://127.0.0.1:9", "accounts": {"m": {"key": "k"}}}}}


def build(*parts: dict[str, Any]) -> Config:
    return build_config([("test", {name: value for part in parts for name, value in part.items()})], {})


def complain(config: Config, *addresses: str) -> list[str]:
    try:
        check_passed(config, [parse_address(text) for text in addresses])
    except ConfigError as error:
        return [str(fault) for fault in error.faults]
    return []


@pytest.mark.parametrize("address", ["127.0.0.1:80", "[::1]:80", "unix:/run/a.sock", "[::ffff:127.0.0.1]:80"])
def test_without_clients_only_this_machine_may_connect(address: str) -> None:
    assert complain(build(), address) == []


@pytest.mark.parametrize("address", ["0.0.0.0:80", "[::]:80", "10.0.0.1:80", "[fe80::1%eth0]:80"])
def test_without_clients_others_may_not(address: str) -> None:
    (fault,) = complain(build(), "127.0.0.1:80", address)
    assert fault.startswith(f"{SOURCE}: ")
    assert "is not loopback" in fault
    assert "configure a client" in fault
    assert complain(build(CLIENTS), address) == []


def test_an_open_mount_over_a_key_is_refused_where_it_would_be_open_to_all() -> None:
    mount = {"provider": "up", "auth": "none"}
    config = build(CLIENTS, PROVIDER, {"mounts": {"/up": mount}})
    assert complain(config, "127.0.0.1:80", "unix:/a") == []
    (fault,) = complain(config, "0.0.0.0:80")
    assert fault.startswith(f'{SOURCE}: mounts."/up".auth: ')
    confirmed = build(CLIENTS, PROVIDER, {"mounts": {"/up": {**mount, "open_to_all": True}}})
    assert complain(confirmed, "0.0.0.0:80") == []


def test_one_address_passed_twice_is_no_fault() -> None:
    assert complain(build(), "127.0.0.1:80", "127.0.0.1:80") == []


@pytest.mark.parametrize(
    ("listen", "passed", "same"),
    [
        (["127.0.0.1:80"], ["127.0.0.1:80"], True),
        (["localhost:80"], ["127.0.0.1:80"], True),
        (["*:80"], ["0.0.0.0:80"], True),
        ([":80"], ["[::]:80"], True),
        (["0.0.0.0:80"], ["*:80"], True),
        (["[::1]:80", "unix:/a"], ["unix:/a", "[::1]:80"], True),
        (["127.0.0.1:80"], ["127.0.0.1:81"], False),
        (["127.0.0.1:80"], ["127.0.0.1:80", "unix:/a"], False),
        (["127.0.0.1:80"], ["10.0.0.1:80"], False),
    ],
)
def test_whether_the_configuration_names_the_same_addresses(listen: list[str], passed: list[str], same: bool) -> None:
    assert is_listen(listen, [parse_address(text) for text in passed]) is same


def test_a_socket_without_a_path_is_as_good_as_any_unix_socket() -> None:
    check_passed(build(), [Address(path="@abstract")])
