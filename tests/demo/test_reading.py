"""Fields: paths in each style, null as absence, both spellings for Google, and nothing left unread."""

import pytest

from proxy.demo.answer import BadAsk
from proxy.demo.reading import ANTHROPIC, GOOGLE, OPENAI, Fields, Style, parse_body, to_snake

BODY = {"a": [{"b": "x"}, {"b": 3}], "none": None, "n": 2, "f": 1.5, "inner": {"k": True}}


@pytest.mark.parametrize(("style", "place"), [(OPENAI, "a[1].b"), (ANTHROPIC, "a.1.b"), (GOOGLE, "a[1].b")])
def test_places_are_named_in_the_providers_way(style: Style, place: str) -> None:
    good, bad = Fields(BODY, "", style).children("a")
    assert good.text("b") == "x"
    with pytest.raises(BadAsk, match=f"{place.replace('[', '.').replace(']', '.')}.*string"):
        bad.text("b")


def test_null_is_absence() -> None:
    fields = Fields(BODY, "", OPENAI)
    assert fields.text("none") is fields.flag("none") is fields.whole("none") is fields.child("none") is None
    assert not fields.has("none")
    with pytest.raises(BadAsk, match="Missing required parameter: 'none'"):
        fields.need_text("none")


@pytest.mark.parametrize("value", [True, "2", 1.5, float("inf"), 10**400])
def test_integers_are_integers(value: object) -> None:
    with pytest.raises(BadAsk):
        Fields({"n": value}, "", OPENAI).whole("n", 0, 100)


def test_bounds_include_themselves() -> None:
    fields = Fields(BODY, "", OPENAI)
    assert fields.whole("n", 2, 2) == 2
    assert fields.number("f", 1, 2) == 1.5
    with pytest.raises(BadAsk):
        fields.whole("n", 3)
    with pytest.raises(BadAsk):
        fields.whole("n", high=1)


def test_unread_fields_are_refused_by_place_and_not_by_value() -> None:
    fields = Fields({"inner": {"k": True, "secret": "value"}}, "", OPENAI)
    inner = fields.need_child("inner")
    inner.flag("k")
    with pytest.raises(BadAsk, match=r"Unknown parameter: 'inner\.secret'") as caught:
        inner.close()
    assert "value" not in str(caught.value)
    inner.skip("secret")
    inner.close()


def test_google_takes_both_spellings() -> None:
    assert to_snake("maxOutputTokens") == "max_output_tokens"
    for name in ("topP", "top_p"):
        fields = Fields({name: 1}, "", GOOGLE)
        assert fields.number("topP") == 1
        fields.close()
    with pytest.raises(BadAsk):
        Fields({"top_p": 1}, "", OPENAI).close()


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"1", b"", b"[" * 100_000])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadAsk):
        parse_body(body)
