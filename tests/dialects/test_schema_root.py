"""The root of a tool's schema is an object, and nothing but that."""

from typing import Any

import pytest
from hypothesis import given

from proxy.dialects.schema_root import to_root_object
from tests.helpers.feeds import fuzz
from tests.helpers.schemas import NONSENSE, RECURSIVE, SCHEMAS

STRING = {"type": "string"}
INTEGER = {"type": "integer"}


def obj(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


@fuzz
@given(NONSENSE | SCHEMAS)
def test_the_root_is_an_object(schema: Any) -> None:
    root = to_root_object(schema)
    assert root["type"] == "object"
    assert isinstance(root["properties"], dict)
    assert isinstance(root.get("required", []), list)
    assert not root.keys() & {"anyOf", "oneOf", "allOf", "not", "enum", "const", "$ref"}


@pytest.mark.parametrize(
    "schema",
    [
        obj(["a"], a=STRING),
        {**obj(a={"anyOf": [STRING, INTEGER]}), "additionalProperties": False, "$schema": "s", "description": "d"},
        {"title": "t", "properties": {}, "type": "object"},
    ],
)
def test_what_is_well_stays_to_the_byte(schema: dict[str, Any]) -> None:
    assert list(to_root_object(schema).items()) == list(schema.items())


@pytest.mark.parametrize("schema", [None, True, "x", [], {}, {"type": "None"}, {"type": "null"}, {"enum": ["a"]}])
def test_what_describes_no_object_has_no_properties(schema: Any) -> None:
    assert to_root_object(schema) == obj()


def test_the_type_is_added_first() -> None:
    assert list(to_root_object({"properties": {"a": STRING}})) == ["type", "properties"]


def test_a_referenced_root_is_put_in_place_and_its_definitions_stay() -> None:
    root = to_root_object(RECURSIVE)
    assert root["properties"] == RECURSIVE["$defs"]["node"]["properties"]
    assert root["required"] == ["name"]
    assert root["$defs"] == RECURSIVE["$defs"]


@pytest.mark.parametrize("word", ["anyOf", "oneOf"])
def test_alternatives_are_merged(word: str) -> None:
    schema = {
        **obj(["k"], k=STRING),
        word: [obj(["a", "b"], a=STRING, b=STRING), obj(["a"], a=INTEGER), {"type": "null"}],
    }
    root = to_root_object(schema)
    assert root["properties"] == {"a": {"anyOf": [STRING, INTEGER]}, "b": STRING, "k": STRING}
    assert root["required"] == ["k", "a"]
    assert root["description"] == '(give all of one list: [["a","b"],["a"]])'


def test_alternatives_of_what_is_required_are_told() -> None:
    root = to_root_object({**obj(a=STRING, b=STRING), "anyOf": [{"required": ["a"]}, {"required": ["b"]}]})
    assert root == {**obj(a=STRING, b=STRING), "description": '(give all of one list: [["a"],["b"]])'}


def test_parts_are_merged_with_what_they_refer_to() -> None:
    schema = {
        "allOf": [{"$ref": "#/definitions/x"}, obj(["b"], b=STRING)],
        "definitions": {"x": obj(["a"], a=STRING)},
    }
    root = to_root_object(schema)
    assert root["properties"] == {"a": STRING, "b": STRING}
    assert root["required"] == ["a", "b"]


def test_an_object_that_may_be_null_is_an_object() -> None:
    assert to_root_object({"type": ["object", "null"], "properties": {"a": STRING}}) == obj(a=STRING)
