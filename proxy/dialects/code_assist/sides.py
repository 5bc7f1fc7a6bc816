"""The provider's side as `chat.py` wants it: requests of its own, answers and errors as Gemini's."""

from proxy.dialects.chat import Outgoing, Target
from proxy.dialects.code_assist.request_out import build_count_request, build_request
from proxy.dialects.gemini.sides import GeminiProvider
from proxy.dialects.parts import Request


class CodeAssistProvider(GeminiProvider):
    """Its decoder takes the envelope off each event, and knows Claude's signatures by `Outgoing.forms`."""

    def build_request(self, request: Request, target: Target) -> Outgoing:
        return build_request(request, target)

    def build_count_request(self, request: Request, target: Target) -> Outgoing:
        return build_count_request(request, target)
