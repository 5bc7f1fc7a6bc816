"""What must hold between keys. Each configuration is right in every single key."""

from pathlib import Path

import pytest

from proxy.config.checks import check_config
from proxy.config.model import (
    Account,
    Capability,
    Client,
    Config,
    Model,
    Mount,
    Override,
    Provider,
    Recording,
    Server,
    Tls,
)
from proxy.config.secret import Secret
from proxy.config.tree import Place
from tests.helpers.certificates import make_pair

DEV = {"dev": Client(key_sha256=b"1" * 32)}
BARE = Provider(dialect="raw", base_url="http://a")
PAID = Provider(dialect="raw", base_url="http://a", accounts={"main": Account(key=Secret("x"))})
PUBLIC = Server(listen=("127.0.0.1:1", "0.0.0.0:2"))
OPEN = Mount(provider="p", auth="none")


def check(config: Config, *broken: Place) -> list[Place]:
    """The places of the complaints, when these places have a fault of their own already."""
    return [place for place, _ in check_config(config, lambda place: any(place[: len(b)] == b for b in broken))]


@pytest.mark.parametrize("listen", ["127.0.0.1:1", "[::1]:1", "localhost:1", "unix:/run/s"])
def test_loopback_needs_no_client(listen: str) -> None:
    assert check(Config(server=Server(listen=(listen,)))) == []


def test_other_addresses_need_a_client() -> None:
    assert check(Config(server=PUBLIC)) == [("server", "listen", 1)]
    assert check(Config(server=PUBLIC, clients=DEV)) == []


def test_clients_that_could_not_be_read_are_not_missed() -> None:
    assert check(Config(server=PUBLIC), ("clients",)) == []


def test_admin_may_listen_anywhere() -> None:
    assert check(Config(server=Server(admin="0.0.0.0:8089"))) == []


def test_listener_that_could_not_be_read_is_left_out() -> None:
    assert check(Config(server=Server(listen=("", "")))) == []


@pytest.mark.parametrize(
    ("server", "places"),
    [
        (Server(listen=("127.0.0.1:1", "127.0.0.1:1")), [("server", "listen", 1)]),
        (Server(listen=("127.0.0.1:1",), admin="127.0.0.1:1"), [("server", "admin")]),
        (Server(listen=("unix:/s",), admin="unix:/s"), [("server", "admin")]),
        (Server(listen=("127.0.0.1:0",), admin="127.0.0.1:0"), []),
        (Server(listen=("127.0.0.1:1",), admin=""), []),
    ],
)
def test_two_listeners_cannot_share_an_address(server: Server, places: list[Place]) -> None:
    assert check(Config(server=server)) == places


@pytest.mark.parametrize(
    ("tls", "missing"),
    [
        (Tls(), None),
        (Tls(key="b"), "certificate"),
        (Tls(certificate="a"), "key"),
    ],
)
def test_a_certificate_has_a_key(tls: Tls, missing: str | None) -> None:
    assert check(Config(server=Server(tls=tls))) == ([("server", "tls", missing)] if missing else [])


def test_a_certificate_and_its_key_fit(tmp_path: Path) -> None:
    tls, stranger = make_pair(tmp_path), make_pair(tmp_path / "other")
    assert check(Config(server=Server(tls=tls))) == []
    assert check(Config(server=Server(tls=Tls(certificate=tls.certificate, key=stranger.key)))) == [
        ("server", "tls", "key")
    ]
    assert check(Config(server=Server(tls=Tls(certificate=tls.key, key=tls.key)))) == [("server", "tls", "certificate")]


def test_two_clients_cannot_share_a_key() -> None:
    clients = {name: Client(key_sha256=digest) for name, digest in (("a", b"1"), ("b", b"2"), ("c", b"1"))}
    assert check(Config(clients=clients)) == [("clients", "c")]


def test_clients_whose_keys_could_not_be_read_are_not_the_same() -> None:
    assert check(Config(clients={"a": Client(key_sha256=b""), "b": Client(key_sha256=b"")})) == []


def test_header_names_ignore_case() -> None:
    headers = {name: Secret("x") for name in ("X-A", "X-B", "x-a")}
    config = Config(providers={"p": Provider(dialect="raw", base_url="http://a", headers=headers)})
    assert check(config) == [("providers", "p", "headers", "x-a")]
    assert check(config, ("providers", "p", "headers", "x-a")) == []


@pytest.mark.parametrize(
    ("cors", "wrong"), [(("*",), False), (("https://a", "https://b"), False), (("https://a", "*"), True)]
)
def test_every_origin_stands_alone(cors: tuple[str, ...], wrong: bool) -> None:
    assert check(Config(server=Server(cors=cors))) == ([("server", "cors")] if wrong else [])


TOKEN = {"t": Account(token_command=(Secret("x"),)), "f": Account(token_file="x")}


