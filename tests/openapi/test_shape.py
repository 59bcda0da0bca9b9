from typing import Any

import pytest
import yaml
from understudy.openapi.errors import LoadError
from understudy.openapi.shape import DOCUMENT, check_shape
from understudy.openapi.source import parse_source


def refused(data: Any) -> str:
    """The sentence with which a document of this data is refused, without its name and line."""
    source = parse_source(yaml.safe_dump(data), "a.yaml")
    with pytest.raises(LoadError) as caught:
        check_shape(source, source.data, DOCUMENT)
    assert caught.value.line is not None
    return str(caught.value).partition(" ")[2]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "is [], of type array; expected object"),
        ({"paths": None}, "/paths: is null, of type null; expected object"),
        ({"paths": []}, "/paths: is [], of type array; expected object"),
        ({"paths": {"tasks": {}}}, "/paths/tasks: is not known; expected nothing more"),
        ({"paths": {"/a": []}}, "/paths/~1a: is [], of type array; expected object"),
        ({"paths": {"/a": {"get": "x"}}}, "/paths/~1a/get: is 'x', of type string; expected object"),
        ({"paths": {"/a": {"parameters": {}}}}, "/paths/~1a/parameters: is {}, of type object; expected array"),
        ({"paths": {"/a": {"parameters": [{}]}}}, "/paths/~1a/parameters/0/name: is missing; expected a value"),
        (
            {"components": {"parameters": {"P": {"name": "p", "in": "body"}}}},
            "/components/parameters/P/in: is 'body'; expected one of 'query', 'path', 'header', 'cookie'",
        ),
        (
            {"components": {"schemas": {"A": []}}},
            "/components/schemas/A: is [], of type array; expected object or boolean",
        ),
        (
            {"components": {"schemas": {"A": {"required": True}}}},
            "/components/schemas/A/required: is true, of type boole",
        ),
        (
            {"components": {"schemas": {"A": {"minLength": -1}}}},
            "/components/schemas/A/minLength: is -1; expected at lea",
        ),
        ({"components": {"schemas": {"A": {"type": "text"}}}}, "/components/schemas/A/type: is 'text'"),
        (
            {"components": {"schemas": {"A": {"pattern": "("}}}},
            "/components/schemas/A/pattern: is '('; expected a regex",
        ),
        (
            {"components": {"schemas": {"A": {"properties": {"b": {"items": 5}}}}}},
            "/components/schemas/A/properties/b/items: is 5, of type integer; expected object or boolean",
        ),
        (
            {"components": {"responses": {"R": {"content": []}}}},
            "/components/responses/R/content: is [], of type array",
        ),
        (
            {"components": {"responses": {"R": {"$ref": 5}}}},
            "/components/responses/R/$ref: is 5, of type integer; expec",
        ),
        (
            {"components": {"callbacks": {"C": {"$url": 5}}}},
            "/components/callbacks/C/$url: is 5, of type integer; expec",
        ),
        ({"servers": [{"uri": "x"}]}, "/servers/0/url: is missing; expected a value"),
        ({"security": {}}, "/security: is {}, of type object; expected array"),
    ],
)
def test_what_the_reader_could_not_read_is_refused_with_its_place(data: Any, sentence: str) -> None:
    assert refused(data).startswith(sentence)


def test_what_openapi_allows_and_the_reader_has_no_use_for_passes() -> None:
    data = {
        "x-own": [],
        "tags": [{"name": "a"}],
        "paths": {"x-note": 5, "/a": {"$ref": "b.yaml#/a", "summary": "A", "get": {"deprecated": True, "x-y": 1}}},
        "components": {"schemas": {"A": True, "B": {"discriminator": {"propertyName": "k"}, "xml": {}}}},
    }
    check_shape(parse_source("{}", "a.yaml"), data, DOCUMENT)
