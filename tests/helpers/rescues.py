"""An answer that breaks off and another that is the same, from any provider, and the stages that make them one."""

import json
from dataclasses import replace
from typing import Final

from proxy.dialects.events import (
    BlockEnd,
    BlockStart,
    Delta,
    Event,
    Failure,
    FailureKind,
    Finish,
    Kind,
    Reason,
    Start,
    Usage,
)
from proxy.dialects.passage import Passage
from proxy.dialects.registry import DIALECTS, END_MARKS
from proxy.dialects.translate import Stage, Translation
from proxy.wire.sse import Parser
from tests.helpers.crossing import encode, find_client, make_turn, open_reading
from tests.helpers.strict import Said

CUT = Failure(FailureKind.DISCONNECT, "the connection broke", 502)
BUSY = Failure(FailureKind.OVERLOADED, "busy", 529)
TEXT: Final = 'Hé "llo",\u2028 wörld \\. '
CALL: Final[list[Event]] = [BlockStart(Kind.TOOL, "call_1", "add"), Delta('{"a"'), Delta(":1}"), BlockEnd()]

FIRST: Final[list[Event]] = [
    Start("id_1", "model-1", Usage(7, cache_read=3)),
    BlockStart(Kind.TEXT), *map(Delta, [TEXT[:4], TEXT[4:9], TEXT[9:]]), BlockEnd(),
    *CALL, Usage(7, output=2), Finish(Reason.TOOL_USE, "tool_use"),
]  # fmt: skip
SECOND: Final[list[Event]] = [
    Start("id_2", "model-2", Usage(8)),
    BlockStart(Kind.THINKING), Delta("hm"), BlockEnd(),
    BlockStart(Kind.TEXT), *map(Delta, [TEXT[:1], TEXT[1:6], TEXT[6:]]), BlockEnd(),
    *CALL, Usage(8, output=9), Finish(Reason.TOOL_USE, "tool_use"),
]  # fmt: skip


def speak(provider: str, events: list[Event]) -> bytes:
    """`events` as a provider says them, with names of its own."""
    dialect = {"glm": "openai-chat", "code-assist": "gemini"}.get(provider, provider)
    theirs = replace(make_turn(dialect), seed="theirs", created=1234567890)
    out = encode(dialect, events, theirs)
    if provider != "code-assist":
        return out
    blocks = Parser().feed(out)
    return b"".join(b'data: {"response":%b}\n\n' % block.data for block in blocks if block.data)


def open_stage(client: str, provider: str) -> Stage:
    turn = make_turn(client)
    side = find_client(client)
    if client == provider:
        keepalive = DIALECTS[client].keepalive
        mark = END_MARKS.get(client, b"")
        return Passage(open_reading(provider, turn), lambda: side.open_encoder(turn), keepalive, mark, track=True)
    return Translation(open_reading(provider, turn), side.open_encoder(turn), track=True)


def stop(stage: Stage, data: bytes, *, clean: bool) -> bytes:
    return stage.feed(data) + (stage.end() if clean else stage.fail(CUT))


def finish(stage: Stage, pieces: list[bytes]) -> bytes:
    return b"".join(map(stage.feed, pieces)) + stage.end()


def check_whole(said: Said, *outputs: int | None) -> None:
    calls = [[name, json.loads(arguments)] for name, arguments in said.calls]
    assert (said.text, calls, said.starts) == (TEXT, [["add", {"a": 1}]], 1)
    assert (said.finished, said.failed) == (True, False)
    assert said.output in outputs
    assert len(said.names) == 1


def break_off(client: str, provider: str, events: list[Event]) -> tuple[Stage, bytes]:
    """A stage whose provider went away behind `events`, and what the client has read."""
    stage = open_stage(client, provider)
    stage.withhold = True
    return stage, stop(stage, speak(provider, events), clean=False)


def find_other(dialect: str) -> str:
    return "anthropic" if dialect != "anthropic" else "openai-chat"
