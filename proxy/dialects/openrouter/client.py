"""OpenRouter's dialect towards its callers: OpenAI's, with usage that always comes, the cost in it, and its own errors.

Programs that are written for openrouter.ai read `reasoning` and `reasoning_details`, count on a usage chunk without
asking, and look for a number in `error.code`; OpenAI's SDKs, which speak to it too, for a type beside it. An error
within a stream is a chunk with a finish reason of "error" (openrouter.ai/docs/api-reference/errors), which no `[DONE]`
follows here, since that means complete.
"""

from dataclasses import replace

from proxy.dialects.answer import Answer
from proxy.dialects.chat import Asked, Turn
from proxy.dialects.events import Event, Failure, Usage
from proxy.dialects.failures import FORMS, retry_fields
from proxy.dialects.json_text import decode_json, encode_json
from proxy.dialects.openai_chat.encode import ChatEncoder
from proxy.dialects.openai_chat.sides import Client
from proxy.dialects.openai_chat.usage import build_usage
from proxy.dialects.parts import Json, Request


class RouterClient(Client):
    """A `chat.ClientSide`."""

    def parse_request(self, body: bytes, about: Asked) -> Request:
        request = super().parse_request(body, about)
        request.include_usage = True
        asked = request.reasoning
        if asked is not None and asked.mode != "off" and asked.show is None:
            request.reasoning = replace(asked, show=True)  # `exclude` has to be said
        return request

    def open_encoder(self, turn: Turn) -> "RouterEncoder":
        return RouterEncoder(turn, self.flavour)

    def build_answer(self, answer: Answer, turn: Turn) -> bytes:
        body = super().build_answer(answer, turn)
        if answer.usage.cost is None:
            return body
        value = decode_json(body)
        value["usage"] = _show_usage(answer.usage)
        return encode_json(value)

    def build_error(self, failure: Failure, request_id: str) -> tuple[int, dict[str, str], bytes]:
        body = {"error": _build_error(failure), "request_id": request_id}
        return FORMS[failure.kind].status, retry_fields(failure), encode_json(body)


class RouterEncoder(ChatEncoder):
    """One stream."""

    def encode(self, event: Event) -> bytes:
        if isinstance(event, Failure):
            self._ended = True
            last = self._head + b'{"content":""},"finish_reason":"error"}],"error":'
            return last + encode_json(_build_error(event)) + b"}\n\n"
        return super().encode(event)

    def _build_usage(self) -> bytes:
        if self._usage.cost is None:
            return super()._build_usage()
        chunk = super()._build_usage().removesuffix(b"}}\n\n")
        return chunk and chunk + b',"cost":%b}}\n\n' % encode_json(self._usage.cost)


def _show_usage(usage: Usage) -> dict[str, Json]:
    """OpenAI's counts, and the cost when the provider said one."""
    return {**build_usage(usage), **({} if usage.cost is None else {"cost": usage.cost})}


def _build_error(failure: Failure) -> dict[str, Json]:
    form = FORMS[failure.kind]
    return {
        "code": form.status,
        "message": failure.message,
        "type": form.openai_type,
        "param": failure.param or None,
        "metadata": {"error_type": failure.kind.value},
    }
