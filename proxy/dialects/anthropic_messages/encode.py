"""The hub's events as Anthropic's event stream; `whole.py` makes a message of them with the same pieces.

Each call returns whole events, b"" when there is nothing to say yet. Blocks get their numbers here; a delta's bytes are
a template of its block's and one JSON string. Gemini signs tool calls, for which there is no place here: a thinking
block without a signature of its own stays open until the next event is known, and takes that of the call behind it;
where none is open and the client asked for thinking, an empty one is put in. Foreign signatures leave in an envelope.
Clients that asked for thoughts to be omitted get their signatures only. Images that a model made have no form here.
Nor has a signature that belongs to no call: it could only be a block behind the text, and Claude Code takes the last
block for the answer. Gemini recommends to send such a one back and does not insist
(https://ai.google.dev/gemini-api/docs/thought-signatures).
"""

from typing import Any, Final

from proxy.dialects.anthropic_messages.errors import encode_failure
from proxy.dialects.anthropic_messages.native import DIALECT, NATIVE
from proxy.dialects.anthropic_messages.reasons import build_reason
from proxy.dialects.anthropic_messages.usage import build_usage
from proxy.dialects.chat import Turn
from proxy.dialects.estimate import estimate_tokens
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
from proxy.dialects.ids import fit_call_id, make_id
from proxy.dialects.json_text import encode_json, encode_string
from proxy.dialects.parts import Json, Request, Signature
from proxy.dialects.signatures import write_signature

_COMMENT: Final = b": keepalive\n"
_PING: Final = b'event: ping\ndata: {"type": "ping"}\n\n'
_STOPPED: Final = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_STOP: Final = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
_DELTA: Final = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":'

_DELTAS: Final = {
    Kind.TEXT: (b"text_delta", b"text"),
    Kind.REFUSAL: (b"text_delta", b"text"),
    Kind.THINKING: (b"thinking_delta", b"thinking"),
    Kind.TOOL: (b"input_json_delta", b"partial_json"),
}