@pytest.mark.parametrize(
    ("provider", "wrong"),
    [
        (Provider(dialect="openai-chat", base_url="http://a", quirks="groq", accounts=TOKEN), []),
        (Provider(dialect="openai-responses", base_url="http://a", quirks="azure"), []),
        (Provider(dialect="code-assist", base_url="http://a", project="p", accounts=TOKEN), []),
        (Provider(dialect="glm", base_url="http://a", quirks="groq", accounts=TOKEN), [("quirks",)]),
        (Provider(dialect="gemini", base_url="http://a", project="p"), [("project",)]),
        (Provider(dialect="openai-chat", base_url="http://a", query="a=b", think_tags="open"), []),
        (Provider(dialect="glm", base_url="http://a", clear_thinking=False), []),
        (Provider(dialect="openai-responses", base_url="http://a", think_tags="off"), [("think_tags",)]),
        (
            Provider(dialect="anthropic", base_url="http://a", query="a=b", clear_thinking=False),
            [("query",), ("clear_thinking",)],
        ),
        (Provider(dialect="gemini", base_url="http://a", accounts={"k": Account(key=Secret("x"))}), []),
        (
            Provider(dialect="anthropic", base_url="http://a", accounts=TOKEN),
            [("accounts", "t", "token_command"), ("accounts", "f", "token_file")],
        ),
    ],
)
def test_keys_of_some_dialects_belong_to_these(provider: Provider, wrong: list[Place]) -> None:
    config = Config(providers={"p": provider})
    assert check(config) == [("providers", "p", *place) for place in wrong]
    assert check(config, ("providers", "p", "dialect")) == []


CLAUDE = Provider(dialect="anthropic", base_url="http://a")


def test_targets_need_a_provider_that_has_models() -> None:
    providers = {"p": CLAUDE, "raw": BARE}
    models = {"m": Model(targets=("p/x", "q/x", "raw/x", "p/*")), "n": Model(targets=("p/a/b",))}
    config = Config(providers=providers, models=models)
    assert check(config) == [("models", "m", "targets", 1), ("models", "m", "targets", 2)]
    assert check(config, ("providers",)) == []
    assert check(config, ("models", "m", "targets", 1)) == [("models", "m", "targets", 2)]
    assert check(config, ("providers", "raw", "dialect")) == [("models", "m", "targets", 1)]


def test_overrides_are_of_targets() -> None:
    overrides = {name: Override() for name in ("p/x", "p/z", "p/*")}
    place = ("models", "m", "overrides", "p/z")
    config = Config(providers={"p": CLAUDE}, models={"m": Model(targets=("p/x", "p/*"), overrides=overrides)})
    assert list(check_config(config, lambda _: False)) == [(place, "it is none of the targets; did you mean p/x?")]
    assert check(config, place) == check(config, ("models", "m", "targets")) == []
    broken = Config(providers={"p": CLAUDE}, models={"m": Model(targets=("p/x", ""), overrides=overrides)})
    assert check(broken, ("models", "m", "targets", 1)) == []


def test_unknown_provider_comes_with_the_nearest_name() -> None:
    config = Config(providers={"claude": CLAUDE}, models={"m": Model(targets=("cluade/x",))})
    assert [message for _, message in check_config(config, lambda _: False)] == [
        "there is no provider cluade; did you mean claude?"
    ]


def test_budget_goes_upwards() -> None:
    place = ("capabilities", "m", "budget")
    config = Config(capabilities={"m": Capability(budget=(2, 1)), "n": Capability(budget=(0, 1)), "o": Capability()})
    assert check(config) == [place]
    assert check(Config(capabilities={"m": Capability(budget=(0, 0))})) == [place]
    assert check(config, (*place, 0)) == check(config, place) == []


def test_mount_needs_its_provider() -> None:
    config = Config(providers={"p": BARE}, mounts={"/a": Mount(provider="q"), "/b": Mount(provider="p")})
    assert check(config) == [("mounts", "/a", "provider")]
    assert check(config, ("providers",)) == []
    assert check(config, ("mounts", "/a")) == []


@pytest.mark.parametrize(
    ("server", "provider", "mount", "wrong"),
    [
        (PUBLIC, PAID, OPEN, True),
        (PUBLIC, PAID, Mount(provider="p", auth="none", open_to_all=True), False),
        (PUBLIC, PAID, Mount(provider="p", auth="key"), False),
        (PUBLIC, PAID, Mount(provider="p", auth="pass"), False),
        (PUBLIC, BARE, OPEN, False),
        (Server(), PAID, OPEN, False),
        (Server(listen=("unix:/run/s",)), PAID, OPEN, False),
    ],
)
def test_open_mount_over_paid_provider_needs_confirmation(
    server: Server, provider: Provider, mount: Mount, wrong: bool
) -> None:
    config = Config(server=server, clients=DEV, providers={"p": provider}, mounts={"/a": mount})
    assert check(config) == ([("mounts", "/a", "auth")] if wrong else [])


def test_a_rule_is_for_a_client_that_there_is() -> None:
    config = Config(clients=DEV, record=Recording(when=("failed", "client:dev", "client:dve", "model:dve")))
    assert list(check_config(config, lambda place: False)) == [
        (("record", "when", 2), "there is no client dve; did you mean dev?")
    ]
    assert check(Config(record=Recording(when=("client:dev",)))) == [("record", "when", 0)]
    assert check(Config(record=Recording(when=("client:dev",))), ("clients",)) == []
