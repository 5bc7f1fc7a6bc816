"""Accounts that go out through a proxy of their own: each through its own, and nothing of it is seen."""

from typing import Any

from tests.helpers.forward import forward_proxy
from tests.helpers.origin import origin
from tests.helpers.rawhttp import fetch
from tests.helpers.service import running

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def build_config(base_url: str, **proxies: str) -> dict[str, Any]:
    """An account for each proxy."""
    accounts = {name: {"key": f"key-of-{name}", "proxy": proxy} for name, proxy in proxies.items()}
    return {
        "providers": {"up": {"dialect": "openai-chat", "base_url": base_url, "accounts": accounts}},
        "mounts": {"/up": {"provider": "up", "auth": "none"}},
    }


def with_user(url: str) -> str:
    return url.replace("://", "://user:pa%73sword@")


async def test_each_account_takes_its_own_way(pull: bool) -> None:
    async with origin() as up, forward_proxy() as one, forward_proxy() as two:
        up.answer = OK
        config = build_config(up.base_url, a=with_user(one.url), b=two.url, c="")
        async with running(config, pull=pull) as proxy:
            for _ in range(6):
                assert (await fetch(proxy.port, "/up/x")).body == b"ok"
    for way, account in ((one, b"a"), (two, b"b")):
        assert len(way.heads) == 2
        assert all(b"Bearer key-of-" + account in head for head in way.heads)
    assert all(b"Basic dXNlcjpwYXNzd29yZA==" in head for head in one.heads)
    assert not any(b"Basic" in head for head in two.heads)


async def test_a_proxy_that_is_gone_is_said_without_its_credentials(pull: bool) -> None:
    async with forward_proxy() as way:
        url = way.url
    async with running(build_config("https://127.0.0.1:1", a=with_user(url)), pull=pull) as proxy:
        reply = await fetch(proxy.port, "/up/x")
        record = await proxy.wait_record()
    assert reply.status == 502
    assert record.error == "upstream_proxy"
    for told in (reply.body.decode(), repr(reply.headers), repr(record)):
        assert "password" not in told
        assert "dXNlcjpw" not in told
