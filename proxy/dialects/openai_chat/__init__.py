"""OpenAI's chat completions, and the servers that follow them: both sides of the dialect."""

from typing import Final

from proxy.dialects.openai_chat.errors import build_refusal
from proxy.dialects.openai_chat.flavour import OPENAI_CHAT
from proxy.dialects.openai_chat.sides import Client, Provider

__all__ = ["CLIENT", "PROVIDER", "build_refusal"]

CLIENT: Final = Client(OPENAI_CHAT)
PROVIDER: Final = Provider(OPENAI_CHAT)
