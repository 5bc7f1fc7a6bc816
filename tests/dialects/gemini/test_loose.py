"""Fields by both of Google's spellings."""

import pytest

from proxy.dialects.chat import Invalid
from proxy.dialects.gemini.loose import Loose


def test_a_field_is_found_by_either_name_and_named_as_the_client_did() -> None:
    fields = Loose({"generation_config": {"topP": 0.5}, "systemInstruction": "x"}, "")
    config = fields.child("generationConfig")
    assert config is not None
    assert (config.at, config.place("topP"), config.number("topP", None)) == (
        "generation_config", "generation_config.topP", 0.5,
    )  # fmt: skip
    assert fields.text("systemInstruction") == "x"
    assert fields.rest() == {}


def test_what_was_not_asked_for_is_left_under_its_own_name() -> None:
    fields = Loose({"safety_settings": [], "topK": 1}, "")
    assert fields.has("safetySettings")
    assert not fields.has("cachedContent")
    fields.raw("topK")
    assert fields.rest() == {"safety_settings": []}


def test_one_object_stands_for_an_array_of_one() -> None:
    fields = Loose({"parts": {"text": "x"}, "many": [{"a": 1}, {"a": 2}]}, "contents[0]")
    assert [part.at for part in fields.children("parts")] == ["contents[0].parts"]
    assert [item.at for item in fields.children("many")] == ["contents[0].many[0]", "contents[0].many[1]"]
    assert list(fields.children("absent")) == []


@pytest.mark.parametrize("value", ["x", 1, True])
def test_anything_else_is_no_array(value: object) -> None:
    with pytest.raises(Invalid) as caught:
        list(Loose({"parts": value}, "contents[0]").children("parts"))
    assert caught.value.param == "contents[0].parts"


def test_an_item_that_is_no_object_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        list(Loose({"parts": [{}, 3]}, "").children("parts"))
    assert caught.value.param == "parts[1]"
