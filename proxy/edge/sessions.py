"""Which conversation a request belongs to, so that its requests meet the same account, whose prompt cache knows them.

Clients that have a name for it say so in a field of their own; for the others it is the part of a conversation that
stays the same from turn to turn: what stands before the first answer. Nothing of it is kept but a hash.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Final

from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import Json
from proxy.edge.question import Question

HEADERS: Final = (
    "x-claude-code-session-id",
    "session-id",  # Codex
    "x-session-affinity",  # opencode
    "x-session-id",
)

_MEMBERS: Final = ("prompt_cache_key", "id")
"""OpenAI's own hint, and the chat of a page; no other dialect's request has a member `id`."""

_SYSTEM: Final = frozenset({"system", "developer"})


def find_session(question: Question) -> str:
    """A short hash; "" where nothing tells."""
    for name in HEADERS:
        if value := question.asked.headers.get(name):
            return _hash(value.encode())
    fields = question.read_fields()
    for name in _MEMBERS:
        value = fields.get(name)
        if isinstance(value, str) and value:
            return _hash(value.encode("utf-8", "surrogatepass"))
    prefix = [part for part in _iterate_prefix(fields) if part]
    return _hash(encode_json(prefix)) if prefix else ""


def _iterate_prefix(fields: Mapping[str, Json]) -> Iterator[Json]:
    """What tells the model who it is, and the first message to it."""
    for name in ("system", "instructions", "systemInstruction", "system_instruction"):
        yield fields.get(name)
    for name in ("messages", "contents", "input"):
        messages = fields.get(name)
        if isinstance(messages, str):
            yield messages
        for message in messages if isinstance(messages, list) else ():
            yield message
            if not (isinstance(message, dict) and message.get("role") in _SYSTEM):
                return


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=12).hexdigest()
