"""Which account a session belongs to: rendezvous hashing with weights, so that nothing has to be remembered.

`rank_for(session, names, weights)` gives every account's place for a session, best first: the same on every instance
and after every restart. An account that goes takes only its own sessions with it, one that comes takes its share from
each of the others. (Thaler and Ravishankar 1998; the weights as in Schindelhauer and Schomaker 2005.)
"""

import math
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

_SPAN: Final = 2.0**64


def rank_for(session: str, names: Sequence[bytes], weights: Sequence[int]) -> list[int]:
    """Indexes, best first. names: one for each account, no two alike."""
    # A lone surrogate in a session's name is no reason to fail.
    seed = blake2b(session.encode("utf-8", "surrogatepass"), digest_size=8)
    scores = [_score(seed, name, weight) for name, weight in zip(names, weights, strict=True)]
    return sorted(range(len(scores)), key=scores.__getitem__, reverse=True)


def _score(seed: "blake2b", name: bytes, weight: int) -> float:
    digest = seed.copy()
    digest.update(b"\0" + name)
    share = (int.from_bytes(digest.digest(), "big") + 0.5) / _SPAN  # 0 < share <= 1
    return math.inf if share >= 1 else weight / -math.log(share)
