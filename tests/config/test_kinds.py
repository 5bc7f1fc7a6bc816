"""Kinds of leaves: reading, writing back, and what counts as off."""

from pathlib import Path
from typing import Any

import pytest

from proxy.config import kinds
from proxy.config.kind import Kind
from proxy.config.secret import Secret

READ: list[tuple[Kind, Any, Any, Any]] = [
    (kinds.DURATION, "10s", 10.0, "10s"),
    (kinds.DURATION, 10, 10.0, "10s"),
    (kinds.DURATION_OR_ZERO, 0, 0.0, "0s"),
    (kinds.DURATION_OR_OFF, "off", 0.0, "off"),
    (kinds.DURATION_OR_OFF, "0", 0.0, "off"),
    (kinds.DURATION_OR_OFF, 0, 0.0, "off"),
    (kinds.DURATION_OR_OFF, "15s", 15.0, "15s"),
    (kinds.SIZE, "1KiB", 1024, "1KiB"),
    (kinds.SIZE_OR_ZERO, 0, 0, "0"),
    (kinds.COUNT, 7, 7, 7),
    (kinds.COUNT, "7", 7, 7),
    (kinds.TOKENS, "100000000", 100_000_000, 100_000_000),
    (kinds.TOKENS_OR_ZERO, 0, 0, 0),
    (kinds.TOKENS_OR_ZERO, "0", 0, 0),
    (kinds.COUNT_OR_ZERO, 0, 0, 0),
    (kinds.COUNT_OR_ZERO, "7", 7, 7),
    (kinds.SHARE, 0, 0.0, 0.0),
    (kinds.SHARE, "1", 1.0, 1.0),
    (kinds.SHARE, "0.05", 0.05, 0.05),
    (kinds.DAY, 10**12, 10**12, 10**12),
    (kinds.DAY, "5000000", 5_000_000, 5_000_000),
    (kinds.RING, 0, 0, 0),
    (kinds.RING, "20", 20, 20),
    (kinds.AMOUNT, 0, 0.0, 0.0),
    (kinds.AMOUNT, 25, 25.0, 25.0),
    (kinds.AMOUNT, "0.125", 0.125, 0.125),
    (kinds.KEY_OR_NONE, "", Secret(""), ""),
    (kinds.RULE, "sample:0.01", "sample:0.01", "sample:0.01"),
    (kinds.DIRECTORY, "", "", ""),
    (kinds.DIRECTORY, "/srv/cassettes", "/srv/cassettes", "/srv/cassettes"),
    (kinds.HEDGE, "p95", "p95", "p95"),
    (kinds.HEDGE, "off", 0.0, "off"),
    (kinds.HEDGE, "250ms", 0.25, "250ms"),
    (kinds.DATA_FILE, "", "", ""),
    (kinds.DATA_FILE, ":memory:", ":memory:", ":memory:"),
    (kinds.PATTERN, "gpt-*", "gpt-*", "gpt-*"),
    (kinds.PROXY, "", Secret(""), ""),
    (kinds.PROXY, "HTTP://10.0.0.1:3128/", Secret("http://10.0.0.1:3128"), "http://10.0.0.1:3128"),
    (kinds.FLAG, True, True, True),
    (kinds.FLAG, "false", False, False),
    (kinds.ADDRESS, "[::1]:80", "[::1]:80", "[::1]:80"),
    (kinds.ADDRESS_OR_OFF, "off", "", ""),
    (kinds.ADDRESS_OR_OFF, "", "", ""),
    (kinds.FILE_NAME, "", "", ""),
    (kinds.NETWORK, "10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/8"),
    (kinds.NETWORK, "10.1.2.3", "10.1.2.3/32", "10.1.2.3/32"),
    (kinds.NETWORK, "FD00::/8", "fd00::/8", "fd00::/8"),
    (kinds.PEER, "unix", "unix", "unix"),
    (kinds.PEER, "127.0.0.1", "127.0.0.1/32", "127.0.0.1/32"),
    (kinds.FUTURE_FILE, "/no/such/file", "/no/such/file", "/no/such/file"),
    (kinds.ORIGIN, "https://App.example:443", "https://app.example", "https://app.example"),
    (kinds.TARGET, "a/b/c", "a/b/c", "a/b/c"),
    (kinds.PARAMETER, "logit_bias", "logit_bias", "logit_bias"),
    (kinds.PROJECT, "", "", ""),
    (kinds.QUERY, "a=b", "a=b", "a=b"),
]
REFUSED: list[tuple[Kind, Any]] = [
    (kinds.DURATION, 0),
    (kinds.DURATION, "0s"),
    (kinds.DURATION, "off"),
    (kinds.DURATION_OR_ZERO, "off"),
    (kinds.DURATION_OR_OFF, "none"),
    (kinds.SIZE, 0),
    (kinds.COUNT, 0),
    (kinds.COUNT, -1),
    (kinds.COUNT, 10**10),
    (kinds.COUNT, "1.5"),
    (kinds.COUNT, "٣"),
    (kinds.TOKENS, 0),
    (kinds.TOKENS, 100_000_001),
    (kinds.TOKENS_OR_ZERO, -1),
    (kinds.TOKENS_OR_ZERO, 100_000_001),
    (kinds.COUNT_OR_ZERO, -1),
    (kinds.NETWORK, ""),
    (kinds.NETWORK, "unix"),
    (kinds.NETWORK, "example.com"),
    (kinds.NETWORK, "10.0.0.1/8"),
    (kinds.NETWORK, "10.0.0.0/33"),
    (kinds.NETWORK, "fd00::%eth0/8"),
    (kinds.PEER, "unix:/run/x"),
    (kinds.COUNT_OR_ZERO, "x"),
    (kinds.DAY, 10**12 + 1),
    (kinds.DAY, "1e6"),
    (kinds.RING, 1001),
    (kinds.AMOUNT, -0.01),
    (kinds.AMOUNT, float("inf")),
    (kinds.AMOUNT, float("nan")),
    (kinds.AMOUNT, "1e3"),
    (kinds.AMOUNT, "$5"),
    (kinds.AMOUNT, 10**9 + 1),
    (kinds.KEY_OR_NONE, "two words"),
    (kinds.RULE, "some"),
    (kinds.DIRECTORY, "a\0b"),
    (kinds.SHARE, 1.01),
    (kinds.SHARE, -0.1),
    (kinds.SHARE, float("nan")),
    (kinds.SHARE, "1.1"),
    (kinds.SHARE, "5%"),
    (kinds.HEDGE, "p50"),
    (kinds.DATA_FILE, "a\0b"),
    (kinds.PATTERN, "a b"),
    (kinds.PROXY, "10.0.0.1:3128"),
    (kinds.FLAG, "yes"),
    (kinds.ADDRESS, ""),
    (kinds.ADDRESS, "off"),
    (kinds.FILE_NAME, "/no/such/file"),
    (kinds.FUTURE_FILE, ""),
    (kinds.FUTURE_FILE, "a\0b"),
    (kinds.TARGET, "gpt-5"),
    (kinds.FILE_NAME, "/\0"),
    (kinds.FILE_NAME, "/" + "x" * 5000),
]


