"""The session of a provider: what it does not do, above all."""

from pathlib import Path

import aiohttp
import pytest

from proxy.upstream.handler import PushHandler
from proxy.upstream.pool import DNS_TTL, KEEPALIVE, PoolSettings, build_session

SETTINGS = PoolSettings(connect=5.0, field=1000, fields=10)


def tell(address: str, kind: str) -> None:
    raise AssertionError(address)


async def test_a_session_adds_nothing_and_follows_nothing() -> None:
    async with build_session(SETTINGS, tell) as session:
        assert isinstance(session.cookie_jar, aiohttp.DummyCookieJar)
        assert not session.trust_env
        assert not session.auto_decompress
        assert not session.raise_for_status
        assert {"User-Agent", "Accept", "Accept-Encoding", "Content-Type"} <= set(session.skip_auto_headers)


async def test_no_clock_or_limit_runs_in_a_session_but_connect() -> None:
    async with build_session(SETTINGS, tell) as session:
        timeout = session.timeout
        assert (timeout.total, timeout.connect, timeout.sock_read) == (None, 5.0, None)
        connector = session.connector
        assert isinstance(connector, aiohttp.TCPConnector)
        assert connector.limit == connector.limit_per_host == 0


async def test_connections_are_kept_shorter_than_common_servers_keep_them() -> None:
    async with build_session(SETTINGS, tell) as session:
        connector = session.connector
        assert isinstance(connector, aiohttp.TCPConnector)
        assert connector._keepalive_timeout == KEEPALIVE < 60
        assert connector._cached_hosts._ttl == DNS_TTL


@pytest.mark.parametrize("pull", [False, True])
async def test_the_hand_over_is_installed_unless_it_cannot_be_had(pull: bool) -> None:
    async with build_session(PoolSettings(5.0, 1000, 10, pull=pull), tell) as session:
        connector = session.connector
        assert isinstance(connector, aiohttp.TCPConnector)
        assert isinstance(connector._factory(), PushHandler) is not pull


async def test_a_certificate_file_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        build_session(PoolSettings(5.0, 1000, 10, ca_file=str(tmp_path / "none.pem")), tell)
    (tmp_path / "bad.pem").write_text("x")
    with pytest.raises(OSError, match=r"(?i)certificate|PEM"):  # ssl.SSLError is one
        build_session(PoolSettings(5.0, 1000, 10, ca_file=str(tmp_path / "bad.pem")), tell)


def test_settings_are_told_apart_by_what_is_in_them() -> None:
    assert PoolSettings(5.0, 1000, 10) == SETTINGS
    assert PoolSettings(5.0, 1000, 10, ca_file="x") != SETTINGS
