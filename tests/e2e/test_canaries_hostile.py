"""Secrets where no well-formed request has any: in heads and bodies that are refused, in TLS, in the field of a front
proxy, in an upgrade, in a configuration that cannot be used. Nothing that is written, kept or answered holds one.

Names of models, paths and clients are no secrets, and stand in the log.
"""

import asyncio
import os
import resource
import signal
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.canaries import CLIENT, SECRET, House, house, look
from tests.helpers.certificates import Authority
from tests.helpers.planted import ADMIN, BODIES, HEADS, C
from tests.helpers.rawhttp import WAIT


async def send(port: int, data: bytes, context: ssl.SSLContext | None = None) -> bytes:
    """The beginning of what comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        async with asyncio.timeout(WAIT):
            writer.write(data)
            return await reader.read(65536)
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


def build_hello() -> bytes:
    """The first bytes of a TLS client, with the secret as the name of the server that it asks for."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=C.decode() + ".example")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    hello = outgoing.read()
    assert C in hello
    return hello


async def break_configuration(found: House) -> None:
    """With what cannot be read, and with a value from a file where none was meant to go."""
    path, secret, kept = found.folder / "penstock.toml", C.decode(), found.folder / "secret.key"
    kept.write_bytes(C)
    good = path.read_text()
    wrong = (
        good.replace('"1s"', f'"${{file:{kept}}}"'),
        good.replace('dialect = "raw"', f'dialect = "${{file:{kept}}}"'),
        good.replace(CLIENT, f"{secret} {secret}"),
        f'server2.a = "{secret}"\n{good}',
        f"{secret}\n{good}",
        f'{good}a = "{secret}',
    )
    for text in wrong:
        assert text != good
        path.write_text(text)
        found.process.interrupt(signal.SIGHUP)
        await found.process.err_line("reload refused")
    path.write_text(good)


def list_kept(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix not in (".toml", ".pem", ".key"):
            yield str(path), path.read_bytes()


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "tls"])
@pytest.mark.long
async def test_whatever_is_refused_is_repeated_nowhere(tmp_path: Path, authority: Authority, secured: bool) -> None:
    tls, context = "", None
    if secured:
        authority.context()
        files = (authority.folder / f"IP-127-0-0-1.{end}" for end in ("pem", "key"))
        tls = 'tls = {{ certificate = "{}", key = "{}" }}'.format(*files)
        context = ssl.create_default_context(cafile=authority.ca_file)
    answers = {}
    async with house(tmp_path, content=True, bodies=False, tls=tls) as found:
        for some in (HEADS, BODIES):
            said = await asyncio.gather(*(send(found.port, data, context) for data in some.values()))
            answers |= zip(some, said, strict=True)
        answers["hello"] = await send(found.port, build_hello())
        answers["plain"] = await send(found.port, HEADS["wrong key"])
        for name, data in ADMIN.items():
            answers[f"admin {name}"] = await send(found.admin, data)
        await break_configuration(found)
        told = await look(found)
        pid = found.process.process.pid
        seen = {name: Path(f"/proc/{pid}/{name}").read_bytes() for name in ("environ", "cmdline")}
    written = {"lines": "".join(found.lines).encode(), "statuses": "".join(found.statuses).encode()}
    # What begins with 200 the provider has said, and it quotes its own caller.
    refused = {name: answer for name, answer in answers.items() if not answer.startswith(b"HTTP/1.1 200")}
    assert [name for name, answer in answers.items() if C in answer] == []
    everything = {**refused, **told, **seen, **written, **dict(list_kept(tmp_path))}
    assert [name for name, data in everything.items() if SECRET.search(data)] == []
    assert written["statuses"].count(b"READY=1") >= 1
    assert written["lines"].count(b"\n") > len(HEADS)
    assert len(refused) > len(HEADS)
    assert sum(answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5")) for answer in refused.values()) >= len(refused) - 8


def test_the_search_finds_what_it_looks_for() -> None:
    assert SECRET.search(C)
    assert all(SECRET.search(data) for data in (*HEADS.values(), *BODIES.values(), *ADMIN.values(), build_hello()))


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV, signal.SIGQUIT])
async def test_a_process_that_is_killed_leaves_no_core_file(tmp_path: Path, number: signal.Signals) -> None:
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        async with house(tmp_path, content=True) as found:
            limits = Path(f"/proc/{found.process.process.pid}/limits").read_text()
            (line,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
            assert line.split()[4:6] == ["0", "0"]
            os.kill(found.process.process.pid, number)
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)
    text = "".join(found.lines)
    assert not SECRET.search(text.encode())
    assert found.process.process.returncode == -number
    if number != signal.SIGQUIT:  # the others say where they were
        assert "Fatal Python error" in text
