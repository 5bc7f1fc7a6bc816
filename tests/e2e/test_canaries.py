"""A secret in a request, wherever it stands, is in no line that the process writes and in no answer of its own."""

import os
import signal
from pathlib import Path

import pytest

from tests.helpers.bare import bare
from tests.helpers.command import started
from tests.helpers.origin import origin

LOOP = os.environ.get("PENSTOCK_TEST_LOOP", "uvloop")
CANARY = "canary-3f9a"

REQUESTS = {
    "authorization": "GET /up/x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\r\n",
    "key header": "GET /up/x HTTP/1.1\r\nHost: a\r\nx-api-key: {}\r\n\r\n",
    "query": "GET /up/x?key={0}&q={0} HTTP/1.1\r\nHost: a\r\n\r\n",
    "path": "GET /up/{} HTTP/1.1\r\nHost: a\r\n\r\n",
    "path without a mount": "GET /{} HTTP/1.1\r\nHost: a\r\n\r\n",
    "way out": "GET /up/../{} HTTP/1.1\r\nHost: a\r\n\r\n",
    "host": "GET /up/x HTTP/1.1\r\nHost: {}\r\n\r\n",
    "bad host": "GET /up/x HTTP/1.1\r\nHost: a {}\r\n\r\n",
    "absolute target": "GET http://{}/up/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "expectation": "POST /up/x HTTP/1.1\r\nHost: a\r\nExpect: {}\r\nContent-Length: 1\r\n\r\n1",
    "body": "POST /up/x HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n{}",
    "chunk size": "POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{}\r\n",
    "trailer": "POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nBad Name: {}\r\n\r\n",
    "field name": "GET /up/x HTTP/1.1\r\nHost: a\r\nBad {}: 1\r\n\r\n",
    "field value": "GET /up/x HTTP/1.1\r\nHost: a\r\nX-A: \x01{}\r\n\r\n",
    "long field": "GET /up/x HTTP/1.1\r\nHost: a\r\nX-A: {}" + 70_000 * "x" + "\r\n\r\n",
    "method": "{} /up/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "version": "GET /up/x HTTP/{}\r\nHost: a\r\n\r\n",
    "coding": "POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {}, chunked\r\n\r\n",
    "no request at all": "{}\r\n\r\n",
}


@pytest.mark.parametrize("fault", ["refused", "echoed in a bad head"])
async def test_a_canary_is_neither_logged_nor_answered(fault: str, tmp_path: Path) -> None:
    async with origin() as upstream:
        if fault == "echoed in a bad head":
            upstream.answer = f"HTTP/1.1 200 OK\r\nX-A: {CANARY}\r\nContent-Length: {CANARY}\r\n\r\n".encode()
        port = upstream.port if fault != "refused" else 1
        file = tmp_path / "penstock.toml"
        file.write_text(
            '[server]\nlisten = ["127.0.0.1:0"]\nadmin = "off"\n[log]\nlevel = "debug"\n[limits]\nfirst_byte = "1s"\n'
            f'[providers.up]\ndialect = "raw"\nbase_url = "http://127.0.0.1:{port}"\n'
            f'headers = {{ "X-Key" = "{CANARY}" }}\n'
            '[mounts."/up"]\nprovider = "up"\nauth = "none"\n'
        )
        async with started("serve", "--config", str(file), "--loop", LOOP) as running:
            listening = int((await running.err_line("listening on")).rstrip('"}').rpartition(":")[2])
            for name, request in REQUESTS.items():
                async with bare(listening) as client:
                    await client.send(request.format(CANARY).encode("latin-1"))
                    answer = await client.read_until(b"\r\n\r\n")
                    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5", b"HTTP/1.0 4", b"HTTP/1.0 5")), name
                    await running.err_line("request_id")
                    assert CANARY.encode() not in answer, name
            running.interrupt(signal.SIGTERM)
            finished = await running.finish()
        assert finished.code == 0
        assert CANARY not in finished.err
        assert "Traceback" not in finished.err
        assert finished.err.count('"request_id"') == len(REQUESTS)
