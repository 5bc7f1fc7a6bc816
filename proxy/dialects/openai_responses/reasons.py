"""How a response ends: `status` and `incomplete_details.reason` (openai-python, types/responses/response.py).

The API knows no status for tool calls: an answer with a call in it is completed. What only says why a model stopped
and leaves a whole answer is completed too.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from proxy.dialects.events import Finish, Kind, Reason

_INCOMPLETE: Final[Mapping[str, Reason]] = MappingProxyType(
    {
        "max_output_tokens": Reason.LENGTH,
        "max_tokens": Reason.LENGTH,
        "length": Reason.LENGTH,
        "content_filter": Reason.CONTENT_FILTER,
    }
)

_CAUSES: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.LENGTH: "max_output_tokens",
        Reason.CONTEXT_FULL: "max_output_tokens",
        Reason.CONTENT_FILTER: "content_filter",
    }
)


def map_finish(status: str, cause: str, kinds: frozenset[Kind]) -> Finish:
    """The finish of a response that ended with `status` and, when incomplete, for `cause`. kinds: of its blocks."""
    if status == "incomplete":
        return Finish(_INCOMPLETE.get(cause, Reason.OTHER), cause or status)
    if Kind.TOOL in kinds:
        return Finish(Reason.TOOL_USE, status)
    return Finish(Reason.REFUSAL if Kind.REFUSAL in kinds else Reason.STOP, status)


def find_cause(reason: Reason, kinds: frozenset[Kind]) -> str | None:
    """Why the response is incomplete; None when it is completed. A refusal that says nothing is the filter's."""
    if reason is Reason.REFUSAL:
        return None if Kind.REFUSAL in kinds else "content_filter"
    return _CAUSES.get(reason)
