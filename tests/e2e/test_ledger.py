"""The books of a running proxy: what each answer has used, by whose word, and what it cost, down to the file."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from proxy.relay.outcome import Record
from proxy.store.database import open_reader
from tests.helpers.models import LAST_CHUNK, PROVIDERS, SSE, chat_chunk, modelled, send_chunk

PRICES = {name + "/m*": {"input": 1_000_000.0, "output": 10.0} for name in ("claude", "gemini")}
ALL = pytest.mark.parametrize("model", list(PROVIDERS))
USAGE = chat_chunk({}, usage={"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7})


def build_config(tmp_path: Path) -> dict[str, Any]:
    return {"ledger": {"path": str(tmp_path / "penstock.db")}, "prices": PRICES}


def read_rows(tmp_path: Path, *columns: str) -> list[tuple[Any, ...]]:
    with closing(open_reader(tmp_path / "penstock.db")) as connection:
        return connection.execute(f"SELECT {', '.join(columns)} FROM requests ORDER BY rowid").fetchall()


def show(record: Record) -> tuple[Any, ...]:
    usage = record.usage
    assert usage is not None
    return usage.input, usage.output, record.usage_source


async def serve(tmp_path: Path, model: str, said: bytes, *, cut: bool = False, leave: bool = False) -> Record:
    """What is put down of one stream: `said` by the provider, then its end, a cut, or the client's leaving."""
    async with modelled(**build_config(tmp_path)) as rig:
        peer = await rig.ask("openai", model)
        peer.send(SSE)
        send_chunk(peer, said)
        if not (cut or leave):
            peer.send(LAST_CHUNK)
            return await rig.proxy.wait_record()
        await rig.client.head()
        body = b""
        while b"Hel" not in body:
            body += await rig.client.chunk()
        if cut:
            peer.reset()
        else:
            rig.client.writer.transport.abort()
        return await rig.proxy.wait_record()


@ALL
async def test_a_complete_stream_has_the_provider_s_count(tmp_path: Path, model: str) -> None:
    spoken = PROVIDERS[model]
    said = spoken.opening + b"".join(spoken.texts) + spoken.finish + (USAGE if model == "openai" else b"") + spoken.mark
    record = await serve(tmp_path, model, said)
    assert show(record) == (5, 2, "reported")
    cost = None if model == "openai" else pytest.approx(5.00002)
    assert record.cost == cost
    assert read_rows(tmp_path, "id", "provider", "input", "output", "source", "finish", "end_reason", "cost") == [
        (record.id, model, 5, 2, "reported", "stop", "done", cost)
    ]


async def test_what_nobody_has_counted_is_estimated(tmp_path: Path) -> None:
    record = await serve(tmp_path, "openai", PROVIDERS["openai"].whole)
    assert show(record) == (-(-record.bytes_up // 4), 2, "estimated")


BROKEN = {"openai": (None, 1, "estimated"), "claude": (5, 1 + 1, "partial"), "gemini": (5, 2 + 1, "partial")}
"""Tokens in and out, and whose word: three letters have come, and what the provider had said before them."""


@ALL
@pytest.mark.parametrize("end", ["cut", "leave"])
async def test_a_stream_that_broke_off_has_what_is_known_and_the_rest_by_its_text(
    tmp_path: Path, model: str, end: str
) -> None:
    spoken = PROVIDERS[model]
    record = await serve(tmp_path, model, spoken.opening + spoken.texts[0], cut=end == "cut", leave=end == "leave")
    read_in, output, source = BROKEN[model]
    asked = -(-record.bytes_up // 4) if read_in is None else read_in
    assert show(record) == (asked, output, source)
    assert read_rows(tmp_path, "input", "output", "source", "end_reason") == [
        (asked, output, source, "upstream_cut" if end == "cut" else "client_gone")
    ]


async def test_a_refusal_and_a_request_for_nothing_are_put_down_without_tokens(tmp_path: Path) -> None:
    async with modelled(**build_config(tmp_path)) as rig:
        await rig.client.ask("/v1/chat/completions", body=json.dumps({"model": "nobody", "messages": []}).encode())
        assert (await rig.client.reply()).status == 404
    assert read_rows(tmp_path, "status", "end_reason", "input", "output", "source", "cost") == [
        (404, "refused", None, None, "", None)
    ]
