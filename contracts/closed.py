"""Schemas that carry with them all that they refer to, for validators that know of no document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..openapi.structure import Kind, rewrite
from .flat import Resolver, Schema


def self_contained(schema: Schema, resolver: Resolver) -> Schema:
    """Return `schema` with whatever its references lead to, directly or not, under its own `$defs`."""
    if not isinstance(schema, dict):
        return schema
    names: dict[str, str] = {}
    held: dict[str, Any] = {}

    def change(kind: Kind, node: dict[str, Any]) -> Any:
        reference = node.get("$ref") if kind == "schema" else None
        if isinstance(reference, str):
            if reference not in names:
                names[reference] = name = f"held-{len(names)}"
                held[name] = rewrite(resolver(reference), "schema", change)
            node["$ref"] = f"#/$defs/{names[reference]}"
        node.pop("discriminator", None)
        node.pop("$id", None)
        return node

    whole = rewrite(schema, "schema", change)
    return {**whole, "$defs": {**whole.get("$defs", {}), **held}} if held else whole


def verdict(schema: Schema, resolver: Resolver) -> Callable[[Any], bool]:
    """Return the judge that the whole project asks whether a value fits `schema`."""
    from ..openapi.validation import Validator  # noqa: PLC0415 - only who judges pays for it

    return Validator(self_contained(schema, resolver)).is_valid


def second_judge(schema: Schema, resolver: Resolver) -> Any:
    """Return another library's validator for `schema`, which also says at which keyword a value fails."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - takes a tenth of a second to import

    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator(self_contained(schema, resolver), format_checker=checker)
