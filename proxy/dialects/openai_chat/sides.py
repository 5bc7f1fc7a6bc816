"""The two sides of every dialect of the OpenAI family, each over its `Flavour`.

`Client` reads a caller's request and writes answers, `Provider` writes requests and reads answers; what they do stands
in the files beside this one. Neither holds any state of a request.
"""

from proxy.dialects.answer import Answer
from proxy.dialects.chat import Asked, Outgoing, Target, Turn
from proxy.dialects.events import Event, Failure
from proxy.dialects.openai_chat import answer_in, answer_out, errors, request_in
from proxy.dialects.openai_chat.decode import ChatDecoder
from proxy.dialects.openai_chat.encode import ChatEncoder
from proxy.dialects.openai_chat.flavour import Flavour
from proxy.dialects.parts import Request
from proxy.wire.headers import Headers


class Client:
    """A `chat.ClientSide`."""

    content_type = "text/event-stream; charset=utf-8"

    def __init__(self, flavour: Flavour) -> None:
        self.flavour = flavour

    def parse_request(self, body: bytes, asked: Asked) -> Request:
        return request_in.parse_request(body, asked, self.flavour.name)

    def open_encoder(self, turn: Turn) -> ChatEncoder:
        return ChatEncoder(turn, self.flavour)

    def build_answer(self, answer: Answer, turn: Turn) -> bytes:
        return answer_out.build_answer(answer, turn, self.flavour)

    def build_error(self, failure: Failure, request_id: str) -> tuple[int, dict[str, str], bytes]:
        return errors.build_error(failure, request_id)

    def build_count(self, tokens: int) -> bytes:
        return b""


class Provider:
    """A `chat.ProviderSide`."""

    def __init__(self, flavour: Flavour) -> None:
        self.flavour = flavour
        self.origin = flavour.origin

    def build_request(self, request: Request, target: Target) -> Outgoing:
        return self.flavour.writer(request, target, self.flavour).build()

    def open_decoder(self, turn: Turn) -> ChatDecoder:
        return self.flavour.decoder(turn, self.flavour)

    def parse_answer(self, body: bytes, turn: Turn) -> list[Event]:
        return answer_in.parse_answer(body, turn, self.flavour)

    def parse_error(self, status: int, headers: Headers, body: bytes) -> Failure:
        return errors.parse_error(status, headers, body, self.flavour.codes)
