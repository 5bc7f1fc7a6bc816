"""Any answer, encoded for a client and decoded as if from a provider of that dialect: nothing is lost, nothing that is
unknown matters, nothing that is cut looks complete, and nothing at all makes a decoder raise.
"""

from collections.abc import Callable
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.dialects.answer import fold
from proxy.dialects.events import Event, Failure, FailureKind, Finish, Kind, Usage
from proxy.dialects.json_text import decode_json, encode_json
from proxy.dialects.parts import Json
from proxy.dialects.registry import PROVIDERS
from proxy.dialects.translate import build_whole
from proxy.wire.sse import Block, Parser
from tests.helpers.crossing import (
    BOTH,
    CLIENTS,
    encode,
    find_client,
    find_marks,
    find_provider,
    has_error,
    make_turn,
    open_passage,
    open_translation,
    read,
    run,
)
from tests.helpers.event_strategies import answers, describe
from tests.helpers.order import check_order

PLAIN: Final = (Kind.TEXT, Kind.THINKING, Kind.TOOL)
CARRIED: Final = {
    "openai-chat": (*PLAIN, Kind.REFUSAL, Kind.IMAGE),
    "openai-responses": (*PLAIN, Kind.REFUSAL, Kind.IMAGE),
    "anthropic": PLAIN,
    "gemini": (*PLAIN, Kind.IMAGE),
    "openrouter": (*PLAIN, Kind.REFUSAL, Kind.IMAGE),
}
"""What an answer of a dialect has a place for. Refusals become texts where there is none for them."""

SIGNING: Final = [name for name in BOTH if find_provider(name).origin]
SAME = pytest.mark.parametrize("dialect", BOTH)

quick = settings(max_examples=40, deadline=None, database=None)
thorough = settings(max_examples=200, deadline=None, database=None)


def count(usage: Usage) -> tuple[int, int, int]:
    """What every dialect counts."""
    return usage.input or 0, usage.cache_read or 0, usage.output or 0


def check_kept(events: list[Event], again: list[Event], *, apart: bool = False) -> None:
    check_order(again)
    assert describe(again, apart=apart) == describe(events, apart=apart)
    first, second = fold(events), fold(again)
    assert second.finish.reason is first.finish.reason
    assert count(second.usage) == count(first.usage)


def go_there_and_back(dialect: str, events: list[Event], *, whole: bool = True) -> None:
    check_order(events)
    check_kept(events, read(dialect, [encode(dialect, events)]))
    if whole:
        turn = make_turn(dialect, stream=False)
        body = build_whole(find_client(dialect), turn, events)[1]
        check_kept(events, read(dialect, [body], streamed=False, turn=turn), apart=True)


@SAME
@quick
@given(data=st.data())
def test_an_answer_is_the_same_there_and_back(dialect: str, data: st.DataObject) -> None:
    go_there_and_back(dialect, data.draw(answers(CARRIED[dialect])))


@pytest.mark.parametrize("dialect", SIGNING)
@quick
@given(data=st.data())
def test_signatures_come_back(dialect: str, data: st.DataObject) -> None:
    """OpenRouter's whole answers have a signed thought and an unsigned one in one place."""
    kinds = (*PLAIN, Kind.REDACTED) if dialect == "anthropic" else PLAIN
    events = data.draw(answers(kinds, find_provider(dialect).origin))
    go_there_and_back(dialect, events, whole=dialect != "openrouter")


@pytest.mark.long
@SAME
@thorough
@given(data=st.data())
def test_many_answers_are_the_same_there_and_back(dialect: str, data: st.DataObject) -> None:
    go_there_and_back(dialect, data.draw(answers(CARRIED[dialect])))


@SAME
@quick
@given(data=st.data())
def test_what_is_cut_anywhere_fails(dialect: str, data: st.DataObject) -> None:
    stream = encode(dialect, data.draw(answers(CARRIED[dialect])))
    at = data.draw(st.integers(0, len(stream)))
    events = read(dialect, [stream[:at]])
    check_order(events)
    if isinstance(events[-1], Failure):
        assert events[-1].kind is FailureKind.DISCONNECT
    else:
        assert find_marks(dialect, stream[:at])
    for client in CLIENTS:
        out = run(open_translation(dialect, client), [stream[:at]])
        assert has_error(client, out) is isinstance(events[-1], Failure)
        assert bool(find_marks(client, out)) is isinstance(events[-1], Finish)


NOVELTY: Final = b'event: novelty\ndata: {"type":"novelty","object":"novelty","novelty":{"type":"novelty","x":[1]}}\n\n'
UNTOUCHED: Final = frozenset({"args", "arguments", "input"})
"""Within them stands what the model wrote."""

