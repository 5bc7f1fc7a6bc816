"""A whole answer as one message: what the stream of its events would add up to.

Takes an `Answer`, returns the body. Arguments of a call are an object there: those that are none, as a limit on the
output leaves them, become an empty one, and what else a model wrote in their place stands under `_raw`.
"""

from typing import Any

from proxy.dialects.answer import Answer, unfold
from proxy.dialects.anthropic_messages.encode import asks_thinking, build_block, build_head, build_stop, is_hidden
from proxy.dialects.anthropic_messages.native import NATIVE
from proxy.dialects.anthropic_messages.reasons import build_reason
from proxy.dialects.anthropic_messages.usage import build_usage
from proxy.dialects.chat import Turn
from proxy.dialects.estimate import estimate_tokens
from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Kind, Reason, Sign
from proxy.dialects.json_text import encode_json, parse_arguments
from proxy.dialects.parts import Json, Request, Signature
from proxy.dialects.signatures import write_signature

_TEXTS = {Kind.TEXT: "text", Kind.REFUSAL: "text", Kind.THINKING: "thinking"}


def build_answer(answer: Answer, turn: Turn) -> bytes:
    """The body of a message."""
    writer = _Writer(turn.request, cut=answer.finish.reason is Reason.LENGTH)
    for event in unfold(answer):
        writer.take(event)
    usage = build_usage(answer.usage)
    usage.setdefault("input_tokens", estimate_tokens(turn.request))
    reason = build_reason(answer.finish.reason, called=writer.called, refused=writer.refused)
    message = build_head(answer.start, turn.request, turn.seed)
    message |= {"content": writer.content, **build_stop(answer.finish, reason), "usage": usage}
    return encode_json(message)


class _Writer:
    def __init__(self, request: Request, *, cut: bool) -> None:
        self.content: list[dict[str, Any]] = []
        self.called = self.refused = False
        self._request = request
        self._cut = cut
        self._start = BlockStart(Kind.TEXT)
        self._text = ""
        self._signature: Signature | None = None
        self._waits = False  # the last block is a thinking block that the call behind it may sign

    def take(self, event: Event) -> None:
        match event:
            case BlockStart():
                self._start, self._text, self._signature = event, "", event.signature
            case Delta():
                self._text = event.text
            case Sign():
                self._signature = event.signature
            case BlockEnd():
                self._end()
            case _:
                pass

    def _end(self) -> None:
        kind = self._start.kind
        if kind is Kind.TOOL and self._signature is not None:
            self._sign(self._signature)
        self._waits = False
        if kind is Kind.THINKING and is_hidden(self._request):
            if self._signature is not None:
                self._carry(self._signature)
            return
        block = build_block(self._start)
        if block is None:
            return
        block = dict(block)
        if kind in _TEXTS:
            block[_TEXTS[kind]] = self._text
        if kind is Kind.TOOL:
            block["input"] = self._read_arguments()
        if kind is Kind.THINKING:
            block["signature"] = "" if self._signature is None else write_signature(self._signature, NATIVE)
            self._waits = self._signature is None
        self.called |= kind is Kind.TOOL
        self.refused |= kind is Kind.REFUSAL
        self.content.append(block)

    def _sign(self, signature: Signature) -> None:
        """Gemini's signature of a call goes on the thinking block before it."""
        if self._waits:
            self.content[-1]["signature"] = write_signature(signature, NATIVE)
        else:
            self._carry(signature)

    def _carry(self, signature: Signature) -> None:
        if asks_thinking(self._request):
            text = write_signature(signature, NATIVE)
            self.content.append({"type": "thinking", "thinking": "", "signature": text})

    def _read_arguments(self) -> dict[str, Json]:
        arguments = parse_arguments(self._text)
        if arguments is None:
            return {} if self._cut else {"_raw": self._text}
        return arguments
