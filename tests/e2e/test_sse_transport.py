"""What an EventSource relies on beside the stream's bytes: media type, status, redirects, its own fields, and the end.

The cases come with the recordings; `PLAYS` says what each of them is played as.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.helpers.answers import GET, between, strip_own
from tests.helpers.rawhttp import connected
from tests.helpers.rig import CANARY, request, rigged
from tests.helpers.vectors import load_cases

EVENT = b"data: 1\n\n"
CHUNKED = "Transfer-Encoding: chunked"
UNBUFFERED = ["Cache-Control: no-cache", "X-Accel-Buffering: no"]
LAST_ID = "c4n4ry-\u00e4\u20ac\U0001f600 ,;=".encode()

Play = Callable[[dict[str, Any], bool, pytest.LogCaptureFixture], Awaitable[None]]


def head(status: int, *lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status} Reason", *lines, "")).encode()


async def stream(status: int, fields: list[str], added: list[str], *, pull: bool) -> None:
    """An answer of one event in chunks: the head and the event come before the end does, and nothing else."""
    async with between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        await client.send(GET)
        peer = await stage.play_next(head(status, *fields, CHUNKED))
        reply = await client.head()
        assert strip_own(reply.raw) == (f"HTTP/1.1 {status} Reason", [*fields, *added, CHUNKED])
        peer.send(b"9\r\n%b\r\n" % EVENT)
        assert await client.chunk() == EVENT
        peer.send(b"0\r\n\r\n")
        assert await client.chunk() == b""


async def play_media_type(case: dict[str, Any], pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    kind = case["response"]["content_type"]
    added = UNBUFFERED if "event-stream" in kind.lower() else []
    await stream(case["response"]["status"], [f"Content-Type: {kind}"], added, pull=pull)


async def play_status(case: dict[str, Any], pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    await stream(case["response"]["status"], ["Content-Type: text/plain", "Retry-After: 7"], [], pull=pull)


async def play_no_body(case: dict[str, Any], pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    status = case["response"]["status"]
    framing = [] if status == 204 else ["Content-Length: 0"]
    async with between(pull=pull) as stage, connected("127.0.0.1", stage.proxy.port) as client:
        await client.send(GET)
        await stage.play_next(head(status, "Content-Type: text/event-stream", *framing))
        reply = await client.reply(bodiless=True)
        fields = ["Content-Type: text/event-stream", *UNBUFFERED, *framing]
        assert strip_own(reply.raw) == (f"HTTP/1.1 {status} Reason", fields)
        await client.send(GET)
        await stage.play_next(head(200, "Content-Length: 0"))
        assert (await client.reply()).status == 200


async def play_redirect(case: dict[str, Any], pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    for status in case["response"]["status"]:
        await stream(status, ["Location: https://example.invalid/x?y=%7e"], [], pull=pull)


async def play_fields(fields: list[tuple[bytes, bytes]], pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    lines = b"".join(b"%b: %b\r\n" % pair for pair in fields)
    async with rigged(caplog, pull=pull) as rig, rig.client() as client:
        await client.send(request(lines, method=b"GET"))
        assert (await client.reply()).status == 200
        sent = [(name.lower(), value) for name, value in fields]
        assert rig.upstream.requests[0].fields == [(b"x-canary", CANARY), *sent]


async def play_accept(case: dict[str, Any], pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    accept = case["request"]["accept"].encode()
    await play_fields([(b"Accept", accept), (b"Cache-Control", b"no-cache")], pull, caplog)
    await play_fields([(b"Cache-Control", b"no-store"), (b"Pragma", b"no-cache"), (b"Accept", accept)], pull, caplog)


async def play_last_event_id(case: dict[str, Any], pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    await play_fields([(b"Last-Event-ID", LAST_ID)], pull, caplog)


async def play_end(case: dict[str, Any], pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    start = head(case["response"]["status"], "Content-Type: text/event-stream")
    chunked = head(200, "Content-Type: text/event-stream", CHUNKED)
    async with between(pull=pull) as stage:
        clean = await ask_to_the_end(stage.proxy.port, stage, start + EVENT, "fin")
        assert clean.endswith(b"\r\n\r\n9\r\n" + EVENT + b"\r\n0\r\n\r\n")
        cut = await ask_to_the_end(stage.proxy.port, stage, chunked + b"9\r\n%b\r\n" % EVENT, "fin")
        assert cut.endswith(b"\r\n\r\n9\r\n" + EVENT + b"\r\n")
        reset = await ask_to_the_end(stage.proxy.port, stage, chunked + b"9\r\n%b\r\n" % EVENT, "rst")
        assert reset.endswith(b"\r\n\r\n9\r\n" + EVENT + b"\r\n")


async def ask_to_the_end(port: int, stage: Any, data: bytes, then: str) -> bytes:
    async with connected("127.0.0.1", port) as client:
        await client.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        peer = await stage.play_next(data)
        peer.fin() if then == "fin" else peer.reset()
        return await client.rest()


PLAYS: dict[str, Play] = {
    "mime-ok": play_media_type,
    "mime-params": play_media_type,
    "mime-trailing-semicolon": play_media_type,
    "mime-case": play_media_type,
    "mime-bogus": play_media_type,
    "status-204": play_no_body,
    "status-205": play_no_body,
    "status-210": play_status,
    "status-299": play_status,
    "status-404": play_status,
    "status-410": play_status,
    "status-503": play_status,
    "redirect": play_redirect,
    "accept-header": play_accept,
    "last-event-id": play_last_event_id,
    "eof-reconnect": play_end,
}


@pytest.mark.parametrize("case", load_cases("transport"))
async def test_transport_case(case: dict[str, Any], pull: bool, caplog: pytest.LogCaptureFixture) -> None:
    await PLAYS[case["id"]](case, pull, caplog)


@pytest.mark.parametrize("kept", ["Cache-Control: no-store", "cache-control: no-cache, no-transform"])
async def test_what_upstream_says_about_caching_is_kept(kept: str, pull: bool) -> None:
    await stream(200, ["Content-Type: text/event-stream", kept], UNBUFFERED[1:], pull=pull)


async def test_what_upstream_says_about_buffering_is_kept(pull: bool) -> None:
    fields = ["Content-Type: text/event-stream; charset=utf-8", "X-Accel-Buffering: yes"]
    await stream(200, fields, UNBUFFERED[:1], pull=pull)


@pytest.mark.parametrize("kind", ["text/event-streams", "application/text/event-stream", "text/html", "event-stream"])
async def test_a_type_that_only_looks_like_one_gets_no_field(kind: str, pull: bool) -> None:
    await stream(200, [f"Content-Type: {kind}"], [], pull=pull)
