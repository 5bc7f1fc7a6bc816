"""Who may call, and how much: the allowances of one caller."""

from typing import Annotated

from msgspec import Struct

from proxy.config import kinds
from proxy.config.marks import Leaf


class Client(Struct, frozen=True, kw_only=True):
    key_sha256: Annotated[
        bytes,
        Leaf(
            kinds.DIGEST,
            "SHA-256 of the key, as `printf %s KEY | sha256sum` prints it: the file then holds no secret.",
            instead=("key", kinds.KEY_TO_DIGEST, "The key that this caller shows. Only its hash is kept."),
        ),
    ]
    max_streams: Annotated[
        int,
        Leaf(
            kinds.COUNT_OR_ZERO,
            "Requests in flight at most; above it 429. 0 for any number, because `limits.streams` guards the process.",
        ),
    ] = 0
    rpm: Annotated[
        int,
        Leaf(
            kinds.COUNT_OR_ZERO,
            "Requests a minute at most; above it 429. A minute's worth may come at once, then it refills second by "
            "second. 0 for any number.",
        ),
    ] = 0
    tpm: Annotated[
        int,
        Leaf(
            kinds.COUNT_OR_ZERO,
            "Tokens a minute at most, those of prompts and answers, cached ones included. A request is let in by the "
            "size of its prompt and settled by what it used. 0 for any number.",
        ),
    ] = 0
    tokens_per_day: Annotated[
        int,
        Leaf(
            kinds.DAY,
            "Tokens from midnight to midnight UTC. Once they are used up: 429 until the day is over. 0 for any number.",
        ),
    ] = 0
    cost_per_day: Annotated[
        float,
        Leaf(
            kinds.AMOUNT,
            "Cost from midnight to midnight UTC, in the currency of `[prices]`. Counts what a price or the provider "
            "itself tells. 0 for any.",
        ),
    ] = 0.0
    models: Annotated[
        tuple[str, ...],
        Leaf(
            kinds.PATTERN,
            "Models that may be asked for, by the name in the request; `*` stands for any text. Others are not listed "
            "and not found, and mounts, whose models nobody reads, are refused. Empty for all of them.",
            many=True,
            least=0,
        ),
    ] = ()

    def __repr__(self) -> str:
        return "Client(key_sha256=***)"  # the hash of a short key is as good as the key
