"""Reasoning items: what providers sign, carried in `encrypted_content` through Responses clients and back.

A Responses client sends reasoning items back as they came, Codex without their ids. OpenAI's own content travels as it
is; its signature in the hub (origin "r") is JSON of `id` and `encrypted_content`. A foreign signature travels sealed.
Two kinds of blocks have no place of their own in this dialect, so their envelope has a mark before it:

    redacted:gw1.…          a block of reasoning without readable text
    call=call_1:gw1.…       the signature of the tool call `call_1`

`write_` functions build what a client is shown, `read_content` takes it back. Nothing here raises.
"""

from typing import Final

from proxy.dialects.json_text import decode_json, encode_json
from proxy.dialects.parts import Part, Redacted, Signature, Thinking
from proxy.dialects.signatures import seal, unseal

ORIGIN: Final = "r"
_REDACTED: Final = "redacted"
_CALL: Final = "call="
_ENVELOPE: Final = "gw1."


def build_signature(item_id: str, content: str) -> Signature:
    """Of one of OpenAI's own reasoning items."""
    return Signature(ORIGIN, encode_json({"id": item_id, "encrypted_content": content}).decode())


def read_signature(signature: Signature) -> tuple[str, str] | None:
    """Id (may be empty) and encrypted content of an own signature; None for a foreign or a broken one."""
    if signature.origin != ORIGIN:
        return None
    try:
        value = decode_json(signature.value)
    except ValueError:
        return None
    item_id, content = (value.get("id"), value.get("encrypted_content")) if isinstance(value, dict) else (None, None)
    if not isinstance(content, str) or not content:
        return None
    return item_id if isinstance(item_id, str) else "", content


def write_thinking(signature: Signature, item_id: str) -> str:
    """The encrypted content of the reasoning item `item_id`: the provider's own where it belongs to that very item."""
    own = read_signature(signature)
    return own[1] if own is not None and own[0] == item_id else seal(signature)


def write_redacted(signature: Signature) -> str:
    return f"{_REDACTED}:{seal(signature)}"


def write_call(signature: Signature, call_id: str) -> str:
    return f"{_CALL}{call_id}:{seal(signature)}"


def read_content(item_id: str, text: str, content: str, at: str) -> tuple[Part | None, tuple[str, Signature] | None]:
    """What a reasoning item says: a part or None, and the signature of a call with the call's id or None.

    text: its summary. content: its encrypted content, "" when it has none.
    """
    mark, _, envelope = content.rpartition(":")
    if envelope.startswith(_ENVELOPE):
        signature = unseal(envelope)
        if signature is not None and mark == _REDACTED:
            return Redacted(signature, at=at), None
        if signature is not None and mark.startswith(_CALL):
            return None, (mark.removeprefix(_CALL), signature)
    else:
        signature = build_signature(item_id, content) if content else None
    return (Thinking(text, signature, at=at) if text or signature is not None else None), None
