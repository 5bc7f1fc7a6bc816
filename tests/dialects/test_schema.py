"""What all the changes of schemas have in common: they end, they take anything, they change nothing in place."""

import copy
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from proxy.dialects.json_text import encode_json
from proxy.dialects.schema import inline_refs, to_closed, to_openapi, to_plain, to_root_object
from tests.helpers.feeds import fuzz
from tests.helpers.schemas import (
    NAMED_LIKE_KEYWORDS,
    NONSENSE,
    RECURSIVE,
    SCHEMAS,
    build_bomb,
    nest,
    nest_alternatives,
)

CHANGES = [to_plain, to_openapi, to_root_object, to_closed, inline_refs]
change_each = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)


@change_each
def test_any_json_is_taken_and_left_alone(change: Callable[[Any], Any]) -> None:
    @fuzz
    @given(NONSENSE | SCHEMAS)
    def check(schema: Any) -> None:
        before = copy.deepcopy(schema)
        encode_json(change(schema))
        assert schema == before

    check()


@change_each
@pytest.mark.parametrize(
    "schema",
    [
        RECURSIVE, {"$ref": "#"}, {"properties": {"a": {"$ref": "#"}}}, {"allOf": [{"$ref": "#"}] * 50},
        {"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}] * 50}}},
        build_bomb(), nest(250), nest_alternatives(50),
        {"anyOf": [{"anyOf": [{"anyOf": [{"allOf": [{}] * 9}] * 9}] * 9}] * 9},
    ],
    ids=range(9),
)  # fmt: skip
def test_every_schema_comes_to_an_end(change: Callable[[Any], Any], schema: Any) -> None:
    start = time.perf_counter()
    assert len(encode_json(change(schema))) < 2_000_000
    assert time.perf_counter() - start < 5


@change_each
def test_a_property_may_be_named_like_a_keyword(change: Callable[[Any], Any]) -> None:
    changed = change(NAMED_LIKE_KEYWORDS)
    assert changed["properties"] == NAMED_LIKE_KEYWORDS["properties"]
    assert changed["required"] == ["const", "$ref"]


@change_each
def test_changing_twice_changes_nothing_more(change: Callable[[Any], Any]) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "integer"}}},
        "required": ["a"],
    }
    once = change(schema)
    assert change(once) == once
