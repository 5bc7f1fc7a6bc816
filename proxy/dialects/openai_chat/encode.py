"""Events to OpenAI's event stream: chunks whose frame is built once, so that a delta costs its text and little more.

`ChatEncoder.encode(event)` returns whole events of the wire. Thoughts go out under the dialect's own names, signatures
as `details.py` says: with the whole text of their block, so that a client's next request can be read exactly. Usage is
shown to who asked for it, `[DONE]` comes last and never after a failure. A client that asked with `functions` gets
`function_call`, which has room for the first call only.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from proxy.dialects.base import COMMENT_KEEPALIVE
from proxy.dialects.chat import Turn
from proxy.dialects.events import (
    BlockEnd,
    BlockStart,
    Delta,
    Event,
    Failure,
    Finish,
    Kind,
    Sign,
    Start,
    Usage,
)
from proxy.dialects.ids import make_id
from proxy.dialects.json_text import encode_json, encode_string
from proxy.dialects.openai_chat.details import build_detail, build_encrypted, build_extra
from proxy.dialects.openai_chat.errors import encode_error_event
from proxy.dialects.openai_chat.reasons import find_word
from proxy.dialects.openai_chat.usage import build_usage, is_known
from proxy.dialects.parts import Json, Signature

if TYPE_CHECKING:
    from proxy.dialects.openai_chat.flavour import Flavour

_FRAME: Final = b'data: {"id":%b,"object":"chat.completion.chunk","created":%d,"model":%b,"choices":'
_CREATED: Final = re.compile(rb'"created": ?(\d+)').search  # not in a text, where quotation marks are escaped
_FIRST: Final = b'[{"index":0,"delta":'
_DONE: Final = b"data: [DONE]\n\n"
_NO_REASON: Final = b',"finish_reason":null}]'


def is_old(turn: Turn) -> bool:
    """The client asked with `functions`."""
    return turn.request.named.get("tools") == "functions"


def hides_thoughts(turn: Turn) -> bool:
    reasoning = turn.request.reasoning
    return reasoning is not None and reasoning.show is False


class ChatEncoder:
    """One stream. `_before` and `_after` stand around the JSON string of a delta of the open block; a block that this
    dialect does not show is `_silent`."""

    def __init__(self, turn: Turn, flavour: "Flavour") -> None:
        self._turn = turn
        self._old = is_old(turn)
        self._hidden = hides_thoughts(turn)
        self._names = [encode_string(name) for name in flavour.reasoning_names]
        asked = turn.request.include_usage
        self._tail = (b',"usage":null' if asked else b"") + b"}\n\n"
        self._rest = _NO_REASON + self._tail
        self._head = self._build_head("", "")
        self._usage = Usage()
        self._kind: Kind | None = None
        self._before = self._after = b""
        self._silent = True
        self._thoughts: list[str] = []  # of the open block, for its signature
        self._details = 0
        self._calls = 0
        self._call_id = ""
        self._empty = False
        self._refused = False
        self._ended = False

    @property
    def keepalive(self) -> bytes:
        return b"" if self._ended else COMMENT_KEEPALIVE

    def encode(self, event: Event) -> bytes:
        if isinstance(event, Delta):
            return self._encode_delta(event.text)
        match event:
            case BlockStart():
                return self._encode_start(event)
            case BlockEnd():
                return self._encode_end()
            case Sign():
                return self._encode_signature(event.signature)
            case Usage():
                self._usage = self._usage.merge(event)
                return b""
            case Start():
                return self._open(event)
            case Finish():
                return self._close(event)
            case Failure():
                self._ended = True
                return encode_error_event(event)

    def resume(self, start: Start) -> None:
        self._usage = start.usage or Usage()

    def adopt(self, told: Sequence[bytes]) -> bytes:
        """The time of a chunk stands in all of them; Azure's first one, which is no part of the answer, has none."""
        times = (found[1] for data in reversed(told) if (found := _CREATED(data)))
        ours, theirs = b'"created":%d' % self._turn.created, b'"created":' + next(times, b"%d" % self._turn.created)
        self._head, self._before = self._head.replace(ours, theirs, 1), self._before.replace(ours, theirs, 1)
        return b""

    def _encode_delta(self, text: str) -> bytes:
        if self._silent:
            return b""
        self._empty = False
        if self._kind is Kind.THINKING:
            return self._encode_thought(text)
        return self._before + encode_string(text) + self._after

    def _encode_thought(self, text: str) -> bytes:
        self._thoughts.append(text)
        said = encode_string(text)
        return self._head + b"{" + b",".join([name + b":" + said for name in self._names]) + b"}" + self._rest

    def _encode_start(self, start: BlockStart) -> bytes:
        kind = self._kind = start.kind
        self._silent = False
        self._after = b"}" + self._rest
        if kind is Kind.TEXT:
            self._before = self._head + b'{"content":'
            return b""
        if kind is Kind.THINKING:
            self._thoughts = []
            self._silent = self._hidden
            return b"" if start.signature is None else self._encode_signature(start.signature)
        if kind is Kind.REFUSAL:
            self._refused = True
            self._before = self._head + b'{"refusal":'
            return b""
        if kind is Kind.TOOL:
            return self._encode_old_call(start) if self._old else self._encode_call(start)
        self._silent = True
        return self._encode_other(start)

    def _encode_call(self, start: BlockStart) -> bytes:
        index, self._calls = self._calls, self._calls + 1
        self._empty = True
        self._call_id = start.id
        kind, member = (b"custom", b"input") if start.custom else (b"function", b"arguments")
        opening = b'{"tool_calls":[{"index":%d' % index
        self._before = self._head + opening + b',"%b":{"%b":' % (kind, member)
        self._after = b"}}]}" + self._rest
        named = b',"id":%b,"type":"%b","%b":{"name":%b,"%b":""}' % (
            encode_string(start.id), kind, kind, encode_string(start.name), member
        )  # fmt: skip
        signed = b"}]}" if start.signature is None else self._sign_call(start.signature)
        return self._head + opening + named + signed + self._rest

    def _encode_old_call(self, start: BlockStart) -> bytes:
        self._calls += 1
        self._silent = self._calls > 1
        self._empty = not self._silent
        if self._silent:
            return b""
        self._before = self._head + b'{"function_call":{"arguments":'
        self._after = b"}}" + self._rest
        name = encode_string(start.name)
        return self._head + b'{"function_call":{"name":%b,"arguments":""}}' % name + self._rest

    def _encode_other(self, start: BlockStart) -> bytes:
        """Blocks without text: an image, a lone signature, reasoning that only its issuer reads."""
        if start.kind is Kind.IMAGE:
            return self._encode_object({"images": [build_image(start.name, start.data)]})
        if start.kind is Kind.SIGNATURE and start.signature is not None:
            return self._encode_object({"extra_content": build_extra(start.signature)})
        if start.kind is Kind.REDACTED and start.signature is not None and not self._hidden:
            return self._encode_detail(build_encrypted(start.signature, self._details))
        return b""

    def _encode_signature(self, signature: Signature) -> bytes:
        if self._kind is Kind.THINKING:
            if self._hidden:
                return b""
            return self._encode_detail(build_detail(signature, "".join(self._thoughts), self._details))
        if self._kind is Kind.TOOL:
            # openai-python wants a function in every fragment of a call.
            empty = self._before.removeprefix(self._head) + b'""}'
            return b"" if self._old else self._head + empty + self._sign_call(signature) + self._rest
        return self._encode_object({"extra_content": build_extra(signature)})

    def _sign_call(self, signature: Signature) -> bytes:
        """What ends a fragment of a call that brings its signature."""
        carried = build_encrypted(signature, self._details, self._call_id)
        self._details += 1
        extra = encode_json(build_extra(signature))
        return b',"extra_content":%b}],"reasoning_details":[%b]}' % (extra, encode_json(carried))

    def _encode_detail(self, item: Json) -> bytes:
        self._details += 1
        return self._encode_object({"reasoning_details": [item]})

    def _encode_object(self, delta: Json) -> bytes:
        return self._head + encode_json(delta) + self._rest

    def _encode_end(self) -> bytes:
        empty, self._empty = self._empty, False
        self._kind, self._silent = None, True
        return self._before + b'"{}"' + self._after if empty else b""

    def _build_head(self, name: str, model: str) -> bytes:
        turn = self._turn
        return (
            _FRAME
            % (
                encode_string(name or make_id("chatcmpl-", turn.seed)),
                turn.created,
                encode_string(model or turn.request.model),
            )
            + _FIRST
        )

    def _open(self, start: Start) -> bytes:
        self._usage = start.usage or self._usage
        self._head = self._build_head(start.id, start.model)
        return self._head + b'{"role":"assistant","content":""}' + self._rest

    def _close(self, finish: Finish) -> bytes:
        self._ended = True
        word = find_word(finish.reason, calls=self._calls > 0, refused=self._refused, old=self._old)
        last = self._head + b'{},"finish_reason":"%b"}]' % word.encode() + self._tail
        return last + self._build_usage() + _DONE

    def _build_usage(self) -> bytes:
        if not self._turn.request.include_usage or not is_known(self._usage):
            return b""
        frame = self._head.removesuffix(_FIRST)
        return frame + b'[],"usage":' + encode_json(build_usage(self._usage)) + b"}\n\n"


def build_image(mime: str, data: str) -> Json:
    """An image as OpenRouter shows those that a model made."""
    return {"type": "image_url", "image_url": {"url": f"data:{mime};base64,{data}"}}
