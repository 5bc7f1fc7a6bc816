"""The readable part of an error, without what callers must not see."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.failure_text import LONGEST, clean_message, read_message
from tests.helpers.feeds import fuzz


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ({"message": "no"}, "no"),
        ("no", "no"),
        ({"code": "x", "error": "no"}, "no"),
        ({"detail": "no"}, "no"),
        ({"detail": [{"loc": ["body", 0], "msg": "a", "type": "t"}, {"msg": "b"}]}, "a; b"),
        ({"message": "Provider returned error", "metadata": {"raw": '{"error":{"message":"deep"}}'}}, "deep"),
        ({"message": "Provider returned error", "metadata": {"raw": {"detail": "deep"}}}, "deep"),
        ({"message": "Provider returned error", "metadata": {"raw": "<html>"}}, "Provider returned error"),
        ({"message": json.dumps({"type": "error", "error": {"type": "t", "message": "inner"}})}, "inner"),
        ({"message": "{no json"}, "{no json"),
        ({"message": "[] is not allowed"}, "[] is not allowed"),
        ({"message": "{}"}, "{}"),
        ({"message": ""}, ""),
        ({"message": None, "msg": "no"}, "no"),
        ({}, ""),
        (5, ""),
        (True, ""),
        (None, ""),
        ("<!DOCTYPE html><html>Bad Gateway</html>", ""),
        ("  <html>", ""),
        ("\ufffd\ufffdPNG", ""),
        ("a\0b", ""),
        ("  spaced \n", "spaced"),
    ],
)
def test_the_innermost_text_is_read(error: object, message: str) -> None:
    assert read_message(error) == message


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("key sk-proj-abcDEF123456 is wrong", "key <key> is wrong"),
        ("Incorrect API key provided: sk-ab***yz.", "Incorrect API key provided: <key>"),
        ("Incorrect API key provided: invalid-key. You", "Incorrect API key provided: <key> You"),
        ("AIzaSyA1234567890abcdef", "<key>"),
        ("token ya29.a0AfH6SMBx-abc", "token <key>"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer <key>"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.sig", "<key>"),
        ("account jane.doe+x@mail.example.com has", "account <address> has"),
        ("https://api.example.com/v1?key=abc123&x=1", "https://api.example.com/v1?key=<key>&x=1"),
        ("cannot reach http://10.1.2.3:8080/v1/x now", "cannot reach <internal> now"),
        ("at http://localhost/x", "at <internal>"),
        ("at http://model-server:80", "at <internal>"),
        ("at https://a.svc.cluster.internal/x.", "at <internal>"),
        ("see https://ai.google.dev/gemini-api/docs.", "see https://ai.google.dev/gemini-api/docs."),
        ("maximum is 4096 tokens: 5000, token: 7", "maximum is 4096 tokens: 5000, token: 7"),
        (
            "This request would exceed your account's rate limit.",
            "This request would exceed your account's rate limit.",
        ),
        ("task-management_tool is unknown", "task-management_tool is unknown"),
    ],
)
def test_secrets_go_and_the_rest_stays(text: str, clean: str) -> None:
    assert clean_message(text) == clean


def test_a_message_is_cut() -> None:
    assert clean_message("x" * LONGEST) == "x" * LONGEST
    cut = clean_message("x" * 100_000)
    assert len(cut) == LONGEST
    assert cut.endswith("x…")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["message", "detail", "metadata", "raw", "error"]), inner, max_size=3)
        | inner.map(json.dumps)
    ),
    max_leaves=8,
)


@fuzz
@given(JSON)
def test_nothing_raises(error: object) -> None:
    assert len(read_message(error)) <= LONGEST


def test_half_a_character_can_be_logged() -> None:
    assert read_message({"message": "no \ud800 model"}) == "no ? model"
