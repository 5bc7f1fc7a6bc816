"""Google Gemini's `generateContent`, for callers and for providers (ai.google.dev/api/generate-content)."""

from proxy.dialects.chat import ClientSide, ProviderSide
from proxy.dialects.gemini.errors import build_refusal
from proxy.dialects.gemini.sides import GeminiClient, GeminiProvider

__all__ = ["CLIENT", "PROVIDER", "build_refusal"]

CLIENT: ClientSide = GeminiClient()
PROVIDER: ProviderSide = GeminiProvider()
