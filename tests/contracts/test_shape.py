"""What is of no shape that can be read is told with its place."""

from __future__ import annotations

from typing import Any

import pytest
from understudy.contracts.drift import compare_sides
from understudy.openapi.errors import LoadError

from .sides import answering, asking, document, drift, side

SCHEMA = "/paths/~1pictures/post/requestBody/content/application~1json/schema"
PARAMETER = "/paths/~1pictures/post/parameters/0"


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": 7}, "/type: is 7; expected the name of a type, or a list of them"),
        ({"type": None}, "/type: is null; expected the name of a type"),
        ({"type": ["string", 1]}, "/type: is ['string', 1]; expected the name of a type"),
        ({"enum": "a"}, "/enum: is 'a'; expected a list"),
        ({"required": "a"}, "/required: is 'a'; expected a list of names of properties"),
        ({"maxLength": "5"}, "/maxLength: is '5'; expected a number"),
        ({"minItems": True}, "/minItems: is true; expected a number"),
        ({"pattern": 5}, "/pattern: is 5; expected a regular expression"),
        ({"format": {}}, "/format: is {}; expected the name of a format"),
        ({"properties": True}, "/properties: is true; expected an object"),
        ({"allOf": {}}, "/allOf: is {}; expected a list"),
        ({"oneOf": [5]}, "/oneOf/0: is 5; expected an object"),
        ({"properties": {"a": "string"}}, "/properties/a: is 'string'; expected an object"),
        ({"dependentRequired": {"a": "b"}}, "/dependentRequired: is {'a': 'b'}; expected an object of lists of names"),
        ({"$ref": 5}, "/$ref: is 5; expected a reference, which is text"),
        ({"$ref": None}, "/$ref: is null; expected a reference"),
    ],
)
def test_a_keyword_of_a_schema_that_has_another_shape_is_told_with_its_place(schema: Any, message: str) -> None:
    with pytest.raises(LoadError) as caught:
        side(document(asking(schema)))
    assert caught.value.line is not None
    assert f" {SCHEMA}{message}" in str(caught.value)


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ({"parameters": [7]}, f"{PARAMETER}: is 7; expected an object"),
        ({"parameters": [{"name": 3, "in": "query"}]}, f"{PARAMETER}/name: is 3; expected a name"),
        ({"tags": "a"}, "/paths/~1pictures/post/tags: is 'a'; expected a list"),
        ({"security": [{"key": 1}]}, "/paths/~1pictures/post/security: is [{'key': 1}]; expected a list of objects"),
        ({"responses": {"200": "ok"}}, "/paths/~1pictures/post/responses/200: is 'ok'; expected an object"),
    ],
)
def test_a_field_that_has_another_shape_is_told_with_its_place(operation: Any, message: str) -> None:
    with pytest.raises(LoadError) as caught:
        side(document(operation))
    assert f" {message}" in str(caught.value)


def test_a_keyword_with_nothing_after_it_says_nothing() -> None:
    empty = dict.fromkeys(("properties", "required", "enum", "allOf", "pattern", "maxLength", "items"))
    assert drift(document(answering({"type": "object"})), document(answering({"type": "object", **empty}))) == []


def test_a_schema_of_a_file_that_is_no_document_is_told_too() -> None:
    split = side(document(asking({"$ref": "other.yaml#/schemas/P"})), other={"schemas": {"P": {"enum": 5}}})
    with pytest.raises(LoadError, match="`enum` of a schema is 5; expected a list"):
        compare_sides(split, split)
