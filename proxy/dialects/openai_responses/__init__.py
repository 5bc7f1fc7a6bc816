"""OpenAI's Responses API: its two sides (platform.openai.com/docs/api-reference/responses)."""

from typing import Final

from proxy.dialects.chat import ClientSide, ProviderSide
from proxy.dialects.openai_responses.decode import Decoder, parse_answer
from proxy.dialects.openai_responses.encode import Encoder, build_answer, build_count
from proxy.dialects.openai_responses.errors import build_error, parse_error
from proxy.dialects.openai_responses.request_in import parse_request
from proxy.dialects.openai_responses.request_out import build_request

__all__ = ["CLIENT", "PROVIDER"]


class _Client:
    content_type = "text/event-stream; charset=utf-8"
    parse_request = staticmethod(parse_request)
    open_encoder = Encoder
    build_answer = staticmethod(build_answer)
    build_error = staticmethod(build_error)
    build_count = staticmethod(build_count)


class _Provider:
    origin = "r"
    build_request = staticmethod(build_request)
    open_decoder = Decoder
    parse_answer = staticmethod(parse_answer)
    parse_error = staticmethod(parse_error)


CLIENT: Final[ClientSide] = _Client()
PROVIDER: Final[ProviderSide] = _Provider()
