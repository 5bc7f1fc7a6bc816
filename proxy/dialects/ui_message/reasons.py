"""Why a model stopped, in the AI SDK's words.

Only the six that every version of npm `ai` since 6.0.0 takes: an unknown word fails its schema, and with it the whole
stream (`uiMessageChunkSchema`). 7 has `interrupted` too, which 6 does not.
"""

from collections.abc import Mapping
from typing import Final

from proxy.dialects.events import Reason

FINISH_REASONS: Final[Mapping[Reason, str]] = {
    Reason.STOP: "stop",
    Reason.STOP_SEQUENCE: "stop",
    Reason.LENGTH: "length",
    Reason.CONTEXT_FULL: "length",
    Reason.TOOL_USE: "tool-calls",
    Reason.CONTENT_FILTER: "content-filter",
    Reason.REFUSAL: "content-filter",
    Reason.MALFORMED_TOOL: "error",
    Reason.PAUSE: "other",
    Reason.OTHER: "other",
}
