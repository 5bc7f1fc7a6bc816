"""An account's own proxy: tunnels and absolute forms, its credentials, and what of its faults is whose."""

import asyncio
import logging
from typing import Any

import pytest
from yarl import URL

from proxy.errors import Code, UpstreamFault
from proxy.relay.ports import UpstreamRequest
from proxy.upstream.egress import HttpProxy, check_status, parse_proxy
from proxy.upstream.guard import build_permit
from tests.helpers.bare import black_hole
from tests.helpers.certificates import Authority
from tests.helpers.forward import forward_proxy
from tests.helpers.origin import origin
from tests.helpers.upstreams import GET, ask, fail, opening

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BOTH = pytest.mark.parametrize("pull", [False, True], ids=["push", "pull"])
AUTHORIZATION = "Basic dXPDqXI6cDo6QHNzd29yZA=="  # usér:p::@ssword


def with_user(url: str) -> str:
    return url.replace("://", "://us%C3%A9r:p::%40ssword@")


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("", None),
        ("http://h:3128", HttpProxy(URL("http://h:3128"))),
        ("http://h:3128/", HttpProxy(URL("http://h:3128"))),
        ("https://h", HttpProxy(URL("https://h"))),
        ("http://us%C3%A9r:p::%40ssword@h:1", HttpProxy(URL("http://h:1"), AUTHORIZATION)),
        ("http://u@h", HttpProxy(URL("http://h"), "Basic dTo=")),
        ("http://:p@h", HttpProxy(URL("http://h"), "Basic OnA=")),
        ("http://[::1]:8080", HttpProxy(URL("http://[::1]:8080"))),
    ],
)
def test_a_url_is_a_place_and_a_field(text: str, proxy: HttpProxy | None) -> None:
    assert parse_proxy(text) == proxy


def test_a_proxy_does_not_show_its_credentials() -> None:
    proxy = parse_proxy("http://user:password@h:1")
    assert repr(proxy) == "HttpProxy(url=URL('http://h:1'))"


def test_an_answer_of_407_is_the_proxy_s() -> None:
    with pytest.raises(UpstreamFault) as caught:
        check_status(407, parse_proxy("http://h"))
    assert (caught.value.code, caught.value.detail) == (Code.PROXY, "status 407")
    check_status(407, None)
    check_status(502, parse_proxy("http://h"))


@BOTH
async def test_a_request_to_an_http_origin_goes_in_absolute_form(pull: bool) -> None:
    request = UpstreamRequest("GET", "/a%2Fb/../%7e?q=%20&r", [(b"x-a", b"1")], None)
    async with origin() as up, forward_proxy() as way, opening(up.base_url, pull=pull, proxy=way.url) as opener:
        up.answer = OK
        assert await ask(opener, request) == (200, b"ok")
        line, *fields = way.heads[0].split(b"\r\n")
        assert line == b"GET http://127.0.0.1:%d/a%%2Fb/../%%7e?q=%%20&r HTTP/1.1" % up.port
        assert b"host: 127.0.0.1:%d" % up.port in [field.lower() for field in fields]
        assert b"x-a: 1" in fields
        assert b"proxy-authorization" not in way.heads[0].lower()


@BOTH
async def test_a_proxy_is_told_the_credentials(pull: bool) -> None:
    async with origin() as up, forward_proxy() as way:
        up.answer = OK
        async with opening(up.base_url, pull=pull, proxy=with_user(way.url)) as opener:
            assert await ask(opener) == (200, b"ok")
    (head,) = way.heads
    assert head.lower().count(b"proxy-authorization: ") == 1
    assert AUTHORIZATION.encode() in head


@BOTH
async def test_connections_to_a_proxy_are_kept(pull: bool) -> None:
    async with origin() as up, forward_proxy() as way:
        up.answer = OK
        async with opening(up.base_url, pull=pull, proxy=with_user(way.url)) as opener:
            for _ in range(3):
                assert await ask(opener) == (200, b"ok")
        assert len(up.peers) == 1
        assert len(way.heads) == 3


