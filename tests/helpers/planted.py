"""Requests with a secret where no well-formed one has any: HEADS that are refused, or hold it in a field of somebody
else's, BODIES for whoever shows CLIENT's key, and what is asked of the admin listener.
"""

from tests.helpers.canaries import CLIENT

C = b"c4n4ry-of-somebody-0123456789"
KEY = b"x-api-key: " + CLIENT.encode() + b"\r\n"
POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n"


def head(*fields: bytes, line: bytes = b"GET /bare/x HTTP/1.1", host: bytes = b"Host: a") -> bytes:
    return b"\r\n".join([line, host, *fields, b"", b""])


def ask(body: bytes, *fields: bytes) -> bytes:
    return head(b"Content-Length: %d" % len(body), KEY.strip(), *fields, line=POST.partition(b"\r\n")[0]) + body


HEADS = {
    "control byte": head(b"Authorization: Bearer \x01" + C),
    "folded": head(b"Authorization: Bearer", b" " + C),
    "name": head(C + b" : x"),
    "no colon": head(b"Authorization Bearer " + C),
    "bare line feed": b"GET / HTTP/1.1\nHost: a\nx-api-key: " + C + b"\n\n",
    "method": head(line=C + b" / HTTP/1.1"),
    "version": head(line=b"GET / " + C),
    "one line": C + b"\r\n\r\n",
    "absolute form": head(line=b"GET http://user:" + C + b"@a/v1/models HTTP/1.1"),
    "authority": head(line=b"CONNECT " + C + b":443 HTTP/1.1"),
    "fragment": head(line=b"GET /bare/x#" + C + b" HTTP/1.1"),
    "query": head(line=b"GET /nowhere?key=" + C + b"&" + C + b"=1 HTTP/1.1"),
    "query of a model route": head(line=b"POST /v1beta/models/x:generateContent?key=" + C + b" HTTP/1.1"),
    "host": head(host=b"Host: " + C + b"@a"),
    "two hosts": head(b"Host: " + C),
    "long field": head(b"x-api-key: " + C * 4000),
    "long target": head(line=b"GET /" + C * 4000 + b" HTTP/1.1"),
    "many fields": head(*[b"x-%d: %s" % (number, C) for number in range(400)]),
    "two lengths": head(b"Content-Length: 1", b"Content-Length: 2", b"x-api-key: " + C),
    "length": head(b"Content-Length: " + C),
    "coding": head(b"Transfer-Encoding: " + C),
    "expectation": head(b"Expect: " + C),
    "connection": head(b"Connection: " + C, b"x-api-key: " + C),
    "wrong key": head(b"Authorization: Bearer " + C, line=b"GET /v1/models HTTP/1.1"),
    "another scheme": head(b"Authorization: " + C, line=b"GET /v1/models HTTP/1.1"),
    "basic": head(b"Authorization: Basic " + C, b"Proxy-Authorization: " + C, line=b"GET /v1/models HTTP/1.1"),
    "forwarded": head(b"X-Forwarded-For: 1.2.3.4, " + C, b"Forwarded: for=" + C, b"X-Real-IP: " + C),
    "cookie": head(b"Cookie: a=" + C + b"; penstock_console_1=" + C, line=b"GET /v1/models HTTP/1.1"),
    "origin": head(b"Origin: http://" + C, b"Referer: http://a/?k=" + C, line=b"OPTIONS /v1/models HTTP/1.1"),
    "upgrade": head(
        b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: " + C,
        b"Sec-WebSocket-Protocol: realtime, openai-insecure-api-key." + C, line=b"GET /v1/responses HTTP/1.1",
    ),
    "upgrade on a mount": head(b"Connection: Upgrade", b"Upgrade: " + C, b"Sec-WebSocket-Protocol: " + C),
    "ids": head(b"x-request-id: \xff" + C, b"traceparent: " + C, b"Idempotency-Key: " + C, KEY.strip()),
    "unfinished": b"GET /bare/x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + C,
}  # fmt: skip
BODIES = {
    "no JSON": ask(b'{"model": "one/x", "key": "' + C),
    "number": ask(C),
    "model": ask(b'{"model": ["' + C + b'"], "messages": []}'),
    "role": ask(b'{"model": "one/x", "messages": [{"role": "' + C + b'", "content": "a"}]}'),
    "value": ask(b'{"model": "two/x", "messages": [], "temperature": "' + C + b'"}'),
    "image": ask(
        b'{"model": "one/x", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": '
        b'{"url": "http://user:' + C + b'@a/"}}]}]}'
    ),
    "anthropic": head(KEY.strip(), b"Content-Length: 69", line=b"POST /v1/messages HTTP/1.1")
    + b'{"model": "one/x", "messages": "' + C + b'", "x": 1}',
    "gemini": head(KEY.strip(), b"Content-Length: 60", line=b"POST /v1beta/models/one%2Fx:generateContent HTTP/1.1")
    + b'{"contents": [{"parts": [{"' + C + b'": 1}]}]}',
    "gzip": ask(C, b"Content-Encoding: gzip"),
    "chunk size": head(KEY.strip(), b"Transfer-Encoding: chunked", line=b"POST /bare/x HTTP/1.1") + C + b"\r\n",
    "chunk extension": head(KEY.strip(), b"Transfer-Encoding: chunked", line=b"POST /bare/x HTTP/1.1")
    + b"1;k=" + C + b"\r\na\r\n0\r\n\r\n",
    "trailer": head(KEY.strip(), b"Transfer-Encoding: chunked", line=b"POST /bare/x HTTP/1.1")
    + b"1\r\na\r\n0\r\nAuthorization: " + C + b"\r\n\r\n",
    "behind the end": head(KEY.strip(), b"Content-Length: 1", line=b"POST /bare/x HTTP/1.1") + b"a" + C + b"\r\n\r\n",
    "too long": head(b"Content-Length: 999999999999", KEY.strip(), line=b"POST /bare/x HTTP/1.1") + C,
}  # fmt: skip
ADMIN = {
    "token": head(b"Authorization: Bearer " + C, line=b"GET /accounts HTTP/1.1"),
    "login": head(b"Content-Type: application/json", b"Content-Length: 42", line=b"POST /console/login HTTP/1.1")
    + b'{"token": "'
    + C
    + b'"}',
    "path": head(line=b"GET /failures/x?t=" + C + b" HTTP/1.1"),
    "cookie": head(b"Cookie: penstock_console_80=9999999999." + C, line=b"GET /streams HTTP/1.1"),
}
