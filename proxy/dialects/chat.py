"""What a chat dialect offers, as protocols: the same names, in the same order, in every dialect's room.

A room is a package (`openai_chat`, `anthropic_messages`, …) whose `__init__` gathers a `ClientSide`, a `ProviderSide`
or both. The client's side reads a caller's request and writes answers; the provider's side writes requests and reads
answers. Everything is sans-IO: times, ids and capabilities are passed in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from proxy.dialects.answer import Answer
from proxy.dialects.capabilities import Capabilities
from proxy.dialects.events import Event, Failure, Start
from proxy.dialects.names import NameMap
from proxy.dialects.parts import Request
from proxy.errors import PenstockError
from proxy.wire.headers import Headers
from proxy.wire.sse import Block


class Invalid(PenstockError):
    """A request that cannot be served as it stands: the dialect's 400.

    param: the path of the field that is wrong ("messages[2].content[0].image_url.url"), in the client's body.
    message: says what is wrong with it and never quotes its value.
    """

    def __init__(self, param: str, message: str) -> None:
        super().__init__(f"{param}: {message}" if param else message)
        self.param = param
        self.message = message


class Declined(PenstockError):
    """A request that cannot be served, for a reason that its client's dialect has a form for."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.kind.value)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request does not stand in its body. model, stream: from a path that says them (Gemini), else None."""

    model: str | None = None
    stream: bool | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a request is built for. model: the provider's name of it. drop: parameters that nobody misses
    (`drop_params`). options: what the provider's configuration adds (`project` of Code Assist, `quirks`)."""

    model: str
    capabilities: Capabilities
    drop: frozenset[str] = frozenset()
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request for a provider. path: behind the base URL, with a slash first. query: without `?`, None for none.
    headers: what this dialect needs beside Content-Type. dropped: names of parameters that did not go along.
    names: how tool names were changed. forms: what the decoder has to undo, by tool name or a word of the dialect's."""

    path: str
    body: bytes
    query: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    names: NameMap = field(default_factory=NameMap)
    forms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """What decoder and encoder of one answer know of its request. seed: makes synthesised ids (the request's id);
    created: seconds since the epoch. array: the client wants Gemini's JSON array instead of SSE."""

    request: Request
    outgoing: Outgoing
    seed: str
    created: int
    array: bool = False


class Decoder(Protocol):
    """A provider's event stream to events. Never raises for what a provider may send: what is no JSON is counted in
    `malformed` and skipped, what is unknown is ignored.

    complete: a finish was seen, or the dialect's end mark. ended: nothing more will come that matters.
    """

    malformed: int
    complete: bool
    ended: bool

    @property
    def failing(self) -> bool:
        """A failure was read that is said later: whatever comes now, the answer has failed."""

    def feed(self, block: Block) -> list[Event]:
        """The events of one block. A finish is held until the end mark, because usage may follow it."""

    def end(self, tail: bytes = b"") -> list[Event]:
        """The body ended cleanly: what was held, or a Failure (DISCONNECT) when no finish was seen. `tail` is an
        event without its blank line, taken only if it is whole JSON. After `ended` this is []."""


class Encoder(Protocol):
    """Events to a client's bytes: whole events of its dialect, b"" when there is nothing to say yet."""

    @property
    def keepalive(self) -> bytes:
        """What may be written now, between two calls, to keep the client waiting; b"" for nothing."""

    def encode(self, event: Event) -> bytes: ...

    def resume(self, start: Start) -> None:
        """Another provider, whose answer began with `start`, goes on with what was said: what the one before counted
        is forgotten."""


@runtime_checkable
class Adopting(Protocol):
    """An encoder whose events repeat more of the stream than its start and its text."""

    def adopt(self, told: Sequence[bytes]) -> bytes:
        """Go on with a stream that somebody else has written. Start and text were encoded before, and thrown away;
        told: the data of the events that the client has read instead, but for most deltas; the last one is last.
        Returns what goes before anything new, because that other has not come to say it."""


class ClientSide(Protocol):
    """How a caller of this dialect is understood and answered."""

    def parse_request(self, body: bytes, asked: Asked) -> Request:
        """Raises Invalid."""

    def open_encoder(self, turn: Turn) -> Encoder: ...

    def build_answer(self, answer: Answer, turn: Turn) -> bytes:
        """The body of a whole answer; `answer.failure` is None."""

    def build_error(self, failure: Failure, request_id: str) -> tuple[int, dict[str, str], bytes]:
        """Status, header fields beside Content-Type (retry-after and its like), and body: JSON."""

    def build_count(self, tokens: int) -> bytes:
        """The body of a token count, b"" where the dialect counts none."""

    content_type: str  # of a stream


class ProviderSide(Protocol):
    """How a provider of this dialect is asked and understood."""

    origin: str  # of its signatures, "" when it gives none

    def build_request(self, request: Request, target: Target) -> Outgoing:
        """Raises Invalid for what the target cannot take, with the client's name of it."""

    def open_decoder(self, turn: Turn) -> Decoder: ...

    def parse_answer(self, body: bytes, turn: Turn) -> list[Event]:
        """The events of a whole answer, or of one that came as JSON where a stream was asked for. [] never: what
        cannot be read is a Failure (BAD_GATEWAY)."""

    def parse_error(self, status: int, headers: Headers, body: bytes) -> Failure:
        """An error answer, or an error body under 200. Any bytes are taken."""


@runtime_checkable
class CountingClient(Protocol):
    """A client's side that also asks for a count of tokens."""

    def parse_count_request(self, body: bytes, asked: Asked) -> Request:
        """Raises Invalid."""


@runtime_checkable
class CountingProvider(Protocol):
    """A provider's side that counts tokens itself."""

    def build_count_request(self, request: Request, target: Target) -> Outgoing:
        """Raises Invalid."""

    def parse_count(self, body: bytes) -> int | None: ...
