"""The rows of servers: chosen by name, and none with a word that nobody reads."""

from dataclasses import fields
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from proxy.dialects.openai_chat.quirks import COMPATIBLE, EVERY_CHOICE, QUIRKS, Quirk, find_quirk
from proxy.dialects.parts import Request
from tests.helpers.openai_chat import make_target

FIELDS = {field.name for field in fields(Request)}


def test_a_row_is_found_by_its_name() -> None:
    assert find_quirk(make_target("deepseek")) is QUIRKS["deepseek"]
    assert find_quirk(make_target("")) is find_quirk(make_target("unheard-of")) is COMPATIBLE


@pytest.mark.parametrize("name", QUIRKS)
def test_a_row_says_only_what_is_understood(name: str) -> None:
    row = QUIRKS[name]
    assert row.choices <= EVERY_CHOICE
    assert row.unsent <= FIELDS
    assert row.pass_extra.isdisjoint(FIELDS)
    for field, kind in get_type_hints(Quirk).items():
        if get_origin(kind) is Literal:
            assert getattr(row, field) in get_args(kind)


def test_each_server_that_a_configuration_may_name_has_a_row() -> None:
    assert {"openai", "deepseek", "groq", "mistral", "qwen", "moonshot", "xai", "vllm", "ollama", "azure",
            "compatible"} <= QUIRKS.keys()  # fmt: skip
