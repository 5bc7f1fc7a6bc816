"""Signatures in `thoughtSignature`: always base64, and always back to their issuer."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.gemini.marks import SENTINEL, build_thought, read_mark, write_mark, write_redacted
from proxy.dialects.parts import Redacted, Signature, Thinking
from tests.helpers.feeds import fuzz


def test_googles_own_go_through() -> None:
    assert write_mark(Signature("g", "EsIN+/8=")) == "EsIN+/8="
    assert read_mark("EsIN+/8=") == Signature("g", "EsIN+/8=")


def test_the_url_safe_alphabet_of_pythons_sdk_is_the_same_signature() -> None:
    assert read_mark("EsIN-_8") == Signature("g", "EsIN+/8=")


@fuzz
@given(st.sampled_from(["a", "yc", "r", "o"]), st.text(st.characters(codec="utf-8"), min_size=1))
def test_others_travel_as_base64_of_their_envelope(origin: str, value: str) -> None:
    signature = Signature(origin, value)
    mark = write_mark(signature)
    assert base64.b64decode(mark, validate=True)
    assert read_mark(mark) == signature
    url_safe = mark.replace("+", "-").replace("/", "_").rstrip("=")
    assert read_mark(url_safe) == signature
    assert read_mark(write_redacted(signature)) != signature


@pytest.mark.parametrize("text", ["", SENTINEL, "context_engineering_is_the_way_to_go"])
def test_what_is_no_signature(text: str) -> None:
    assert read_mark(text) is None


def test_a_broken_envelope_is_none_of_googles() -> None:
    assert read_mark(base64.b64encode(b"gw1.a.!!!").decode()) is None


def test_what_is_no_base64_is_refused() -> None:
    with pytest.raises(ValueError, match="base64"):
        read_mark("?")


def test_redacted_reasoning_is_told_from_a_thought() -> None:
    signature = Signature("a", "data")
    mark = read_mark(write_redacted(signature))
    assert mark is not None
    assert build_thought("", mark) == Redacted(signature)
    assert build_thought("why", signature) == Thinking("why", signature)
