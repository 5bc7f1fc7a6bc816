"""Callers' conversations: roles, thoughts, calls and the responses that belong to them."""

import json
from typing import Any

import pytest

from proxy.dialects.chat import Invalid
from proxy.dialects.gemini.marks import write_mark, write_redacted
from proxy.dialects.ids import is_synthetic
from proxy.dialects.parts import (
    Image,
    Message,
    Opaque,
    Part,
    Redacted,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from tests.helpers.gemini import parse

FOREIGN = Signature("a", "EqQB")


def read(*contents: dict[str, Any]) -> list[Message]:
    return parse({"contents": list(contents)}).messages


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts)}


def model(*parts: Any) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}


def read_model(*parts: Any) -> tuple[Part, ...]:
    return read(user({"text": "Hi"}), model(*parts))[1].parts


def called(name: str, **fields: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, **fields}}


def responded(name: str, response: Any = None, **fields: Any) -> dict[str, Any]:
    return {"functionResponse": {"name": name, "response": {"output": "5"} if response is None else response, **fields}}


@pytest.mark.parametrize(
    ("role", "expected"),
    [("user", "user"), (None, "user"), ("function", "user"), ("tool", "user"), ("model", "assistant")],
)
def test_roles(role: str | None, expected: str) -> None:
    content = {"parts": [{"text": "x"}], **({} if role is None else {"role": role})}
    (message,) = read(content)
    assert message == Message(expected, (Text("x"),))  # type: ignore[arg-type]
    assert message.parts[0].at == "contents[0].parts[0].text"


@pytest.mark.parametrize(
    ("system", "texts"),
    [
        ("Be.", ["Be."]),
        ({"parts": [{"text": "a"}, {"text": "b"}]}, ["a", "b"]),
        ({"role": "system", "parts": {"text": "a"}}, ["a"]),
        ({"text": "a"}, ["a"]),
        ({"parts": [{"text": ""}]}, []),
        ("", []),
        (None, []),
    ],
)
def test_system_instructions(system: Any, texts: list[str]) -> None:
    assert [text.text for text in parse({"systemInstruction": system}).system] == texts


def test_thoughts_and_their_signatures() -> None:
    thought = {"text": "Hm", "thought": True}
    assert read_model(thought, {"text": "Hi"}) == (Thinking("Hm"), Text("Hi"))
    signed = {"text": "", "thought": True, "thoughtSignature": write_mark(FOREIGN)}
    assert read_model(thought, thought, signed, thought) == (Thinking("HmHm", FOREIGN), Thinking("Hm"))
    redacted = {"text": "", "thought": True, "thoughtSignature": write_redacted(FOREIGN)}
    assert read_model(redacted, {"text": "Hi"}) == (Redacted(FOREIGN), Text("Hi"))


def test_a_signed_text_is_a_text_and_a_thought_that_holds_its_signature() -> None:
    own = Signature("g", "QUJD")
    assert read_model({"text": "Hi", "thoughtSignature": "QUJD"}) == (Text("Hi"), Thinking("", own))
    assert read_model({"text": "", "thoughtSignature": "QUJD"}) == (Thinking("", own),)
    assert read_model({"thoughtSignature": "QUJD"}) == (Thinking("", own),)


def test_texts_that_were_kept_in_pieces_are_one() -> None:
    assert read_model({"text": "a"}, {"text": ""}, {"text": "b"}) == (Text("ab"),)
    (message,) = read(user({"text": "a"}, {"text": "b"}))
    assert message.parts == (Text("a"), Text("b"))


def test_calls_and_responses_by_id() -> None:
    messages = read(
        user({"text": "Hi"}),
        model({**called("f", id="1", args={"a": 1}), "thoughtSignature": "QUJD"}, called("f", id="2")),
        user(responded("f", id="2"), responded("f", {"a": 1}, id="1")),
    )
    assert messages[1].parts == (ToolCall("1", "f", '{"a":1}', Signature("g", "QUJD")), ToolCall("2", "f", "{}"))
    assert messages[2].parts == (
        ToolResult("2", (Text("5"),), "f"), ToolResult("1", (Text('{"a":1}'),), "f"),
    )  # fmt: skip


def test_responses_without_ids_answer_by_name_and_order() -> None:
    contents = [
        user({"text": "Hi"}),
        model(called("f"), called("g"), called("f")),
        user(responded("g"), responded("f", {"output": "first"}), responded("f", {"output": "second"})),
        model(called("f")),
        user(responded("f", {"output": "third"})),
    ]
    messages = read(*contents)
    calls = [part for message in messages for part in message.parts if isinstance(part, ToolCall)]
    ids = [call.id for call in calls]
    assert len(set(ids)) == 4
    assert all(map(is_synthetic, ids))
    results = [part for message in messages for part in message.parts if isinstance(part, ToolResult)]
    assert [result.call_id for result in results] == [ids[1], ids[0], ids[2], ids[3]]
    assert [part.id for part in read(*contents[:3])[1].parts if isinstance(part, ToolCall)] == ids[:3]