@pytest.mark.parametrize(("kind", "raw", "value", "written"), READ)
def test_value_is_read_and_written(kind: Kind, raw: Any, value: Any, written: Any) -> None:
    assert type(raw) in kind.types
    assert kind.read(raw) == value
    assert type(kind.read(raw)) is type(value)
    assert kind.write(value) == written


@pytest.mark.parametrize(("kind", "_", "value", "written"), READ)
def test_written_value_reads_back(kind: Kind, _: Any, value: Any, written: Any) -> None:
    assert kind.read(written) == value


@pytest.mark.parametrize(("kind", "raw"), REFUSED)
def test_value_that_does_not_fit_is_refused(kind: Kind, raw: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        kind.read(raw)


def test_file_name_is_taken_when_the_file_exists(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    assert kinds.FILE_NAME.read(str(tmp_path / "ca.pem")) == str(tmp_path / "ca.pem")
    with pytest.raises(ValueError, match="no such file"):
        kinds.FILE_NAME.read(str(tmp_path))


@pytest.mark.parametrize("kind", [kinds.KEY, kinds.KEY_TO_DIGEST, kinds.DIGEST, kinds.HEADER_VALUE, kinds.ARGUMENT])
def test_secret_kind_is_sensitive_and_written_masked(kind: Kind) -> None:
    assert kind.sensitive
    assert kind.write(kind.blank) == "***"


def test_a_token_that_is_there_is_written_masked() -> None:
    assert kinds.KEY_OR_NONE.sensitive
    assert kinds.KEY_OR_NONE.write(kinds.KEY_OR_NONE.read("canary")) == "***"


def test_proxy_is_sensitive_and_shows_no_password() -> None:
    proxy = kinds.PROXY.read("http://user:canary@10.0.0.1:3128")
    assert kinds.PROXY.sensitive
    assert kinds.PROXY.write(proxy) == "http://***@10.0.0.1:3128"
    assert kinds.PROXY.read(kinds.PROXY.write(proxy)).reveal() == "http://***@10.0.0.1:3128"
