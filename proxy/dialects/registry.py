"""Every wire dialect by the name that a configuration gives it: one row each."""

from typing import Final

from proxy.dialects import anthropic_messages, gemini, openai_chat, raw
from proxy.dialects.base import BARE_KEEPALIVE, Dialect

RAW: Final = Dialect("raw", "authorization", "Bearer ", raw.build_error)

_ROWS: Final = (
    RAW,
    Dialect("openai-chat", "authorization", "Bearer ", openai_chat.build_error),
    Dialect("openai-responses", "authorization", "Bearer ", openai_chat.build_error),
    Dialect("anthropic", "x-api-key", "", anthropic_messages.build_error, request_id_header="request-id"),
    Dialect("gemini", "x-goog-api-key", "", gemini.build_error, BARE_KEEPALIVE, key_in_query=True),
    Dialect("glm", "authorization", "Bearer ", openai_chat.build_error),
    Dialect("openrouter", "authorization", "Bearer ", openai_chat.build_error),
    Dialect("code-assist", "authorization", "Bearer ", gemini.build_error, BARE_KEEPALIVE, key_in_query=True),
)

DIALECTS: Final = {row.name: row for row in _ROWS}
