"""A request of an Anthropic client that remembers its blocks, for a provider of the same dialect.

Most such requests pass as bytes; those with reasoning of another provider in their history are taken apart, and leave
without it. The hub has no place for citations, document titles in text, hints on tools and whatever the vendor adds
next: a block that nothing has changed is therefore sent as it came, found by its place in the body.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from proxy.dialects.parts import File, Image, Json, Part, Request, Text, ToolCall, ToolResult

DIALECT: Final = "anthropic"
NATIVE: Final = "a"
"""The dialect's name, and the origin of its providers' signatures."""

_TYPES: Final[Mapping[type[Part], str]] = {
    ToolCall: "tool_use",
    ToolResult: "tool_result",
    Image: "image",
    File: "document",
}


@dataclass(slots=True)
class NativeRequest(Request):
    """blocks: by place, content blocks and tools as they stood; None for a place whose words stand in another block."""

    blocks: dict[str, Json] = field(default_factory=dict)


def list_blocks(request: Request) -> Mapping[str, Json]:
    return request.blocks if isinstance(request, NativeRequest) else {}


def is_said_elsewhere(blocks: Mapping[str, Json], part: Part) -> bool:
    return part.at in blocks and blocks[part.at] is None


def find_block(blocks: Mapping[str, Json], part: Part) -> dict[str, Any] | None:
    """A copy of the block that `part` was, None when it was none or has become another part on its way."""
    block = blocks.get(part.at)
    if block is None:
        return None
    kind = block["type"]
    if isinstance(part, Text):
        same = kind == "document" or (kind == "text" and block["text"] == part.text)
    else:
        same = kind == _TYPES.get(type(part))
    return _copy(block) if same else None


def _copy(block: Mapping[str, Json]) -> dict[str, Any]:
    """Deep enough for who takes `cache_control` out."""
    copied = dict(block)
    content = copied.get("content")
    if isinstance(content, list):
        copied["content"] = [dict(inner) if isinstance(inner, dict) else inner for inner in content]
    return copied
