"""What a test wants of the demo and what an answer of it says, whatever the dialect."""

import base64
from dataclasses import dataclass, field
from typing import Any

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
}
CLOSED = {**SCHEMA, "additionalProperties": False}


@dataclass(frozen=True)
class Wish:
    """What a caller wants. thinks: reasoning asked for (shown too) or refused, None left open."""

    text: str = "Hello you there"
    system: str = ""
    tools: tuple[str, ...] = ()
    forced: bool = False
    limit: int | None = None
    thinks: bool | None = None
    image: bytes = b""
    schema: bool = False


@dataclass
class Said:
    """What an answer says. stop: the dialect's own word; signed: signatures that came with it."""

    text: str = ""
    thought: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    stop: str | None = ""
    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0
    refusal: str = ""
    signed: int = field(default=0, compare=False)
