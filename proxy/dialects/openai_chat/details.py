"""Carries thoughts and signatures through OpenAI-type clients, in the fields that these are used to.

`reasoning_details` are OpenRouter's (openrouter.ai/docs/use-cases/reasoning-tokens): `reasoning.text` with a signature,
`reasoning.encrypted` with data, whose `id` may be that of a tool call. `extra_content.google.thought_signature` is that
of Google's OpenAI endpoint. A signature of another provider stands in them as an envelope (`signatures.py`), one of
OpenRouter's as the item it came in. `thinking_blocks`, as LiteLLM writes them, and plain texts are read too.
Raises Invalid for a wrong type only: an item that is not understood asks for nothing.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from proxy.dialects.fields import Fields
from proxy.dialects.json_text import decode_json, encode_json
from proxy.dialects.openai_chat.tool_assembly import find_google_signature
from proxy.dialects.parts import Json, Part, Redacted, Signature, Thinking
from proxy.dialects.signatures import read_signature, seal, unseal, write_signature

Item = dict[str, Json]

OPENROUTER: Final = "o"
_FORMATS: Final = {
    "a": "anthropic-claude-v1", "yc": "anthropic-claude-v1", "g": "google-gemini-v1", "r": "openai-responses-v1",
}  # fmt: skip
_TEXTS: Final = {"reasoning.text": "text", "reasoning.summary": "summary"}
_JOINED: Final = ("text", "summary", "data")


@dataclass(slots=True)
class Thoughts:
    """Of one assistant message. calls: signatures by id of the call."""

    parts: list[Part] = field(default_factory=list)
    calls: dict[str, Signature] = field(default_factory=dict)


class _Merged:
    """An item under way."""

    __slots__ = ("pieces", "rest")

    def __init__(self) -> None:
        self.rest: Item = {}
        self.pieces: dict[str, list[str]] = {}

    def add(self, fragment: Item) -> None:
        for name, value in fragment.items():
            if name in _JOINED and isinstance(value, str):
                self.pieces.setdefault(name, []).append(value)
                self.rest.setdefault(name, "")
            elif value is not None:
                self.rest[name] = value

    def build(self) -> Item:
        return {**self.rest, **{name: "".join(pieces) for name, pieces in self.pieces.items()}}


def parse_thoughts(message: Fields, call_ids: Collection[str]) -> Thoughts:
    """The best of what a message brings: details, then blocks, then text alone."""
    text = message.text("reasoning_content", "") or message.text("reasoning", "")
    items = merge_details(message.array("reasoning_details", []))
    blocks: list[Json] = message.array("thinking_blocks", [])
    thoughts = _read_items(items, text, call_ids)
    if not thoughts.parts:
        thoughts.parts = list(_read_blocks(blocks))
    if not thoughts.parts and text:
        thoughts.parts.append(Thinking(text, at=message.place("reasoning_content")))
    signature = find_google_signature(message.raw("extra_content"))
    if signature is not None:
        thoughts.parts.append(Thinking("", signature, at=message.place("extra_content")))
    return thoughts


def merge_details(items: Iterable[Json]) -> list[Item]:
    """One item for all fragments with the same index, type and id: texts and data joined, anything else the last that
    is not null. A fragment without an id belongs to the last item of its index and type."""
    merged: list[_Merged] = []
    found: dict[tuple[Json, ...], _Merged] = {}
    for item in items:
        if not isinstance(item, dict) or not isinstance(kind := item.get("type"), str):
            continue
        index, name = item.get("index"), item.get("id")
        key = (index, kind) if isinstance(index, int) else ()
        same = found.get((*key, name) if isinstance(name, str) else key) if key else None
        if same is None and key and (last := found.get(key)) is not None and "id" not in last.rest:
            same = last
        if same is None:
            same = _Merged()
            merged.append(same)
        same.add(item)
        if key:
            found[key] = found[(*key, same.rest.get("id"))] = same
    return [item.build() for item in merged]


def build_detail(signature: Signature, text: str, index: int) -> Item:
    """The item for signed thoughts, whole."""
    if signature.origin == OPENROUTER:
        item = _read_item(signature)
        name = _TEXTS.get(str(item.get("type")), "")
        return {**item, name: text} if name else item
    return {"type": "reasoning.text", "text": text, "signature": seal(signature), **_build_rest(signature, index)}


def build_encrypted(signature: Signature, index: int, call_id: str = "") -> Item:
    """The item for reasoning that only its issuer reads, or for the signature of a call."""
    if signature.origin == OPENROUTER:
        return _read_item(signature)
    item: Item = {"type": "reasoning.encrypted", "data": seal(signature), **_build_rest(signature, index)}
    return {**item, "id": call_id} if call_id else item


def build_extra(signature: Signature) -> Item:
    """The `extra_content` of a call or a message."""
    return {"google": {"thought_signature": write_signature(signature, "g")}}


def keep_item(item: Mapping[str, Json]) -> Signature:
    """OpenRouter's item without its text, as a signature."""
    bare = {name: value for name, value in item.items() if name not in ("text", "summary")}
    return Signature(OPENROUTER, encode_json(bare).decode())


def _read_item(signature: Signature) -> Item:
    try:
        item = decode_json(signature.value)
    except ValueError:
        item = None
    return item if isinstance(item, dict) else {"type": "reasoning.encrypted", "data": signature.value}


def _build_rest(signature: Signature, index: int) -> Item:
    return {"format": _FORMATS.get(signature.origin, "unknown"), "index": index}


def _read_items(items: list[Item], text: str, call_ids: Collection[str]) -> Thoughts:
    thoughts = Thoughts()
    texts = [item for item in items if item["type"] in _TEXTS]
    alone = len(texts) == 1
    for item in items:
        kind = item["type"]
        if kind in _TEXTS:
            said = item.get(_TEXTS[kind])
            # A stream that signs its thoughts without repeating them.
            said = said if isinstance(said, str) and said else text if alone else ""
            signature = _read_sealed(item, "signature")
            if said or signature is not None:
                thoughts.parts.append(Thinking(said, signature))
        elif kind == "reasoning.encrypted" and isinstance(item.get("data"), str) and item["data"]:
            signature = _read_sealed(item, "data")
            call_id = item.get("id")
            if signature is not None and isinstance(call_id, str) and call_id in call_ids:
                thoughts.calls[call_id] = signature
            elif signature is not None:
                thoughts.parts.append(Redacted(signature))
    return thoughts


def _read_sealed(item: Item, name: str) -> Signature | None:
    """An envelope's signature, else the item itself as OpenRouter's; None for an envelope that is broken."""
    value = item.get(name)
    if not isinstance(value, str) or not value.startswith("gw1."):
        return keep_item(item)
    return unseal(value)


def _read_blocks(blocks: list[Json]) -> Iterable[Part]:
    for block in blocks:
        if not isinstance(block, dict):
            continue
        text, proof, data = (block.get(name) for name in ("thinking", "signature", "data"))
        if block.get("type") == "thinking" and isinstance(text, str):
            signature = read_signature(proof, "a") if isinstance(proof, str) else None
            if text or signature is not None:
                yield Thinking(text, signature)
        elif block.get("type") == "redacted_thinking" and isinstance(data, str):
            signature = read_signature(data, "a")
            yield from () if signature is None else (Redacted(signature),)
