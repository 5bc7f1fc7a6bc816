"""From a stream to its cassette and back: what is recorded is served again as it was, and fails again as it did."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from proxy.config.load import build_config
from proxy.demo import DemoUpstream
from proxy.relay.outcome import EndReason
from proxy.tools.cassette_events import list_moments
from proxy.tools.replay import choose_takes
from proxy.tools.replay_server import ReplayServer
from proxy.wire.cassette import Cassette, Take, parse_cassette
from tests.helpers.rawhttp import connected, fetch
from tests.helpers.recorder import recorder
from tests.helpers.service import RunningProxy, demo_upstream, running

KEY = "sk-recorded-0123456789"


@pytest.fixture
async def upstream() -> AsyncIterator[DemoUpstream]:
    async with demo_upstream() as made:
        yield made


def configure(base_url: str, directory: Path, *when: str, **record: Any) -> dict[str, Any]:
    """Mount `/up`, and the model `demo` at one provider with a key."""
    return {
        "providers": {
            "up": {"dialect": "raw", "base_url": base_url},
            "chat": {"dialect": "openai-chat", "base_url": f"{base_url}/v1", "accounts": {"a": {"key": KEY}}},
        },
        "mounts": {"/up": {"provider": "up", "auth": "none"}},
        "models": {"demo": {"targets": ["chat/demo"]}},
        "record": {"when": list(when), "directory": str(directory), **record},
    }


async def chat(proxy: RunningProxy, wishes: str = "pace=5ms", text: str = "hello") -> tuple[int, bytes]:
    body = {"model": "demo", "stream": True, "messages": [{"role": "user", "content": text}]}
    reply = await fetch(
        proxy.port, "/v1/chat/completions", body=json.dumps(body).encode(), headers=f"x-demo: {wishes}\r\n"
    )
    return reply.status, reply.body


async def read_cassettes(proxy: RunningProxy, directory: Path) -> list[Cassette]:
    await proxy.penstock.instruments.close()
    return [parse_cassette(path.read_bytes()) for path in sorted(directory.glob("*.cassette"))]


async def replay(take: Take, speed: float = 1.0) -> ReplayServer:
    server = ReplayServer([take], speed, lambda method, path: True, [], lambda line: None)
    await server.start("127.0.0.1", 0)
    return server


async def test_a_recorded_stream_replays_byte_exact_and_within_five_milliseconds(
    upstream: DemoUpstream, tmp_path: Path
) -> None:
    async with running(configure(upstream.base_url, tmp_path, "all")) as proxy:
        reply = await fetch(proxy.port, "/up/clock?every=7ms&n=60")
        (cassette,) = await read_cassettes(proxy, tmp_path)
    (take,) = cassette.takes
    assert take.answer == reply.body
    assert len(take.data) > 30  # a busy machine may read two ticks at a time
    worst = []
    for _ in range(5):  # nothing can be said of a machine that stops for a while
        late, body = await measure(take)
        assert body == take.answer
        worst.append(sorted(map(abs, late))[len(late) * 9 // 10])
        if worst[-1] < 0.005:
            return
    raise AssertionError(worst)


async def measure(take: Take) -> tuple[list[float], bytes]:
    """By how much each gap differs from the recorded one, and the body."""
    server = await replay(take)
    times, body = [], b""
    async with connected("127.0.0.1", server.port) as client:
        await client.ask("/clock")
        await client.head()
        while data := await client.chunk():
            times.append(time.monotonic())
            body += data
    await server.stop()
    recorded = [at for at, _ in take.data]
    assert len(times) == len(recorded)
    return [(b - a) - (d - c) for a, b, c, d in zip(times, times[1:], recorded, recorded[1:], strict=False)], body


async def test_what_was_replayed_is_recorded_as_the_same_again(upstream: DemoUpstream, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    async with running(configure(upstream.base_url, first, "model:de*")) as proxy:
        status, body = await chat(proxy)
        assert status == 200
        (cassette,) = await read_cassettes(proxy, first)
    server = await replay(cassette.takes[0], 0.0)
    async with running(configure(f"http://127.0.0.1:{server.port}", second, "all")) as proxy:
        assert await chat(proxy) == (200, body)
        (again,) = await read_cassettes(proxy, second)
    await server.stop()
    assert (again.takes[0].answer, again.takes[0].head) == (cassette.takes[0].answer, cassette.takes[0].head)
    told = [word for moment in list_moments(again.takes[0], again.takes[0].asked.dialect) for word in moment.means]
    assert told[0].startswith("start")
    assert "finish stop (stop)" in told
    assert cassette.about.model == "demo"
    assert cassette.outcome is not None
    assert cassette.outcome["end_reason"] == "done"


@pytest.mark.parametrize(("wish", "end"), [("cut_after=3", "upstream_cut"), ("reset_after=3", "upstream_cut")])
async def test_a_failure_fails_again_as_it_did(upstream: DemoUpstream, tmp_path: Path, wish: str, end: str) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    async with running(configure(upstream.base_url, first, "failed")) as proxy:
        await chat(proxy)
        _, body = await chat(proxy, f"pace=2ms;{wish}")
        record = await proxy.wait_record(2)
        (cassette,) = await read_cassettes(proxy, first)
    takes = choose_takes(cassette, None, "")
    server = ReplayServer(takes, 0.0, lambda method, path: True, [], lambda line: None)
    await server.start("127.0.0.1", 0)
    async with running(configure(f"http://127.0.0.1:{server.port}", second, "failed")) as proxy:
        assert (await chat(proxy))[1].partition(b"error")[0] == body.partition(b"error")[0]
        again = await proxy.wait_record(1)
        (twice,) = await read_cassettes(proxy, second)
    await server.stop()
    assert (again.end, again.detail) == (record.end, record.detail)
    assert again.end is EndReason(end)
    assert [(take.answer, take.end) for take in twice.takes] == [(take.answer, take.end) for take in cassette.takes]


async def test_keys_are_in_no_cassette_and_bodies_only_where_they_are_wanted(
    upstream: DemoUpstream, tmp_path: Path
) -> None:
    for bodies in (False, True):
        directory = tmp_path / str(bodies)
        async with running(configure(upstream.base_url, directory, "all", bodies=bodies)) as proxy:
            await chat(proxy, text="a c4n4ry")
            (cassette,) = await read_cassettes(proxy, directory)
        (take,) = cassette.takes
        (path,) = directory.glob("*.cassette")
        assert KEY.encode() not in path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600
        assert (b"c4n4ry" in (take.body or b"")) is bodies
        assert take.asked.target == "/v1/chat/completions"
        assert (take.asked.provider, take.asked.account, take.asked.dialect) == ("chat", "a", "openai-chat")


async def test_what_a_client_showed_on_a_mount_that_passes_keys_is_hidden(
    upstream: DemoUpstream, tmp_path: Path
) -> None:
    config = configure(upstream.base_url, tmp_path, "all")
    config["mounts"]["/up"]["auth"] = "pass"
    async with running(config) as proxy:
        await fetch(
            proxy.port, "/up/clock?n=1&key=c4n4ry", headers="Authorization: Bearer c4n4ry\r\nCookie: c4n4ry\r\n"
        )
        (cassette,) = await read_cassettes(proxy, tmp_path)
        (path,) = tmp_path.glob("*.cassette")
    assert b"c4n4ry" not in path.read_bytes()
    assert cassette.takes[0].asked.target == "/clock?n=1&key=***"


async def test_a_reload_changes_what_is_recorded_and_where(upstream: DemoUpstream, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    async with running(configure(upstream.base_url, first, "all")) as proxy:
        async with connected("127.0.0.1", proxy.port) as client:
            await client.ask("/up/clock?every=0&n=2&size=70000&stall_after=1&stall=300ms")
            await client.head()
            proxy.penstock.reload(build_config([("test", configure(upstream.base_url, second, "all"))], {}))
            await fetch(proxy.port, "/up/clock?n=1")
            while await client.chunk():
                pass
        await proxy.wait_record(2)
        proxy.penstock.reload(build_config([("test", configure(upstream.base_url, second))], {}))
        await fetch(proxy.port, "/up/clock?n=1")
        assert len(await read_cassettes(proxy, second)) == 1
    assert [len(parse_cassette(path.read_bytes()).takes[0].answer) > 140_000 for path in first.glob("*.cassette")] == [
        True
    ]


async def test_a_model_and_a_reason_that_are_no_text_are_recorded_too(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 Gr\xfc\xdfe\r\nContent-Length: 2\r\n\r\n{}"
    async with recorder() as provider:
        provider.answer = lambda seen: answer
        config = configure(provider.base_url, tmp_path, "all")
        config["models"] = {"*": {"targets": ["chat/*"]}}
        async with running(config) as proxy:
            mounted = await fetch(proxy.port, "/up/x")
            body = b'{"model":"half \\ud83d","messages":[{"role":"user","content":"hi"}]}'
            await fetch(proxy.port, "/v1/chat/completions", body=body)
            await proxy.wait_record(2)
            cassettes = await read_cassettes(proxy, tmp_path)
    assert (mounted.status, mounted.body) == (200, b"{}")
    assert {record.error for record in proxy.records} == {"", "bad_gateway"}
    assert {take.asked.model for each in cassettes for take in each.takes} == {"", "half ?"}
    assert [take.head.reason for each in cassettes for take in each.takes if take.head] == ["Gr??e"] * 2
