"""Which pages may ask where no key is wanted."""

import pytest

from proxy.edge.foreign import is_foreign, read_host
from proxy.wire.headers import Headers

HERE = ("192.168.1.5", 8088)


def ask(cors: tuple[str, ...] = (), **fields: str) -> bool:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    return is_foreign(Headers(tuple(pairs)), HERE, cors)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"host": "evil.example"},  # no browser
        {"origin": "http://localhost:3000"},
        {"origin": "http://127.0.0.1:8088"},
        {"origin": "http://[::1]:8088"},
        {"origin": "http://app.localhost"},
        {"origin": "http://192.168.1.5:8088"},
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"},
        {"sec_fetch_site": "same-origin", "host": "127.0.0.1:8088"},
        {"sec_fetch_site": "same-origin", "host": "192.168.1.5"},
    ],
)
def test_who_may_ask(fields: dict[str, str]) -> None:
    assert not ask(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://evil.example:8088", "host": "evil.example:8088"},  # made to lead here
        {"origin": "http://192.168.1.50"},
        {"origin": "http://localhost.evil.example"},
        {"origin": "http://127.0.0.1@evil.example"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "same-origin", "host": "evil.example:8088"},
        {"sec_fetch_site": "same-origin"},
    ],
)
def test_who_may_not(fields: dict[str, str]) -> None:
    assert ask(**fields)
    assert not ask(("*",), **fields)


def test_an_origin_that_is_configured_may() -> None:
    assert not ask(("https://app.example",), origin="https://app.example")
    assert ask(("https://app.example",), origin="https://app.example:444")


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        ("A.example:80", "a.example"),
        ("a.example.", "a.example"),
        ("[::1]:80", "::1"),
        ("a:b", ""),
        ("a:123456", ""),
        ("", ""),
    ],
)
def test_a_host_is_read(authority: str, host: str) -> None:
    assert read_host(authority) == host
