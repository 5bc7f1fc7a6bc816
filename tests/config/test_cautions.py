"""Warnings about good configurations."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from proxy.config import cautions
from proxy.config.cautions import RENEWAL, STOP_TIMEOUT, TERMS, find_cautions
from proxy.config.model import (
    Account,
    Client,
    Config,
    Console,
    Ledger,
    Limits,
    Model,
    Mount,
    Price,
    Provider,
    Server,
    State,
)
from proxy.config.secret import Secret
from tests.helpers.certificates import make_pair


def test_nothing_to_say() -> None:
    assert list(find_cautions(Config(providers={"p": Provider(dialect="gemini", base_url="http://a")}))) == []


def test_code_assist_has_terms() -> None:
    config = Config(providers={"p": Provider(dialect="code-assist", base_url="http://a")})
    assert list(find_cautions(config)) == [(("providers", "p", "dialect"), TERMS)]


@pytest.mark.parametrize(
    ("networks", "told"),
    [((), False), (("10.0.0.0/8", "fe80::/10"), False), (("::/0",), False), (("10.0.0.0/8", "169.254.0.0/16"), True),
     (("0.0.0.0/0",), True)],
)  # fmt: skip
def test_private_networks_with_the_keys_of_the_machine(networks: tuple[str, ...], told: bool) -> None:
    config = Config(providers={"p": Provider(dialect="raw", base_url="http://a", private_networks=networks)})
    found = [(place, "169.254.169.254" in message) for place, message in find_cautions(config)]
    assert found == ([(("providers", "p", "private_networks"), True)] if told else [])


def test_token_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "token"
    accounts = {"main": Account(token_file=str(path))}
    config = Config(providers={"p": Provider(dialect="raw", base_url="http://a", accounts=accounts)})
    place = ("providers", "p", "accounts", "main", "token_file")
    assert list(find_cautions(config)) == [(place, "there is no such file yet")]
    path.touch()
    assert list(find_cautions(config)) == []


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (timedelta(days=-1), "it is good from "),
        (timedelta(minutes=-2), "it is good from "),
        (timedelta(days=2), ""),
        (timedelta(days=60) - RENEWAL - timedelta(minutes=2), ""),
        (timedelta(days=60) - RENEWAL + timedelta(minutes=2), "it expires at "),
        (timedelta(days=61), "it has expired, at "),
    ],
)
def test_a_certificate_s_dates(after: timedelta, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = make_pair(tmp_path, days="60")
    begun = datetime.now(UTC)
    monkeypatch.setattr(cautions, "datetime", SimpleNamespace(now=lambda zone: begun + after))
    found = list(find_cautions(Config(server=Server(tls=tls))))
    assert [place for place, _ in found] == ([("server", "tls", "certificate")] if said else [])
    assert all(message.startswith(said) and message.endswith((" UTC", " UTC only")) for _, message in found)


def test_a_key_that_everybody_may_read(tmp_path: Path) -> None:
    tls = make_pair(tmp_path, days="60")
    os.chmod(tls.key, 0o644)
    found = list(find_cautions(Config(server=Server(tls=tls))))
    assert found == [(("server", "tls", "key"), "every user of this machine may read it")]


@pytest.mark.parametrize(
    ("targets", "rescue", "said"),
    [
        (("bare/x",), "restart", True),
        (("bare/x", "bare/x"), "restart", True),
        (("bare/x",), "off", False),
        (("bare/x", "bare/y"), "continue", False),
        (("bare/x", "one/x"), "continue", False),
        (("one/x",), "continue", True),
        (("two/x",), "restart", False),
    ],
)
def test_rescue_needs_somebody_else(targets: tuple[str, ...], rescue: str, said: bool) -> None:
    providers = {
        name: Provider(dialect="gemini", base_url="http://a", accounts={str(n): Account() for n in range(count)})
        for name, count in (("bare", 0), ("one", 1), ("two", 2))
    }
    config = Config(providers=providers, models={"m": Model(targets=targets, rescue=rescue)})
    assert [place for place, _ in find_cautions(config)] == [("models", "m", "rescue")] * said


@pytest.mark.parametrize(
    ("admin", "token", "places"),
    [
        ("127.0.0.1:1", "", []),
        ("unix:/run/s", "", []),
        ("", "", []),
        ("0.0.0.0:1", "", [("server", "admin")]),
        ("*:1", "x" * 15, [("console", "token")]),
        ("*:1", "x" * 16, []),
        ("[::1]:1", "x", [("console", "token")]),
    ],
)
def test_an_admin_listener_that_others_reach_needs_a_token(
    admin: str, token: str, places: list[tuple[str, ...]]
) -> None:
    config = Config(server=Server(admin=admin), console=Console(token=Secret(token)))
    assert [place for place, _ in find_cautions(config)] == places


def test_a_day_s_limits_need_prices_and_a_ledger() -> None:
    clients = {
        "free": Client(key_sha256=b"1", rpm=1, tpm=1),
        "some": Client(key_sha256=b"2", tokens_per_day=1, cost_per_day=1.0),
    }
    price = {"p/*": Price(input=1.0, output=1.0)}
    providers = {"p": Provider(dialect="gemini", base_url="http://a")}
    tokens, cost = ("clients", "some", "tokens_per_day"), ("clients", "some", "cost_per_day")

    def find(**tables: Any) -> list[tuple[str | int, ...]]:
        return [place for place, _ in find_cautions(Config(clients=clients, providers=providers, **tables))]

    assert find(prices=price) == []
    assert find() == [cost]
    assert find(prices=price, ledger=Ledger(path=":memory:")) == [tokens, cost]
    assert find(prices=price, state=State(path=":memory:")) == [tokens, cost]
    assert find(prices=price, state=State(path=":memory:"), ledger=Ledger(path="x.db")) == []


@pytest.mark.parametrize(
    ("limits", "auth", "said"),
    [
        ({"tpm": 1}, "key", ["tpm"]),
        ({"tokens_per_day": 1, "cost_per_day": 1.0}, "key", ["tokens_per_day", "cost_per_day"]),
        ({"tpm": 1}, "pass", []),
        ({"tpm": 1, "models": ("m",)}, "key", []),
        ({"rpm": 1, "max_streams": 1}, "key", []),
    ],
)
def test_what_nobody_counts_on_a_mount_is_said(limits: dict[str, Any], auth: str, said: list[str]) -> None:
    config = Config(
        clients={"a": Client(key_sha256=b"1", **limits)},
        providers={"p": Provider(dialect="gemini", base_url="http://a")},
        mounts={"/p": Mount(provider="p", auth=auth)},
        prices={"p/*": Price(input=1.0, output=1.0)},
    )
    assert [place for place, _ in find_cautions(config)] == [("clients", "a", key) for key in said]


@pytest.mark.parametrize(
    ("name", "said"), [("p/m", False), ("*/m", False), ("p*/m", False), ("q/m", True), ("p*x/m", False), ("*q/m", True)]
)
def test_a_price_is_for_a_provider_that_there_is(name: str, said: bool) -> None:
    providers = {name: Provider(dialect="gemini", base_url="http://a") for name in ("p", "px")}
    config = Config(providers=providers, prices={name: Price(input=1.0, output=1.0)})
    assert [place for place, _ in find_cautions(config)] == [("prices", name)] * said


@pytest.mark.parametrize(("drain", "said"), [(3300.0, False), (3590.0, False), (3591.0, True), (7200.0, True)])
def test_a_drain_ends_before_the_service_is_killed(drain: float, said: bool) -> None:
    places = [place for place, _ in find_cautions(Config(limits=Limits(drain=drain)))]
    assert places == [("limits", "drain")] * said


def test_the_unit_says_when_the_service_is_killed() -> None:
    unit = (Path(__file__).parents[2] / "systemd" / "penstock@.service").read_text()
    assert re.findall("^TimeoutStopSec=(.*)$", unit, re.MULTILINE) == [f"{STOP_TIMEOUT / 3600:g}h"]


def test_a_front_proxy_makes_a_loopback_listener_public() -> None:
    server = Server(trusted_proxies=("127.0.0.1",))
    ((place, message),) = find_cautions(Config(server=server))
    assert place == ("server", "trusted_proxies")
    assert "without [clients]" in message
    assert list(find_cautions(Config(server=server, clients={"a": Client(key_sha256=b"x")}))) == []
