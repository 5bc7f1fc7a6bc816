"""Warnings about good configurations."""

from pathlib import Path
from typing import Any

import pytest

from proxy.config.cautions import TERMS, find_cautions
from proxy.config.model import Account, Client, Config, Console, Ledger, Model, Mount, Price, Provider, Server, State
from proxy.config.secret import Secret


def test_nothing_to_say() -> None:
    assert list(find_cautions(Config(providers={"p": Provider(dialect="gemini", base_url="http://a")}))) == []


def test_code_assist_has_terms() -> None:
    config = Config(providers={"p": Provider(dialect="code-assist", base_url="http://a")})
    assert list(find_cautions(config)) == [(("providers", "p", "dialect"), TERMS)]


def test_token_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "token"
    accounts = {"main": Account(token_file=str(path))}
    config = Config(providers={"p": Provider(dialect="raw", base_url="http://a", accounts=accounts)})
    place = ("providers", "p", "accounts", "main", "token_file")
    assert list(find_cautions(config)) == [(place, "there is no such file yet")]
    path.touch()
    assert list(find_cautions(config)) == []


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
