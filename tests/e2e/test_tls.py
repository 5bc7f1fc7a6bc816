"""TLS as a caller and an operator meet it: certificates that change, ends that show, a drain, and who speaks it."""

import asyncio
import http.client
import os
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from proxy.config.model import Tls
from proxy.relay.outcome import EndReason
from tests.helpers.bare import BareTlsClient, bare
from tests.helpers.certificates import Authority, make_pair
from tests.helpers.command import Running, ran, started
from tests.helpers.managed import passing
from tests.helpers.origin import Origin, origin
from tests.helpers.over_tls import build_strict, over_tls
from tests.helpers.rawhttp import connected
from tests.helpers.service import mounted, running

LOOP = os.environ.get("PENSTOCK_TEST_LOOP", "uvloop")
GET = b"GET /up/x HTTP/1.1\r\nHost: a\r\n\r\n"
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = SSE + b"Transfer-Encoding: chunked\r\n\r\n"
EVENT = b"9\r\ndata: 1\n\n\r\n"
LAST = b"0\r\n\r\n"


@dataclass
class Served:
    """A proxy in a process of its own whose certificate is a pair of links."""

    running: Running
    upstream: Origin
    file: Path
    port: int
    line: str

    def show(self, pair: Tls) -> None:
        for name, target in (("cert.pem", pair.certificate), ("key.pem", pair.key)):
            (self.file.parent / name).unlink()
            (self.file.parent / name).symlink_to(target)

    async def reload(self) -> str:
        self.running.interrupt(signal.SIGHUP)
        return await self.running.err_line("reload")

    async def read_certificate(self) -> bytes:
        """What a new connection is shown."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        async with connected("127.0.0.1", self.port, ssl=context) as client:
            found = client.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return bytes(found)


def write_config(file: Path, base_url: str, pair: Tls, server: str = "") -> None:
    for name, target in (("cert.pem", pair.certificate), ("key.pem", pair.key)):
        (file.parent / name).symlink_to(target)
    places = [str(file.parent / name) for name in ("cert.pem", "key.pem")]
    server = server or 'admin = "off"'
    file.write_text(
        f'[server]\nlisten = ["127.0.0.1:0"]\n{server}\n'
        f'tls = {{ certificate = "{places[0]}", key = "{places[1]}" }}\n'
        f'[limits]\ndrain = "2s"\n[providers.up]\ndialect = "raw"\nbase_url = "{base_url}"\n'
        '[mounts."/up"]\nprovider = "up"\nauth = "none"\n'
    )


@asynccontextmanager
async def served(folder: Path, pair: Tls) -> AsyncIterator[Served]:
    async with origin() as upstream:
        file = folder / "penstock.toml"
        write_config(file, upstream.base_url, pair)
        async with started("serve", "--config", str(file), "--loop", LOOP, "--log-format", "logfmt") as process:
            line = await process.err_line("listening on")
            yield Served(process, upstream, file, int(line.rstrip('"').rpartition(":")[2]), line)


def read_der(pair: Tls) -> bytes:
    return ssl.PEM_cert_to_DER_cert(Path(pair.certificate).read_text())


async def test_a_certificate_is_renewed_under_a_running_stream(authority: Authority, tmp_path: Path) -> None:
    old, new = authority.pair(), authority.pair("IP:127.0.0.1,DNS:new.example")
    async with served(tmp_path, old) as here, bare(here.port, tls=build_strict(authority)) as client:
        assert "listening on https://127.0.0.1:" in here.line
        await client.send(GET)
        peer = await here.upstream.peer()
        await peer.until(b"\r\n\r\n")
        peer.send(CHUNKED + EVENT)
        await client.read_until(EVENT)
        here.show(new)
        assert await here.read_certificate() == read_der(old)
        assert "message=reloaded" in await here.reload()
        assert await here.read_certificate() == read_der(new)
        peer.send(EVENT + LAST)
        assert (await client.read_until(b"\r\n" + LAST)).endswith(EVENT + EVENT + LAST)
        here.running.interrupt(signal.SIGTERM)
        assert (await here.running.finish()).code == 0


async def test_a_pair_that_does_not_fit_leaves_the_old_one(authority: Authority, tmp_path: Path) -> None:
    good, folder = authority.pair(), tmp_path / "other"
    async with served(tmp_path, good) as here:
        here.show(Tls(certificate=good.certificate, key=make_pair(folder).key))
        line = await here.reload()
        assert "reload refused" in line
        assert "server.tls.key: it is not the key of this certificate" in line
        assert await here.read_certificate() == read_der(good)
        here.show(good)
        assert "message=reloaded" in await here.reload()


async def test_a_pair_that_does_not_fit_is_no_beginning(authority: Authority, tmp_path: Path) -> None:
    file = tmp_path / "penstock.toml"
    stranger = make_pair(tmp_path / "other")
    write_config(file, "http://127.0.0.1:1", Tls(certificate=authority.pair().certificate, key=stranger.key))
    for command in (("check-config", str(file)), ("serve", "--config", str(file))):
        finished = await ran(*command)
        assert finished.code == 78
        assert "server.tls.key: it is not the key of this certificate" in finished.err


async def test_a_socket_that_was_passed_speaks_tls_as_well(authority: Authority, tmp_path: Path) -> None:
    file, command = tmp_path / "penstock.toml", passing(("127.0.0.1", "http"))
    write_config(file, "http://127.0.0.1:1", authority.pair())
    async with started("serve", "--config", str(file), "--loop", LOOP, command=command) as process:
        port = int(await process.out_line())
        assert f"https://127.0.0.1:{port}" in await process.err_line("listening on")
        async with connected("127.0.0.1", port, ssl=authority.trust()) as client:
            await client.ask("/none")
            assert (await client.reply()).status == 404


@pytest.mark.parametrize(("admin", "scheme"), [("127.0.0.1:0", "http"), ("0.0.0.0:0", "https")])
async def test_the_console_speaks_tls_where_others_listen_in(
    admin: str, scheme: str, authority: Authority, tmp_path: Path
) -> None:
    file, token = tmp_path / "penstock.toml", "a-token-of-some-length"
    write_config(file, "http://127.0.0.1:1", authority.pair(), f'admin = "{admin}"')
    file.write_text(file.read_text() + f'[console]\ntoken = "{token}"\n')
    async with started("serve", "--config", str(file), "--loop", LOOP) as process:
        line = await process.err_line("console on")
        assert f"console on {scheme}://{admin.rpartition(':')[0]}:" in line
        port = int(line.split("console on ")[1].split('"')[0].rpartition(":")[2])
        context = authority.trust() if scheme == "https" else None
        async with connected("127.0.0.1", port, ssl=context) as client:
            body = b'{"token": "%b"}' % token.encode()
            await client.ask("/console/login", body=body, headers="Content-Type: application/json\r\n")
            reply = await client.reply()
    assert reply.status == 200
    assert ("; Secure" in reply.headers["set-cookie"]) is (scheme == "https")


async def test_a_drain_over_tls_loses_nothing(authority: Authority, tmp_path: Path) -> None:
    async with served(tmp_path, authority.pair()) as here, bare(here.port, tls=build_strict(authority)) as client:
        await client.send(GET)
        peer = await here.upstream.peer()
        await peer.until(b"\r\n\r\n")
        peer.send(CHUNKED + EVENT)
        await client.read_until(EVENT)
        here.running.interrupt(signal.SIGTERM)
        await here.running.err_line("draining, 1 streams")
        peer.send(EVENT + LAST)
        assert (await client.read_to_end()).endswith(EVENT + EVENT + LAST)
        assert isinstance(client, BareTlsClient)
        assert client.said_goodbye
        assert (await here.running.finish()).code == 0


@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "length"])
async def test_what_was_read_is_delivered_before_a_cut_however_late_it_is_taken(
    chunked: bool, authority: Authority
) -> None:
    """More than the kernel takes, less than pauses upstream: it waits in the layers above and below TLS."""
    body = b"x" * 100_000
    head = CHUNKED + b"%x\r\n" % len(body) if chunked else SSE + b"Content-Length: 900000\r\n\r\n"
    with over_tls(authority):
        async with (
            origin() as upstream,
            running(mounted(upstream.base_url)) as proxy,
            bare(proxy.port, receive_buffer=4096) as client,
        ):
            await client.send(GET)
            peer = await upstream.peer()
            await peer.until(b"\r\n\r\n")
            (connection,) = proxy.penstock.runner.get_server().connections
            sock = connection.transport.get_extra_info("socket")  # type: ignore[union-attr]
            sock.setsockopt(1, 7, 4096)  # SOL_SOCKET, SO_SNDBUF
            peer.send(head + body)
            peer.fin()
            await asyncio.sleep(0.3)  # the cut is met while nobody reads
            received = await client.read_to_end()
            assert received.count(b"x") >= len(body)
            assert isinstance(client, BareTlsClient)
            assert not client.said_goodbye
            assert not received.endswith(LAST)
            assert client.was_reset is not chunked
            assert (await proxy.wait_record()).end is EndReason.UPSTREAM_CUT


@pytest.mark.parametrize("version", ["--http1.0", "--http1.1"])
async def test_curl_sees_a_cut(version: str, authority: Authority) -> None:
    with over_tls(authority):
        async with origin() as upstream, running(mounted(upstream.base_url)) as proxy:
            curl = await asyncio.create_subprocess_exec(
                "curl", "-sS", "--no-buffer", version, "--cacert", authority.ca_file,
                f"https://127.0.0.1:{proxy.port}/up/x", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            await cut(upstream)
            out, err = await curl.communicate()
            assert out == b"data: 1\n\n"
            assert curl.returncode in (18, 56), err  # a partial file, a failure in receiving


async def test_python_sees_a_cut(authority: Authority) -> None:
    """By chunks. Where nothing but the connection tells, it takes a reset by TLS for an end (up to 3.11.8 and 3.12.2,
    CPython issue 115627)."""

    def ask() -> None:
        client = http.client.HTTPSConnection("127.0.0.1", proxy.port, context=authority.trust(), timeout=10)
        with closing(client):
            client.request("GET", "/up/x")
            client.getresponse().read()

    with over_tls(authority):
        async with origin() as upstream, running(mounted(upstream.base_url)) as proxy:
            asking = asyncio.create_task(asyncio.to_thread(ask))
            await cut(upstream)
            with pytest.raises(http.client.IncompleteRead):
                await asking


async def cut(upstream: Origin) -> None:
    peer = await upstream.peer()
    await peer.until(b"\r\n\r\n")
    peer.send(CHUNKED + EVENT)
    peer.fin()


async def test_a_head_that_does_not_end_in_time_is_408(authority: Authority) -> None:
    with over_tls(authority):
        async with (
            running({**mounted("http://127.0.0.1:1"), "limits": {"head_timeout": "500ms"}}) as proxy,
            bare(proxy.port) as client,
        ):
            await client.send(GET[:-2])
            assert (await client.read_to_end()).startswith(b"HTTP/1.1 408 ")
            assert isinstance(client, BareTlsClient)
            assert client.said_goodbye


async def test_an_upload_that_is_refused_is_answered_at_once_and_is_no_second_request(authority: Authority) -> None:
    with over_tls(authority):
        async with (
            running({**mounted("http://127.0.0.1:1"), "limits": {"max_body": "1KiB"}}) as proxy,
            bare(proxy.port) as client,
        ):
            await client.send(b"POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n")
            assert (await client.read_until(b"request_id")).startswith(b"HTTP/1.1 413 ")
            await client.send(GET * 1000)
            client.leave()
            assert (await proxy.wait_record()).status == 413
        assert len(proxy.records) == 1
