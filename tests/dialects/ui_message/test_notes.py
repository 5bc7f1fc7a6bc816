"""Signatures go into provider metadata and come out again; other metadata is nobody's business."""

from typing import Any

import pytest

from proxy.dialects.fields import Fields
from proxy.dialects.json_text import decode_json
from proxy.dialects.parts import Signature
from proxy.dialects.ui_message import notes

SIGNED = Signature("a", "EqQ\u00e9/+=\n")


def read(metadata: Any) -> Signature | None:
    return notes.read_signature(Fields({"providerMetadata": metadata}, "part"), notes.SIGNATURE)


def test_a_signature_survives() -> None:
    assert read(notes.build_signature(notes.SIGNATURE, SIGNED)) == SIGNED


def test_the_chunk_s_member_is_the_same_value() -> None:
    member = decode_json(b'{"x":0' + notes.encode_signature(notes.SIGNATURE, SIGNED) + b"}")
    assert member["providerMetadata"] == notes.build_signature(notes.SIGNATURE, SIGNED)
    assert notes.encode_signature(notes.SIGNATURE, None) == b""


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        [],
        "gw1.a.QQ",
        {},
        {"anthropic": {"signature": "QQ"}},
        {"penstock": None},
        {"penstock": "gw1.a.QQ"},
        {"penstock": {}},
        {"penstock": {"signature": None}},
        {"penstock": {"signature": 1}},
        {"penstock": {"signature": "QQ"}},
        {"penstock": {"signature": "gw1.a.%"}},
        {"penstock": {"redacted": "gw1.a.QQ"}},
    ],
)
def test_what_is_none_of_ours_is_no_signature(metadata: Any) -> None:
    assert read(metadata) is None


def test_the_first_place_that_has_a_note_counts() -> None:
    part = Fields(
        {"one": {"penstock": {"redacted": "r"}}, "two": {"penstock": {"signature": "s"}}, "three": {}}, "part"
    )
    assert notes.read_note(part, "signature", "one", "two", "three") == "s"
