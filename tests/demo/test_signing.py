"""Signatures: good for their text and issuer only."""

from proxy.demo.signing import ANTHROPIC, GOOGLE, call_text, is_issued, is_signed, sign, unwrap, wrap


def test_signature_is_of_one_text_and_one_issuer() -> None:
    signature = sign(ANTHROPIC, "a thought \ud800")
    assert is_signed(signature, ANTHROPIC, "a thought \ud800")
    assert not is_signed(signature, ANTHROPIC, "a thought")
    assert not is_signed(signature, GOOGLE, "a thought \ud800")
    assert is_issued(signature, ANTHROPIC)
    assert not is_issued(signature, GOOGLE)
    assert not is_issued("Zm9yZWlnbg==", ANTHROPIC)
    assert not is_issued("not base64!", ANTHROPIC)


def test_both_alphabets_are_read() -> None:
    signature = next(
        text for text in (sign(GOOGLE, str(count)) for count in range(1000)) if "+" in text and "/" in text
    )
    assert is_issued(signature.replace("+", "-").replace("/", "_").rstrip("="), GOOGLE)


def test_wrapping_is_undone_once() -> None:
    signature = sign(ANTHROPIC, "x")
    assert unwrap(wrap(signature)) == signature
    assert unwrap("ä") == unwrap("a") == ""


def test_call_is_the_same_however_it_is_spelled() -> None:
    assert call_text("f", {"a": 1, "b": 2}) == call_text("f", {"b": 2, "a": 1})
    assert call_text("f", {"a": 1}) != call_text("g", {"a": 1}) != call_text("g", {"a": 2})
