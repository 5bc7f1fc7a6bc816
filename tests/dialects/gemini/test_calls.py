"""Tool calls: whole, in pieces, without ids, under changed names, with free text."""

from typing import Any

import pytest

from proxy.dialects.events import BlockEnd, BlockStart, Delta, Event, Kind
from proxy.dialects.gemini.calls import CUSTOM
from proxy.dialects.ids import is_synthetic
from proxy.dialects.names import GEMINI, NameMap
from proxy.dialects.parts import Signature
from tests.helpers.gemini import decode_parts, make_turn


def call(name: str = "", **fields: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, **fields} if name else fields}


def starts(events: list[Event]) -> list[BlockStart]:
    return [event for event in events if isinstance(event, BlockStart)]


def test_a_call_is_one_block_with_its_signature() -> None:
    assert decode_parts({**call("add", id="x1", args={"a": 2}), "thoughtSignature": "QUJD"}) == [
        BlockStart(Kind.TOOL, "x1", "add", signature=Signature("g", "QUJD")),
        Delta('{"a": 2}'),
        BlockEnd(),
    ]


@pytest.mark.parametrize("args", [{}, {"args": None}, {"args": {}}])
def test_no_arguments_are_an_empty_object(args: dict[str, Any]) -> None:
    assert decode_parts(call("now", **args))[1] == Delta("{}")


def test_ids_are_made_where_there_are_none_and_differ() -> None:
    first, second, third = starts(decode_parts(call("f"), call("f"), call("f", id="x")))
    assert is_synthetic(first.id)
    assert is_synthetic(second.id)
    assert first.id != second.id
    assert third.id == "x"
    assert [start.id for start in starts(decode_parts(call("f"), call("f")))] == [first.id, second.id]


def test_an_id_that_was_there_before_is_replaced() -> None:
    first, second = starts(decode_parts(call("f", id="x"), call("f", id="x")))
    assert first.id == "x"
    assert is_synthetic(second.id)


def test_a_changed_name_is_changed_back() -> None:
    names = NameMap(["mcp/files"], GEMINI)
    (start,) = starts(decode_parts(call(names.there("mcp/files")), turn=make_turn(names=names)))
    assert start.name == "mcp/files"


def test_free_text_comes_out_of_its_argument() -> None:
    events = decode_parts(call("shell", args={"input": "ls\n"}), turn=make_turn(forms={"shell": CUSTOM}))
    assert events[0] == BlockStart(Kind.TOOL, starts(events)[0].id, "shell", custom=True)
    assert events[1] == Delta("ls\n")


def test_free_text_that_the_model_put_elsewhere_is_kept() -> None:
    events = decode_parts(call("shell", args={"command": "ls"}), turn=make_turn(forms={"shell": CUSTOM}))
    assert events[1] == Delta('{"command": "ls"}')


def pieces(*values: str, path: str = "$.city") -> list[dict[str, Any]]:
    return [call(partialArgs=[{"jsonPath": path, "stringValue": text}], willContinue=True) for text in values]


def test_pieces_are_put_together_until_the_end_mark() -> None:
    begun = {**call("weather", willContinue=True), "thoughtSignature": "QUJD"}
    events = decode_parts(begun, *pieces("Bos", "ton"), call(), call("next", willContinue=True), call())
    assert [event for event in events if isinstance(event, Delta)] == [Delta('{"city":"Boston"}'), Delta("{}")]
    assert [start.name for start in starts(events)] == ["weather", "next"]
    assert starts(events)[0].signature == Signature("g", "QUJD")


@pytest.mark.parametrize("after", [[], [{"text": "Done."}], [call("other", args={})], [{"thoughtSignature": "QUJD"}]])
def test_a_missing_end_mark_harms_nothing(after: list[dict[str, Any]]) -> None:
    events = decode_parts(call("weather", willContinue=True), *pieces("Rome"), *after)
    assert events[1] == Delta('{"city":"Rome"}')
    assert len(starts(events)) == 1 + len(after)


def test_the_last_piece_may_be_the_end() -> None:
    last = call(partialArgs=[{"jsonPath": "$.n", "numberValue": 3}])
    events = decode_parts(call("f", willContinue=True), last, {"text": "x"})
    assert events[1] == Delta('{"n":3}')


def test_an_end_mark_without_its_call_is_nothing() -> None:
    assert decode_parts(call()) == []
