"""One response, typed where it fits and field by field where it does not: the same chunks both ways."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.gemini.chunk import NOTHING, Chunk, parse_chunk, read_chunks, read_raw
from proxy.dialects.json_text import decode_leniently
from proxy.wire.sse import Parser
from tests.helpers.feeds import fuzz
from tests.helpers.gemini import chunk, list_recordings


def show(value: Any) -> Any:
    """A chunk as plain values; absent, null, false and empty are one."""
    if isinstance(value, msgspec.Raw):
        return read_raw(value)
    if isinstance(value, list):
        return [show(item) for item in value]
    if isinstance(value, msgspec.Struct):
        shown = {name: show(getattr(value, name)) for name in value.__struct_fields__}
        return {name: item for name, item in shown.items() if item not in (None, False, {}, [])}
    return value


def parse_one(value: Any) -> Chunk:
    found = parse_chunk(json.dumps(value).encode())
    assert found is not None
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("recording", list_recordings("gemini", ".sse") + list_recordings("antigravity", ".sse"))
def test_both_ways_read_recordings_alike(recording: Path) -> None:
    parser = Parser()
    blocks = parser.feed(recording.read_bytes())
    for block in blocks:
        if block.data is not None:
            typed = parse_chunk(block.data)
            assert typed is not None
            read = read_chunks(decode_leniently(block.data))
            assert show(typed) == show(read)


def test_the_envelope_comes_off() -> None:
    inner = chunk({"text": "Hi"}, modelVersion="m")
    assert show(parse_one({"response": inner, "traceId": "x", "metadata": {}})) == show(parse_one(inner))


def test_an_error_beside_the_envelope_is_not_lost() -> None:
    found = parse_one({"response": {"modelVersion": "m"}, "error": {"code": 500}})
    assert read_raw(found.error) == {"code": 500}
    assert parse_one({}).error is NOTHING


def test_arguments_keep_every_digit() -> None:
    found = parse_chunk(
        b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"n": 1%s}}}]}}]}' % (b"0" * 40)
    )
    assert found is not None
    content = found[0].candidates and found[0].candidates[0].content
    assert content
    call = (content.parts or [])[0].function_call
    assert call is not None
    assert bytes(call.args) == b'{"n": 1' + b"0" * 40 + b"}"


def test_counters_may_be_strings_and_fields_of_a_wrong_type_are_absent() -> None:
    found = parse_one({
        "candidates": {"content": {"parts": {"text": "one"}}, "finishReason": 3, "index": 0.0},
        "usageMetadata": {"totalTokenCount": "12", "promptTokenCount": 3.0, "thoughtsTokenCount": True},
        "modelVersion": 7,
    })  # fmt: skip
    assert found.model_version is None
    assert found.usage_metadata is not None
    assert (found.usage_metadata.total_token_count, found.usage_metadata.prompt_token_count) == (12, 3)
    assert found.usage_metadata.thoughts_token_count is None

    assert found.candidates is not None
    content = found.candidates[0].content
    assert content is not None
    assert (found.candidates[0].finish_reason, found.candidates[0].index) == (None, 0)
    assert [part.text for part in content.parts or []] == ["one"]


@pytest.mark.parametrize("data", [b"", b"{", b"nothing", b'{"a":', b"[" * 100_000])
def test_what_is_no_json(data: bytes) -> None:
    assert parse_chunk(data) is None


@pytest.mark.parametrize("data", [b"1", b'"x"', b"null", b"[]", b"[1, null]"])
def test_json_without_an_object_holds_no_chunk(data: bytes) -> None:
    assert parse_chunk(data) == []


def test_broken_utf8_is_replaced_and_lone_surrogates_stay() -> None:
    for data, text in ((b"\xff", "\ufffd"), (rb"\ud800", "\ud800")):
        found = parse_chunk(b'{"candidates":[{"content":{"parts":[{"text":"a' + data + b'b"}]}}]}')
        assert found is not None
        assert found[0].candidates is not None
        content = found[0].candidates[0].content
        assert content is not None
        assert (content.parts or [])[0].text == f"a{text}b"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from([
            "candidates", "content", "parts", "text", "thought", "functionCall", "args", "name", "partialArgs", "index",
            "usageMetadata", "promptTokenCount", "promptFeedback", "response", "error", "inlineData", "data",
            "jsonPath",
            "executableCode", "thoughtSignature", "finishReason", "willContinue", "unknown",
        ]),
        inner, max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@fuzz
@given(anything)
def test_no_json_raises(value: Any) -> None:
    assert parse_chunk(json.dumps(value).encode()) is not None


def test_broken_text_in_a_member_that_stays_json_is_replaced() -> None:
    assert read_raw(msgspec.Raw(b'{"a":"\xff"}')) == {"a": "\ufffd"}


@pytest.mark.parametrize("count", ["-1", "9007199254740992", '"-5"', "-9223372036854775808", "1e300"])
def test_a_count_that_counts_nothing_is_none(count: str) -> None:
    body = b'{"usageMetadata":{"promptTokenCount":%b,"candidatesTokenCount":2}}' % count.encode()
    for wrapped in (body, b'{"response":%b}' % body):
        (found,) = parse_chunk(wrapped) or []
        assert found.usage_metadata is not None
        assert found.usage_metadata.prompt_token_count is None
        assert found.usage_metadata.candidates_token_count == 2


@pytest.mark.parametrize("levels", [257, 2000])
def test_a_field_that_nests_too_deeply_is_none(levels: int) -> None:
    nested = b'{"a":' * levels + b"1" + b"}" * levels
    for found in parse_chunk(b'{"promptFeedback":%b}' % nested) or []:
        assert read_raw(found.prompt_feedback) is None
