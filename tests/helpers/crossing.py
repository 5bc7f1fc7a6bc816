"""Answers on their way across: recordings and hub events, from any provider's dialect into any client's.

`CLIENTS` names every form a client can have: those of the registry, and Gemini's JSON array. `find_marks` and
`has_error` read what a client's SDK takes for the end of an answer, whoever wrote the stream.
"""

import re
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any, Final

from proxy.dialects import registry
from proxy.dialects.chat import ClientSide, Outgoing, ProviderSide, Turn
from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Finish, Kind, Reason, Start, Usage
from proxy.dialects.parts import Reasoning, Request
from proxy.dialects.passage import Passage
from proxy.dialects.reading import Reading
from proxy.dialects.registry import DIALECTS, END_MARKS
from proxy.dialects.translate import Stage, Translation
from tests.helpers.feeds import one_by_one
from tests.helpers.order import merge_deltas
from tests.helpers.recordings import list_recordings

ARRAY: Final = "gemini-array"
CLIENTS: Final = (*registry.CLIENTS, ARRAY)
BOTH: Final = tuple(name for name in registry.CLIENTS if name in registry.PROVIDERS)
"""Dialects that are a client's and a provider's: what they encode they decode."""

STREAMS: Final = list_recordings("*/*.sse")
WHOLES: Final = [*list_recordings("*/ns-*.json"), *list_recordings("gemini/array-*.json")]

OPENING: Final[list[Event]] = [Start("id_1", "model-1", Usage(7)), BlockStart(Kind.TEXT), Delta("Hel"), Delta("lo")]
ENDING: Final[list[Event]] = [BlockEnd(), Usage(7, output=2), Finish(Reason.STOP, "stop")]

_FOLDERS: Final = {
    "openai_chat": "openai-chat",
    "openai_compat": "openai-chat",
    "openai_responses": "openai-responses",
    "antigravity": "code-assist",
}
_OTHERS: Final = {
    "glm/anthropic-endpoint-zero-usage.sse": "anthropic",
    "openrouter/responses-raw-cot.sse": "openai-responses",
}

_CHAT: Final = (rb"(?m)^data: ?\[DONE\]", rb'"finish_reason": ?"(?!error")')
_MARKS: Final[dict[str, tuple[bytes, ...]]] = {
    "openai-chat": _CHAT,
    "openrouter": _CHAT,
    "openai-responses": (rb'"type": ?"response\.(completed|incomplete)"',),
    "anthropic": (rb'"type": ?"message_stop"', rb'"delta": ?\{[^{}]*"stop_reason": ?"'),
    "gemini": (rb'"(finishReason|blockReason)": ?"',),
    "ui-message": (rb'"type":"finish"', rb"(?m)^data: \[DONE\]"),
    "event-source": (rb'"type":"finish"', rb"(?m)^data: \[DONE\]"),
    ARRAY: (rb'"(finishReason|blockReason)": ?"',),
}
"""Quotation marks within a JSON text are escaped: none of these is ever found in what a model says."""

_ERRORS: Final[dict[str, bytes]] = {
    "openai-chat": rb'data: ?\{"error": ?\{|"error": ?\{"',
    "openrouter": rb'"error": ?\{"',
    "openai-responses": rb'"type": ?"response\.failed"',
    "anthropic": rb'event: error\ndata: ?\{"type": ?"error"',
    "gemini": rb'data: ?\{"error": ?\{',
    "ui-message": rb'"type":"error"',
    "event-source": rb'"type":"error".*\n\nevent: end\ndata: \[FAILED\]',
    ARRAY: rb'\{"error": ?\{',
}


def find_dialect(recording: str) -> str:
    """Which provider's dialect a recording is in."""
    folder = recording.partition("/")[0]
    return _OTHERS.get(recording) or _FOLDERS.get(folder, folder)


def find_client(name: str) -> ClientSide:
    return registry.CLIENTS[name.removesuffix("-array")]


def find_provider(name: str) -> ProviderSide:
    return registry.PROVIDERS[name]


def make_turn(client: str = "openai-chat", *, stream: bool = True, **fields: Any) -> Turn:
    """The turn of a client that asked to see everything there is to see."""
    fields = {"include_usage": True, "reasoning": Reasoning("on", show=True), **fields}
    request = Request("m", [], client.removesuffix("-array"), stream=stream, **fields)
    return Turn(request, Outgoing("/", b""), "seed", 1700000000, client == ARRAY)


def open_reading(provider: str, turn: Turn | None = None, *, streamed: bool = True) -> Reading:
    return Reading(find_provider(provider), turn or make_turn(), streamed=streamed)


def read(provider: str, pieces: Iterable[bytes], *, streamed: bool = True, turn: Turn | None = None) -> list[Event]:
    """The events of a body in pieces up to and with its clean end; adjacent deltas merged."""
    reading = open_reading(provider, turn, streamed=streamed)
    events = [event for piece in pieces for event in reading.feed(piece)]
    return merge_deltas(events + reading.end())


def open_translation(provider: str, client: str, turn: Turn | None = None) -> Translation:
    turn = turn or make_turn(client)
    return Translation(open_reading(provider, turn), find_client(client).open_encoder(turn))


def open_passage(dialect: str) -> Passage:
    turn = make_turn(dialect)
    mark = END_MARKS.get(dialect, b"")
    client = find_client(dialect)
    return Passage(open_reading(dialect, turn), lambda: client.open_encoder(turn), DIALECTS[dialect].keepalive, mark)


def run(stage: Stage, pieces: Iterable[bytes]) -> bytes:
    """All that a stage says to a body that ends cleanly."""
    out = b"".join([stage.feed(piece) for piece in pieces])
    return out + stage.end()


def encode(client: str, events: Iterable[Event], turn: Turn | None = None) -> bytes:
    encoder = find_client(client).open_encoder(turn or make_turn(client))
    return b"".join([encoder.encode(event) for event in events])


def list_cuts(data: bytes, *, small: int = 1200, pairs: int = 30) -> Iterator[list[bytes]]:
    """Byte by byte, and in two: at every place of what is small, at random ones (the same ones always) of the rest."""
    if len(data) <= 25_000:
        yield one_by_one(data)
    random = Random(len(data))
    everywhere = len(data) <= small
    for at in range(1, len(data)) if everywhere else random.sample(range(1, len(data)), pairs):
        yield [data[:at], data[at:]]


def opening(dialect: str) -> bytes:
    """The beginning of an answer, as a provider says it."""
    return encode(dialect, OPENING)


def ending(dialect: str) -> bytes:
    """What makes it a complete one."""
    return encode(dialect, [*OPENING, *ENDING]).removeprefix(opening(dialect))


def find_marks(client: str, out: bytes) -> list[bytes]:
    """What in `out` tells a client that the answer is complete."""
    return [pattern for pattern in _MARKS[client] if re.search(pattern, out)]


def has_error(client: str, out: bytes) -> bool:
    return re.search(_ERRORS[client], out, re.DOTALL) is not None
