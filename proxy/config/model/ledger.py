"""What requests used and cost: where it is kept, and the prices of models."""

from typing import Annotated

from msgspec import Struct

from proxy.config import kinds
from proxy.config.marks import Leaf


class Ledger(Struct, frozen=True, kw_only=True):
    path: Annotated[
        str,
        Leaf(
            kinds.DATA_FILE,
            "The SQLite file with a row for every request; `:memory:` for none. Empty: the file of `[state]`.",
        ),
    ] = ""
    retain: Annotated[
        float,
        Leaf(
            kinds.DURATION_OR_OFF,
            "How long a row is kept; off for ever. A quarter, which is how bills are looked into.",
        ),
    ] = 90 * 86400.0


class Price(Struct, frozen=True, kw_only=True):
    """For a million tokens, in whatever currency all of them are."""

    input: Annotated[float, Leaf(kinds.AMOUNT, "Tokens of prompts.")]
    output: Annotated[float, Leaf(kinds.AMOUNT, "Tokens of answers.")]
    cached_input: Annotated[
        float | None, Leaf(kinds.AMOUNT, "Tokens of prompts that were read from a cache. Absent: as `input`.")
    ] = None
    cache_write: Annotated[
        float | None, Leaf(kinds.AMOUNT, "Tokens of prompts that were written to a cache. Absent: as `input`.")
    ] = None
    reasoning: Annotated[
        float | None, Leaf(kinds.AMOUNT, "Tokens of answers that are reasoning. Absent: as `output`.")
    ] = None
