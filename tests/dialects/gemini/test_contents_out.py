"""Conversations as Google wants them: who speaks first, signatures on calls, results as objects."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.capabilities import Capabilities
from proxy.dialects.chat import Invalid
from proxy.dialects.fitting import Fitting
from proxy.dialects.gemini.contents_out import build_contents
from proxy.dialects.gemini.marks import SENTINEL
from proxy.dialects.gemini.rules import find_rules
from proxy.dialects.names import NameMap
from proxy.dialects.normalise import normalise
from proxy.dialects.parts import (
    Image,
    Media,
    Message,
    Opaque,
    Part,
    Redacted,
    Refusal,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from tests.helpers.feeds import fuzz
from tests.helpers.gemini import GEMINI_3, GEMINI_25, make_request, make_target

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"
OWN = Signature("g", "QUJD")
DEEP = '{"a":\n' * 500 + '"\n"' + "}" * 500


def build(*messages: Message, capabilities: Capabilities = GEMINI_25) -> list[Any]:
    request = make_request(*messages)
    target = make_target(capabilities)
    ordered = normalise(request, alternate=True, results_in_user=True, mid_system=False)
    return build_contents(ordered, find_rules(target), target, NameMap(), Fitting(request, target))


def user(*parts: Part) -> Message:
    return Message("user", parts)


def model(*parts: Part) -> Message:
    return Message("assistant", parts)


def parts_of_model(*parts: Part, capabilities: Capabilities = GEMINI_25) -> list[Any]:
    content = build(user(Text("Hi")), model(*parts), user(Text("Go on")), capabilities=capabilities)[1]
    assert content["role"] == "model"
    found = content["parts"]
    assert isinstance(found, list)
    return found


def respond(*content: Part, is_error: bool = False, capabilities: Capabilities = GEMINI_25) -> list[Any]:
    result = ToolResult("1", content, is_error=is_error)
    contents = build(user(Text("Hi")), model(ToolCall("1", "f", "{}")), user(result), capabilities=capabilities)
    found = contents[2]["parts"]
    assert isinstance(found, list)
    return found


def test_a_user_speaks_first() -> None:
    assert [content["role"] for content in build(model(Text("Hi")), user(Text("Ho")))] == ["user", "model", "user"]
    assert build(user(Text(""))) == [{"role": "user", "parts": [{"text": "."}]}]


def test_a_last_word_of_the_model_is_continued_where_it_cannot_be() -> None:
    able = Capabilities(family="gemini", prefill=False)
    assert build(user(Text("Hi")), model(Text("Ho")))[-1]["role"] == "model"
    assert build(user(Text("Hi")), model(Text("Ho")), capabilities=able)[-1] == {
        "role": "user", "parts": [{"text": "Continue."}],
    }  # fmt: skip


def test_foreign_thoughts_stay_behind_and_leave_no_empty_content() -> None:
    thought, redacted = Thinking("Hm", Signature("a", "x")), Redacted(Signature("a", "x"))
    assert build(user(Text("a")), model(thought, redacted, Thinking("Hm")), user(Text("b"))) == [
        {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}
    ]


def test_signatures_stand_where_they_came_from() -> None:
    call = ToolCall("1", "f", "{}")
    plain = {"functionCall": {"name": "f", "args": {}}}
    assert parts_of_model(ToolCall("1", "f", "{}", OWN))[0] == {**plain, "thoughtSignature": "QUJD"}
    assert parts_of_model(Thinking("Hm", OWN), call)[0] == {**plain, "thoughtSignature": "QUJD"}
    assert parts_of_model(Text("Hi"), Thinking("", OWN)) == [{"text": "Hi"}, {"text": "", "thoughtSignature": "QUJD"}]
    assert parts_of_model(Thinking("Hm", OWN), Text("Hi")) == [{"text": "", "thoughtSignature": "QUJD"}, {"text": "Hi"}]
    assert parts_of_model(ToolCall("1", "f", "{}", Signature("a", "x")))[0] == plain


def test_the_first_call_of_each_step_of_the_turn_is_marked_where_it_has_no_signature() -> None:
    contents = build(
        user(Text("earlier")),
        model(ToolCall("1", "f", "{}")),
        user(ToolResult("1", ())),
        model(Text("Done.")),
        user(Text("now")),
        model(ToolCall("2", "f", "{}"), ToolCall("3", "f", "{}")),
        user(ToolResult("2", ()), ToolResult("3", ()), Text("a reminder")),
        model(ToolCall("4", "f", "{}", OWN), ToolCall("5", "f", "{}")),
        user(ToolResult("4", ()), ToolResult("5", ())),
        capabilities=GEMINI_3,
    )
    marks = [
        [part.get("thoughtSignature") for part in content["parts"] if "functionCall" in part]
        for content in contents
        if content["role"] == "model"
    ]
    assert marks == [[None], [], [SENTINEL, None], ["QUJD", None]]


def test_models_that_ask_for_no_signature_get_no_mark() -> None:
    assert "thoughtSignature" not in build(user(Text("Hi")), model(ToolCall("1", "f", "{}")))[1]["parts"][0]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", {}),
        (" ", {}),
        ('{"a": 1}', {"a": 1}),
        ('{"n": ' + "9" * 30 + "}", {"n": int("9" * 30)}),
        ('{"a": "x\ny"}', {"a": "x\ny"}),
        ('{"a', {"_raw": '{"a'}),
        ("[1]", {"_raw": "[1]"}),
        ("[" * 100_000, {"_raw": "[" * 100_000}),
        (DEEP, {"_raw": DEEP}),
    ],
)
def test_arguments_are_an_object(arguments: str, expected: Any) -> None:
    assert parts_of_model(ToolCall("1", "f", arguments))[0]["functionCall"]["args"] == expected


def test_free_text_is_one_argument() -> None:
    assert parts_of_model(ToolCall("1", "f", "ls", custom=True))[0]["functionCall"]["args"] == {"input": "ls"}


@pytest.mark.parametrize(
    ("text", "is_error", "response"),
    [
        ("5", False, {"output": "5"}),
        ('{"a": 1}', False, {"a": 1}),
        ("[1]", False, {"output": "[1]"}),
        ("{broken", False, {"output": "{broken"}),
        ("", False, {"output": ""}),
        ("no", True, {"error": "no"}),
        ('{"a": 1}', True, {"error": '{"a": 1}'}),
    ],
)
def test_a_result_is_an_object(text: str, is_error: bool, response: Any) -> None:
    (part,) = respond(*([Text(text)] if text else []), is_error=is_error)
    assert part == {"functionResponse": {"name": "f", "response": response}}


def test_several_texts_of_a_result_are_lines() -> None:
    assert respond(Text("a"), Text("b"))[0]["functionResponse"]["response"] == {"output": "a\nb"}


def test_an_image_in_a_result_stands_in_it_or_behind_it() -> None:
    image = Image(Media("image/png", PNG))
    inline = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    old = respond(Text("see"), image)
    assert old[1] == inline
    (new,) = respond(Text("see"), image, capabilities=GEMINI_3)
    assert new["functionResponse"]["parts"] == [inline]


def test_a_missing_result_is_made_up_and_counts_agree() -> None:
    contents = build(user(Text("Hi")), model(ToolCall("1", "f", "{}"), ToolCall("2", "g", "{}")), user(Text("stop")))
    assert [part.get("functionResponse", {}).get("name") for part in contents[2]["parts"]] == ["f", "g", None]


@pytest.mark.parametrize(
    ("call_id", "capabilities", "expected"),
    [
        ("8hd01vsf", GEMINI_3, "8hd01vsf"),
        ("call_g" + "a" * 24, GEMINI_3, None),
        ("8hd01vsf", GEMINI_25, None),
    ],
)
def test_ids_go_back_to_models_that_gave_them(call_id: str, capabilities: Capabilities, expected: str | None) -> None:
    contents = build(
        user(Text("Hi")), model(ToolCall(call_id, "f", "{}")), user(ToolResult(call_id, ())), capabilities=capabilities
    )
    assert contents[1]["parts"][0]["functionCall"].get("id") == expected
    assert contents[2]["parts"][0]["functionResponse"].get("id") == expected


def test_other_parts() -> None:
    code = {"executableCode": {"code": "1"}}
    assert parts_of_model(Refusal("No."), Opaque("gemini", code)) == [{"text": "No."}, code]
    with pytest.raises(Invalid) as caught:
        parts_of_model(Opaque("anthropic", {}, at="messages[1].content[0]"))
    assert caught.value.param == "messages[1].content[0]"
    with pytest.raises(Invalid):
        build(user(ToolCall("1", "f", "{}")))


ids = st.sampled_from(["1", "2", "3"])
model_parts = st.one_of(
    st.builds(Text, st.text(max_size=3)),
    st.builds(Thinking, st.text(max_size=3), st.sampled_from([None, OWN, Signature("a", "x")])),
    st.builds(ToolCall, ids, st.just("f"), st.just("{}")),
)
user_parts = st.one_of(st.builds(Text, st.text(max_size=3)), st.builds(ToolResult, ids, st.just((Text("x"),))))
messages = st.one_of(
    st.lists(model_parts, max_size=4).map(lambda parts: model(*parts)),
    st.lists(user_parts, max_size=4).map(lambda parts: user(*parts)),
)


@fuzz
@given(st.lists(messages, max_size=6), st.sampled_from([GEMINI_25, GEMINI_3]))
def test_any_conversation_keeps_googles_rules(conversation: list[Message], capabilities: Capabilities) -> None:
    contents = build(*conversation, capabilities=capabilities)
    assert contents[0]["role"] == "user"
    for before, after in pairwise(contents):
        assert before["role"] != after["role"]
    for content in contents:
        assert content["parts"]
        assert all(len(part.keys() - {"thoughtSignature"}) == 1 for part in content["parts"])
    for content, after in zip(contents, [*contents[1:], {"parts": []}], strict=True):
        calls = [part for part in content["parts"] if "functionCall" in part]
        responses = [part for part in after["parts"] if "functionResponse" in part]
        assert len(calls) == (len(responses) if content["role"] == "model" else 0)
