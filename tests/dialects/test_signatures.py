"""Signatures come back from foreign clients as they went."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.parts import Signature
from proxy.dialects.signatures import read_signature, seal, unseal, write_signature
from tests.helpers.feeds import fuzz

ORIGINS = st.sampled_from(["a", "g", "yc", "r", "o"])
VALUES = st.text(st.characters(codec=None), min_size=1, max_size=200)  # lone surrogates too
SIGNATURES = st.builds(Signature, ORIGINS, VALUES)


@fuzz
@given(SIGNATURES)
def test_a_sealed_signature_comes_back(signature: Signature) -> None:
    envelope = seal(signature)
    assert re.fullmatch(r"gw1\.[a-z]+\.[A-Za-z0-9_-]+", envelope)
    assert unseal(envelope) == signature


@fuzz
@given(SIGNATURES, ORIGINS)
def test_what_is_written_is_read(signature: Signature, native: str) -> None:
    text = write_signature(signature, native)
    if signature.origin == native:
        assert text == signature.value
    if signature.origin != native or not text.startswith("gw1."):
        assert read_signature(text, native) == signature


@pytest.mark.parametrize(
    "text",
    [
        "",
        "EqQB",
        "gw1",
        "gw2.a.YQ",
        "gw1.",
        "gw1.a",
        "gw1.a.",
        "gw1..YQ",
        "gw1.a.Y",
        "gw1.a.Y!Q",
        "gw1.a._w",
        "gw1.a.é",
    ],
)
def test_what_is_no_envelope_is_none(text: str) -> None:
    assert unseal(text) is None


def test_a_native_signature_is_its_own() -> None:
    assert read_signature("EqQB", "a") == Signature("a", "EqQB")
    assert read_signature("", "a") is None


def test_a_broken_envelope_is_nobodys() -> None:
    assert read_signature("gw1.a.Y", "a") is None


@fuzz
@given(st.text(max_size=30))
def test_any_text_can_be_shown(text: str) -> None:
    read_signature(text, "a")
    read_signature("gw1." + text, "a")
