"""Where OpenAPI keeps what: one table that every walk over a document reads.

A document is a tree of objects of known kinds. The table says, for each kind, which fields hold objects of
which kind, and whether a field holds one, a list, or a map of them. Upgrading, bundling, example checks and
comparison are walks over it, so none of them mistakes an example or a default for a schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

Kind = Literal[
    "document", "components", "path item", "operation", "parameter", "header", "request body", "response",
    "media type", "encoding", "callback", "schema", "security scheme", "example", "link",
]  # fmt: skip
Shape = Literal["one", "list", "map"]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

FIELDS: dict[Kind, dict[str, tuple[Shape, Kind]]] = {
    "document": {
        "paths": ("map", "path item"),
        "webhooks": ("map", "path item"),
        "components": ("one", "components"),
    },
    "components": {
        "schemas": ("map", "schema"),
        "responses": ("map", "response"),
        "parameters": ("map", "parameter"),
        "requestBodies": ("map", "request body"),
        "headers": ("map", "header"),
        "callbacks": ("map", "callback"),
        "pathItems": ("map", "path item"),
        "securitySchemes": ("map", "security scheme"),
        "examples": ("map", "example"),
        "links": ("map", "link"),
    },
    "path item": {"parameters": ("list", "parameter"), **dict.fromkeys(METHODS, ("one", "operation"))},
    "operation": {
        "parameters": ("list", "parameter"),
        "requestBody": ("one", "request body"),
        "responses": ("map", "response"),
        "callbacks": ("map", "callback"),
    },
    "parameter": {"schema": ("one", "schema"), "content": ("map", "media type"), "examples": ("map", "example")},
    "header": {"schema": ("one", "schema"), "content": ("map", "media type"), "examples": ("map", "example")},
    "request body": {"content": ("map", "media type")},
    "response": {"content": ("map", "media type"), "headers": ("map", "header"), "links": ("map", "link")},
    "media type": {
        "schema": ("one", "schema"), "encoding": ("map", "encoding"), "examples": ("map", "example")
    },
    "encoding": {"headers": ("map", "header")},
    "callback": {},
    "security scheme": {},
    "example": {},
    "link": {},
    "schema": {
        **dict.fromkeys(("properties", "patternProperties", "$defs", "dependentSchemas"), ("map", "schema")),
        **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), ("list", "schema")),
        **dict.fromkeys(
            ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
             "unevaluatedItems", "unevaluatedProperties", "contentSchema"),
            ("one", "schema"),
        ),
    },
}  # fmt: skip

SECTIONS: dict[Kind, str] = {kind: name for name, (_, kind) in FIELDS["components"].items()}
"""The part of `components` that holds objects of a kind."""

Change = Callable[[Kind, dict[str, Any]], Any]


def rewrite(node: Any, kind: Kind, change: Change) -> Any:
    """Return `node` with `change` applied to every object of a known kind in it, innermost first.

    `change` gets a fresh dict that it may keep; what is not an object of a known kind is copied as it is.
    """
    if not isinstance(node, dict):
        return node
    made = dict(node)
    for key, shape, child_kind in _fields(node, kind):
        value = node[key]
        if shape == "one":
            made[key] = rewrite(value, child_kind, change)
        elif shape == "list" and isinstance(value, list):
            made[key] = [rewrite(child, child_kind, change) for child in value]
        elif shape == "map" and isinstance(value, dict):
            made[key] = {name: rewrite(child, child_kind, change) for name, child in value.items()}
    return change(kind, made)


def walk(
    node: Any, kind: Kind, tokens: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Kind, Any]]:
    """Yield (pointer tokens, kind, object) for `node` and every object of a known kind in it, outermost first."""
    if not isinstance(node, dict):
        return
    yield tokens, kind, node
    for key, shape, child_kind in _fields(node, kind):
        value = node[key]
        if shape == "one":
            yield from walk(value, child_kind, (*tokens, key))
        elif isinstance(value, list):
            for number, child in enumerate(value):
                yield from walk(child, child_kind, (*tokens, key, number))
        elif isinstance(value, dict):
            for name, child in value.items():
                yield from walk(child, child_kind, (*tokens, key, name))


def _fields(node: dict[str, Any], kind: Kind) -> Iterator[tuple[str, Shape, Kind]]:
    """Yield (key, shape, kind) for the fields of `node` that hold objects of a known kind."""
    if kind == "callback":  # a callback is itself a map, from an expression to a path item
        for key in node:
            if not key.startswith("x-") and key != "$ref":
                yield key, "one", "path item"
        return
    table = FIELDS[kind]
    for key in node:
        if key in table:
            yield key, *table[key]
