"""Google's Code Assist API, the one behind its coding tools: Gemini's dialect in an envelope, for providers only."""

from proxy.dialects.chat import ProviderSide
from proxy.dialects.code_assist.sides import CodeAssistProvider

PROVIDER: ProviderSide = CodeAssistProvider()
