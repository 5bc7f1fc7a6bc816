"""Messages in the order that providers take: results behind their calls, roles in turn, nothing empty, nothing lost."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.normalise import NO_RESULT, normalise
from proxy.dialects.parts import Image, Media, Message, Part, Refusal, Request, Text, Thinking, ToolCall, ToolResult
from tests.helpers.feeds import fuzz

PICTURE = Image(Media("image/png", "AAAA"))


def user(*parts: Part | str) -> Message:
    return Message("user", tuple(Text(part) if isinstance(part, str) else part for part in parts))


def assistant(*parts: Part | str) -> Message:
    return replace(user(*parts), role="assistant")


def system(text: str) -> Message:
    return replace(user(text), role="system")


def call(call_id: str, name: str = "tool") -> ToolCall:
    return ToolCall(call_id, name, "{}")


def result(call_id: str, text: str = "done", name: str = "", is_error: bool = False) -> ToolResult:
    return ToolResult(call_id, (Text(text),), name, is_error)


def missing(call_id: str) -> ToolResult:
    return result(call_id, NO_RESULT, "tool", is_error=True)


def arrange(
    *messages: Message, alternate: bool = True, results_in_user: bool = True, mid_system: bool = False
) -> list[Message]:
    request = Request("m", list(messages), "openai-chat")
    return normalise(request, alternate=alternate, results_in_user=results_in_user, mid_system=mid_system)


def test_results_stand_first_in_the_order_of_the_calls() -> None:
    given_ = [
        user("hi"),
        assistant("let me see", call("a", "x"), call("b", "y")),
        user("and now?", result("b", "2"), result("a", "1"), PICTURE),
    ]
    last = user(result("a", "1", "x"), result("b", "2", "y"), "and now?", PICTURE)
    assert arrange(*given_) == [given_[0], given_[1], last]


def test_results_apart_are_a_message_of_their_own() -> None:
    found = arrange(user("hi"), assistant(call("a")), user("next", result("a")), alternate=False, results_in_user=False)
    assert found == [user("hi"), assistant(call("a")), user(result("a", name="tool")), user("next")]


def test_results_apart_stay_apart_where_roles_alternate() -> None:
    found = arrange(assistant(call("a")), user("next", result("a")), user("more"), results_in_user=False)
    assert found == [assistant(call("a")), user(result("a", name="tool")), user("next", "more")]


def test_results_in_several_messages_come_together() -> None:
    found = arrange(
        assistant(call("a"), call("b")), user(result("a")), user(result("b")), user("next"), alternate=False
    )
    assert found == [assistant(call("a"), call("b")), user(result("a", name="tool"), result("b", name="tool"), "next")]


def test_calls_in_several_messages_come_together() -> None:
    found = arrange(
        assistant("one"), assistant(call("a")), assistant(call("b"), "two"), user(result("b"), result("a")),
        alternate=False,
    )  # fmt: skip
    assert found == [
        assistant("one"), assistant(call("a"), call("b"), "two"),
        user(result("a", name="tool"), result("b", name="tool")),
    ]  # fmt: skip


@pytest.mark.parametrize("results_in_user", [True, False])
def test_a_call_without_a_result_gets_one(results_in_user: bool) -> None:
    found = arrange(assistant(call("a"), call("b")), user(result("b")), results_in_user=results_in_user)
    assert found == [assistant(call("a"), call("b")), user(missing("a"), result("b", name="tool"))]


def test_a_call_at_the_end_gets_a_result() -> None:
    assert arrange(user("x"), assistant(call("a"))) == [user("x"), assistant(call("a")), user(missing("a"))]


def test_a_call_before_the_next_answer_gets_a_result() -> None:
    found = arrange(assistant(call("a")), user("stop"), assistant("ok"), user(result("a", "late")))
    assert found == [
        assistant(call("a")), user(missing("a"), "stop"), assistant("ok"), user("Result of tool call a: late"),
    ]  # fmt: skip


def test_a_result_without_a_call_becomes_text_with_its_pictures() -> None:
    orphan = ToolResult("z", (Text("a"), PICTURE, Text("b")), is_error=True, cache={"type": "ephemeral"})
    (message,) = arrange(user(orphan))
    assert message == user(Text("Error of tool call z: a\nb", cache={"type": "ephemeral"}), PICTURE)


def test_an_empty_result_without_a_call_says_so() -> None:
    assert arrange(user(ToolResult("z", ()))) == [user(f"Result of tool call z: {NO_RESULT}")]


def test_a_second_result_of_a_call_becomes_text() -> None:
    found = arrange(assistant(call("a")), user(result("a", "1"), result("a", "2")))
    assert found == [assistant(call("a")), user(result("a", "1", "tool"), "Result of tool call a: 2")]


def test_calls_with_one_id_are_paired_in_order() -> None:
    found = arrange(assistant(call("0", "x"), call("0", "y")), user(result("0", "1"), result("0", "2")))
    assert found[1] == user(result("0", "1", "x"), result("0", "2", "y"))


def test_ids_may_return_in_a_later_turn() -> None:
    found = arrange(
        assistant(call("0", "x")), user(result("0", "1")), assistant(call("0", "y")), user(result("0", "2"))
    )
    assert found[1] == user(result("0", "1", "x"))
    assert found[3] == user(result("0", "2", "y"))


def test_empty_texts_go_and_empty_messages_with_them() -> None:
    found = arrange(user("hi", ""), assistant("", Refusal("")), user("", PICTURE), assistant("", call("a")), user(""))
    assert found == [user("hi", PICTURE), assistant(call("a")), user(missing("a"))]


def test_blank_texts_stay() -> None:
    assert arrange(user(" ")) == [user(" ")]


def test_empty_texts_within_a_result_go_and_the_result_stays() -> None:
    found = arrange(assistant(call("a")), user(ToolResult("a", (Text(""),))))
    assert found[1] == user(ToolResult("a", (), "tool"))


@pytest.mark.parametrize("alternate", [True, False])
def test_a_system_message_in_the_middle_becomes_user_text(alternate: bool) -> None:
    found = arrange(user("a"), assistant("b"), system("be brief"), alternate=alternate)
    assert found == [user("a"), assistant("b"), user("<system>be brief</system>")]


def test_a_system_message_may_stay() -> None:
    messages = [user("a"), system("be brief"), user("b")]
    assert arrange(*messages, mid_system=True) == messages


@pytest.mark.parametrize("mid_system", [True, False])
def test_nothing_stands_between_calls_and_results(mid_system: bool) -> None:
    found = arrange(
        assistant(call("a")), system("s"), user(result("a")), user("x"), alternate=False, mid_system=mid_system
    )
    assert found[1].parts[0] == result("a", name="tool")
    assert found[-1].parts[-1] == Text("x")


def test_an_empty_system_message_goes() -> None:
    assert arrange(user("a"), Message("system", (Text(""),)), user("b"), alternate=False) == [user("a"), user("b")]


def test_a_marked_system_message_keeps_its_mark() -> None:
    message = Message("system", (Text("a"), Text("b", cache={"type": "ephemeral"})))
    assert arrange(message) == [user(Text("<system>a\n\nb</system>", cache={"type": "ephemeral"}))]


def test_roles_alternate_only_where_they_must() -> None:
    messages = [user("a"), user("b"), assistant("c"), assistant("d")]
    assert arrange(*messages) == [user("a", "b"), assistant("c", "d")]
    assert arrange(*messages, alternate=False) == messages


def test_places_are_those_of_the_first() -> None:
    merged = arrange(replace(user("a"), at="messages[0]"), replace(user("b"), at="messages[1]"))
    assert merged[0].at == "messages[0]"


def test_the_request_stays_as_it_is() -> None:
    messages = [user("a", ""), system("s"), assistant(call("a"))]
    request = Request("m", list(messages), "openai-chat")
    normalise(request, alternate=True, results_in_user=True, mid_system=False)
    assert request.messages == messages


IDS = st.sampled_from(["a", "b", "c"])
USER_PARTS = st.one_of(st.builds(Text, st.sampled_from(["", "x", "y"])), st.builds(result, IDS), st.just(PICTURE))
SAID_PARTS = st.one_of(
    st.builds(Text, st.sampled_from(["", "x"])), st.builds(call, IDS), st.builds(Thinking, st.just("t"))
)
MESSAGES = st.one_of(
    st.builds(Message, st.just("user"), st.lists(USER_PARTS, max_size=4).map(tuple)),
    st.builds(Message, st.just("assistant"), st.lists(SAID_PARTS, max_size=4).map(tuple)),
    st.builds(Message, st.just("system"), st.lists(st.builds(Text, st.sampled_from(["", "s"])), max_size=2).map(tuple)),
)


def list_calls(messages: list[Message]) -> list[str]:
    return [part.id for message in messages for part in message.parts if isinstance(part, ToolCall)]


def copy(message: Message) -> Message:
    """With parts of its own, as parsers make them."""
    return replace(message, parts=tuple(replace(part) for part in message.parts))


@fuzz
@given(st.lists(MESSAGES.map(copy), max_size=8), st.booleans(), st.booleans(), st.booleans())
def test_any_conversation_becomes_one_that_is_taken(
    messages: list[Message], alternate: bool, results_in_user: bool, mid_system: bool
) -> None:
    found = arrange(*messages, alternate=alternate, results_in_user=results_in_user, mid_system=mid_system)
    assert all(message.parts for message in found)
    assert Text("") not in [part for message in found for part in message.parts]
    assert list_calls(found) == list_calls(messages)
    for before, message in pairwise([assistant("x"), *found, user("x")]):
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        calls = [part for part in before.parts if isinstance(part, ToolCall)] if before.role == "assistant" else []
        assert [part.call_id for part in results] == [part.id for part in calls]
        assert message.parts[: len(results)] == tuple(results)
    pictures = Counter(part for message in messages for part in message.parts if isinstance(part, Image))
    assert Counter(part for message in found for part in message.parts if isinstance(part, Image)) == pictures
    if not mid_system:
        assert all(message.role != "system" for message in found)
    if alternate and results_in_user:
        assert all(before.role != message.role for before, message in pairwise(found))
    again = arrange(*found, alternate=alternate, results_in_user=results_in_user, mid_system=mid_system)
    assert again == found