@BOTH
@pytest.mark.parametrize("secured", [False, True], ids=["http proxy", "https proxy"])
async def test_a_request_to_an_https_origin_goes_through_a_tunnel(
    pull: bool, secured: bool, authority: Authority
) -> None:
    context = authority.context()
    async with origin(context) as up, forward_proxy(context if secured else None) as way:
        up.answer = OK
        proxy = with_user(way.url)
        async with opening(up.base_url, {"x-key": "k"}, pull=pull, proxy=proxy, ca_file=authority.ca_file) as opener:
            for _ in range(3):
                assert await ask(opener) == (200, b"ok")
        (head,) = way.heads  # one tunnel for all of them
        assert head.startswith(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n" % up.port)
        assert head.lower().count(b"proxy-authorization: ") == 1
        assert AUTHORIZATION.encode() in head
        assert b"x-key" not in head.lower()
        assert len(up.peers) == 1


async def test_what_goes_through_a_tunnel_does_not_hold_the_proxy_s_credentials(authority: Authority) -> None:
    async with (
        origin(authority.context()) as up,
        forward_proxy() as way,
        opening(up.base_url, proxy=with_user(way.url), ca_file=authority.ca_file) as opener,
    ):
        task = asyncio.create_task(ask(opener))
        peer = await up.peer()
        head = await peer.until(b"\r\n\r\n")
        assert head.startswith(b"GET /a HTTP/1.1\r\n")
        assert b"proxy-" not in head.lower()
        peer.send(OK)
        await task


async def test_ways_are_not_shared_between_accounts() -> None:
    """Two accounts of one session, with a proxy each."""
    async with origin() as up, forward_proxy() as one, forward_proxy() as two:
        up.answer = OK
        permit = build_permit([URL(up.base_url), URL(one.url), URL(two.url)], [])
        async with opening(up.base_url, proxy=one.url, permit=permit) as opener:
            place: Any = opener
            other = type(place)(
                opener.name, None, URL(up.base_url), {}, place._session, place._settings, parse_proxy(two.url)
            )
            assert await ask(opener) == await ask(other) == (200, b"ok")
        assert (len(one.heads), len(two.heads)) == (1, 1)


REFUSALS = [
    b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno",
    b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 503 Service Unavailable\r\n\r\n",
    b"nonsense\r\n\r\n",
    b"",
]


@BOTH
@pytest.mark.parametrize("answer", REFUSALS, ids=lambda answer: answer[:12].decode())
async def test_a_tunnel_that_is_refused_is_the_proxy_s_fault(
    pull: bool, answer: bytes, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with forward_proxy() as way:
        way.answer = answer
        proxy = with_user(way.url)
        async with opening("https://127.0.0.1:1", pull=pull, proxy=proxy, ca_file=authority.ca_file) as opener:
            fault = await fail(opener)
    if answer.startswith(b"HTTP"):
        assert fault.detail == f"status {answer[9:12].decode()}"
    assert fault.code is Code.PROXY
    assert not fault.stale
    told = f"{fault} {fault!r} {caplog.text} {fault.__cause__!r}"
    assert "dXPD" not in told
    assert "ssword" not in told


@BOTH
async def test_a_407_to_an_absolute_form_is_the_proxy_s(pull: bool) -> None:
    async with forward_proxy() as way, opening("http://127.0.0.1:1", pull=pull, proxy=way.url) as opener:
        way.answer = REFUSALS[0]
        assert (await fail(opener)).code is Code.PROXY


@BOTH
async def test_other_answers_to_an_absolute_form_are_answers(pull: bool) -> None:
    """Nobody can tell the proxy's from the origin's."""
    async with forward_proxy() as way, opening("http://127.0.0.1:1", pull=pull, proxy=way.url) as opener:
        way.answer = REFUSALS[2]
        assert await ask(opener) == (502, b"")


@BOTH
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_cannot_be_reached(pull: bool, scheme: str) -> None:
    async with forward_proxy() as way:
        url = way.url
    async with opening(f"{scheme}://127.0.0.1:1", pull=pull, proxy=url) as opener:
        fault = await fail(opener)
    assert fault.code is Code.PROXY
    assert "ECONNREFUSED" in fault.detail


@BOTH
async def test_a_proxy_whose_name_is_not_known(pull: bool) -> None:
    async with opening("https://127.0.0.1:1", pull=pull, proxy="http://proxy.invalid:1") as opener:
        assert (await fail(opener)).code is Code.PROXY


@BOTH
async def test_a_proxy_whose_certificate_is_not_trusted(pull: bool, authority: Authority) -> None:
    async with (
        forward_proxy(authority.context()) as way,
        opening("http://127.0.0.1:1", pull=pull, proxy=way.url) as opener,
    ):
        assert (await fail(opener)).code is Code.PROXY


@BOTH
async def test_a_certificate_behind_a_proxy_is_the_origin_s(pull: bool, authority: Authority) -> None:
    async with (
        origin(authority.context()) as up,
        forward_proxy() as way,
        opening(up.base_url, pull=pull, proxy=way.url) as opener,
    ):
        assert (await fail(opener)).code is Code.TLS


@BOTH
async def test_a_proxy_that_is_silent_runs_into_the_clock_of_connections(pull: bool) -> None:
    async with forward_proxy() as way, opening("https://127.0.0.1:1", pull=pull, proxy=way.url, connect=0.05) as opener:
        way.silent = True
        assert (await fail(opener)).code is Code.CONNECT_TIMEOUT


async def test_a_proxy_that_does_not_even_accept() -> None:
    async with (
        black_hole() as port,
        opening("https://127.0.0.1:1", proxy=f"http://127.0.0.1:{port}", connect=0.05) as opener,
    ):
        assert (await fail(opener)).code is Code.CONNECT_TIMEOUT


async def test_cancelled_while_a_tunnel_is_asked_for() -> None:
    async with origin() as up, opening("https://127.0.0.1:1", proxy=up.base_url) as opener:
        task = asyncio.create_task(ask(opener, GET))
        peer = await up.peer()
        await peer.until(b"\r\n\r\n")
        task.cancel()
        await peer.wait_closed()
        with pytest.raises(asyncio.CancelledError):
            await task
