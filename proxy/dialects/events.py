"""The hub, second half: what an answer says, as it comes.

Every provider dialect decodes into these, every client dialect encodes from them. What a decoder promises (and
`order.check` proves in tests):

- `Start` first and once; then blocks; then exactly one `Finish` or `Failure`, last.
- Blocks do not overlap and are not empty: `BlockStart`, its `Delta`s and `Sign`s, `BlockEnd`. A change of kind ends a
  block. Their number is their order; nobody counts but who must.
- A tool block has its id and name at its start; the deltas of one, joined, are its arguments, never "" (then "{}").
- `Usage` snapshots are cumulative: the last one wins, field by field.
- Nothing of a provider's own control (`[DONE]`, comments, padding) is in a text.

A whole answer is the same list of events (see `answer.py`).
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from msgspec import Struct

from proxy.dialects.parts import Json, Signature


class Kind(Enum):
    """Of a block. SIGNATURE is a Gemini signature that belongs to no text; IMAGE has its mime type as `name` and base64
    as `data`; REDACTED has its signature at its start; OPAQUE has JSON in `data` and its dialect as `name`."""

    TEXT = "text"
    THINKING = "thinking"
    REDACTED = "redacted"
    TOOL = "tool"
    REFUSAL = "refusal"
    IMAGE = "image"
    SIGNATURE = "signature"
    OPAQUE = "opaque"


class Reason(Enum):
    """Why a model stopped; each dialect's `reasons.py` has its words for them."""

    STOP = "stop"
    STOP_SEQUENCE = "stop_sequence"
    LENGTH = "length"
    TOOL_USE = "tool_use"
    CONTENT_FILTER = "content_filter"
    REFUSAL = "refusal"
    CONTEXT_FULL = "context_full"
    PAUSE = "pause"
    MALFORMED_TOOL = "malformed_tool"
    OTHER = "other"


class FailureKind(Enum):
    """What went wrong; `failures.py` has each kind's form in every dialect."""

    INVALID = "invalid_request"
    CONTEXT_LENGTH = "context_length"
    CONTENT_FILTER = "content_filter"
    AUTH = "auth"  # the caller's key to us
    UPSTREAM_AUTH = "upstream_auth"  # our key at the provider
    QUOTA = "quota"
    PERMISSION = "permission"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    RATE_LIMIT = "rate_limit"
    TIMEOUT = "timeout"
    OVERLOADED = "overloaded"
    SERVER = "server"
    BAD_GATEWAY = "bad_gateway"
    DISCONNECT = "upstream_disconnect"
    UNUSABLE = "unusable"  # no account of ours can be used until somebody looks
    CANCELLED = "cancelled"


class Usage(Struct, frozen=True, gc=False):
    """Tokens; None is unknown. input includes what was read from and written to a cache, output includes reasoning.
    cost: in US dollars, when the provider says so."""

    input: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    output: int | None = None
    reasoning: int | None = None
    cost: float | None = None

    def merge(self, later: "Usage") -> "Usage":
        """`later` where it knows, this otherwise."""
        return Usage(*(new if new is not None else old for old, new in zip(_values(self), _values(later), strict=True)))

    def count(self) -> int | None:
        """All of them, None when nothing is known."""
        return None if self.input is None and self.output is None else (self.input or 0) + (self.output or 0)


def _values(usage: Usage) -> tuple[Any, ...]:
    return (usage.input, usage.cache_read, usage.cache_write, usage.output, usage.reasoning, usage.cost)


class Start(Struct, frozen=True):
    """id and model as the provider said, "" when it did not. usage: what is known of the input."""

    id: str = ""
    model: str = ""
    usage: Usage | None = None


class BlockStart(Struct, frozen=True):
    """id and name: of a tool call. custom: the call is of a free-text tool."""

    kind: Kind
    id: str = ""
    name: str = ""
    data: Json = None
    signature: Signature | None = None
    custom: bool = False


class Delta(Struct, frozen=True, gc=False):
    """More text of the open block: of the answer, of a thought, of a refusal, of a call's arguments."""

    text: str


class Sign(Struct, frozen=True):
    """The signature of the open block."""

    signature: Signature


class BlockEnd(Struct, frozen=True, gc=False):
    pass


class Finish(Struct, frozen=True):
    """raw: the provider's own word. stop_sequence: which one matched. details: a provider's explanation."""

    reason: Reason
    raw: str = ""
    stop_sequence: str | None = None
    details: Mapping[str, Json] | None = None


class Failure(Struct, frozen=True):
    """The answer failed, before or within. status: the HTTP status that says so, ours for the client's dialect is
    chosen from `kind`. message: readable, short, without secrets. code: the provider's own. retry_after: seconds.
    param: the field that is blamed, in the client's dialect when known. model_only: a limit of this account for this
    one model, as the provider says."""

    kind: FailureKind
    message: str
    status: int = 0
    code: str = ""
    retry_after: float | None = None
    param: str = ""
    model_only: bool = False


Event = Start | BlockStart | Delta | Sign | BlockEnd | Usage | Finish | Failure
