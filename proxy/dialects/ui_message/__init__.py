"""The AI SDK's UI message stream v1, as `useChat` speaks it; no provider does, so there is a client's side only."""

from typing import Final

from proxy.dialects.chat import ClientSide
from proxy.dialects.ui_message.client import ChatPage, EventSourcePage
from proxy.dialects.ui_message.errors import build_refusal
from proxy.dialects.ui_message.event_source import is_return
from proxy.dialects.ui_message.request_in import parse_prompt, parse_request

CLIENT: Final[ClientSide] = ChatPage()
EVENT_SOURCE: Final[ClientSide] = EventSourcePage()

__all__ = ["CLIENT", "EVENT_SOURCE", "build_refusal", "is_return", "parse_prompt", "parse_request"]
