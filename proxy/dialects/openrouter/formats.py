"""Which details of reasoning a model behind OpenRouter takes back: those of its own vendor's format.

A detail says in `format` whose it is (openrouter.ai/docs/use-cases/reasoning-tokens); the vendor of a model stands
before the slash of its name. A signature that another provider gave directly is the same for the same vendor: it is put
into the item that OpenRouter would have made of it. Anything else is left out, since it would be refused.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from proxy.dialects.json_text import decode_json
from proxy.dialects.openai_chat.details import OPENROUTER, build_detail, build_encrypted
from proxy.dialects.parts import Json, Signature

Item = dict[str, Json]

FORMATS: Final[Mapping[str, str]] = MappingProxyType({
    "anthropic": "anthropic-claude-v1",
    "google": "google-gemini-v1",
    "openai": "openai-responses-v1",
    "x-ai": "xai-responses-v1",
})  # fmt: skip

_ISSUERS: Final[Mapping[str, str]] = MappingProxyType({"a": "anthropic", "g": "google"})


def find_vendor(model: str) -> str:
    return model.partition("/")[0].lower()


def takes(signature: Signature, model: str) -> bool:
    """Whether `model` takes what this signature belongs to. Models of no known vendor take what has no known format."""
    vendor = find_vendor(model)
    if signature.origin != OPENROUTER:
        return _ISSUERS.get(signature.origin) == vendor and vendor != ""
    form = _read(signature).get("format")
    wanted = FORMATS.get(vendor)
    return form == wanted if wanted is not None else form not in FORMATS.values()


def build_text(signature: Signature, text: str, index: int) -> Item:
    """The item of a readable thought."""
    if signature.origin == OPENROUTER:
        return build_detail(signature, text, index)
    item = {"type": "reasoning.text", "text": text, "signature": signature.value}
    return {**item, "format": FORMATS["anthropic"], "index": index}


def build_sealed(signature: Signature, index: int, call_id: str = "") -> Item:
    """The item of what only its issuer reads; `call_id`: of the call that it stands on."""
    if signature.origin == OPENROUTER:
        item = build_encrypted(signature, index)
    else:
        form = FORMATS[_ISSUERS[signature.origin]]
        item = {"type": "reasoning.encrypted", "data": signature.value, "format": form, "index": index}
    return {**item, "id": call_id} if call_id else item


def _read(signature: Signature) -> Item:
    try:
        item = decode_json(signature.value)
    except ValueError:
        return {}
    return item if isinstance(item, dict) else {}
