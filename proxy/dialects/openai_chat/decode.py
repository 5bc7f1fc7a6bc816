"""OpenAI's event stream, and the streams of all who follow it, to events.

`ChatDecoder.feed(block)` takes one event, `end()` a clean end of the body, `take_chunk` a whole answer too. Within one
delta the order is reasoning, refusal, content, calls. The first finish reason is held until `[DONE]` or the end, since
usage, or the same finish again, may follow it; an end without any is a cut and becomes a Failure. Only the first choice
is read. Nothing raises: what is no JSON is counted and passed over.

Other dialects of the family subclass it: `take_details` and `take_after` are theirs to fill, with `say`, `sign`, `put`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from proxy.dialects.chat import Turn
from proxy.dialects.events import (
    BlockEnd,
    BlockStart,
    Event,
    Failure,
    FailureKind,
    Finish,
    Kind,
    Reason,
    Sign,
    Start,
    Usage,
)
from proxy.dialects.events import Delta as TextDelta
from proxy.dialects.failures import SAYINGS, parse_error_value
from proxy.dialects.json_text import decode_json
from proxy.dialects.media import parse_data_url
from proxy.dialects.openai_chat.chunks import Choice, Chunk, Delta, Fragment, read_chunk, read_tail
from proxy.dialects.openai_chat.reasons import map_reason
from proxy.dialects.openai_chat.think_tags import ThinkSplitter
from proxy.dialects.openai_chat.tool_assembly import ToolAssembly, find_google_signature
from proxy.dialects.openai_chat.usage import parse_usage
from proxy.dialects.parts import Json, Signature
from proxy.wire.sse import Block

if TYPE_CHECKING:
    from proxy.dialects.openai_chat.flavour import Flavour

THINK: Final = "<think>"
"""In `Outgoing.forms`: how thoughts stand in the content. No tool can have this name."""


class ChatDecoder:
    """One stream. What `feed` returns is built in `out`."""

    failing = False

    def __init__(self, turn: Turn, flavour: "Flavour") -> None:
        self.malformed = 0
        self.complete = False
        self.ended = False
        self.flavour = flavour
        self.tools = ToolAssembly(turn)
        self.out: list[Event] = []
        self._stops = turn.request.stop
        self._kind: Kind | None = None  # of the open block; calls are the assembly's
        self._signed = False
        self._started = False
        self._refused = False
        self._usage = Usage()
        self._raw: str | None = None
        self._stop_sequence: str | None = None
        self._waiting: list[Callable[[], None]] = []
        mode = turn.outgoing.forms.get(THINK)
        self._splitter = ThinkSplitter(mode) if mode else None

    def feed(self, block: Block) -> list[Event]:
        data = block.data
        if self.ended or not data:
            return []
        out = self.out = list[Event]()
        if data[:1] != b"{" and data.strip().startswith(b"[DONE]"):
            self._finish()
            return out
        try:
            chunk = read_chunk(data)
        except ValueError:
            self.malformed += 1
            return out
        self.take_chunk(chunk, data, failed=block.type == "error")
        return out

    def end(self, tail: bytes = b"") -> list[Event]:
        if self.ended:
            return []
        found: list[Event] = []
        for block in read_tail(tail):
            found += self.feed(block)
        return found + self._end()

    def _end(self) -> list[Event]:
        self.out = []
        if self.complete and not self.ended:
            self._finish()
        elif not self.ended:
            self.fail(Failure(FailureKind.DISCONNECT, SAYINGS[FailureKind.DISCONNECT]))
        return self.out

    def take_chunk(self, chunk: Chunk, data: bytes, *, failed: bool = False) -> None:
        """One chunk, or a whole answer. failed: it came as an event called error."""
        if chunk.usage is not None:
            self._usage = self._usage.merge(parse_usage(chunk.usage))
        elif chunk.x_groq is not None and chunk.x_groq.usage is not None:
            self._usage = self._usage.merge(parse_usage(chunk.x_groq.usage))
        choices = chunk.choices
        failed = failed or bool(chunk.error) or chunk.type == "error"
        if choices:
            if not self._started:
                self._start(chunk)
            for choice in choices:
                # A choice without a whole number for its index is taken for the only one.
                if choice.index == 0 or not isinstance(choice.index, int):
                    self._take_choice(choice, data)
        elif chunk.object == "error":  # vLLM: {"object": "error", "message", "code"}
            failed = True
        if failed and not self.ended:
            self.fail(self._read_failure(data))

    def take_details(self, details: Sequence[Json], shown: str) -> None:
        """The `reasoning_details` of a delta, before `shown`, its reasoning as text, is said."""

    def take_after(self, delta: Delta) -> None:
        """What else may stand in a delta, after reasoning and content and before its calls."""
        if delta.extra_content is not None:
            signature = find_google_signature(delta.extra_content)
            if signature is not None:
                self.put(BlockStart(Kind.SIGNATURE, signature=signature))
        for image in delta.images if isinstance(delta.images, list) else ():
            url = image.get("image_url") if isinstance(image, dict) else None
            text = url.get("url") if isinstance(url, dict) else url
            media = parse_data_url(text) if isinstance(text, str) else None
            if media is not None:
                self.put(BlockStart(Kind.IMAGE, name=media.mime, data=media.data))

    def say(self, kind: Kind, text: str) -> None:
        """More text of a kind; another kind, or a signature before, begins another block."""
        if not text:
            return
        if self._kind is kind and not self._signed:
            self.out.append(TextDelta(text))
            return
        if self._must_wait(partial(self.say, kind, text)):
            return
        self._open(kind)
        self.out.append(TextDelta(text))

    def sign(self, signature: Signature) -> None:
        """Sign the open thoughts; where none are open, thoughts without text."""
        if self._must_wait(partial(self.sign, signature)):
            return
        if self._kind is not Kind.THINKING or self._signed:
            self._open(Kind.THINKING)
        self.out.append(Sign(signature))
        self._signed = True

    def put(self, start: BlockStart) -> None:
        """A block without text."""
        if self._must_wait(partial(self.put, start)):
            return
        self._close()
        self.out += (start, BlockEnd())

    def fail(self, failure: Failure) -> None:
        """The last event; what it interrupts stays open. What is known of usage goes before it: it is paid for."""
        if self._usage != Usage():
            if not self._started:
                self._started = True
                self.out.append(Start())
            self.out.append(self._usage)
        self.out.append(failure)
        self.ended = True

    def _take_choice(self, choice: Choice, data: bytes) -> None:
        if choice.usage is not None:
            self._usage = self._usage.merge(parse_usage(choice.usage))
        delta = choice.delta or choice.message
        if delta is not None:
            self._take_delta(delta)
        reason = choice.finish_reason
        if reason is not None and isinstance(reason, str):
            self._take_reason(reason, choice)
        if choice.error or (isinstance(reason, str) and reason in self.flavour.failing):
            self.fail(self._read_failure(data, reason))

    def _take_delta(self, delta: Delta) -> None:
        reasoning = delta.reasoning_content or delta.reasoning
        if delta.reasoning_details:
            shown = reasoning if isinstance(reasoning, str) else ""
            self.take_details(delta.reasoning_details if isinstance(delta.reasoning_details, list) else [], shown)
        if reasoning:
            self._say_parts(Kind.THINKING, reasoning)
        if delta.refusal and isinstance(delta.refusal, str):
            self._refused = True
            self.say(Kind.REFUSAL, delta.refusal)
        if delta.content:
            self._say_parts(Kind.TEXT, delta.content)
        if delta.extra_content is not None or delta.images is not None:
            self.take_after(delta)
        if delta.tool_calls or delta.function_call is not None:
            self._take_calls(delta)

    def _say_parts(self, kind: Kind, content: Json) -> None:
        """A text; or Mistral's parts, in which thoughts are `{"type": "thinking", "thinking": [parts]}`."""
        if isinstance(content, str):
            if self._splitter is None or kind is not Kind.TEXT:
                self.say(kind, content)
            else:
                for found, text in self._splitter.feed(content):
                    self.say(found, text)
            return
        for part in content if isinstance(content, list) else ():
            if isinstance(part, dict):
                thinking = part.get("type") == "thinking"
                inner = part.get("thinking") if thinking else part.get("text")
                self._say_parts(Kind.THINKING if thinking else kind, inner)

    def _take_calls(self, delta: Delta) -> None:
        self._flush_splitter()
        self._close()
        fragments = delta.tool_calls or []
        if delta.function_call is not None:
            fragments = [*fragments, Fragment(0, function=delta.function_call)]
        several = len(fragments) > 1
        for position, fragment in enumerate(fragments):
            self.tools.feed(fragment, self.out, position if several else None)

    def _take_reason(self, reason: str, choice: Choice) -> None:
        if not reason or self._raw:
            return
        self._raw = reason
        self.complete = True
        stop = choice.stop_reason
        if isinstance(stop, str) and stop in self._stops:
            self._stop_sequence = stop

    def _read_failure(self, data: bytes, reason: Json = None) -> Failure:
        try:
            value = decode_json(data)
        except ValueError:
            value = None
        failure = parse_error_value(value, codes=self.flavour.codes)
        kind = self.flavour.failing.get(reason) if isinstance(reason, str) else None
        if kind is not None and failure.kind is FailureKind.SERVER and not failure.code:
            return Failure(kind, failure.message or SAYINGS[kind], code=str(reason))
        return failure

    def _start(self, chunk: Chunk) -> None:
        self._started = True
        call_id = chunk.id if isinstance(chunk.id, str) else ""
        self.out.append(Start(call_id, chunk.model if isinstance(chunk.model, str) else ""))

    def _finish(self) -> None:
        """The end mark, or a clean end after a finish."""
        if not self._started:  # nothing in this stream was an answer
            self.fail(Failure(FailureKind.BAD_GATEWAY, SAYINGS[FailureKind.BAD_GATEWAY]))
            return
        self._flush_splitter()
        self._close()
        self.tools.close(self.out)
        waiting, self._waiting = self._waiting, []
        for act in waiting:
            act()
        self._close()
        if self._usage != Usage():
            self.out.append(self._usage)
        raw = self._raw or ""
        reason = map_reason(raw, self.flavour.reasons, calls=self.tools.seen, refused=self._refused)
        if self._stop_sequence is not None and reason is Reason.STOP:
            reason = Reason.STOP_SEQUENCE
        self.out.append(Finish(reason, raw, self._stop_sequence))
        self.complete = self.ended = True

    def _flush_splitter(self) -> None:
        if self._splitter is not None:
            for kind, text in self._splitter.end():
                self.say(kind, text)

    def _must_wait(self, act: Callable[[], None]) -> bool:
        """Calls whose arguments are not whole yet cannot be left: `act` is then done at the end."""
        if not self.tools.active or (not self._waiting and self.tools.settle(self.out)):
            return False
        self._waiting.append(act)
        return True

    def _open(self, kind: Kind) -> None:
        self._close()
        self.out.append(BlockStart(kind))
        self._kind = kind

    def _close(self) -> None:
        if self._kind is not None:
            self.out.append(BlockEnd())
        self._kind = None
        self._signed = False
