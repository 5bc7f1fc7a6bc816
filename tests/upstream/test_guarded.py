"""The guard where it stands, on real sockets: names that lead where they should not, by both openers and all ways out.

What is connected to is seen by a listener on loopback: it is what must not be reached, and, where a test lets a network
in, the proof that it could have been.
"""

import asyncio
from ipaddress import ip_network
from typing import Any

import pytest
from yarl import URL

from proxy.errors import Code
from proxy.upstream.guard import Permit, build_permit
from tests.helpers.certificates import Authority
from tests.helpers.forward import forward_proxy
from tests.helpers.names import Names
from tests.helpers.origin import origin
from tests.helpers.upstreams import ask, fail, opening

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSING = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
BOTH = pytest.mark.parametrize("pull", [False, True], ids=["push", "pull"])

HERE_ONLY = Permit(networks=frozenset({ip_network("127.0.0.1")}))
"""Loopback's first address stands for a public one, its others are refused as ever."""


class Told:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def __call__(self, address: str, kind: str) -> None:
        self.told.append((address, kind))


@BOTH
@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "::1", "0.0.0.0", "169.254.169.254", "10.0.0.1"])
async def test_a_name_that_leads_inside_is_not_followed(pull: bool, address: str) -> None:
    told = Told()
    async with origin() as up:
        up.answer = OK
        url, names = f"http://api.example.com:{up.port}", Names([address])
        async with opening(url, pull=pull, tell=told, resolver=names) as opener:
            for _ in range(3):
                fault = await fail(opener)
        assert (fault.code, fault.detail, fault.stale) == (Code.GUARDED, "AddressRefused", False)
        assert address not in f"{fault} {fault!r} {fault.code.message}"
        assert up.peers == []
    assert names.asked == ["api.example.com"] * 3
    assert [where for where, _ in told.told] == [address]


@BOTH
async def test_with_the_network_permitted_the_same_name_is(pull: bool) -> None:
    async with origin() as up:
        up.answer = OK
        permit = build_permit([URL("http://api.example.com")], ["127.0.0.0/8"])
        url, names = f"http://api.example.com:{up.port}", Names(["127.0.0.1"])
        async with opening(url, pull=pull, resolver=names, permit=permit) as opener:
            assert await ask(opener) == (200, b"ok")


@BOTH
async def test_a_name_that_is_rebound_is_not_followed(pull: bool) -> None:
    """The first answer was a good one; the second is an address of this machine that something listens on."""
    told = Told()
    async with origin() as up:
        up.answer = CLOSING
        url, names = f"http://api.example.com:{up.port}", Names(["127.0.0.1"], ["127.0.0.2"])
        async with opening(url, pull=pull, tell=told, resolver=names, permit=HERE_ONLY) as opener:
            assert await ask(opener) == (200, b"ok")
            assert (await fail(opener)).code is Code.GUARDED
        assert len(up.peers) == 1
    assert told.told == [("127.0.0.2", "loopback")]


@BOTH
@pytest.mark.parametrize(
    "addresses",
    [["10.0.0.1", "127.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["::1", "127.0.0.1"], ["127.0.0.1", "::1", "fe80::1"],
     ["10.0.0.1", "10.0.0.2", "::1", "fc00::1", "127.0.0.1"]],
    ids=",".join,
)  # fmt: skip
async def test_a_bad_address_among_good_ones_is_skipped(pull: bool, addresses: list[str]) -> None:
    async with origin() as up:
        up.answer = OK
        url = f"http://api.example.com:{up.port}"
        async with opening(url, pull=pull, resolver=Names(addresses), permit=HERE_ONLY) as opener:
            assert await asyncio.wait_for(ask(opener), 5.0) == (200, b"ok")


@BOTH
async def test_a_good_address_that_nobody_listens_on_does_not_make_a_bad_one_good(pull: bool) -> None:
    async with origin() as up:
        port = up.port
    url, names = f"http://api.example.com:{port}", Names(["10.0.0.1", "127.0.0.1"])
    async with opening(url, pull=pull, resolver=names, permit=HERE_ONLY) as opener:
        assert (await fail(opener)).code is Code.REFUSED


@BOTH
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_what_is_written_out_needs_no_permission(pull: bool, host: str) -> None:
    async with origin() as up, opening(f"http://{host}:{up.port}", pull=pull) as opener:
        up.answer = OK
        assert await ask(opener) == (200, b"ok")


@BOTH
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_name_of_a_proxy_may_not_lead_inside_either(pull: bool, scheme: str) -> None:
    told = Told()
    async with forward_proxy() as way:
        proxy, names = f"http://proxy.example.com:{way.port}", Names(["127.0.0.1"])
        base_url = f"{scheme}://api.example.com"
        async with opening(base_url, pull=pull, proxy=proxy, tell=told, resolver=names) as opener:
            fault = await fail(opener)
        assert (fault.code, fault.detail) == (Code.PROXY, "AddressRefused")
        assert way.heads == []
    assert names.asked == ["proxy.example.com"]
    assert told.told == [("127.0.0.1", "loopback")]


@BOTH
async def test_a_proxy_that_is_written_out_opens_tunnels_to_names(pull: bool, authority: Authority) -> None:
    """Where the origin's name leads is the proxy's affair: it is not even looked up here."""
    async with origin(authority.context("DNS:localhost")) as up, forward_proxy() as way:
        up.answer = OK
        names, base_url = Names(["10.0.0.1"]), f"https://localhost:{up.port}"
        opened = opening(base_url, pull=pull, proxy=way.url, resolver=names, ca_file=authority.ca_file)
        async with opened as opener:
            assert await ask(opener) == (200, b"ok")
        assert names.asked == []
        assert way.heads[0].startswith(b"CONNECT ")


@BOTH
async def test_nothing_in_the_environment_shows_another_way(pull: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    async with origin() as up, forward_proxy() as way, opening(up.base_url, pull=pull) as opener:
        up.answer = OK
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, way.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert await ask(opener) == (200, b"ok")
        assert way.heads == []


async def test_names_are_looked_up_by_the_connector_that_the_tests_put_a_resolver_into() -> None:
    """Should aiohttp rename it, every test above would ask the real one."""
    async with opening("http://api.example.com") as opener:
        session: Any = opener
        connector = session._session.connector
        assert hasattr(connector, "_resolver")
        assert hasattr(connector, "_use_dns_cache")
