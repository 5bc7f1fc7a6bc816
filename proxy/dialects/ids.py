"""Ids that a dialect wants and another does not give, made from the request's id and a count: same in, same out.

What is synthetic shows in its prefix, so that it is not sent back to a provider that never gave it.
"""

import base64
import hashlib
import re
from typing import Final

SYNTHETIC: Final = "call_g"
"""How ids of tool calls begin that we made for a provider without any."""

_MADE: Final = re.compile(SYNTHETIC + r"[a-z2-7]{24}").fullmatch
_SAFE: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}").fullmatch


def make_id(prefix: str, seed: str, count: int = 0) -> str:
    """`prefix` and 24 letters and digits."""
    digest = hashlib.sha256(f"{seed}/{count}".encode("utf-8", "surrogatepass")).digest()
    text = base64.b32encode(digest).decode().lower()
    return prefix + text[:24]


def make_call_id(seed: str, count: int) -> str:
    """For a tool call whose provider gave no id."""
    return make_id(SYNTHETIC, seed, count)


def is_synthetic(call_id: str) -> bool:
    """Whether `make_call_id` made it; one of OpenAI's 62 ids begins alike, and is shorter."""
    return _MADE(call_id) is not None


def fit_call_id(call_id: str) -> str:
    """`call_id` in the characters that every dialect takes; one that does not fit is replaced by its hash, which is the
    same for the call and its result."""
    return call_id if _SAFE(call_id) else make_id("call_", call_id)