def test_an_id_that_the_client_made_up_falls_back_to_the_name() -> None:
    messages = read(model(called("f")), user(responded("f", id="own")))
    (result,) = messages[1].parts
    (call,) = messages[0].parts
    assert isinstance(result, ToolResult)
    assert isinstance(call, ToolCall)
    assert result.call_id == call.id


@pytest.mark.parametrize(
    ("response", "text", "is_error"),
    [
        ({"output": "5"}, "5", False),
        ({"result": "5"}, "5", False),
        ({"content": "5"}, "5", False),
        ({"error": "no"}, "no", True),
        ({"output": 5}, '{"output":5}', False),
        ({"output": "5", "more": 1}, '{"output":"5","more":1}', False),
        ({"n": 10**30}, '{"n":1000000000000000000000000000000}', False),
    ],
)
def test_what_a_tool_said(response: dict[str, Any], text: str, is_error: bool) -> None:
    result = read(model(called("f")), user(responded("f", response)))[1].parts[0]
    assert isinstance(result, ToolResult)
    assert (result.content, result.is_error) == ((Text(text),), is_error)


def test_an_image_in_a_response_and_an_empty_one() -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": "QUJD"}}
    result = read(model(called("f")), user(responded("f", {}, parts=[image])))[1].parts[0]
    assert isinstance(result, ToolResult)
    assert [type(part) for part in result.content] == [Image]


@pytest.mark.parametrize(
    "part",
    [
        {"fileData": {"fileUri": "gs://bucket/x"}},
        {"text": "x", "videoMetadata": {"fps": 1}},
        {"futurePart": {"x": 1}},
        {"executableCode": {"code": "1"}, "thoughtSignature": "QUJD"},
    ],
)
def test_what_only_google_understands_stays_as_it_is(part: dict[str, Any]) -> None:
    role = model if "executableCode" in part else user
    assert read(role(part))[0].parts == (Opaque("gemini", part),)


def test_a_turn_of_the_model_in_several_contents_is_one_message() -> None:
    thought = {"thought": True, "text": "Hm"}
    turn = [model(thought), model(thought), model({"text": "Let "}), model({"text": "me."}), model(called("f", id="1")),
            model(called("g", id="2")), model({"text": ""})]  # fmt: skip
    _, said, answered = read(user({"text": "Hi"}), *turn, user(responded("f", id="1"), responded("g", id="2")))
    assert said.parts == (
        Thinking("HmHm"), Text("Let me."), ToolCall("1", "f", "{}"), ToolCall("2", "g", "{}"),
    )  # fmt: skip
    assert [part.call_id for part in answered.parts if isinstance(part, ToolResult)] == ["1", "2"]


def test_calls_of_an_earlier_turn_are_closed() -> None:
    with pytest.raises(Invalid):
        read(model(called("f")), user({"text": "Hi"}), model({"text": "Ho"}), user(responded("f")))


@pytest.mark.parametrize(
    ("contents", "param"),
    [
        ([{"role": "system", "parts": [{"text": "x"}]}], "contents[0].role"),
        ([user()], "contents[0].parts"),
        ([user({})], "contents[0].parts[0]"),
        ([model({})], "contents[0].parts[0]"),
        ([user({"thought": True})], "contents[0].parts[0]"),
        ([user({"text": 3})], "contents[0].parts[0].text"),
        ([user(3)], "contents[0].parts[0]"),
        ([user(called("f"))], "contents[0].parts[0].functionCall"),
        ([model(responded("f"))], "contents[0].parts[0].functionResponse"),
        ([model(called("f", args=[1]))], "contents[0].parts[0].functionCall.args"),
        ([model({"functionCall": {}})], "contents[0].parts[0].functionCall.name"),
        ([user(responded("f"))], "contents[0].parts[0].functionResponse"),
        ([model(called("f")), user(responded("g"))], "contents[1].parts[0].functionResponse"),
        ([model(called("f")), user(responded("f"), responded("f"))], "contents[1].parts[1].functionResponse"),
        ([model(called("f")), user(responded("f", "text"))], "contents[1].parts[0].functionResponse.response"),
        ([model({"text": "x", "thoughtSignature": "?"})], "contents[0].parts[0].thoughtSignature"),
        (["x"], "contents[0]"),
        ("x", "contents"),
    ],
)
def test_what_is_wrong_is_named(contents: Any, param: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse({"contents": contents})
    assert caught.value.param == param


def test_names_within_arguments_are_never_changed() -> None:
    arguments = {"max_tokens": 1, "maxTokens": 2, "inline_data": {"mime_type": "x"}}
    (call,) = read(model({"function_call": {"name": "f", "args": arguments}}))[0].parts
    assert isinstance(call, ToolCall)
    assert json.loads(call.arguments) == arguments
