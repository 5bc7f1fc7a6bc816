"""Signatures of reasoning as the demo issues and checks them: base64 of an issuer's name and a hash of what is signed.

A provider's signature is opaque and tied to its block. So is this one: whoever changes a character of a thought on the
way, gives it to the wrong issuer or hangs it on another call is found out. Pure.
"""

import base64
import binascii
import hashlib
import json
from typing import Any, Final

MARK: Final = b"penstock-demo/"
ANTHROPIC: Final = "anthropic"
GOOGLE: Final = "google"
OPENAI: Final = "openai"
SENTINEL: Final = "skip_thought_signature_validator"
"""What Google takes in place of a signature for calls that another model made."""


def sign(issuer: str, text: str) -> str:
    """The signature of `text` in standard base64."""
    digest = hashlib.sha256(f"{issuer}/{text}".encode("utf-8", "surrogatepass")).digest()
    return base64.b64encode(MARK + issuer.encode() + b"/" + digest).decode()


def is_signed(signature: str, issuer: str, text: str) -> bool:
    """Whether this is the signature of exactly that text."""
    return signature == sign(issuer, text)


def is_issued(signature: str, issuer: str) -> bool:
    """Whether `issuer` gave this signature, whatever for. Both alphabets are read, as Google's SDK sends either."""
    try:
        text = signature.replace("-", "+").replace("_", "/")
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return raw.startswith(MARK + issuer.encode() + b"/")


def call_text(name: str, arguments: Any) -> str:
    """What a call's signature signs: the same for the same call, however its JSON is spelled."""
    return f"{name} {json.dumps(arguments, sort_keys=True)}"


def wrap(signature: str) -> str:
    """Base64 once more, as Code Assist hands on Anthropic's."""
    return base64.b64encode(signature.encode()).decode()


def unwrap(signature: str) -> str:
    """The inner signature, "" for what is none."""
    try:
        return base64.b64decode(signature, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
