"""Which vendor takes which detail back, and what it looks like then."""

import json

import pytest

from proxy.dialects.openrouter.formats import build_sealed, build_text, find_vendor, takes
from proxy.dialects.parts import Signature


def item(form: str | None, **more: object) -> Signature:
    return Signature("o", json.dumps({"type": "reasoning.text", "index": 0, "format": form, **more}))


CLAUDE, GEMINI, GPT = "anthropic/claude-opus-4.7", "google/gemini-3-pro", "openai/gpt-5"


@pytest.mark.parametrize(
    ("signature", "takers"),
    [
        (item("anthropic-claude-v1"), {CLAUDE}),
        (item("google-gemini-v1"), {GEMINI}),
        (item("openai-responses-v1"), {GPT}),
        (item("unknown"), {"deepseek/deepseek-r1", "bare"}),
        (item(None), {"deepseek/deepseek-r1", "bare"}),
        (Signature("o", "no json"), {"deepseek/deepseek-r1", "bare"}),
        (Signature("a", "Ep8="), {CLAUDE}),
        (Signature("g", "Ep8="), {GEMINI}),
        (Signature("r", "{}"), set()),
        (Signature("yc", "Ep8="), set()),
    ],
)
def test_takers(signature: Signature, takers: set[str]) -> None:
    assert {model for model in (CLAUDE, GEMINI, GPT, "deepseek/deepseek-r1", "bare") if takes(signature, model)} == (
        takers
    )


def test_vendor() -> None:
    assert (find_vendor("Anthropic/claude"), find_vendor("gpt-5")) == ("anthropic", "gpt-5")


def test_an_item_goes_back_as_it_came() -> None:
    signature = item("anthropic-claude-v1", signature="Ep8=", id=None)
    assert build_text(signature, "hm", 7) == {**json.loads(signature.value), "text": "hm"}
    sealed = Signature("o", '{"type":"reasoning.encrypted","data":"x","format":"google-gemini-v1","id":"a","index":2}')
    assert build_sealed(sealed, 0, "b") == {**json.loads(sealed.value), "id": "b"}
    assert build_sealed(sealed, 0) == json.loads(sealed.value)


def test_a_signature_from_the_vendor_itself_becomes_its_item() -> None:
    assert build_text(Signature("a", "Ep8="), "hm", 1) == {
        "type": "reasoning.text",
        "text": "hm",
        "signature": "Ep8=",
        "format": "anthropic-claude-v1",
        "index": 1,
    }
    assert build_sealed(Signature("g", "Ep8="), 1, "call") == {
        "type": "reasoning.encrypted",
        "data": "Ep8=",
        "format": "google-gemini-v1",
        "index": 1,
        "id": "call",
    }
