"""Carries a provider's signatures through clients of another dialect and back.

`env = "gw1." + origin + "." + base64url(value)`: it stands wherever the client's own dialect has a signature.
"""

import base64
import binascii
from typing import Final

from proxy.dialects.parts import Signature

_MARK: Final = "gw1."


def seal(signature: Signature) -> str:
    """The envelope as text."""
    payload = base64.urlsafe_b64encode(signature.value.encode("utf-8", "surrogatepass")).decode().rstrip("=")
    return f"{_MARK}{signature.origin}.{payload}"


def unseal(text: str) -> Signature | None:
    """What an envelope holds; None for anything else."""
    if not text.startswith(_MARK):
        return None
    origin, _, payload = text[len(_MARK) :].partition(".")
    try:
        value = base64.b64decode(payload + "=" * (-len(payload) % 4), b"-_", validate=True).decode(
            "utf-8", "surrogatepass"
        )
    except (binascii.Error, ValueError):
        return None
    return Signature(origin, value) if origin and value else None


def read_signature(text: str, native: str) -> Signature | None:
    """The signature that a client of the dialect with origin `native` shows: an envelope, or its provider's own.
    None for empty text."""
    if not text:
        return None
    return unseal(text) or (None if text.startswith(_MARK) else Signature(native, text))


def write_signature(signature: Signature, native: str) -> str:
    """The text that a client of origin `native` is shown."""
    return signature.value if signature.origin == native else seal(signature)