class Encoder:
    """See `chat.Encoder`."""

    __slots__ = ("_begun", "_called", "_delta", "_ended", "_hidden", "_kind", "_next", "_refused", "_request",
                 "_seed", "_signature", "_usage", "_waits")  # fmt: skip

    def __init__(self, turn: Turn) -> None:
        self._request = turn.request
        self._seed = turn.seed
        self._usage = Usage()
        self._begun = self._ended = False
        self._next = 0  # the number of the next block
        self._kind: Kind | None = None  # of the block that is open towards the client
        self._delta = b""  # how its deltas begin, b"" when it takes none
        self._signature: Signature | None = None  # to be written when it ends
        self._waits = False  # it has ended, but what follows may sign it
        self._hidden = False  # a block of thoughts is open that the client does not see
        self._called = self._refused = False

    @property
    def keepalive(self) -> bytes:
        if self._ended:
            return b""
        return _PING if self._begun else _COMMENT

    def encode(self, event: Event) -> bytes:
        match event:
            case Delta():
                return self._delta + encode_string(event.text) + b"}}\n\n" if self._delta and event.text else b""
            case BlockStart():
                return self._start_block(event)
            case BlockEnd():
                return self._end_block()
            case Sign():
                self._signature = event.signature
                return b""
            case Usage():
                self._usage = self._usage.merge(event)
                return b""
            case Start():
                return self._start(event)
            case Finish():
                return self._finish(event)
            case Failure():
                self._ended = True
                return encode_failure(event)

    def resume(self, start: Start) -> None:
        self._usage = start.usage or Usage()

    def _start(self, event: Start) -> bytes:
        self._begun = True
        if event.usage is not None:
            self._usage = event.usage
        message = build_head(event, self._request, self._seed)
        usage = build_usage(self._usage)
        # Clients show the size of the context from it and compact by it; a provider that counts late corrects it.
        usage.setdefault("input_tokens", estimate_tokens(self._request))
        message |= {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
        return _event(b"message_start", {"type": "message_start", "message": message}) + _PING

    def _start_block(self, event: BlockStart) -> bytes:
        kind = event.kind
        if kind is Kind.TOOL and event.signature is not None and self._waits:
            self._signature = event.signature
            written = self._close()
        elif kind is Kind.TOOL and event.signature is not None:
            written = self._close() + self._carry(event.signature)
        else:
            written = self._close()
        self._signature = event.signature
        self._hidden = kind is Kind.THINKING and is_hidden(self._request)
        block = None if self._hidden else build_block(event)
        if block is None:
            return written
        self._kind = kind
        self._called |= kind is Kind.TOOL
        self._refused |= kind is Kind.REFUSAL
        return written + self._open(block)

    def _open(self, block: Json) -> bytes:
        head = {"type": "content_block_start", "index": self._next, "content_block": block}
        if self._kind in _DELTAS:
            self._delta = _DELTA % (self._next, *_DELTAS[self._kind])
        self._next += 1
        return _event(b"content_block_start", head)

    def _end_block(self) -> bytes:
        if self._hidden:
            self._hidden = False
            return b"" if self._signature is None else self._carry(self._signature)
        if self._kind is Kind.THINKING and self._signature is None:
            self._waits = True
            return b""
        return self._close()

    def _close(self) -> bytes:
        """End the block that is open, its signature first."""
        written = b""
        if self._kind is not None:
            index = self._next - 1
            if self._kind is Kind.THINKING and self._signature is not None:
                text = encode_string(write_signature(self._signature, NATIVE))
                written = _DELTA % (index, b"signature_delta", b"signature") + text + b"}}\n\n"
            written += _STOP % index
        self._kind = self._signature = None
        self._delta = b""
        self._waits = False
        return written

    def _carry(self, signature: Signature) -> bytes:
        """A thinking block that holds nothing but `signature`, if the client takes such blocks."""
        if not asks_thinking(self._request):
            return b""
        self._kind, self._signature = Kind.THINKING, signature
        opened = self._open({"type": "thinking", "thinking": "", "signature": ""})
        return opened + self._close()

    def _finish(self, event: Finish) -> bytes:
        self._ended = True
        reason = build_reason(event.reason, called=self._called, refused=self._refused)
        delta = build_stop(event, reason)
        tail = {"type": "message_delta", "delta": delta, "usage": build_usage(self._usage)}
        return self._close() + _event(b"message_delta", tail) + _STOPPED


def build_head(start: Start, request: Request, seed: str) -> dict[str, Any]:
    """The members of a message that are known at its start."""
    own = start.id.startswith("msg_") and fit_call_id(start.id) == start.id
    return {
        "id": start.id if own else make_id("msg_", seed),
        "type": "message",
        "role": "assistant",
        "model": start.model or request.model,
    }


def build_block(event: BlockStart) -> dict[str, Any] | None:
    """A block as it opens; None for what these clients have no form of."""
    match event.kind:
        case Kind.TEXT | Kind.REFUSAL:
            return {"type": "text", "text": ""}
        case Kind.THINKING:
            return {"type": "thinking", "thinking": "", "signature": ""}
        case Kind.TOOL:
            return {"type": "tool_use", "id": fit_call_id(event.id), "name": event.name, "input": {}}
        case Kind.REDACTED if event.signature is not None:
            return {"type": "redacted_thinking", "data": write_signature(event.signature, NATIVE)}
        case Kind.OPAQUE if event.name == DIALECT and isinstance(event.data, dict):
            return event.data
        case _:
            return None


def build_stop(event: Finish, reason: str) -> dict[str, Any]:
    """Both members always stand there: strict clients want the null."""
    sequence = event.stop_sequence if reason == "stop_sequence" else None
    delta: dict[str, Any] = {"stop_reason": reason, "stop_sequence": sequence}
    if event.details is not None and event.details.get("type") == reason:
        delta["stop_details"] = dict(event.details)
    return delta


def asks_thinking(request: Request) -> bool:
    return request.reasoning is not None and request.reasoning.mode != "off"


def is_hidden(request: Request) -> bool:
    """The client wants thoughts without their text."""
    return request.reasoning is not None and request.reasoning.show is False


def _event(name: bytes, value: Json) -> bytes:
    return b"event: " + name + b"\ndata: " + encode_json(value) + b"\n\n"
