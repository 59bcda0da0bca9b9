from typing import Any

from understudy.openapi.pointer import join, resolve
from understudy.openapi.structure import FIELDS, SECTIONS, rewrite, walk

SCHEMA: dict[str, Any] = {"properties": {"a": {"items": {"allOf": [{}, True]}}}, "default": {"properties": {"no": {}}}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "paths": {
        "/a": {
            "parameters": [{"name": "q", "schema": SCHEMA, "example": {"schema": {}}}],
            "post": {
                "requestBody": {"content": {"application/json": {"examples": {"one": {"value": {"schema": {}}}}}}},
                "responses": {"200": {"headers": {"X": {"schema": {}}}, "links": {"next": {"operationId": "b"}}}},
                "callbacks": {"done": {"{$request.body#/url}": {"post": {}}, "x-note": {"post": {}}}},
            },
        }
    },
    "webhooks": {"told": {"get": {}}},
    "components": {"securitySchemes": {"Key": {"type": "http"}}, "examples": {"one": {"value": 1}}},
}


def test_a_walk_meets_every_object_once_and_says_where_and_what_it_is() -> None:
    met = {join(*tokens): kind for tokens, kind, _ in walk(DOCUMENT, "document")}
    operation = "/paths/~1a/post"
    assert met == {
        "": "document",
        "/paths/~1a": "path item",
        "/paths/~1a/parameters/0": "parameter",
        "/paths/~1a/parameters/0/schema": "schema",
        "/paths/~1a/parameters/0/schema/properties/a": "schema",
        "/paths/~1a/parameters/0/schema/properties/a/items": "schema",
        "/paths/~1a/parameters/0/schema/properties/a/items/allOf/0": "schema",
        operation: "operation",
        f"{operation}/requestBody": "request body",
        f"{operation}/requestBody/content/application~1json": "media type",
        f"{operation}/requestBody/content/application~1json/examples/one": "example",
        f"{operation}/responses/200": "response",
        f"{operation}/responses/200/headers/X": "header",
        f"{operation}/responses/200/headers/X/schema": "schema",
        f"{operation}/responses/200/links/next": "link",
        f"{operation}/callbacks/done": "callback",
        f"{operation}/callbacks/done/{{$request.body#~1url}}": "path item",
        f"{operation}/callbacks/done/{{$request.body#~1url}}/post": "operation",
        "/webhooks/told": "path item",
        "/webhooks/told/get": "operation",
        "/components": "components",
        "/components/securitySchemes/Key": "security scheme",
        "/components/examples/one": "example",
    }


def test_what_a_walk_meets_stands_at_the_place_it_tells() -> None:
    for tokens, _, node in walk(DOCUMENT, "document"):
        assert resolve(DOCUMENT, join(*tokens)) is node


def test_a_rewrite_changes_the_innermost_objects_first_and_leaves_the_original_alone() -> None:
    before, order = repr(DOCUMENT), []

    def change(kind: str, node: dict[str, Any]) -> Any:
        order.append(kind)
        return node | {"x-kind": kind}

    rewritten = rewrite(DOCUMENT, "document", change)
    assert sorted(order) == sorted(kind for _, kind, _ in walk(DOCUMENT, "document"))
    assert order[-1] == "document"
    assert order.index("schema") < order.index("parameter") < order.index("path item")
    assert all(node["x-kind"] == kind for _, kind, node in walk(rewritten, "document"))
    assert repr(DOCUMENT) == before


def test_a_rewrite_leaves_data_and_what_has_another_shape_as_it_is() -> None:
    odd = {"allOf": {"a": 1}, "properties": [1], "$defs": 5, "items": True, "default": {"items": {}}}
    assert rewrite(odd, "schema", lambda _, node: node) == odd
    assert [kind for _, kind, _ in walk(odd, "schema")] == ["schema"]
    assert list(walk(True, "schema")) == []


def test_every_kind_that_the_table_names_has_a_row_and_every_component_a_section() -> None:
    assert {kind for row in FIELDS.values() for _, kind in row.values()} <= FIELDS.keys()
    assert SECTIONS["schema"] == "schemas"
    assert SECTIONS["request body"] == "requestBodies"
    assert len(SECTIONS) == len(FIELDS["components"])
