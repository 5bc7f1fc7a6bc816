"""Token counts: Google's `usageMetadata` to the hub's `Usage` and back (ai.google.dev/api/generate-content).

Google counts thoughts beside the candidates and a tool's prompt beside the prompt; the hub counts them in. What a
chunk does not say is unknown, not zero, so `Counts` keeps the last number it saw of each.
"""

from typing import Annotated, Final, TypeAlias

from msgspec import Meta, Struct

from proxy.dialects.events import Usage

MOST: Final = (1 << 53) - 1
"""The largest whole number that every reader of JSON takes for one; what is larger counts nothing, or less than 0."""

_Count: TypeAlias = Annotated[int, Meta(ge=0, le=MOST)]


class UsageMetadata(Struct, rename="camel", gc=False):
    """As it stands in a chunk."""

    prompt_token_count: _Count | None = None
    cached_content_token_count: _Count | None = None
    candidates_token_count: _Count | None = None
    thoughts_token_count: _Count | None = None
    tool_use_prompt_token_count: _Count | None = None
    total_token_count: _Count | None = None


FIELDS: Final = UsageMetadata.__struct_fields__


class Counts:
    """The last number of each kind in a stream."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: UsageMetadata | None = None

    def feed(self, said: UsageMetadata) -> None:
        last = self._last
        if last is not None:
            # Chunks usually say all that earlier ones said; then the new one simply stands.
            if said.prompt_token_count is None:
                said.prompt_token_count = last.prompt_token_count
            if said.cached_content_token_count is None:
                said.cached_content_token_count = last.cached_content_token_count
            if said.candidates_token_count is None:
                said.candidates_token_count = last.candidates_token_count
            if said.thoughts_token_count is None:
                said.thoughts_token_count = last.thoughts_token_count
            if said.tool_use_prompt_token_count is None:
                said.tool_use_prompt_token_count = last.tool_use_prompt_token_count
            if said.total_token_count is None:
                said.total_token_count = last.total_token_count
        self._last = said

    def build(self) -> Usage | None:
        """None when nothing is known."""
        last = self._last
        return None if last is None else parse_usage(last)


def parse_usage(said: UsageMetadata) -> Usage | None:
    """None when it says nothing of tokens: Vertex sends `trafficType` alone in all chunks but the last."""
    prompt, tools, thoughts = said.prompt_token_count, said.tool_use_prompt_token_count, said.thoughts_token_count
    known = None if prompt is None and tools is None else (prompt or 0) + (tools or 0)
    output: int | None = None
    if said.candidates_token_count is not None:
        output = said.candidates_token_count + (thoughts or 0)
    elif said.total_token_count is not None and known is not None:
        output = max(said.total_token_count - known, thoughts or 0)
    elif thoughts is not None:
        output = thoughts
    usage = Usage(input=known, cache_read=said.cached_content_token_count, output=output, reasoning=thoughts)
    return None if usage == _NOTHING else usage


_NOTHING: Final = Usage()


def build_usage(usage: Usage) -> dict[str, int]:
    """`usageMetadata` for a client; what is unknown is left out, and so are zeros where Google leaves them out."""
    found: dict[str, int] = {}
    reasoning = usage.reasoning or 0
    if usage.input is not None:
        found["promptTokenCount"] = usage.input
    if usage.cache_read:
        found["cachedContentTokenCount"] = usage.cache_read
    if usage.output is not None:
        found["candidatesTokenCount"] = max(usage.output - reasoning, 0)
    if reasoning:
        found["thoughtsTokenCount"] = reasoning
    if found:
        found["totalTokenCount"] = (usage.input or 0) + (reasoning if usage.output is None else usage.output)
    return found
