"""A schema of values that were seen: as wide as they are, and no wider."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_MAX_FIELDS = 64
"""An object with more fields is taken for a map, whose keys are data."""
_MAX_DEPTH = 16


def kind_of(value: Any) -> str:
    """Return the JSON Schema type of `value`."""
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    return names.get(type(value), "null")


def infer(values: Iterable[Any], *, old: bool, depth: int = 0) -> dict[str, Any]:
    """Return a schema that all `values` fit; nothing in it is required, and no value of theirs is in it.

    Args:
        values: data as JSON has it.
        old: whether the schema is for OpenAPI 3.0, which has no lists of types.
        depth: how deep in the whole the values stand.
    """
    by_kind: dict[str, list[Any]] = {}
    for value in values:
        by_kind.setdefault(kind_of(value), []).append(value)
    if depth > _MAX_DEPTH:
        return {}
    if "number" in by_kind:
        by_kind["number"] += by_kind.pop("integer", [])
    has_null = by_kind.pop("null", None) is not None
    each = [_of_kind(kind, found, old=old, depth=depth) for kind, found in sorted(by_kind.items())]
    if not each:
        return {"type": "null"} if has_null and not old else {}
    if old:
        branches = [{**schema, "nullable": True} if has_null else schema for schema in each]
        return branches[0] if len(branches) == 1 else {"anyOf": branches}
    kinds = [schema["type"] for schema in each] + (["null"] if has_null else [])
    merged = {key: value for schema in each for key, value in schema.items()}
    return {**merged, "type": kinds[0] if len(kinds) == 1 else kinds}


def _of_kind(kind: str, values: list[Any], *, old: bool, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {"type": kind}
    if kind == "object":
        names = dict.fromkeys(name for value in values for name in value)
        if 0 < len(names) <= _MAX_FIELDS:
            made["properties"] = {
                name: infer([value[name] for value in values if name in value], old=old, depth=depth + 1)
                for name in names
            }
    elif kind == "array":
        made["items"] = infer([item for value in values for item in value], old=old, depth=depth + 1)
    return made
