"""Anthropic Messages: what callers of /v1/messages send and read, and providers that are asked that way."""

from typing import Final

from proxy.dialects.anthropic_messages.decode import Decoder, parse_answer, parse_count
from proxy.dialects.anthropic_messages.encode import Encoder
from proxy.dialects.anthropic_messages.errors import build_error, build_refusal, parse_error
from proxy.dialects.anthropic_messages.native import NATIVE
from proxy.dialects.anthropic_messages.request_in import parse_count_request, parse_request
from proxy.dialects.anthropic_messages.request_out import build_count_request, build_request
from proxy.dialects.anthropic_messages.whole import build_answer
from proxy.dialects.json_text import encode_json

__all__ = ["CLIENT", "PROVIDER", "build_refusal"]


class Client:
    """See `chat.ClientSide`. parse_count_request: of a count_tokens request."""

    content_type = "text/event-stream; charset=utf-8"
    parse_request = staticmethod(parse_request)
    parse_count_request = staticmethod(parse_count_request)
    open_encoder = Encoder
    build_answer = staticmethod(build_answer)
    build_error = staticmethod(build_error)

    def build_count(self, tokens: int) -> bytes:
        return encode_json({"input_tokens": tokens})


class Provider:
    """See `chat.ProviderSide`. build_count_request, parse_count: its own count of a request's tokens."""

    origin = NATIVE
    build_request = staticmethod(build_request)
    build_count_request = staticmethod(build_count_request)
    open_decoder = Decoder
    parse_answer = staticmethod(parse_answer)
    parse_count = staticmethod(parse_count)
    parse_error = staticmethod(parse_error)


CLIENT: Final = Client()
PROVIDER: Final = Provider()
