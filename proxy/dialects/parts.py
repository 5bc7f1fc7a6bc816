"""The hub, first half: what a chat request says, whichever dialect it came in.

Every client dialect parses into a `Request`, every provider dialect builds from one; no dialect knows another. Parts
remember in `at` where in the client's body they stood ("messages[2].content[0]"), so that whoever cannot take one can
say which. Messages are as the client sent them; `normalise.py` puts them into the order that a target wants.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

Json = Any
"""A decoded JSON value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something in a message. `cache`: an Anthropic `cache_control` object, None where there is none."""

    at: str = field(default="", compare=False)
    cache: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """What a provider wants back with a block of reasoning or a tool call, exactly as it came.

    origin: a (Anthropic), g (Gemini), yc (Claude behind Code Assist), r (Responses: JSON of `id` and
    `encrypted_content`), o (OpenRouter: JSON of a reasoning_details item).
    """

    origin: str
    value: str


@dataclass(frozen=True, slots=True)
class Text(Part):
    text: str


@dataclass(frozen=True, slots=True)
class Media:
    """Bytes by value (`data`, standard base64 with padding) or by reference (`url` or a provider's `file_id`)."""

    mime: str
    data: str = ""
    url: str = ""
    file_id: str = ""


@dataclass(frozen=True, slots=True)
class Image(Part):
    media: Media
    detail: str = ""


@dataclass(frozen=True, slots=True)
class File(Part):
    media: Media
    name: str = ""


@dataclass(frozen=True, slots=True)
class Audio(Part):
    """format: "wav", "mp3", …; data as in Media."""

    format: str
    data: str


@dataclass(frozen=True, slots=True)
class Thinking(Part):
    text: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True)
class Redacted(Part):
    """Reasoning that only its issuer can read."""

    signature: Signature


@dataclass(frozen=True, slots=True)
class ToolCall(Part):
    """arguments: JSON text as the model wrote it; an object when all is well, never "" (then "{}").

    custom: a call of a free-text tool (OpenAI `custom`), `arguments` then is that text.
    """

    id: str
    name: str
    arguments: str
    signature: Signature | None = None
    custom: bool = False


@dataclass(frozen=True, slots=True)
class ToolResult(Part):
    """name: resolved from the call by `normalise`, "" before. content: Text, Image and File."""

    call_id: str
    content: tuple[Part, ...]
    name: str = ""
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Refusal(Part):
    text: str


@dataclass(frozen=True, slots=True)
class Opaque(Part):
    """A block that only `dialect` understands, as its JSON stood."""

    dialect: str
    json: Json


@dataclass(frozen=True, slots=True)
class Message:
    """role: user, assistant, or system for one in the middle of a conversation."""

    role: Literal["user", "assistant", "system"]
    parts: tuple[Part, ...]
    at: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Tool:
    """schema: plain JSON Schema of the arguments, None for a tool without any. custom: takes free text."""

    name: str
    description: str = ""
    schema: Json = None
    strict: bool | None = None
    cache: Mapping[str, Json] | None = None
    custom: bool = False
    at: str = field(default="", compare=False)


class ToolMode(Enum):
    AUTO = "auto"
    NONE = "none"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`names` restricts the choice; ANY with one name is a forced tool, AUTO with names an allowed subset."""

    mode: ToolMode
    names: tuple[str, ...] = ()


class Effort(Enum):
    """In this order; `capabilities.py` turns efforts into budgets and back."""

    NONE = "none"
    MINIMAL = "minimal"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    XHIGH = "xhigh"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What the client asked of reasoning. mode: off, on, or adaptive (the model decides). effort and budget (tokens)
    are both optional. show: whether readable thoughts are wanted, None when the client did not say."""

    mode: Literal["off", "on", "adaptive"]
    effort: Effort | None = None
    budget: int | None = None
    show: bool | None = None


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """JSON is wanted: any object when `schema` is None."""

    schema: Json = None
    name: str = ""
    strict: bool | None = None
    description: str = ""


@dataclass(slots=True)
class Request:
    """One chat request. None means that the client did not say.

    named: for each field here that was given, the name (path) it had in the client's body; refusals and
    `x-penstock-dropped` use it. extra: parameters of the client's dialect that have no field here, by their name there.
    hints: those of them that nobody misses where they are not understood (caching, billing, tracing): dropped by name.
    """

    model: str
    messages: list[Message]
    dialect: str
    stream: bool = False
    system: list[Text] = field(default_factory=list)
    tools: list[Tool] = field(default_factory=list)
    server_tools: list[Opaque] = field(default_factory=list)
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    stop: list[str] = field(default_factory=list)
    reasoning: Reasoning | None = None
    output: OutputFormat | None = None
    n: int = 1
    user: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    service_tier: str | None = None
    include_usage: bool = False
    extra: dict[str, Json] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    hints: frozenset[str] = frozenset()