NOVEL: Final[tuple[Json, ...]] = (None, True, 0, -1.5, "novelty", [], [{}], {}, {"type": "novelty"})
BETWEEN: Final = (b"", b"", NOVELTY, b": comment\n\n", b"id: 1\nretry: 10\n\n", b"\n")


def add_fields(value: Json, random: Random) -> Json:
    """A member that nobody knows in every object."""
    if isinstance(value, list):
        return [add_fields(each, random) for each in value]
    if not isinstance(value, dict):
        return value
    known = {name: each if name in UNTOUCHED else add_fields(each, random) for name, each in value.items()}
    return {"x_novelty": random.choice(NOVEL), **known, "novelty": random.choice(NOVEL)}


def renew(block: Block, random: Random) -> bytes:
    """The event with members that nobody knows, and one that nobody knows before it."""
    before = random.choice(BETWEEN)
    if block.data is None or block.data == b"[DONE]":
        return before + block.raw
    value = encode_json(add_fields(decode_json(block.data), random))
    return before + b"event: " + block.type.encode() + b"\ndata: " + value + b"\n\n"


@SAME
@quick
@given(data=st.data())
def test_what_is_unknown_changes_nothing(dialect: str, data: st.DataObject) -> None:
    events = data.draw(answers(CARRIED[dialect]))
    random = Random(data.draw(st.integers(0, 999)))
    stream = b"".join(renew(block, random) for block in Parser().feed(encode(dialect, events)))
    check_kept(events, read(dialect, [stream]))
    assert run(open_passage(dialect), [stream]) == stream
    turn = make_turn(dialect, stream=False)
    body = decode_json(build_whole(find_client(dialect), turn, events)[1])
    again = encode_json(add_fields(body, random))
    check_kept(events, read(dialect, [again], streamed=False, turn=turn), apart=True)


ENUMS: Final = {
    "openai-chat": [(b'"finish_reason":"', b'"finish_reason":"novel_')],
    "openrouter": [(b'"finish_reason":"', b'"finish_reason":"novel_')],
    "openai-responses": [(b'"role":"assistant"', b'"role":"novelty"'), (b'"phase":"', b'"phase":"novel_')],
    "anthropic": [(b'"stop_reason":"', b'"stop_reason":"novel_')],
    "gemini": [(b'"finishReason":"', b'"finishReason":"NOVEL_'), (b'"role":"model"', b'"role":"novelty"')],
}


@SAME
@quick
@given(data=st.data())
def test_unknown_words_cost_no_more_than_themselves(dialect: str, data: st.DataObject) -> None:
    events = data.draw(answers(CARRIED[dialect]))
    stream = encode(dialect, events)
    for known, unknown in ENUMS[dialect]:
        again = read(dialect, [stream.replace(known, unknown)])
        check_order(again)
        assert describe(again) == describe(events)
        assert isinstance(again[-1], Finish)


def damage(draw: Callable[[Any], Any], stream: bytes) -> bytes:
    """Some bytes replaced, taken out, doubled or put in."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(stream)))
        end = min(len(stream), start + draw(st.integers(0, 40)))
        junk = draw(
            st.sampled_from([b"", stream[start:end] * 2, b"null", b"{}", b"[]", b"1e999", b'"', b"\xff", b"\n\n"])
        )
        stream = stream[:start] + junk + stream[end:]
    return stream


def check_harmless(provider: str, stream: bytes) -> None:
    for events in (read(provider, [stream]), read(provider, [stream], streamed=False)):
        check_order(events)
    for client in CLIENTS:
        out = run(open_translation(provider, client), [stream])
        assert bool(find_marks(client, out)) is not has_error(client, out)
    if provider in BOTH:
        run(open_passage(provider), [stream])


@pytest.mark.parametrize("provider", PROVIDERS)
@quick
@given(st.binary(max_size=40) | st.binary(max_size=40).map(lambda data: b"data: " + data + b"\n\n"))
def test_any_bytes_are_an_answer_or_a_failure(provider: str, stream: bytes) -> None:
    check_harmless(provider, stream)


@SAME
@quick
@given(data=st.data())
def test_what_is_damaged_is_an_answer_or_a_failure(dialect: str, data: st.DataObject) -> None:
    check_harmless(dialect, damage(data.draw, encode(dialect, data.draw(answers(CARRIED[dialect])))))


@SAME
@quick
@given(data=st.data())
def test_a_document_that_is_damaged_is_an_answer_or_a_failure(dialect: str, data: st.DataObject) -> None:
    events = data.draw(answers(CARRIED[dialect]))
    turn = make_turn(dialect, stream=False)
    body = damage(data.draw, build_whole(find_client(dialect), turn, events)[1])
    check_order(read(dialect, [body], streamed=False, turn=turn))
