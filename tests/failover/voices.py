"""What a provider says, as bytes, in four dialects: one fixed answer of sixty tokens, whole or in events.

A `Voice` is one answer of one model. `opening` is its head without substance, `say` one token, `finish` what completes
it, `mark` what stands behind that. It keeps count of what it has said, so that events agree with each other. Shapes as
recorded from the vendors' APIs; no code is shared with the proxy.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

TEXT: Final = (
    "Water falls from the upper lake through a pipe of riveted steel, and at its foot a wheel waits. "
    "The gate opens by a hand's breadth; the pipe hums, then roars. Nobody who stands beside it hears "
    "the café across the valley, or the clock that says 12:30 – only the river, "
    "turning iron into light for all the towns."
)
TOKENS: Final = tuple(re.findall(r" ?\S+", TEXT))
POLICY: Final = "it goes against what this model may write about"
"""Stands in the refusal that a caller has to see."""

PREFILL: Final = "does not support assistant message prefill"
"""Stands in a refusal that a caller must never see."""


def encode(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def build_event(value: Any, name: str = "") -> bytes:
    return (f"event: {name}\n" if name else "").encode() + f"data: {encode(value)}\n\n".encode()


class Voice:
    """usage: tokens of the prompt, and of the answer."""

    mark = b""
    ping = b": still here\n\n"
    bad = b'data: {"choices": [{"delta": {"con\n\n'

    def __init__(self, model: str, usage: tuple[int, int]) -> None:
        self.model = model
        self.usage = usage
        self.text = ""

    def opening(self) -> bytes:
        return b""

    def say(self, token: str) -> bytes:
        raise NotImplementedError

    def finish(self) -> bytes:
        raise NotImplementedError

    def whole(self, text: str) -> Any:
        raise NotImplementedError


class ChatVoice(Voice):
    mark = b"data: [DONE]\n\n"

    def opening(self) -> bytes:
        return self._chunk({"role": "assistant", "content": ""})

    def say(self, token: str) -> bytes:
        return self._chunk({"content": token})

    def finish(self) -> bytes:
        usage = {**self._base("chat.completion.chunk"), "choices": [], "usage": self._usage()}
        return self._chunk({}, "stop") + build_event(usage)

    def whole(self, text: str) -> Any:
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return {**self._base("chat.completion"), "choices": [choice], "usage": self._usage()}

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return build_event({**self._base("chat.completion.chunk"), "choices": [choice]})

    def _base(self, kind: str) -> dict[str, Any]:
        return {"id": f"chatcmpl-{self.model}", "object": kind, "created": 1790000000, "model": self.model}

    def _usage(self) -> dict[str, int]:
        asked, said = self.usage
        return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


class AnthropicVoice(Voice):
    mark = build_event({"type": "message_stop"}, "message_stop")
    ping = build_event({"type": "ping"}, "ping")
    bad = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"del\n\n'

    def opening(self) -> bytes:
        message = self._message([], None, 1)
        block = {"type": "text", "text": ""}
        return self._event("message_start", message=message) + self._event(
            "content_block_start", index=0, content_block=block
        )

    def say(self, token: str) -> bytes:
        return self._event("content_block_delta", index=0, delta={"type": "text_delta", "text": token})

    def finish(self) -> bytes:
        delta = {"stop_reason": "end_turn", "stop_sequence": None}
        usage = {"output_tokens": self.usage[1]}
        return self._event("content_block_stop", index=0) + self._event("message_delta", delta=delta, usage=usage)

    def whole(self, text: str) -> Any:
        return self._message([{"type": "text", "text": text}], "end_turn", self.usage[1])

    def _message(self, content: list[Any], stop: str | None, said: int) -> dict[str, Any]:
        usage = {"input_tokens": self.usage[0], "output_tokens": said}
        return {
            "id": f"msg_{self.model}", "type": "message", "role": "assistant", "model": self.model, "content": content,
            "stop_reason": stop, "stop_sequence": None, "usage": usage,
        }  # fmt: skip

    def _event(self, kind: str, **members: Any) -> bytes:
        return build_event({"type": kind, **members}, kind)


class GeminiVoice(Voice):
    bad = b'data: {"candidates": [{"content": {"par\r\n\r\n'
    ping = b"\r\n"

    def say(self, token: str) -> bytes:
        return self._chunk(token)

    def finish(self) -> bytes:
        return self._chunk("", "STOP")

    def whole(self, text: str) -> Any:
        return self._body(text, "STOP")

    def _chunk(self, text: str, finish: str | None = None) -> bytes:
        return f"data: {encode(self._body(text, finish))}\r\n\r\n".encode()

    def _body(self, text: str, finish: str | None) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
        asked, said = self.usage
        usage = {"promptTokenCount": asked, "totalTokenCount": asked}
        if finish is not None:
            candidate["finishReason"] = finish
            usage = {"promptTokenCount": asked, "candidatesTokenCount": said, "totalTokenCount": asked + said}
        return {
            "candidates": [candidate], "usageMetadata": usage, "modelVersion": self.model,
            "responseId": f"r-{self.model}",
        }  # fmt: skip


class ResponsesVoice(Voice):
    bad = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","del\n\n'

    def __init__(self, model: str, usage: tuple[int, int]) -> None:
        super().__init__(model, usage)
        self._said = 0
        self._item = f"msg_{model}"
        self._place = {"item_id": self._item, "output_index": 0, "content_index": 0}

    def opening(self) -> bytes:
        response = self._response("in_progress", [], None)
        item = {**self._message("in_progress"), "content": []}
        return (
            self._event("response.created", response=response)
            + self._event("response.in_progress", response=response)
            + self._event("response.output_item.added", output_index=0, item=item)
            + self._event("response.content_part.added", **self._place, part=self._part(""))
        )

    def say(self, token: str) -> bytes:
        self.text += token
        return self._event("response.output_text.delta", **self._place, delta=token, logprobs=[])

    def finish(self) -> bytes:
        item = self._message("completed", self.text)
        return (
            self._event("response.output_text.done", **self._place, text=self.text, logprobs=[])
            + self._event("response.content_part.done", **self._place, part=self._part(self.text))
            + self._event("response.output_item.done", output_index=0, item=item)
            + self._event("response.completed", response=self._response("completed", [item], self._usage()))
        )

    def whole(self, text: str) -> Any:
        return self._response("completed", [self._message("completed", text)], self._usage())

    def _part(self, text: str) -> dict[str, Any]:
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}

    def _message(self, status: str, text: str = "") -> dict[str, Any]:
        content = [self._part(text)]
        return {"id": self._item, "type": "message", "status": status, "role": "assistant", "content": content}

    def _usage(self) -> dict[str, Any]:
        asked, said = self.usage
        return {
            "input_tokens": asked, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": said,
            "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": asked + said,
        }  # fmt: skip

    def _response(self, status: str, output: list[Any], usage: dict[str, Any] | None) -> dict[str, Any]:
        return {
            "id": f"resp_{self.model}", "object": "response", "created_at": 1790000000, "status": status,
            "error": None, "incomplete_details": None, "instructions": None, "model": self.model, "output": output,
            "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "usage": usage, "metadata": {},
        }  # fmt: skip

    def _event(self, kind: str, **members: Any) -> bytes:
        number, self._said = self._said, self._said + 1
        return build_event({"type": kind, "sequence_number": number, **members}, kind)


VOICES: Final[Mapping[str, type[Voice]]] = {
    "openai-chat": ChatVoice,
    "openai-responses": ResponsesVoice,
    "anthropic": AnthropicVoice,
    "gemini": GeminiVoice,
}
