"""Tool calls out of fragments, in every way that servers are known to cut them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.answer import fold
from proxy.dialects.chat import Outgoing, Turn
from proxy.dialects.events import BlockStart, Delta, Event, Finish, Kind, Reason, Sign, Start
from proxy.dialects.names import NameMap
from proxy.dialects.openai_chat.chunks import Fragment, Function
from proxy.dialects.openai_chat.tool_assembly import CUSTOM, Balance, ToolAssembly
from proxy.dialects.parts import Signature
from tests.helpers.feeds import fuzz
from tests.helpers.openai_chat import make_turn, parse, with_tools
from tests.helpers.order import check_order

Call = tuple[str, str, str]
"""Id, name, arguments."""


def fragment(index: Any = 0, call_id: Any = None, name: Any = None, arguments: Any = None, **more: Any) -> Fragment:
    return Fragment(index, call_id, Function(name, arguments), **more)


def assemble(*chunks: Fragment | list[Fragment], turn: Turn | None = None) -> list[Event]:
    """The events of the fragments of each chunk."""
    assembly = ToolAssembly(turn or with_tools("add", "mul"))
    out: list[Event] = []
    for chunk in chunks:
        together = chunk if isinstance(chunk, list) else [chunk]
        for position, each in enumerate(together):
            assembly.feed(each, out, position if len(together) > 1 else None)
    assembly.close(out)
    assert not assembly.active
    return out


def read_calls(events: list[Event]) -> list[Call]:
    """Each block as a call; proves that none overlaps another."""
    whole = [Start(), *events, Finish(Reason.TOOL_USE)]
    check_order(whole)
    return [(part.id, part.name, part.arguments) for part in fold(whole).parts]  # type: ignore[attr-defined]


ONE, TWO = ("a", "add", '{"x":1}'), ("b", "mul", '{"y":2}')

CASES: dict[str, tuple[list[Any], list[Call]]] = {
    "as OpenAI sends them": (
        [
            fragment(0, "a", "add", ""), fragment(0, None, None, '{"x"'), fragment(0, None, None, ":1}"),
            fragment(1, "b", "mul", ""), fragment(1, None, None, '{"y":2}'),
        ],
        [ONE, TWO],
    ),
    "an argument of blanks, and never a name": ([fragment(0, "a", None, "\n\n")], []),
    "blanks first, then a name": ([fragment(0, "a", None, " "), fragment(0, None, "add", "{}")], [("a", "add", " {}")]),
    "whole calls in one chunk": ([[fragment(0, *ONE), fragment(1, *TWO)]], [ONE, TWO]),
    "whole calls in one chunk, all at index 0": ([[fragment(0, *ONE), fragment(0, *TWO)]], [ONE, TWO]),
    "whole calls in one chunk, no index": ([[fragment(None, *ONE), fragment(None, *TWO)]], [ONE, TWO]),
    "whole calls in a chunk each, all at index 0": ([fragment(0, *ONE), fragment(0, *TWO)], [ONE, TWO]),
    "whole calls in a chunk each, no index": ([fragment(None, *ONE), fragment(None, *TWO)], [ONE, TWO]),
    "index from 1": ([fragment(1, *ONE), fragment(2, *TWO)], [ONE, TWO]),
    "interleaved": (
        [
            fragment(0, "a", "add", ""), fragment(1, "b", "mul", ""), fragment(0, None, None, '{"x"'),
            fragment(1, None, None, '{"y":'), fragment(0, None, None, ":1}"), fragment(1, None, None, "2}"),
        ],
        [ONE, TWO],
    ),
    "empty ids later": (
        [fragment(0, "a", "add", ""), fragment(0, "", "", '{"x":1}'), fragment(0, "", None, "")],
        [ONE],
    ),
    "id and name in each fragment": (
        [fragment(0, "a", "add", ""), fragment(0, "a", "add", '{"x"'), fragment(0, "a", "add", ":1}")],
        [ONE],
    ),
    "id in a later fragment, before the arguments": (
        [fragment(0, None, "add", None), fragment(0, "a", None, None), fragment(0, None, None, '{"x":1}')],
        [ONE],
    ),
    "the name in pieces": (
        [fragment(0, "a", "ad"), fragment(0, None, "d"), fragment(0, None, None, '{"x":1}')],
        [ONE],
    ),
    "no index later": ([fragment(0, "a", "add", '{"x"'), fragment(None, None, None, ":1}")], [ONE]),
    "by id without index": (
        [fragment(None, "a", "add", '{"x"'), fragment(None, "b", "mul", '{"y"'), fragment(None, "a", None, ":1}"),
         fragment(None, "b", None, ":2}")],
        [ONE, TWO],
    ),
    "id as a number": ([fragment(0, 7, "add", '{"x":1}')], [("7", "add", '{"x":1}')]),
    "arguments as an object": ([fragment(0, "a", "add", {"x": 1})], [ONE]),
    "no arguments": ([fragment(0, "a", "add", None)], [("a", "add", "{}")]),
    "no arguments, twice": (
        [fragment(0, "a", "add", ""), fragment(1, "b", "mul", "")],
        [("a", "add", "{}"), ("b", "mul", "{}")],
    ),
    "no arguments, twice at index 0": (
        [fragment(0, "a", "add", ""), fragment(0, "b", "mul", "")],
        [("a", "add", "{}"), ("b", "mul", "{}")],
    ),
    "no arguments, twice, neither index nor id": (
        [fragment(None, None, "add", '{}'), fragment(None, None, "mul", "{}")],
        [("", "add", "{}"), ("", "mul", "{}")],
    ),
    "blank arguments": ([fragment(0, "a", "add", " ")], [("a", "add", " {}")]),
    "arguments that are no JSON": ([fragment(0, "a", "add", "{oops")], [("a", "add", "{oops")]),
    "a tool that nobody offered": ([fragment(0, "a", "hack", "{}")], [("a", "hack", "{}")]),
    "arguments without a name": ([fragment(0, "a", None, '{"x":1}')], [("a", "unknown", '{"x":1}')]),
    "an empty fragment": ([fragment(0, "a", "add", "{}"), fragment(1, "", "", "")], [("a", "add", "{}")]),
    "something behind whole arguments": ([fragment(0, *ONE), fragment(1, *TWO), fragment(0, None, None, "\n")],
                                         [ONE, TWO]),
    "no function at all": ([Fragment(0, "a")], []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_however_they_are_cut(case: str) -> None:
    chunks, wanted = CASES[case]
    calls = read_calls(assemble(*chunks))
    assert [(call_id if wish[0] else "", *rest) for (call_id, *rest), wish in zip(calls, wanted, strict=True)] == wanted
    assert all(call_id for call_id, _, _ in calls)


def test_the_first_call_is_passed_on_as_it_comes() -> None:
    assembly = ToolAssembly(with_tools("add"))
    out: list[Event] = []
    assembly.feed(fragment(0, "a", "add", ""), out)
    assert out == [BlockStart(Kind.TOOL, "a", "add")]
    assembly.feed(fragment(0, None, None, '{"x"'), out)
    assert out[1:] == [Delta('{"x"')]


def test_the_second_call_comes_as_soon_as_the_first_is_whole() -> None:
    assembly = ToolAssembly(with_tools("add", "mul"))
    out: list[Event] = []
    for each in (fragment(0, "a", "add", "{"), fragment(1, "b", "mul", "{")):
        assembly.feed(each, out)
    assert Delta("{") in out
    assert BlockStart(Kind.TOOL, "b", "mul") not in out
    assembly.feed(fragment(0, None, None, "}"), out)
    assert out[-2:] == [BlockStart(Kind.TOOL, "b", "mul"), Delta("{")]


def test_ids_are_unique() -> None:
    calls = read_calls(assemble(fragment(0, "x", "add", "{}"), fragment(1, "x", "mul", "{}")))
    assert calls[0][0] == "x"
    assert calls[1][0] not in ("", "x")


def test_ids_are_made_the_same_way_again() -> None:
    chunks = [fragment(0, None, "add", "{}"), fragment(1, "", "mul", "{}")]
    assert read_calls(assemble(*chunks)) == read_calls(assemble(*chunks))
    assert len({call_id for call_id, _, _ in read_calls(assemble(*chunks))}) == 2


def test_names_are_the_clients() -> None:
    names = NameMap(["my.tool"])
    turn = make_turn(parse({}), Outgoing("/", b"", names=names))
    assert read_calls(assemble(fragment(0, "a", names.there("my.tool"), "{}"), turn=turn)) == [("a", "my.tool", "{}")]


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (('{"in', 'put":"a\\nb"}'), "a\nb"),
        (('{"input":', '""}'), "{}"),
        (('{"other":1}',), '{"other":1}'),
        (("",), "{}"),
        (('{"input": "cut',), '{"input": "cut'),
    ],
)
def test_free_text_that_was_sent_as_a_function_is_text_again(pieces: tuple[str, ...], text: str) -> None:
    turn = make_turn(parse({}), Outgoing("/", b"", forms={"patch": CUSTOM}))
    events = assemble(fragment(0, "a", "patch", ""), *(fragment(0, None, None, piece) for piece in pieces), turn=turn)
    assert read_calls(events) == [("a", "patch", text)]
    assert isinstance(events[0], BlockStart)
    assert events[0].custom


def test_free_text_as_its_provider_sends_it() -> None:
    def free(index: int, call_id: Any, name: Any, text: str) -> Fragment:
        return Fragment(index, call_id, custom=Function(name, None, text))

    chunks = [
        free(0, "a", "add", ""),
        free(0, None, None, "{ not"),
        free(0, None, None, " JSON"),
        free(1, "b", "mul", "x"),
    ]
    events = assemble(*chunks)
    assert read_calls(events) == [("a", "add", "{ not JSON"), ("b", "mul", "x")]
    assert [each.custom for each in events if isinstance(each, BlockStart)] == [True, True]


GOOGLE = {"google": {"thought_signature": "QUJD"}}


def test_a_signature_in_the_first_fragment_is_in_the_start() -> None:
    events = assemble(fragment(0, "a", "add", "{}", extra_content=GOOGLE))
    assert events[0] == BlockStart(Kind.TOOL, "a", "add", None, Signature("g", "QUJD"))


def test_a_signature_that_comes_later_ends_the_block() -> None:
    events = assemble(fragment(0, "a", "add", "{"), fragment(0, None, None, "}", extra_content=GOOGLE))
    assert Sign(Signature("g", "QUJD")) in events
    read_calls(events)


def test_a_signature_by_the_id_of_its_call() -> None:
    assembly = ToolAssembly(with_tools("add"))
    out: list[Event] = []
    assembly.signatures["a"] = Signature("o", "x")
    assembly.feed(fragment(0, "a", "add", "{}"), out)
    assembly.signatures["b"] = Signature("o", "y")
    assembly.feed(fragment(1, "b", "add", "{"), out)
    assembly.feed(fragment(2, "c", "add", "{}"), out)
    assembly.signatures["b"] = Signature("o", "z")  # of a call that has begun without
    assembly.close(out)
    starts = [each.signature for each in out if isinstance(each, BlockStart)]
    assert starts == [Signature("o", "x"), Signature("o", "y"), None]


def test_what_follows_waits_for_arguments_that_are_not_whole() -> None:
    assembly = ToolAssembly(with_tools("add"))
    out: list[Event] = []
    assembly.feed(fragment(0, "a", "add", "{"), out)
    assert not assembly.settle(out)
    assembly.feed(fragment(0, None, None, "}"), out)
    assert assembly.settle(out)
    assert not assembly.active


JSON = st.recursive(
    st.none() | st.integers() | st.text('a"\\{}[]é', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('k"}', max_size=3), inner, max_size=3),
    max_leaves=6,
)


@fuzz
@given(st.dictionaries(st.text(max_size=3), JSON, max_size=3), st.integers(1, 4))
def test_the_balance_is_whole_at_the_end_and_not_before(value: dict[str, Any], size: int) -> None:
    text = json.dumps(value, ensure_ascii=False)
    balance = Balance()
    for at in range(0, len(text), size):
        assert not balance.whole
        balance.feed(text[at : at + size])
    assert balance.whole


@fuzz
@given(st.data())
def test_calls_may_be_cut_and_mixed_in_any_way(data: st.DataObject) -> None:
    objects = data.draw(st.lists(st.dictionaries(st.text("k", max_size=2), JSON, max_size=2), min_size=1, max_size=3))
    wanted = [(f"id{index}", "add", json.dumps(value)) for index, value in enumerate(objects)]
    queues = [
        [fragment(index, call_id, name, "")]
        + [fragment(index, None, None, text[at : at + 3]) for at in range(0, len(text), 3)]
        for index, (call_id, name, text) in enumerate(wanted)
    ]
    mixed: list[Fragment] = [queue.pop(0) for queue in queues]
    while any(queues):
        queue = data.draw(st.sampled_from([queue for queue in queues if queue]))
        mixed.append(queue.pop(0))
    assert read_calls(assemble(*mixed)) == wanted
