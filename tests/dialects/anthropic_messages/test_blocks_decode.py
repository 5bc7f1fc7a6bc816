"""The kinds of blocks in Anthropic's answers, and the blocks that others make of them."""

from typing import Any

import pytest

from proxy.dialects.answer import fold
from proxy.dialects.chat import Turn
from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Failure, FailureKind, Finish, Kind, Reason, Sign
from proxy.dialects.ids import is_synthetic
from proxy.dialects.names import ANTHROPIC, NameMap
from proxy.dialects.parts import Opaque, Redacted, Signature, Text, Thinking, ToolCall
from tests.helpers.anthropic_turns import MESSAGE_STOP, decode, delta, finish, make_turn, start, stop, stream

TOOL = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {}}
THINKING = {"type": "thinking", "thinking": "", "signature": ""}


def read(*events: dict[str, Any], turn: Turn | None = None, reason: str = "end_turn") -> list[Event]:
    """What lies between the start and the end."""
    return decode(stream(*events, finish(reason), MESSAGE_STOP), turn)[1:-1]


def read_parts(*events: dict[str, Any], turn: Turn | None = None) -> list[Any]:
    return fold(decode(stream(*events, finish("end_turn"), MESSAGE_STOP), turn)).parts


def arguments(index: int, *pieces: str) -> list[dict[str, Any]]:
    return [delta(index, "input_json_delta", partial_json=piece) for piece in pieces]


def test_thinking_is_signed_at_its_end() -> None:
    assert read(
        start(0, **THINKING),
        delta(0, "thinking_delta", thinking="Hm"),
        delta(0, "signature_delta", signature="Eq"),
        delta(0, "signature_delta", signature="QB"),
        stop(0),
    ) == [BlockStart(Kind.THINKING), Delta("Hm"), Sign(Signature("a", "EqQB")), BlockEnd()]


@pytest.mark.parametrize(
    ("events", "parts"),
    [
        # Without text: the signature alone is a block.
        (
            [start(0, **THINKING), delta(0, "signature_delta", signature="E"), stop(0)],
            [Thinking("", Signature("a", "E"))],
        ),
        ([start(0, **{**THINKING, "signature": "E"}), stop(0)], [Thinking("", Signature("a", "E"))]),
        ([start(0, **THINKING), delta(0, "signature_delta", signature=""), stop(0)], []),
        ([start(0, **THINKING), stop(0)], []),
        ([start(0, type="thinking", thinking="Hm"), stop(0)], [Thinking("Hm")]),
        ([start(0, type="redacted_thinking", data="Em"), stop(0)], [Redacted(Signature("a", "Em"))]),
        ([start(0, type="redacted_thinking"), stop(0)], []),
        ([start(0, type="text", text=""), stop(0)], []),
        ([start(0, type="text", text="Hi"), stop(0)], [Text("Hi")]),
        ([start(0, **TOOL), stop(0)], [ToolCall("toolu_1", "add", "{}")]),
        ([start(0, **TOOL), *arguments(0, ""), stop(0)], [ToolCall("toolu_1", "add", "{}")]),
        ([start(0, **TOOL), *arguments(0, "", '{"a":', " 1}"), stop(0)], [ToolCall("toolu_1", "add", '{"a": 1}')]),
        ([start(0, **{**TOOL, "input": {"a": 1}}), stop(0)], [ToolCall("toolu_1", "add", '{"a":1}')]),
        (
            [start(0, **{**TOOL, "input": {"a": 1}}), *arguments(0, '{"b":2}'), stop(0)],
            [ToolCall("toolu_1", "add", '{"b":2}')],
        ),
        ([start(0, **{**TOOL, "name": ""}), stop(0)], []),
        ([start(0, **{**TOOL, "input": "x"}), stop(0)], [ToolCall("toolu_1", "add", "{}")]),
    ],
)
def test_a_block(events: list[dict[str, Any]], parts: list[Any]) -> None:
    assert read_parts(*events) == parts


def test_blocks_of_a_server_pass_whole() -> None:
    use = {"type": "server_tool_use", "id": "s", "name": "advisor", "input": {}}
    assert read_parts(start(0, **use), *arguments(0, '{"q":', '"x"}'), stop(0)) == [
        Opaque("anthropic", {**use, "input": {"q": "x"}})
    ]
    compaction = {"type": "compaction", "content": ""}
    deltas = [delta(0, "compaction_delta", content=text) for text in ("so ", "far")]
    assert read_parts(start(0, **compaction), *deltas, stop(0)) == [
        Opaque("anthropic", {"type": "compaction", "content": "so far"})
    ]


def test_a_block_of_a_server_is_told_at_its_end() -> None:
    use = {"type": "server_tool_use", "input": {}}
    assert read(start(0, **use), stop(0)) == [BlockStart(Kind.OPAQUE, name="anthropic", data=use), BlockEnd()]


