"""Thought signatures as Gemini's clients hold them: base64 in `thoughtSignature`, whoever issued them.

Google's own go through untouched. Those of others travel as base64 of their envelope, since clients and their proto
types take nothing but base64 here; redacted reasoning, which has no field in this dialect, travels the same way under
an origin of its own.
"""

import base64
from typing import Final

from proxy.dialects.media import fit_base64
from proxy.dialects.parts import Part, Redacted, Signature, Thinking
from proxy.dialects.signatures import seal, unseal

ORIGIN: Final = "g"
SENTINEL: Final = "skip_thought_signature_validator"
"""Stands for a signature that nobody has (ai.google.dev/gemini-api/docs/thought-signatures)."""

_SENTINELS: Final = frozenset({SENTINEL, "context_engineering_is_the_way_to_go"})
_ENVELOPE: Final = base64.b64encode(b"gw1.")[:5].decode()
_REDACTED: Final = "redacted-"


def read_mark(text: str) -> Signature | None:
    """The signature in `text`; None for none, for a sentinel and for a broken envelope. Raises ValueError for what is
    no base64. Python's SDK sends the URL-safe alphabet."""
    if not text or text in _SENTINELS:
        return None
    fitted = fit_base64(text)
    if fitted.startswith(_ENVELOPE):
        envelope = base64.b64decode(fitted).decode("utf-8", "replace")
        if envelope.startswith("gw1."):
            return unseal(envelope)
    return Signature(ORIGIN, fitted)


def write_mark(signature: Signature) -> str:
    if signature.origin == ORIGIN:
        return signature.value
    return base64.b64encode(seal(signature).encode()).decode()


def write_redacted(signature: Signature) -> str:
    return write_mark(Signature(_REDACTED + signature.origin, signature.value))


def build_thought(text: str, signature: Signature) -> Part:
    """The part that a signed thought is."""
    if signature.origin.startswith(_REDACTED):
        return Redacted(Signature(signature.origin.removeprefix(_REDACTED), signature.value))
    return Thinking(text, signature)
