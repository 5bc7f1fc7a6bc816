"""What comes by a socket, spoiled: request heads and bodies of clients and of the console's visitors, TLS where none is
spoken, and answers of upstreams, from the status line to the last chunk."""

import json
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from proxy.dialects.registry import CLIENTS, PROVIDERS
from tests.fuzz.answers import draw_fields
from tests.fuzz.bend import bend, bend_stream, cut, draw_json, dump, maybe, some, spoil
from tests.fuzz.seeds import list_documents, list_errors, list_requests, list_streams
from tests.fuzz.siege import KEY, Script

_METHODS: Final = (
    b"GET",
    b"POST",
    b"HEAD",
    b"PUT",
    b"DELETE",
    b"OPTIONS",
    b"PATCH",
    b"CONNECT",
    b"TRACE",
    b"get",
    b"FOO",
    b"",
)
_VERSIONS: Final = (b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.2", b"http/1.1", b"", b"HTTP/1.1 ")
_PUBLIC: Final = (
    b"/v1/chat/completions", b"/v1/responses", b"/v1/messages", b"/v1/messages/count_tokens", b"/v1/models",
    b"/v1/embeddings", b"/v1beta/models/good/m:streamGenerateContent?alt=sse",
    b"/v1beta/models/good%2Fm:generateContent", b"/api/chat", b"/chat", b"/api/stream?prompt=hi&model=good/m",
    b"/api/v1/chat/completions", b"/up/x?y=1", b"/up", b"/bad/x", b"/healthz", b"/", b"/chat/models",
    b"/v1/models/good/m", b"/api/chat/x/stream", b"*", b"http://127.0.0.1/up/x", b"//up/x", b"/up/../x",
)  # fmt: skip
_ADMIN: Final = (
    b"/", b"/healthz", b"/readyz", b"/metrics", b"/streams", b"/accounts", b"/accounts/clear", b"/failures",
    b"/record", b"/console/session", b"/console/login", b"/console/logout", b"/console/events", b"/console/streams/x",
    b"/console/streams/%ff/kill", b"/failures/x.cassette", b"/failures/..%2f..", b"/usage?since=1d",
    b"/usage?since=%ff", b"/record/start", b"/console/streams/req_1?form=json",
)  # fmt: skip
_HEADERS: Final = (
    b"Host: 127.0.0.1", b"Host: a", b"Host: a b", b"Host: [::1]:80", b"Content-Length: 3", b"Content-Length: 0",
    b"Expect: 100-continue", b"Content-Length: 99999999999999999999", b"Content-Length: -1",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b"Connection: close", b"Connection: keep-alive, x-a",
    b"Connection: upgrade", b"Upgrade: websocket", b"Upgrade: h2c", b"TE: trailers", b"x-api-key: " + KEY.encode(),
    b"Authorization: Bearer " + KEY.encode(), b"Authorization: Basic QQ==", b"Cookie: a=b; c",
    b"Cookie: penstock_console_80=9999999999.x", b"Content-Type: application/json", b"Content-Type: \xff",
    b"Accept: text/event-stream", b"X-Forwarded-For: 1.2.3.4, 127.0.0.1", b"X-Forwarded-For: ::ffff:9.9.9.9%eth0, ,",
    b"Forwarded: for=x", b"Via: 1.1 penstock", b"Origin: http://evil", b"Origin: null", b"Sec-Fetch-Site: cross-site",
    b"Last-Event-ID: 5", b"Range: bytes=0-", b"Max-Forwards: 0", b"Accept-Encoding: gzip, br;q=0",
    b"If-None-Match: *", b"Content-Encoding: gzip", b"anthropic-version: 2023-06-01", b"X: \x00", b" folded",
    b"no colon", b": no name", b"X : blank", b"X-Long: " + b"y" * 9000, b"Sec-WebSocket-Key: x", b"X: " + b"\xff" * 9,
)  # fmt: skip
_TLS: Final = (
    bytes.fromhex("16030100f8010000f40303") + bytes(range(200)),
    bytes.fromhex("160301020001000001fc0303"),
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
    b"\x16\x03\x01",
    b"\x80\x2e\x01\x00\x02",
    b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\r\n\r\n\0\r\nQUIT\n",
)
_CHUNKED: Final = (
    b"3\r\nabc\r\n0\r\n\r\n",
    b"3;x\r\nabc\r\n0\r\nA: b\r\n\r\n",
    b"zz\r\n",
    b"3\r\nabcd\r\n0\r\n\r\n",
    b"5\r\nab",
    b"0\r\n",
)


@dataclass(frozen=True, slots=True)
class Poke:
    """admin: at which door."""

    pieces: list[bytes]
    admin: bool


def draw_poke(random: Random) -> Poke:
    admin = maybe(random, 0.3)
    if maybe(random, 0.06):
        return Poke(cut(random, spoil(random, random.choice(_TLS))), admin)
    data = b"".join(_draw_request(random, admin) for _ in range(some(random, 4)))
    if maybe(random, 0.4):
        data = spoil(random, data)
    return Poke(cut(random, data), admin)


def _draw_request(random: Random, admin: bool) -> bytes:
    method = random.choice((b"POST", b"GET")) if maybe(random, 0.8) else random.choice(_METHODS)
    version = b"HTTP/1.1" if maybe(random, 0.9) else random.choice(_VERSIONS)
    target = random.choice(_ADMIN if admin else _PUBLIC)
    body, framing = _draw_body(random, admin)
    fields = [b"Host: 127.0.0.1", *framing] if maybe(random, 0.9) else []
    if maybe(random, 0.7):
        fields += [b"x-api-key: " + KEY.encode(), b"Content-Type: application/json"]
    for _ in range(some(random, 5) - 1):
        fields.insert(random.randrange(len(fields) + 1), random.choice(_HEADERS))
    return b"%b %b %b\r\n%b\r\n\r\n%b" % (method, target, version, b"\r\n".join(fields), body)


def _draw_body(random: Random, admin: bool) -> tuple[bytes, list[bytes]]:
    kind = random.randrange(4)
    if kind == 0:
        return b"", []
    if kind == 1:
        return random.choice(_CHUNKED), [b"Transfer-Encoding: chunked"]
    value = draw_json(random) if admin else bend(random, random.choice(list_requests(random.choice(list(CLIENTS)))))
    if isinstance(value, dict) and maybe(random, 0.8):
        value["model"] = random.choice(
            ("good/m", "bad-gemini/m", "both-anthropic/m", "good/\ud800", "good/" + "x" * 300)
        )
    if admin and maybe(random, 0.5):
        value = {random.choice(("name", "token")): value}
    body = dump(random, value)
    if kind == 2:
        return body, [b"Content-Length: %d" % len(body)]
    at = random.randrange(len(body) + 1)
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:at], body[at:]) if part)
    return chunks + b"0\r\n\r\n", [b"Transfer-Encoding: chunked"]


