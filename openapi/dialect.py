"""OpenAPI 3.0 documents in the words of 3.1, whose schemas are JSON Schema 2020-12."""

from __future__ import annotations

from typing import Any

from .structure import Kind, rewrite


def upgrade(document: dict[str, Any]) -> dict[str, Any]:
    """Return `document` as an equal OpenAPI 3.1 one; a 3.1 document comes back as it is."""
    if not str(document.get("openapi", "")).startswith("3.0"):
        return document
    upgraded: dict[str, Any] = rewrite(document, "document", _upgraded)
    return upgraded | {"openapi": "3.1.0"}


def to_2020_12(schema: Any) -> Any:
    """Return the OpenAPI 3.0 `schema` as an equal 2020-12 schema; references are left as they are."""
    return rewrite(schema, "schema", _upgraded)


def _upgraded(kind: Kind, node: dict[str, Any]) -> Any:
    return _converted(node) if kind == "schema" else node


def _converted(schema: dict[str, Any]) -> dict[str, Any]:
    """Change the words of one schema object that 2020-12 has no or another meaning for."""
    if "$ref" in schema:  # 3.0 ignores what stands beside a reference; 2020-12 would not
        return {"$ref": schema["$ref"]}
    nullable = schema.pop("nullable", False)
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        flag = schema.get(exclusive)
        if isinstance(flag, bool):
            del schema[exclusive]
            if flag and bound in schema:
                schema[exclusive] = schema.pop(bound)
    if "example" in schema:
        schema["examples"] = [schema.pop("example")]
    kind = schema.get("type")
    # OpenAPI 3.0.3: `nullable` widens the `type` beside it and nothing else, so an `enum` without null
    # still refuses null, and without a `type` it has no effect.
    return schema | {"type": [kind, "null"]} if nullable is True and isinstance(kind, str) else schema
