from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.openapi.dialect import to_2020_12, upgrade
from understudy.openapi.validation import Validator

# What OpenAPI 3.0.3 says, worked out by hand: schema of 3.0, schema of 2020-12, what fits, what does not.
VECTORS: list[tuple[Any, Any, list[Any], list[Any]]] = [
    ({"type": "string", "nullable": True}, {"type": ["string", "null"]}, ["a", None], [5]),
    ({"type": "string", "nullable": False}, {"type": "string"}, ["a"], [None]),
    ({"nullable": True, "enum": ["a"]}, {"enum": ["a"]}, ["a"], [None]),
    (
        {"type": "string", "nullable": True, "enum": ["a", None]},
        {"type": ["string", "null"], "enum": ["a", None]},
        ["a", None],
        ["b"],
    ),
    (
        {"type": "number", "minimum": 0, "exclusiveMinimum": True},
        {"type": "number", "exclusiveMinimum": 0},
        [0.1, 1],
        [0, -1],
    ),
    ({"type": "number", "minimum": 0, "exclusiveMinimum": False}, {"type": "number", "minimum": 0}, [0], [-1]),
    ({"maximum": 9, "exclusiveMaximum": True}, {"exclusiveMaximum": 9}, [8], [9]),
    ({"exclusiveMaximum": True}, {}, [10**9], []),
    ({"type": "string", "example": "a"}, {"type": "string", "examples": ["a"]}, ["b"], [1]),
    (
        {"items": {"type": "integer", "nullable": True}},
        {"items": {"type": ["integer", "null"]}},
        [[1, None]],
        [["a"]],
    ),
]


@pytest.mark.parametrize(("old", "new", "fits", "fails"), VECTORS)
def test_a_schema_of_3_0_says_the_same_in_2020_12(old: Any, new: Any, fits: list[Any], fails: list[Any]) -> None:
    assert to_2020_12(old) == new
    validator = Validator(to_2020_12(old))
    assert all(map(validator.is_valid, fits))
    assert not any(map(validator.is_valid, fails))


def test_what_stands_beside_a_reference_means_nothing_in_3_0() -> None:
    schema = {"properties": {"a": {"$ref": "#/x", "nullable": True, "description": "no matter"}}}
    assert to_2020_12(schema) == {"properties": {"a": {"$ref": "#/x"}}}


def test_properties_that_are_named_like_keywords_are_properties() -> None:
    schema = {"properties": {"nullable": {"type": "string", "nullable": True}, "example": {"type": "string"}}}
    assert to_2020_12(schema) == {
        "properties": {"nullable": {"type": ["string", "null"]}, "example": {"type": "string"}}
    }


def test_data_that_looks_like_a_schema_is_data() -> None:
    data = {"type": "string", "nullable": True}
    schema = {"type": "object", "default": data, "enum": [data], "example": data}
    assert to_2020_12(schema) == {"type": "object", "default": data, "enum": [data], "examples": [data]}


def test_a_document_of_3_0_becomes_one_of_3_1_wherever_it_holds_schemas() -> None:
    old = {"type": "string", "nullable": True}
    media = {"application/json": {"schema": old, "example": old}}
    operation = {"requestBody": {"content": media}, "responses": {"200": {"headers": {"X": {"schema": old}}}}}
    document = {"openapi": "3.0.3", "paths": {"/a": {"post": operation}}, "components": {"schemas": {"A": old}}}
    new, upgraded = {"type": ["string", "null"]}, upgrade(document)
    assert upgraded["openapi"] == "3.1.0"
    assert upgraded["components"]["schemas"]["A"] == new
    post = upgraded["paths"]["/a"]["post"]
    assert post["requestBody"]["content"]["application/json"] == {"schema": new, "example": old}
    assert post["responses"]["200"]["headers"]["X"]["schema"] == new


def test_a_document_of_3_1_comes_back_as_it_is() -> None:
    document = {"openapi": "3.1.0", "components": {"schemas": {"A": {"type": "string", "nullable": True}}}}
    assert upgrade(document) is document


@given(st.sampled_from([vector[0] for vector in VECTORS]))
def test_upgrading_twice_changes_nothing_more_and_the_original_never(schema: Any) -> None:
    before = repr(schema)
    once = to_2020_12(schema)
    assert to_2020_12(once) == once
    assert repr(schema) == before