@dataclass(frozen=True, slots=True)
class Play:
    """A sound request, and what the upstream says to it. stream: SSE is asked for. same: bytes pass as they come."""

    number: int
    target: str
    body: bytes
    client: str
    script: Script
    stream: bool
    same: bool


_TARGETS: Final = {
    "openai-chat": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/{model}:{verb}",
    "openrouter": "/api/v1/chat/completions",
    "ui-message": "/api/chat",
}
_PLAIN: Final[dict[str, dict[str, Any]]] = {
    "openai-chat": {"messages": [{"role": "user", "content": "hi"}]},
    "openai-responses": {"input": "hi"},
    "anthropic": {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 100},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    "openrouter": {"messages": [{"role": "user", "content": "hi"}]},
    "ui-message": {"messages": [{"role": "user", "parts": [{"type": "text", "text": "hi"}]}]},
}


def draw_play(random: Random) -> Play:
    dialect, client = random.choice(list(PROVIDERS)), random.choice(list(_PLAIN))
    stream = client == "ui-message" or maybe(random, 0.7)
    number = random.randrange(10**9)
    if maybe(random, 0.1):
        dialect, client, target, body = "openai-chat", "raw", f"/bad/fuzz-{number}-", b"{}"
    else:
        model = f"{random.choice(('bad', 'both'))}-{dialect}/fuzz-{number}-"
        verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
        target = _TARGETS[client].format(model=model, verb=verb)
        fields = {"model": model, **_PLAIN[client]} if client != "gemini" else dict(_PLAIN[client])
        body = json.dumps(
            {**fields, "stream": True} if stream and client not in ("gemini", "ui-message") else fields
        ).encode()
    pieces = cut(random, _draw_answer(random, dialect, stream=stream))
    script = Script(pieces, random.choice(("fin", "fin", "rst", "stay")))
    return Play(number, target, body, client, script, stream, client in (dialect, "raw"))


_GOOD: Final = (b"200 OK",) * 12
_STATUSES: Final = (
    b"204 No Content", b"201 Created", b"302 Found", b"400 Bad", b"401 No", b"404 No", b"429 Slow", b"500 Oh",
    b"503 Busy", b"529 Over", b"999 X", b"099 X", b"100 Continue", b"101 Switching", b"103 Early", b"304 Same",
    b"200", b"2000 X", b"200 \xff",
)  # fmt: skip
_ANSWERED: Final = (
    b"Content-Type: text/event-stream", b"Content-Type: application/json", b"Content-Type: text/html",
    b"Content-Encoding: gzip", b"Connection: close", b"Set-Cookie: a=b", b"Transfer-Encoding: gzip, chunked",
    b"Content-Length: 5", b"X: \x01", b"X : y", b" fold", b"Location: http://evil/", b"Trailer: X", b"Upgrade: h2c",
    b"Content-Length: -1", b"x" * 9000 + b": y", b"nothing", b"X: \xff", b"Date: yesterday",
    b"Retry-After: 99999999999", b"Connection: content-type",
)  # fmt: skip


def _draw_answer(random: Random, dialect: str, *, stream: bool) -> bytes:
    status = random.choice((*_GOOD, *_STATUSES))
    if not status.startswith(b"200") and maybe(random, 0.8):
        kind, body = b"application/json", dump(random, bend(random, random.choice(list_errors())[1]))
    elif stream == maybe(random, 0.9):
        kind, body = b"text/event-stream", bend_stream(random, list(random.choice(list_streams(dialect)).blocks[:30]))
    else:
        kind, body = b"application/json", dump(random, bend(random, random.choice(list_documents(dialect)).document))
    fields = [b"Content-Type: " + kind] if maybe(random, 0.95) else []
    fields += [b"%b: %b" % pair for pair in draw_fields(random).raw] if maybe(random, 0.2) else []
    for _ in range(some(random, 3) - 1):
        fields.insert(random.randrange(len(fields) + 1), random.choice(_ANSWERED))
    framing = random.randrange(4)
    if framing < 2:
        parts = [part for part in cut(random, body) if part]
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        fields.append(b"Transfer-Encoding: chunked")
    elif framing == 2:
        fields.append(b"Content-Length: %d" % (len(body) + random.choice((0, 0, 0, 1, -1))))
    data = b"HTTP/1.1 %b\r\n%b\r\n\r\n%b" % (status, b"\r\n".join(fields), body)
    return spoil(random, data) if maybe(random, 0.15) else data
