"""Every wire dialect by its name: one row each."""

from collections.abc import Mapping
from typing import Final

from proxy.dialects import (
    anthropic_messages,
    code_assist,
    gemini,
    glm,
    openai_chat,
    openai_responses,
    openrouter,
    raw,
    ui_message,
)
from proxy.dialects.base import BARE_KEEPALIVE, Dialect
from proxy.dialects.chat import ClientSide, ProviderSide

RAW: Final = Dialect("raw", "authorization", "Bearer ", raw.build_error)

_ROWS: Final = (
    RAW,
    Dialect("openai-chat", "authorization", "Bearer ", openai_chat.build_refusal),
    Dialect("openai-responses", "authorization", "Bearer ", openai_chat.build_refusal),
    Dialect("anthropic", "x-api-key", "", anthropic_messages.build_refusal, request_id_header="request-id"),
    Dialect("gemini", "x-goog-api-key", "", gemini.build_refusal, BARE_KEEPALIVE, key_in_query=True),
    Dialect("glm", "authorization", "Bearer ", openai_chat.build_refusal),
    Dialect("openrouter", "authorization", "Bearer ", openai_chat.build_refusal),
    Dialect("code-assist", "authorization", "Bearer ", gemini.build_refusal, BARE_KEEPALIVE, key_in_query=True),
)

_PAGES: Final = (
    Dialect("ui-message", "authorization", "Bearer ", ui_message.build_refusal),
    Dialect("event-source", "authorization", "Bearer ", ui_message.build_refusal, key_in_query=True),
)

DIALECTS: Final = {row.name: row for row in _ROWS}
"""What a configuration may call a provider's dialect."""

CALLERS: Final = DIALECTS | {row.name: row for row in _PAGES}
"""What whoever calls may speak: those, and what only pages do."""

CLIENTS: Final[Mapping[str, ClientSide]] = {
    "openai-chat": openai_chat.CLIENT,
    "openai-responses": openai_responses.CLIENT,
    "anthropic": anthropic_messages.CLIENT,
    "gemini": gemini.CLIENT,
    "openrouter": openrouter.CLIENT,
    "ui-message": ui_message.CLIENT,
    "event-source": ui_message.EVENT_SOURCE,
}
"""What callers may speak on the model routes."""

PROVIDERS: Final[Mapping[str, ProviderSide]] = {
    "openai-chat": openai_chat.PROVIDER,
    "openai-responses": openai_responses.PROVIDER,
    "anthropic": anthropic_messages.PROVIDER,
    "gemini": gemini.PROVIDER,
    "glm": glm.PROVIDER,
    "openrouter": openrouter.PROVIDER,
    "code-assist": code_assist.PROVIDER,
}
"""What the providers of models speak."""

END_MARKS: Final[Mapping[str, bytes]] = {
    "openai-chat": b"data: [DONE]\n\n",
    "openrouter": b"data: [DONE]\n\n",
    "anthropic": b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
}
"""What closes a complete stream, where the dialect has something for it."""
