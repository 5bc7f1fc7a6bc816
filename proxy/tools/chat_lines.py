"""A model's answer as it is shown: text for people, or one JSON object per event. Pure: events in, pieces of text out.

A piece is for standard output or for standard error. The answer itself, tool calls included, is output; what is about
it (usage, errors) is not. On a terminal nothing that a model wrote may drive it: control characters and the marks that
turn the reading order appear as escapes, and reasoning is dimmed. Into a pipe text goes as it came, and reasoning to
standard error. Tool calls are shown when they are complete.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, Protocol

from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Failure, Finish, Kind, Sign, Start, Usage
from proxy.tools.event_lines import escape

Channel = Literal["out", "err"]
Piece = tuple[Channel, str]

_DIM: Final = "\x1b[2m"
_NORMAL: Final = "\x1b[22m"
_UNSAFE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class View(Protocol):
    """How an answer is shown."""

    def show(self, event: Event) -> Iterator[Piece]: ...


class TextView:
    """For people. terminal: standard output is one that may be written to in two brightnesses."""

    def __init__(self, *, terminal: bool) -> None:
        self._terminal = terminal
        self._block = BlockStart(Kind.TEXT)
        self._gathered: list[str] = []
        self._open: Channel | None = None  # the channel whose last line has no end yet

    def show(self, event: Event) -> Iterator[Piece]:
        match event:
            case BlockStart():
                self._block, self._gathered = event, []
                if event.kind is Kind.IMAGE:
                    yield "out", f"[image] {escape(event.name)}, {len(event.data or '')} characters of base64\n"
            case Delta():
                yield from self._show_delta(event.text)
            case BlockEnd():
                yield from self._close()
                if self._block.kind is Kind.TOOL:
                    arguments = "".join(self._gathered)
                    yield "out", f"[tool call] {self._clean(self._block.name)} {self._clean(arguments)}\n"
            case Finish() | Failure():
                yield from self._close()  # a cut answer ends within its line
            case _:
                pass

    def _show_delta(self, text: str) -> Iterator[Piece]:
        kind = self._block.kind
        if kind is Kind.TOOL:
            self._gathered.append(text)
        elif text:
            hidden = kind is Kind.THINKING
            channel: Channel = "err" if hidden and not self._terminal else "out"
            self._open = None if text.endswith("\n") else channel
            clean = self._clean(text)
            yield channel, f"{_DIM}{clean}{_NORMAL}" if hidden and self._terminal else clean

    def _close(self) -> Iterator[Piece]:
        if self._open is not None:
            yield self._open, "\n"
        self._open = None

    def _clean(self, text: str) -> str:
        return _UNSAFE.sub(lambda found: repr(found[0])[1:-1], text) if self._terminal else text


class JsonView:
    """For programs: one object per event, each with its `type`; what belongs to a block has the block's `kind` too. The
    end of a tool call has it whole."""

    def __init__(self) -> None:
        self._block = BlockStart(Kind.TEXT)
        self._gathered: list[str] = []

    def show(self, event: Event) -> Iterator[Piece]:
        line = json.dumps({"type": _TYPES[type(event)], **self._describe(event)})
        yield "out", line.replace("\x7f", "\\u007f") + "\n"  # DEL is ASCII, and the one control that JSON lets through

    def _describe(self, event: Event) -> Mapping[str, Any]:
        match event:
            case Start():
                return {"id": event.id, "model": event.model, **_describe_usage(event.usage or Usage())}
            case BlockStart():
                self._block, self._gathered = event, []
                named = {"id": event.id, "name": event.name, "data": event.data}
                return {"kind": event.kind.value, **{name: value for name, value in named.items() if value}}
            case Delta():
                self._gathered.append(event.text)
                return {"kind": self._block.kind.value, "text": event.text}
            case Sign():
                return {"kind": self._block.kind.value, "signature": event.signature.value}
            case BlockEnd() if self._block.kind is Kind.TOOL:
                block = self._block
                return {"kind": "tool", "id": block.id, "name": block.name, "arguments": "".join(self._gathered)}
            case BlockEnd():
                return {"kind": self._block.kind.value}
            case Usage():
                return _describe_usage(event)
            case Finish():
                return {"reason": event.reason.value, "raw": event.raw, "stop_sequence": event.stop_sequence}
            case Failure():
                return {"kind": event.kind.value, "message": event.message, "status": event.status, "code": event.code,
                        "param": event.param, "retry_after": event.retry_after}  # fmt: skip


_TYPES: Final[Mapping[type, str]] = {
    Start: "start",
    BlockStart: "block_start",
    Delta: "delta",
    Sign: "sign",
    BlockEnd: "block_end",
    Usage: "usage",
    Finish: "finish",
    Failure: "failure",
}


class Tally:
    """What is said about an answer when it is over."""

    def __init__(self) -> None:
        self.usage = Usage()
        self.model = ""
        self.finish: Finish | None = None
        self.failure: Failure | None = None
        self.has_content = False

    def note(self, event: Event) -> None:
        match event:
            case Start():
                self.model = event.model
                self.usage = self.usage.merge(event.usage or Usage())
            case Usage():
                self.usage = self.usage.merge(event)
            case BlockStart():
                self.has_content = True
            case Finish():
                self.finish = event
            case Failure():
                self.failure = event
            case _:
                pass

    def sum_up(self, first: float | None, total: float) -> str:
        """One line: `gpt-5: stop; tokens: 12 in, 34 out; first after 0.31 s, 1.20 s in all`. Times in seconds."""
        times = "" if first is None else f"first after {first:.2f} s, "
        parts = (_tell_end(self.finish), ", ".join(_tell_usage(self.usage)), f"{times}{total:.2f} s in all")
        return (f"{escape(self.model)}: " if self.model else "") + "; ".join(part for part in parts if part)


def tell_failure(failure: Failure, request_id: str) -> str:
    """One line: the message, and what helps to find out more."""
    status = f"status {failure.status}" if failure.status else ""
    wait = "" if failure.retry_after is None else f"again in {failure.retry_after:g} s"
    param = f"parameter {failure.param}" if failure.param else ""
    request = f"request {request_id}" if request_id else ""
    about = [part for part in (failure.kind.value, status, failure.code, param, wait, request) if part]
    return escape(f"{failure.message or 'the answer failed'} ({', '.join(about)})")


def _tell_end(finish: Finish | None) -> str:
    if finish is None:
        return ""
    reason = finish.reason.value
    return reason if finish.raw in ("", reason) else f"{reason} ({escape(finish.raw)})"


def _tell_usage(usage: Usage) -> Iterator[str]:
    if usage.input is not None:
        cached = f" ({usage.cache_read} from a cache)" if usage.cache_read else ""
        yield f"tokens: {usage.input} in{cached}"
    if usage.output is not None:
        reasoning = f" ({usage.reasoning} of reasoning)" if usage.reasoning else ""
        yield f"{usage.output} out{reasoning}"
    if usage.cost is not None:
        yield f"${usage.cost:g}"


def _describe_usage(usage: Usage) -> dict[str, Any]:
    return {name: value for name in Usage.__struct_fields__ if (value := getattr(usage, name)) is not None}
