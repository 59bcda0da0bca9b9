"""Where in a schema, and where in the data, a verdict finds fault: the keyword, and the value that it refuses.

Only the plain ways through a schema are followed. Where there are others (branches, patterns, identifiers), the whole
schema has to be asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .pointer import MISSING

_INTO = frozenset({"items", "additionalProperties"})
"""Keywords whose value is a schema for the values inside."""
_IDENTIFIED = frozenset({"$id", "$anchor", "$dynamicAnchor", "$schema"})
"""Keywords that change what a reference means, or how a schema is read."""
_OWN = frozenset(
    {
        "type", "enum", "const", "required", "format", "pattern", "minLength", "maxLength", "minItems", "maxItems",
        "uniqueItems", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minProperties",
        "maxProperties", "additionalProperties",
    }
)  # fmt: skip
"""Keywords that judge a value by themselves, asking no other schema."""


@dataclass(frozen=True, slots=True)
class SchemaPlace:
    """A keyword of a schema that judges by itself.

    Attributes:
        schema: the schema that holds it.
        keyword: its name.
        order: where it comes when a schema is read from its beginning.
        depth: how many steps lead from the data to the value that it judges.
    """

    schema: dict[str, Any]
    keyword: str
    order: tuple[int, ...]
    depth: int


def schema_place(whole: Any, path: Sequence[str | int]) -> SchemaPlace | None:
    """Return the keyword of `whole` that `path` leads to, references followed; None where the way is not plain."""
    schema, order, depth, steps = whole, [], 0, iter(path[:-1])
    for step in steps:
        if not _is_plain(schema, step):
            return None
        order.append(list(schema).index(str(step)))
        into = schema[step]
        if step == "$ref":
            schema = _referred(whole, into)
            continue
        if step in _INTO:
            schema, depth = into, depth + 1
            continue
        inner = next(steps, None)
        if step == "properties" and inner is not None and str(inner) in into:
            depth += 1
            schema = into[str(inner)]
        elif step == "allOf" and isinstance(inner, int):
            order.append(inner)
            schema = into[inner]
        else:
            return None
    keyword = path[-1] if path else None
    if keyword not in _OWN or not _is_plain(schema, keyword):
        return None
    if keyword == "additionalProperties" and schema[keyword] is not False:
        return None
    return SchemaPlace(schema, str(keyword), (*order, list(schema).index(str(keyword))), depth)


def value_at(data: Any, path: Iterable[str | int]) -> Any:
    """Return the value that `path` leads to, or `MISSING`.

    A number is no name here: a verdict writes names made of digits as numbers, so that 1 may mean "1" or "01".
    """
    for step in path:
        if isinstance(data, dict) and isinstance(step, str):
            data = data.get(step, MISSING)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return MISSING
    return data


def _is_plain(schema: Any, keyword: Any) -> bool:
    return isinstance(schema, dict) and keyword in schema and _IDENTIFIED.isdisjoint(schema)


def _referred(whole: Any, reference: Any) -> Any:
    """Return the schema that `reference` means, where it is a pointer into `whole` with nothing escaped in it."""
    if not isinstance(reference, str) or not reference.startswith("#/") or "%" in reference or "~" in reference:
        return None
    found = whole
    for name in reference[2:].split("/"):
        if not isinstance(found, dict) or name not in found or not _IDENTIFIED.isdisjoint(found):
            return None
        found = found[name]
    return found
