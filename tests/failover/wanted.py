"""A request as a faulty provider reads it: dialect, model, and the assistant's turn that it is to go on from."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

_GEMINI: Final = re.compile(r"/v1beta/models/([^:]+):(stream)?[gG]enerateContent")
_PATHS: Final[Mapping[str, str]] = {
    "/v1/chat/completions": "openai-chat",
    "/v1/responses": "openai-responses",
    "/v1/messages": "anthropic",
}
_TURNS: Final[Mapping[str, str]] = {
    "openai-chat": "messages", "openai-responses": "input", "anthropic": "messages", "gemini": "contents",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    dialect: str
    model: str
    stream: bool
    body: Mapping[str, Any]


async def read_request(reader: asyncio.StreamReader, stash: bytearray) -> Wanted | None:
    """The next request of a connection; None at its end. `stash` is what was read of it already, and of the next."""

    def find_head() -> int | None:
        end = stash.find(b"\r\n\r\n")
        return end + 4 if end >= 0 else None

    head = await _read_until(reader, stash, find_head)
    if head is None:
        return None
    first, *lines = head.decode().strip().split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(fields["content-length"])
    body = await _read_until(reader, stash, lambda: length if len(stash) >= length else None)
    return None if body is None else parse_request(first.split(" ")[1], json.loads(body))


def parse_request(target: str, body: Mapping[str, Any]) -> Wanted:
    path = target.partition("?")[0]
    if found := _GEMINI.fullmatch(path):
        return Wanted("gemini", found[1], bool(found[2]), body)
    return Wanted(_PATHS[path], body["model"], bool(body.get("stream")), body)


def read_prefill(dialect: str, body: Mapping[str, Any]) -> str:
    """The text of the assistant's turn that the conversation ends with, "" when it ends with the user's."""
    turns = body[_TURNS[dialect]]
    last: Mapping[str, Any] = turns[-1] if isinstance(turns, list) else {}
    if last.get("role") not in ("assistant", "model"):
        return ""
    content = last["parts"] if dialect == "gemini" else last["content"]
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


async def _read_until(
    reader: asyncio.StreamReader, stash: bytearray, find: Callable[[], int | None]
) -> bytearray | None:
    """The bytes up to where `find` says, taken from `stash`; None when the connection ends before."""
    while (end := find()) is None:
        data = await reader.read(65536)
        if not data:
            return None
        stash += data
    taken = stash[:end]
    del stash[:end]
    return taken
