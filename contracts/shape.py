"""What shape the parts of a document have to have before anything can be said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..openapi.errors import shorten
from ..openapi.pointer import join
from ..openapi.source import Source
from ..openapi.structure import FIELDS, Kind, walk


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_type(value: Any) -> bool:
    return isinstance(value, str) or (_are_names(value) and bool(value))


def _is_map_of_names(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_are_names, value.values()))


def _is_security(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) and _is_map_of_lists(each) for each in value)


def _is_map_of_lists(value: Mapping[str, Any]) -> bool:
    return all(isinstance(each, list) for each in value.values())


_Rules = Mapping[str, tuple[Callable[[Any], bool], str]]
_SIZES = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
          "minContains", "maxContains", "multipleOf")  # fmt: skip
_KEYWORDS: _Rules = {
    "type": (_is_type, "the name of a type, or a list of them"),
    "enum": (_is_list, "a list"),
    "required": (_are_names, "a list of names of properties"),
    "pattern": (_is_text, "a regular expression"),
    "format": (_is_text, "the name of a format"),
    "uniqueItems": (lambda value: isinstance(value, bool), "true or false"),
    "dependentRequired": (_is_map_of_names, "an object of lists of names"),
    **dict.fromkeys(_SIZES, (_is_number, "a number")),
}
_FIELDS: dict[Kind, _Rules] = {
    "document": {"security": (_is_security, "a list of objects that hold lists")},
    "operation": {"security": (_is_security, "a list of objects that hold lists"), "tags": (_is_list, "a list")},
    "parameter": {"name": (_is_text, "a name"), "in": (_is_text, "query, path, header or cookie")},
    "schema": _KEYWORDS,
}
_UNREAD: frozenset[Kind] = frozenset({"example", "link"})
"""Kinds that nothing is compared of."""


def misshapen(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the keywords of a schema that are of no shape that can be read, with what is wrong."""
    yield from _wrong_values(schema, _KEYWORDS)
    yield from ((keyword, problem) for keyword, problem in _wrong_fields(schema, "schema") if "/" not in keyword)


def check_shape(data: Any, source: Source) -> None:
    """Check that what should be objects, lists, names and numbers in the OpenAPI document `data` are.

    Raises:
        LoadError: something is not; all that follows relies on it.
    """
    for tokens, kind, node in walk(data, "document"):
        if "$ref" in node and not isinstance(node["$ref"], str) and kind not in _UNREAD:
            raise source.error(join(*tokens, "$ref"), f"is {shorten(node['$ref'])}", "a reference, which is text")
        for pointer, problem in (*_wrong_fields(node, kind), *_wrong_values(node, _FIELDS.get(kind, {}))):
            what, _, expected = problem.partition("; expected ")
            raise source.error(f"{join(*tokens)}/{pointer}", what, expected)


def _wrong_values(node: Mapping[str, Any], rules: _Rules) -> Iterator[tuple[str, str]]:
    for key in node.keys() & rules.keys():
        fits, expected = rules[key]
        value = node[key]
        # A key with nothing after it says nothing; a type that is null was meant to be "null".
        if not fits(value) and (value is not None or key == "type"):
            yield key, f"is {shorten(value)}; expected {expected}"


def _wrong_fields(node: Mapping[str, Any], kind: Kind) -> Iterator[tuple[str, str]]:
    """Yield what holds objects of a known kind and is of another shape, by the pointer below `node`."""
    for key, (shape, child) in FIELDS[kind].items():
        value = node.get(key)
        if value is None or child in _UNREAD:
            continue
        if shape == "one":
            if not _fits(value, child):
                yield key, f"is {shorten(value)}; expected an object"
        elif not isinstance(value, list if shape == "list" else dict):
            yield key, f"is {shorten(value)}; expected {'a list' if shape == 'list' else 'an object'}"
        else:
            for name, each in enumerate(value) if isinstance(value, list) else value.items():
                if each is not None and not _fits(each, child) and not str(name).startswith("x-"):
                    yield f"{key}{join(name)}", f"is {shorten(each)}; expected an object"


def _fits(value: Any, kind: Kind) -> bool:
    return isinstance(value, dict) or (kind == "schema" and isinstance(value, bool))
