"""Signatures through reasoning items and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.openai_responses.carrying import (
    build_signature,
    read_content,
    read_signature,
    write_call,
    write_redacted,
    write_thinking,
)
from proxy.dialects.parts import Redacted, Signature, Thinking

SIGNATURES = st.builds(Signature, st.sampled_from(["a", "g", "yc", "r", "o"]), st.text(min_size=1))


@given(SIGNATURES, st.text())
def test_thoughts_come_back(signature: Signature, text: str) -> None:
    assert read_content("rs_1", text, write_thinking(signature, "rs_2"), "") == (Thinking(text, signature), None)


@given(SIGNATURES)
def test_redacted_blocks_come_back(signature: Signature) -> None:
    assert read_content("", "", write_redacted(signature), "") == (Redacted(signature), None)


@given(SIGNATURES, st.text())
def test_signatures_of_calls_come_back(signature: Signature, call_id: str) -> None:
    assert read_content("", "", write_call(signature, call_id), "") == (None, (call_id, signature))


def test_openai_s_own_is_shown_as_it_is_in_its_own_item_only() -> None:
    own = build_signature("rs_1", "gAAA")
    assert write_thinking(own, "rs_1") == "gAAA"
    assert write_thinking(own, "rs_2").startswith("gw1.r.")
    assert read_content("rs_1", "", "gAAA", "") == (Thinking("", own), None)


@pytest.mark.parametrize("value", ["", "x", "[]", "{}", '{"encrypted_content":""}', '{"encrypted_content":7}'])
def test_a_broken_own_signature_is_none(value: str) -> None:
    assert read_signature(Signature("r", value)) is None


def test_only_the_own_origin_is_read() -> None:
    assert read_signature(Signature("a", '{"id":"rs_1","encrypted_content":"x"}')) is None
    assert read_signature(build_signature("rs_1", "x")) == ("rs_1", "x")