def test_a_block_that_opens_closes_the_one_before() -> None:
    text = start(0, type="text", text="")
    assert read_parts(text, delta(0, "text_delta", text="Hi"), start(1, **TOOL), *arguments(1, "{}")) == [
        Text("Hi"),
        ToolCall("toolu_1", "add", "{}"),
    ]


def test_deltas_without_a_start_open_their_block() -> None:
    events = [
        delta(0, "thinking_delta", thinking="Hm"),
        delta(0, "signature_delta", signature="E"),
        delta(1, "text_delta", text="Hi"),
    ]
    assert read_parts(*events) == [Thinking("Hm", Signature("a", "E")), Text("Hi")]


def test_a_delta_of_another_kind_ends_the_block() -> None:
    text = start(0, type="text", text="")
    events = [delta(0, "thinking_delta", thinking="Hm"), delta(0, "text_delta", text="Hi")]
    assert read_parts(text, *events, stop(0)) == [Thinking("Hm"), Text("Hi")]


def test_a_signature_of_a_block_that_has_ended_is_not_put_elsewhere() -> None:
    late = delta(0, "signature_delta", signature="E")
    thinking = [start(0, **THINKING), delta(0, "thinking_delta", thinking="Hm"), stop(0)]
    assert read_parts(*thinking, start(1, **THINKING), late, delta(1, "thinking_delta", thinking="So")) == [
        Thinking("Hm"),
        Thinking("So"),
    ]


@pytest.mark.parametrize(
    "events",
    [
        [start(0, **TOOL), stop(0), *arguments(0, "{}")],
        [start(0, **TOOL), start(1, **{**TOOL, "id": "toolu_2"}), *arguments(0, "{}")],
        [*arguments(0, "{}")],
        [start(0, **{**TOOL, "name": ""}), *arguments(0, "{}")],
        [start(0, type="text", text="Hi"), *arguments(0, "{}")],
    ],
)
def test_arguments_without_their_call_fail_the_answer(events: list[dict[str, Any]]) -> None:
    failure = decode(stream(*events, finish("tool_use"), MESSAGE_STOP))[-1]
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.BAD_GATEWAY


def test_ids_are_there_and_differ() -> None:
    blocks = [start(index, **{**TOOL, "id": given}) for index, given in enumerate(["", "toolu_1", "toolu_1", None])]
    ids = [part.id for part in read_parts(*blocks)]
    assert ids[1] == "toolu_1"
    assert len(set(ids)) == 4
    assert all(is_synthetic(made) for made in (ids[0], ids[2], ids[3]))


def test_names_go_back_to_the_clients() -> None:
    names = NameMap(["files.read"], ANTHROPIC)
    block = {**TOOL, "name": names.there("files.read")}
    assert read_parts(start(0, **block), turn=make_turn(names=names)) == [ToolCall("toolu_1", "files.read", "{}")]


@pytest.mark.parametrize(
    ("pieces", "given", "text"),
    [
        (["", '{"a"', ":1}"], {}, '{"a":1}'),
        ([], {"a": 1}, '{"a":1}'),
        (['{"a":'], {}, '{"a":'),
        ([], {}, None),
    ],
)
def test_a_tool_that_stood_in_for_json_is_text(pieces: list[str], given: dict[str, Any], text: str | None) -> None:
    block = {**TOOL, "name": "json", "input": given}
    turn = make_turn(json="text")
    events = decode(stream(start(0, **block), *arguments(0, *pieces), finish("tool_use"), MESSAGE_STOP), turn)
    assert fold(events).parts == ([] if text is None else [Text(text)])
    assert events[-1] == Finish(Reason.STOP, "tool_use")


def test_json_that_stood_in_comes_piece_by_piece() -> None:
    turn = make_turn(json="text")
    decoder_events = read(start(0, **{**TOOL, "name": "json"}), *arguments(0, '{"a"', ":1}"), stop(0), turn=turn)
    assert decoder_events == [BlockStart(Kind.TEXT), Delta('{"a":1}'), BlockEnd()]


@pytest.mark.parametrize(
    ("pieces", "given", "text"),
    [
        (['{"inp', 'ut": "*** Begin\\n"}'], {}, "*** Begin\n"),
        ([], {"input": "x"}, "x"),
        (['{"input": "cut'], {}, '{"input": "cut'),
        (['{"other": 1}'], {}, '{"other": 1}'),
        (['{"input": ""}'], {}, "{}"),
        ([], {}, "{}"),
    ],
)
def test_a_tool_for_free_text(pieces: list[str], given: dict[str, Any], text: str) -> None:
    block = {**TOOL, "name": "patch", "input": given}
    parts = read_parts(start(0, **block), *arguments(0, *pieces), stop(0), turn=make_turn(patch="custom"))
    assert parts == [ToolCall("toolu_1", "patch", text, custom=True)]
