"""Token counts asked for on a client's behalf: what is put into its request, and which chunk comes of it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.openai_chat.quirks import QUIRKS
from proxy.dialects.openai_chat.usage_asked import add_usage, asks_usage, is_usage_chunk
from tests.helpers.openai_chat import make_target

USAGE = b'"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}'


def add(body: bytes) -> bytes | None:
    return add_usage(body, make_target())


ODD = b' {\n\t"zeta" : 1.50e+3,"n":123456789012345678901234567890,%b"lone":"\\ud800","dup":1,"dup":2} \r\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"stream_options" : {}, ', b'"stream_options" : {"include_usage":true}, '),
        (b'"stream_options":null,', b'"stream_options":{"include_usage":true},'),
        (
            b'"stream_options":{ "include_obfuscation":false },',
            b'"stream_options":{"include_usage":true, "include_obfuscation":false },',
        ),
        (b'"stream_options":{"include_usage" :false},', b'"stream_options":{"include_usage" :true},'),
        (b'"stream_options":{"include_usage":null},', b'"stream_options":{"include_usage":true},'),
    ],
)
def test_the_question_is_added_and_every_other_byte_stays(before: bytes, after: bytes) -> None:
    assert add(ODD % before) == ODD % after


def test_options_that_are_spelt_with_escapes_stand_behind_and_count() -> None:
    body = b'{"stream\\u005foptions":{"include_obfuscation":false}}'
    added = add(body)
    assert added == body.replace(b"{", b'{"stream_options":{"include_usage":true},', 1)
    assert json.loads(added) == json.loads(body)


def test_where_there_are_no_options_they_come_first() -> None:
    assert add(ODD % b"") == ODD.replace(b"{", b'{"stream_options":{"include_usage":true},', 1) % b""
    assert add(b"{}") == b'{"stream_options":{"include_usage":true}}'


@pytest.mark.parametrize(
    "options",
    [b'{"include_usage":true}', b'{"include_usage":1}', b'{"include_usage":0}', b'{"include_usage":"no"}', b"7", b"[]"],
)
def test_what_asks_or_is_wrong_stays_as_it_is(options: bytes) -> None:
    assert add(b'{"stream_options":%b}' % options) is None


@pytest.mark.parametrize("quirks", sorted(QUIRKS))
def test_who_does_not_take_the_question_is_not_asked(quirks: str) -> None:
    """Mistral refuses unknown parameters, and says the counts unasked."""
    assert (add_usage(b"{}", make_target(quirks)) is None) is (quirks == "mistral")


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        ({}, False),
        ({"stream_options": None}, False),
        ({"stream_options": {}}, False),
        ({"stream_options": {"include_usage": False}}, False),
        ({"stream_options": {"include_usage": 1}}, False),
        ({"stream_options": {"include_usage": True}}, True),
        ({"metadata": {"include_usage": True}}, False),
        ({"stream_options": 7, "user": "include_usage"}, False),
    ],
)
def test_whether_a_client_asks_itself(body: object, asks: bool) -> None:
    assert asks_usage(json.dumps(body).encode()) is asks


_JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))
_OPTIONS = st.none() | st.dictionaries(st.text(max_size=5) | st.just("include_obfuscation"), _JSON, max_size=3)


@given(
    st.dictionaries(st.text(max_size=15), _JSON, max_size=5),
    st.none() | _OPTIONS.map(lambda options: {"stream_options": options}),
    st.booleans(),
    st.sampled_from([None, 1, "\t"]),
)
def test_what_is_asked_means_the_same_but_for_the_question(
    body: dict[str, object], options: dict[str, object] | None, ascii_only: bool, indent: int | str | None
) -> None:
    body = {**body, **(options or {})}
    body.pop("include_usage", None)
    added = add(json.dumps(body, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass"))
    assert added is not None
    wanted = {**body, "stream_options": {**((options or {}).get("stream_options") or {}), "include_usage": True}}  # type: ignore[dict-item]
    assert json.loads(added.decode("utf-8", "surrogatepass")) == wanted
    assert asks_usage(added)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'{"choices":[],%b}' % USAGE, True),
        (b'{"choices":null,%b}' % USAGE, True),
        (b"{%b}" % USAGE, True),
        (b'{"choices":[],"usage":null}', False),
        (b'{"choices":[],"prompt_filter_results":[],"usage":null}', False),  # Azure's first
        (b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],%b}' % USAGE, False),
        (b'{"choices":[],"error":{"message":"x"},%b}' % USAGE, False),
        (b'{"choices":[{"delta":{"content":"\\"usage\\""}}]}', False),
        (b'{"choices":[], "usage" ', False),
        (b"[DONE]", False),
    ],
)
def test_the_chunk_that_comes_of_it(data: bytes, found: bool) -> None:
    assert is_usage_chunk(data) is found
