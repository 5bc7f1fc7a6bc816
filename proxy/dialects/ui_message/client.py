"""The room as `chat.ClientSide`: once for `POST /api/chat`, once for `GET /api/stream`."""

from collections.abc import Mapping
from typing import ClassVar

from proxy.dialects.answer import Answer
from proxy.dialects.chat import Asked, Encoder, Turn
from proxy.dialects.events import Failure
from proxy.dialects.parts import Request
from proxy.dialects.ui_message import encode, errors, request_in, whole
from proxy.dialects.ui_message.event_source import EventSourceEncoder


class ChatPage:
    """stream_headers: fields of a stream's head beside Content-Type; the SDK's own server sends them too."""

    content_type: str = "text/event-stream; charset=utf-8"
    stream_headers: ClassVar[Mapping[str, str]] = {"x-vercel-ai-ui-message-stream": "v1"}

    def parse_request(self, body: bytes, asked: Asked) -> Request:
        return request_in.parse_request(body, asked)

    def open_encoder(self, turn: Turn) -> Encoder:
        return encode.Encoder(turn)

    def build_answer(self, answer: Answer, turn: Turn) -> bytes:
        return whole.build_answer(answer, turn)

    def build_error(self, failure: Failure, request_id: str) -> tuple[int, dict[str, str], bytes]:
        return errors.build_error(failure, request_id)

    def build_count(self, tokens: int) -> bytes:
        """This dialect counts none."""
        return b""


class EventSourcePage(ChatPage):
    """The request stands in the query, there is no body."""

    def parse_request(self, body: bytes, asked: Asked) -> Request:
        return request_in.parse_prompt(asked.query, asked.model)

    def open_encoder(self, turn: Turn) -> Encoder:
        return EventSourceEncoder(turn)
