"""From a table to a configuration: every leaf by itself, every fault with its place, no secret in any message."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.config.convert import convert
from proxy.config.describe import mask
from proxy.config.model import Config
from proxy.config.tree import build_table, merge
from proxy.errors import ConfigError, Fault


def read(data: dict[str, Any], environ: dict[str, str] | None = None) -> Config:
    return convert(build_table(data, "file"), environ or {})


def faults(data: dict[str, Any], environ: dict[str, str] | None = None) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as caught:
        read(data, environ)
    return [(fault.place, fault.message) for fault in caught.value.faults]


def test_empty_table_gives_the_defaults() -> None:
    assert read({}) == Config()


def test_values_reach_the_model() -> None:
    config = read(
        {
            "limits": {"idle": "off", "max_body": 5, "streams": "7"},
            "mounts": {"/a": {"provider": "p", "open_to_all": "true"}},
            "providers": {"p": {"dialect": "raw", "base_url": "http://a/", "headers": {"X": "${X}"}}},
        },
        {"X": "value"},
    )
    assert (config.limits.idle, config.limits.max_body, config.limits.streams) == (0.0, 5, 7)
    assert config.limits.connect == Config().limits.connect
    assert config.mounts["/a"].open_to_all is True
    assert config.providers["p"].base_url == "http://a"
    assert config.providers["p"].headers["X"].reveal() == "value"


def test_clear_key_and_its_hash_give_the_same_client() -> None:
    digest = "ef260e9aa3c673af240d17a2660480361a8e081d1ffeca2a5ed0e3219fc18567"
    assert read({"clients": {"a": {"key": "dev"}}}) == read({"clients": {"a": {"key_sha256": digest}}})


def test_both_spellings_are_checked_even_when_only_one_may_stand() -> None:
    found = faults({"clients": {"a": {"key": "", "key_sha256": "x"}}})
    assert [place for place, _ in found] == ["clients.a.key", "clients.a.key_sha256", "clients.a"]


def test_elements_of_an_array_are_expanded_and_checked_one_by_one() -> None:
    found = faults({"server": {"listen": ["${A}:1", "${B}:1", 3, {"a": 1}, "x"]}}, {"A": "127.0.0.1"})
    assert [place for place, _ in found] == [f"server.listen[{index}]" for index in (1, 2, 3, 4)]


def test_empty_array_is_a_fault() -> None:
    assert faults({"server": {"listen": []}}) == [("server.listen", "the array is empty: at least one is needed")]


def test_arrays_that_may_be_empty_or_have_a_length() -> None:
    assert read({"server": {"cors": []}}).server.cors == ()
    assert read({"capabilities": {"m": {"budget": [1, "2"]}}}).capabilities["m"].budget == (1, 2)
    for budget in ([], [1], [1, 2, 3]):
        message = f"the array has {len(budget)} elements: exactly 2 are needed"
        assert faults({"capabilities": {"m": {"budget": budget}}}) == [("capabilities.m.budget", message)]


def provide(account: dict[str, Any]) -> dict[str, Any]:
    return {"providers": {"p": {"dialect": "raw", "base_url": "http://a", "accounts": {"main": account}}}}


def test_credential_may_be_a_command_or_a_file() -> None:
    account = read(provide({"token_command": ["print", "${X}"], "token_lifetime": "5m"}), {"X": "y"})
    command = account.providers["p"].accounts["main"]
    assert [argument.reveal() for argument in command.token_command] == ["print", "y"]
    assert command.token_lifetime == 300.0
    assert read(provide({"token_file": "/run/x"})).providers["p"].accounts["main"].token_file == "/run/x"


@pytest.mark.parametrize(
    ("account", "found"),
    [
        ({}, "none"),
        ({"token_lifetime": "1m"}, "none"),
        ({"key": "a", "token_file": "b"}, "key and token_file"),
        ({"key": "a", "token_command": ["a"], "token_file": "b"}, "key and token_command and token_file"),
    ],
)
def test_credential_is_given_once(account: dict[str, Any], found: str) -> None:
    text = f"give exactly one of key, token_command, token_file: found {found}"
    assert faults(provide(account)) == [("providers.p.accounts.main", text)]


def test_what_was_found_is_shown_short_and_escaped() -> None:
    [(_, message)] = faults({"limits": {"idle": "\x1b" + "x" * 100}})
    assert message.endswith('; found "\\u001B' + "x" * 63 + '…"')


def test_placeholder_is_shown_and_not_what_it_gives() -> None:
    [(_, message)] = faults({"limits": {"idle": "${IDLE}"}}, {"IDLE": "canary"})
    assert message.endswith('; found "${IDLE}"')


def test_truth_value_is_not_a_number() -> None:
    assert faults({"limits": {"connect": True}}) == [("limits.connect", "wrong type: expected duration, found true")]


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("listn", "did you mean listen?"),
        ("zzz", "known here: listen, admin, via, tls"),
        ("x" * 10_000, "known here"),
    ],
)
def test_unknown_key_comes_with_a_hint(key: str, hint: str) -> None:
    [(_, message)] = faults({"server": {key: 1}})
    assert message.startswith("unknown key; ")
    assert hint in message


@pytest.mark.parametrize("section", ["model", "ledgers", "price", "consoles", "chats", "recording"])
def test_table_that_is_not_in_the_model_is_a_fault(section: str) -> None:
    assert [place for place, _ in faults({section: {}})] == [section]


def test_fault_names_the_file_its_leaf_came_from() -> None:
    first = build_table({"server": {"via": "a b"}, "limits": {"idle": "x"}, "providers": {"p": {}}}, "one")
    second = build_table({"server": {"admin": "x"}, "limits": {"idle": "y", "z": 1}}, "two")
    with pytest.raises(ConfigError) as caught:
        convert(merge(first, second), {})
    assert [(fault.file, fault.place) for fault in caught.value.faults] == [
        ("two", "server.admin"),
        ("one", "server.via"),
        ("two", "limits.z"),
        ("two", "limits.idle"),
        ("one", "providers.p.dialect"),
        ("one", "providers.p.base_url"),
    ]


def test_error_prints_one_fault_a_line() -> None:
    error = ConfigError([Fault("f", "a.b", "wrong"), Fault("g", "", "not TOML", 3, 5)])
    assert str(error) == "invalid configuration:\n  f: a.b: wrong\n  g: line 3, column 5: not TOML"


SECRET_PLACES: list[dict[str, Any]] = [
    {"clients": "canary"},
    {"clients": {"key": "canary"}},
    {"clients": {"a": "canary"}},
    {"clients": {"a": ["canary"]}},
    {"clients": {"a": {"key": "canary canary"}}},
    {"clients": {"a": {"key": ["canary"]}}},
    {"clients": {"a": {"key": {"canary": 1}}}},
    {"clients": {"a": {"key": "${canary-1}"}}},
    {"clients": {"a": {"key": "canary$1"}}},
    {"clients": {"a": {"key": "${NO:-canary canary}"}}},
    {"clients": {"a": {"key": "${NO:?canary}"}}},
    {"clients": {"a": {"key": "${SPACED}"}}},
    {"clients": {"a": {"key": "${LINES}"}}},
    {"clients": {"a": {"key_sha256": "canary"}}},
    {"clients": {"a": {"key_sha256": "${SPACED}"}}},
    {"clients": {"a": {"kye": "canary"}}},
    {"clients": {"a": {"key": "canary"}, "b": {"key": "canary"}}},
    {"providers": "canary"},
    {"providers": {"p": "canary"}},
    {"providers": {"p": {"key": "canary"}}},
    {"providers": {"p": {"base_url": "https://u:canary@a/"}}},
    {"providers": {"p": {"base_url": "https://a/?key=canary"}}},
    {"providers": {"p": {"base_url": "canary"}}},
    {"providers": {"p": {"base_url": ["canary"]}}},
    {"providers": {"p": {"headers": "X-Key: canary"}}},
    {"providers": {"p": {"headers": ["X-Key: canary"]}}},
    {"providers": {"p": {"headers": {"X-Key: canary": ""}}}},
    {"providers": {"p": {"headers": {"X-Key:canary": "canary"}}}},
    {"providers": {"p": {"headers": {"X-Key: canary": "x", "x-key: canary": "x"}}}},
    {"providers": {"p": {"headers": {"X-Key": "canary\n"}}}},
    {"providers": {"p": {"headers": {"X-Key": ["canary"]}}}},
    {"providers": {"p": {"headers": {"X-Key": "canary", "x-key": "canary"}}}},
    {"providers": {"p": {"headers": {"Host": "canary"}}}},
    {"providers": {"p": {"Authorization: canary": ""}}},
    {"providers": {"p": {"accounts": "canary"}}},
    {"providers": {"p": {"accounts": {"main": "canary"}}}},
    {"providers": {"p": {"accounts": {"main": {"key": "canary\x00"}}}}},
    {"providers": {"p": {"accounts": {"main": {"token": "canary"}}}}},
    {"providers": {"p": {"accounts": {"main": {"token_command": "canary"}}}}},
    {"providers": {"p": {"accounts": {"main": {"token_command": ["canary", "canary\0"]}}}}},
    {"providers": {"p": {"dialect": "gemini", "accounts": {"main": {"token_command": ["canary"]}}}}},
    {"mounts": {"/a": {"provider": "p", "key": "canary"}}},
    {"mounts": {"/a?key=canary": {"provider": "p"}}},
    {"limits": {"idle": "${SPACED}"}},
    {"server": {"secret": "canary"}},
]


@pytest.mark.parametrize("data", SECRET_PLACES, ids=str)
def test_no_fault_ever_shows_a_secret(data: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        read(data, {"SPACED": "canary canary", "LINES": "canary\n"})
    assert "canary" not in f"{caught.value} {caught.value.args} {caught.value!r}"


def test_no_print_of_a_good_configuration_shows_a_secret() -> None:
    account = {"main": {"key": "canary-1"}}
    provider = {"dialect": "raw", "base_url": "http://a", "headers": {"X": "canary-2"}, "accounts": account}
    config = read({"clients": {"a": {"key": "canary-3"}}, "providers": {"p": provider}})
    assert "canary" not in f"{config} {config!r} {mask(config)} {config.providers} {config.clients['a']}"
    assert config.providers["p"].accounts["main"].key.reveal() == "canary-1"


WORDS = [
    *("server", "listen", "admin", "via", "limits", "idle", "max_body", "streams", "clients", "key", "key_sha256"),
    *("providers", "dialect", "base_url", "headers", "accounts", "mounts", "/a", "provider", "auth", "log", "level"),
    *("cors", "models", "targets", "drop_params", "capabilities", "budget", "efforts", "token_command", "token_file"),
    *("rpm", "cost_per_day", "ledger", "retain", "prices", "a/b", "input", "output", "console", "token", "record"),
]
KEYS = st.sampled_from(WORDS) | st.text(max_size=5)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.sampled_from(["${A}", "$", "10s", "1KiB", "raw", "http://a", "127.0.0.1:1", "0.0.0.0:1", "a", "none"])
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=30
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(KEYS, TREES, max_size=6), st.dictionaries(KEYS, TREES, max_size=3))
def test_any_tables_give_a_configuration_or_a_config_error(first: dict[str, Any], second: dict[str, Any]) -> None:
    root = merge(build_table(first, "one"), build_table(second, "two"))
    try:
        config = convert(root, {"A": "1"})
    except ConfigError as error:
        assert {fault.file for fault in error.faults} <= {"one", "two"}  # noqa: PT017
    else:
        assert set(mask(config)) == set(Config.__struct_fields__)


SECTIONS = st.fixed_dictionaries(
    {},
    optional={
        "server": st.dictionaries(st.sampled_from(["listen", "admin", "via"]), SCALARS | st.lists(SCALARS, max_size=3)),
        "limits": st.dictionaries(st.sampled_from(["idle", "drain", "streams", "body_rate"]), SCALARS),
        "clients": st.dictionaries(KEYS, st.dictionaries(st.sampled_from(["key", "key_sha256"]), SCALARS)),
        "providers": st.dictionaries(
            KEYS,
            st.dictionaries(
                st.sampled_from(["dialect", "base_url", "headers", "accounts"]),
                SCALARS | st.dictionaries(KEYS, SCALARS | st.dictionaries(KEYS, SCALARS)),
            ),
        ),
        "mounts": st.dictionaries(
            KEYS, st.dictionaries(st.sampled_from(["provider", "auth", "heartbeat", "open_to_all"]), SCALARS)
        ),
        "log": st.dictionaries(st.sampled_from(["format", "level"]), SCALARS),
    },
)


@settings(max_examples=300, deadline=None)
@given(SECTIONS)
def test_tables_of_the_right_shape_give_a_configuration_or_a_config_error(data: dict[str, Any]) -> None:
    try:
        config = read(data, {"A": "1"})
    except ConfigError as error:
        assert str(error).count("\n  ") == len(error.faults) > 0  # noqa: PT017
    else:
        assert config.limits.streams >= 1
