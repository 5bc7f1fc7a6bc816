"""The two sides of the dialect, as `chat.py` wants them; all work is done in the files beside this one."""

from proxy.dialects.answer import Answer
from proxy.dialects.chat import Asked, Decoder, Encoder, Outgoing, Target, Turn
from proxy.dialects.events import Event, Failure
from proxy.dialects.gemini import decode, encode, errors
from proxy.dialects.gemini.marks import ORIGIN
from proxy.dialects.gemini.request_in import parse_request
from proxy.dialects.gemini.request_out import build_count_request, build_request
from proxy.dialects.json_text import encode_json
from proxy.dialects.parts import Request
from proxy.wire.headers import Headers

SSE: str = "text/event-stream; charset=utf-8"
JSON_ARRAY: str = "application/json; charset=UTF-8"
"""Content type of a stream in array framing (`Turn.array`)."""


class GeminiClient:
    """parse_count_request: of a `countTokens` request, which holds the same in one of two ways."""

    content_type = SSE

    def parse_request(self, body: bytes, asked: Asked) -> Request:
        return parse_request(body, asked)

    parse_count_request = parse_request

    def open_encoder(self, turn: Turn) -> Encoder:
        return encode.Encoder(turn)

    def build_answer(self, answer: Answer, turn: Turn) -> bytes:
        return encode.build_answer(answer, turn)

    def build_error(self, failure: Failure, request_id: str) -> tuple[int, dict[str, str], bytes]:
        return errors.build_error(failure, request_id)

    def build_count(self, tokens: int) -> bytes:
        return encode_json({"totalTokens": tokens})


class GeminiProvider:
    """build_count_request, parse_count: its own count of a request's tokens."""

    origin = ORIGIN

    def build_request(self, request: Request, target: Target) -> Outgoing:
        return build_request(request, target)

    def build_count_request(self, request: Request, target: Target) -> Outgoing:
        return build_count_request(request, target)

    def parse_count(self, body: bytes) -> int | None:
        return decode.parse_count(body)

    def open_decoder(self, turn: Turn) -> Decoder:
        return decode.Decoder(turn)

    def parse_answer(self, body: bytes, turn: Turn) -> list[Event]:
        return decode.parse_answer(body, turn)

    def parse_error(self, status: int, headers: Headers, body: bytes) -> Failure:
        return errors.parse_error(status, headers, body)
