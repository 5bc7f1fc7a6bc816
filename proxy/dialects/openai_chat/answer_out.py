"""A whole answer to the body of a chat completion (platform.openai.com/docs/api-reference/chat/object).

Texts are joined, thoughts are joined beside them, calls follow in order; signatures stand where `details.py` puts them,
as in a stream. `answer.failure` is None.
"""

from typing import TYPE_CHECKING

from proxy.dialects.answer import Answer, LoneSignature
from proxy.dialects.chat import Turn
from proxy.dialects.ids import make_id
from proxy.dialects.json_text import encode_json
from proxy.dialects.openai_chat.details import Item, build_detail, build_encrypted, build_extra
from proxy.dialects.openai_chat.encode import build_image, hides_thoughts, is_old
from proxy.dialects.openai_chat.reasons import find_word
from proxy.dialects.openai_chat.usage import build_usage, is_known
from proxy.dialects.parts import Image, Json, Part, Redacted, Refusal, Text, Thinking, ToolCall

if TYPE_CHECKING:
    from proxy.dialects.openai_chat.flavour import Flavour


def build_answer(answer: Answer, turn: Turn, flavour: "Flavour") -> bytes:
    """The body: compact JSON."""
    message = _Message(hidden=hides_thoughts(turn))
    for part in answer.parts:
        message.add(part)
    old = is_old(turn)
    word = find_word(
        answer.finish.reason, calls=bool(message.calls), refused=bool(message.refusals), old=old
    )  # fmt: skip
    choice = {"index": 0, "message": message.build(flavour, old=old), "logprobs": None, "finish_reason": word}
    body: Item = {
        "id": answer.start.id or make_id("chatcmpl-", turn.seed),
        "object": "chat.completion",
        "created": turn.created,
        "model": answer.start.model or turn.request.model,
        "choices": [choice],
    }
    if is_known(answer.usage):
        body["usage"] = build_usage(answer.usage)
    return encode_json(body)


class _Message:
    def __init__(self, *, hidden: bool) -> None:
        self._hidden = hidden
        self.texts: list[str] = []
        self.refusals: list[str] = []
        self.thoughts: list[str] = []
        self.details: list[Item] = []
        self.calls: list[ToolCall] = []
        self.images: list[Json] = []
        self.extra: Item | None = None

    def add(self, part: Part) -> None:
        match part:
            case Text():
                self.texts.append(part.text)
            case Refusal():
                self.refusals.append(part.text)
            case ToolCall():
                self._add_call(part)
            case Image():
                self.images.append(build_image(part.media.mime, part.media.data))
            case LoneSignature():
                self.extra = build_extra(part.signature)
            case Thinking() if not self._hidden:
                self.thoughts.append(part.text)
                if part.signature is not None:
                    self.details.append(build_detail(part.signature, part.text, len(self.details)))
            case Redacted() if not self._hidden:
                self.details.append(build_encrypted(part.signature, len(self.details)))
            case _:
                pass  # hidden, or a block that only another dialect can show

    def build(self, flavour: "Flavour", *, old: bool) -> Item:
        text = "".join(self.texts)
        message: Item = {
            "role": "assistant",
            "content": None if not text and (self.calls or self.refusals) else text,
            "refusal": "".join(self.refusals) or None,
        }
        if thoughts := "".join(self.thoughts):
            message |= dict.fromkeys(flavour.reasoning_names, thoughts)
        if self.details and not old:
            message["reasoning_details"] = self.details
        if self.calls and old:
            message["function_call"] = {"name": self.calls[0].name, "arguments": self.calls[0].arguments or "{}"}
        elif self.calls:
            message["tool_calls"] = [_build_call(call) for call in self.calls]
        if self.images:
            message["images"] = self.images
        if self.extra is not None:
            message["extra_content"] = self.extra
        return message

    def _add_call(self, call: ToolCall) -> None:
        self.calls.append(call)
        if call.signature is not None:
            self.details.append(build_encrypted(call.signature, len(self.details), call.id))


def _build_call(call: ToolCall) -> Item:
    built: Item = {"id": call.id}
    if call.custom:
        built |= {"type": "custom", "custom": {"name": call.name, "input": call.arguments}}
    else:
        built |= {"type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
    if call.signature is not None:
        built["extra_content"] = build_extra(call.signature)
    return built
