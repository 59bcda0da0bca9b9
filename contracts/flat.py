"""Schemas made flat: references followed and `allOf` merged, one level at a time.

What generates, breaks and compares schemas wants to know all that is asked of a value in one place, however the
document spreads it over references and branches. Only one level is made flat: a property that two branches speak
of becomes an `allOf` of both, to be made flat when it is looked at, so that recursive schemas end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from ..openapi.pointer import MISSING, resolve
from .shape import misshapen

Schema = Any
"""A 2020-12 schema: an object, True or False."""
Resolver = Callable[[str], Schema]

TYPES = ("null", "boolean", "object", "array", "string", "integer", "number")
ANY: frozenset[str] = frozenset({"null", "boolean", "object", "array", "string", "number"})
"""All types; an integer is a number."""


class SchemaError(ValueError):
    """A schema that cannot be understood: a reference that leads nowhere or only to itself."""


@dataclass(slots=True)
class Flat:
    """All that is asked of a value at one place.

    Attributes:
        types: the types it may have.
        words: keywords and what they ask, in the forms that `_own` gives them; what asks nothing is left out.
        origin: the schema object that each keyword was found in.
        notes: what is said of the value without asking anything: default, deprecated, readOnly, ….
        head: the schema this was made from.
        branches: the `allOf` branches that were merged, at the top level.
    """

    head: Schema
    types: frozenset[str] = ANY
    words: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    branches: tuple[Schema, ...] = ()

    def source(self, keyword: str) -> Schema:
        """Return the schema object that `keyword` stands in, or the head where none has it."""
        return self.origin.get(keyword, self.head)


NOTES = (
    "default", "deprecated", "readOnly", "writeOnly", "discriminator", "xml", "contentMediaType", "contentEncoding",
    "x-extensible-enum", "x-sunset",
)  # fmt: skip


def json_key(value: Any) -> Any:
    """Return what is equal for JSON values that are equal, and only for these: 1 is 1.0 but not true."""
    if isinstance(value, dict):
        return ("object", frozenset((key, json_key(each)) for key, each in value.items()))
    if isinstance(value, list):
        return ("array", tuple(json_key(each) for each in value))
    return (isinstance(value, bool), value)


def types_of(value: Any) -> str:
    """Return the JSON type of `value`, "integer" for whole numbers."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    names: dict[type, str] = {float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def has_type(value: Any, types: frozenset[str]) -> bool:
    """Tell whether `value` is of one of `types`."""
    kind = types_of(value)
    return kind in types or (kind == "integer" and "number" in types)


def common_types(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """Return the types that values of both sets have."""
    both = one & other
    if ("integer" in one and "number" in other) or ("number" in one and "integer" in other):
        both |= {"integer"}
    return frozenset(both - {"integer"} if "number" in both else both)


class Flattener:
    """Makes schemas flat, and remembers: a component is made flat once, however often it is referred to."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolve = resolver
        self._known: dict[int, tuple[Schema, Flat]] = {}
        self._joined: dict[tuple[int, ...], tuple[dict[str, Any], list[Schema]]] = {}
        self._shared: set[int] = set()

    def __call__(self, schema: Schema) -> Flat:
        """Return `schema` made flat.

        Raises:
            SchemaError: a reference leads nowhere, or a schema is an `allOf` branch of itself.
        """
        known = self._known.get(id(schema))
        if known is None:
            known = schema, self._flat(schema, ())
            if isinstance(schema, dict):
                self._known[id(schema)] = known
        return known[1]

    def target(self, schema: Schema) -> Schema:
        """Return what `schema` refers to, or `schema` where it is no plain reference."""
        for _ in range(64):
            if not isinstance(schema, dict) or "$ref" not in schema:
                return schema
            if len(_asking(schema)) > 1 or any(note in schema for note in NOTES):
                return schema
            schema = self._resolve(schema["$ref"])
        raise SchemaError("a chain of references never ends")

    def merged(self, flat: Flat, schema: Schema) -> Flat:
        """Return what asks all that `flat` and `schema` ask."""
        return self.joined(flat, self(schema))

    def joined(self, one: Flat, other: Flat) -> Flat:
        """Return what asks both."""
        return _merged(one, other, self.both)

    def is_shared(self, schema: Schema) -> bool:
        """Tell whether `schema` is met in several places, so that a recursive schema has to come back to such."""
        return isinstance(schema, dict) and ("$ref" in schema or id(schema) in self._shared)

    def both(self, one: Schema, other: Schema) -> Schema:
        """Return a schema that asks both, the same one for the same two, so that recursive schemas end here too."""
        if one is False or other is False:
            return False
        if one is True or one == {} or one is other:
            return other
        if other is True or other == {}:
            return one
        parts: dict[int, Schema] = {}
        for schema in (one, other):
            inside = schema["allOf"] if id(schema) in self._shared else [schema]
            for part in inside:
                parts.setdefault(id(self.target(part)), part)
        if len(parts) == 1:
            return one
        key = tuple(parts)
        if key not in self._joined:
            made = {"allOf": list(parts.values())}
            self._joined[key] = made, [self.target(part) for part in parts.values()]
            self._shared.add(id(made))
        return self._joined[key][0]

    def _flat(self, schema: Schema, inside: tuple[int, ...]) -> Flat:
        if not isinstance(schema, dict):
            return Flat(schema, ANY if schema is not False else frozenset())
        if id(schema) in inside:
            raise SchemaError(f"{schema.get('$ref', 'a schema')!r} holds itself as a branch, so that it never ends")
        inside = (*inside, id(schema))
        flat = _own(schema)
        if "$ref" in schema:
            target = self._flat(self._resolve(schema["$ref"]), inside)
            flat = self.joined(flat, target) if len(_asking(schema)) > 1 else _with_notes(target, flat)
            flat.branches = (target.head,) if len(_asking(schema)) > 1 else target.branches
        for branch in schema.get("allOf") or ():
            flat = self.joined(flat, self._flat(branch, inside))
        flat.branches += tuple(schema.get("allOf") or ())
        flat.head = schema
        return flat


def _asking(schema: Mapping[str, Any]) -> list[str]:
    return [key for key in schema if key in _FORMS or key in {"$ref", "allOf", "type"}]


def _with_notes(flat: Flat, notes: Flat) -> Flat:
    return Flat(flat.head, flat.types, flat.words, flat.origin, {**flat.notes, **notes.notes}, flat.branches)


def _own(schema: Mapping[str, Any]) -> Flat:
    """Return what `schema` itself asks, without its references and branches."""
    for keyword, problem in misshapen(schema):
        raise SchemaError(f"`{keyword}` of a schema {problem}")
    flat = Flat(schema)
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        flat.types = frozenset(str(kind) for kind in kinds)
        if "number" in flat.types:
            flat.types -= {"integer"}
        flat.origin["type"] = schema
    for keyword, value in schema.items():
        form = _FORMS.get(keyword)
        if form is None or (value is None and keyword != "const"):  # a keyword with nothing after it
            continue
        word, made = form(value, schema)
        if made is not None:
            flat.words[word] = _combined(word, flat.words[word], made, _never) if word in flat.words else made
            flat.origin[word] = schema
    flat.notes = {key: schema[key] for key in NOTES if key in schema}
    return flat


def _never(one: Schema, other: Schema) -> Schema:
    raise SchemaError(f"{one!r} and {other!r} stand for one keyword")  # pragma: no cover - no two forms share a schema


_Form = Callable[[Any, Mapping[str, Any]], tuple[str, Any]]


def _plain(word: str, *, empty: tuple[Any, ...] = ()) -> _Form:
    return lambda value, _: (word, None if any(value is each or value == each for each in empty) else value)


def _bound(word: str, *, exclusive: bool) -> _Form:
    def form(value: Any, _: Mapping[str, Any]) -> tuple[str, Any]:
        usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return word, (value, exclusive) if usable else None

    return form


def _listed(word: str) -> _Form:
    return lambda value, _: (word, (value,))


def _pattern(value: Any, _: Mapping[str, Any]) -> tuple[str, Any]:
    return "patterns", None if value in {"", ".*", "^.*$", "^.*", ".*$"} else (value,)


def _open(word: str) -> _Form:
    return lambda value, _: (word, None if value is True or value == {} else value)


def _contains(value: Any, schema: Mapping[str, Any]) -> tuple[str, Any]:
    return "contains", ((value, schema.get("minContains", 1), schema.get("maxContains")),)


def _conditional(value: Any, schema: Mapping[str, Any]) -> tuple[str, Any]:
    then, other = schema.get("then", True), schema.get("else", True)
    return "conditionals", None if then is True and other is True else ((value, then, other),)


def _dependent(value: Any, _: Mapping[str, Any]) -> tuple[str, Any]:
    made = tuple(({"required": [name]}, schema, True) for name, schema in value.items())
    return "conditionals", made or None


def _dependent_required(value: Any, _: Mapping[str, Any]) -> tuple[str, Any]:
    made = tuple(({"required": [name]}, {"required": needed}, True) for name, needed in value.items() if needed)
    return "conditionals", made or None


_FORMS: dict[str, _Form] = {
    "const": lambda value, _: ("enum", (value,)),
    "enum": lambda value, _: ("enum", tuple(value)),
    "minimum": _bound("minimum", exclusive=False),
    "exclusiveMinimum": _bound("minimum", exclusive=True),
    "maximum": _bound("maximum", exclusive=False),
    "exclusiveMaximum": _bound("maximum", exclusive=True),
    "multipleOf": _listed("multiples"),
    "minLength": _plain("minLength", empty=(0,)),
    "maxLength": _plain("maxLength"),
    "pattern": _pattern,
    "format": _listed("formats"),
    "minItems": _plain("minItems", empty=(0,)),
    "maxItems": _plain("maxItems"),
    "uniqueItems": _plain("uniqueItems", empty=(False,)),
    "prefixItems": lambda value, _: ("prefixItems", tuple(value) or None),
    "items": _open("items"),
    "contains": _contains,
    "properties": lambda value, _: ("properties", dict(value) or None),
    "required": lambda value, _: ("required", tuple(dict.fromkeys(value)) or None),
    "patternProperties": lambda value, _: ("patternProperties", dict(value) or None),
    "additionalProperties": _open("additionalProperties"),
    "propertyNames": _open("propertyNames"),
    "minProperties": _plain("minProperties", empty=(0,)),
    "maxProperties": _plain("maxProperties"),
    "dependentRequired": _dependent_required,
    "dependentSchemas": _dependent,
    "unevaluatedProperties": _open("unevaluatedProperties"),
    "unevaluatedItems": _open("unevaluatedItems"),
    "contentSchema": _open("contentSchema"),
    "not": _listed("nots"),
    "if": _conditional,
    "anyOf": lambda value, _: ("unions", (("anyOf", tuple(value)),)),
    "oneOf": lambda value, _: ("unions", (("oneOf", tuple(value)),)),
}

FAMILY: dict[str, str] = {
    **dict.fromkeys(("minimum", "maximum", "multiples"), "number"),
    **dict.fromkeys(("minLength", "maxLength", "patterns", "contentSchema"), "string"),
    **dict.fromkeys(("minItems", "maxItems", "uniqueItems", "prefixItems", "items", "contains", "unevaluatedItems"),
                    "array"),
    **dict.fromkeys(("properties", "required", "patternProperties", "additionalProperties", "propertyNames",
                     "minProperties", "maxProperties", "unevaluatedProperties"), "object"),
}  # fmt: skip
"""The type that a word asks something of; the others ask something of every type."""


Both = Callable[[Schema, Schema], Schema]


def _merged(one: Flat, other: Flat, both: Both) -> Flat:
    made = Flat(one.head, common_types(one.types, other.types), dict(one.words), dict(one.origin))
    made.notes = {**other.notes, **one.notes}
    made.branches = one.branches
    for word, value in other.words.items():
        made.words[word] = _combined(word, made.words[word], value, both) if word in made.words else value
        made.origin.setdefault(word, other.origin.get(word))
    if "type" in other.origin:
        made.origin.setdefault("type", other.origin["type"])
    _merge_additional(made, one, other, both)
    return made


def _merge_additional(made: Flat, one: Flat, other: Flat, both: Both) -> None:
    """Where one side closes or types further properties, what only the other side names is such a property."""
    for closing, naming in ((one, other), (other, one)):
        rest = closing.words.get("additionalProperties")
        if rest is None or closing.words.get("patternProperties"):
            continue
        own = closing.words.get("properties", {})
        named = naming.words.get("properties", {})
        typed = {name: both(schema, rest) for name, schema in named.items() if name not in own}
        if typed:
            made.words["properties"] = {**made.words["properties"], **typed}


def _combined(word: str, one: Any, other: Any, both: Both) -> Any:
    if word in _SCHEMAS:
        return both(one, other)
    if word in {"properties", "patternProperties"}:
        return {**other, **{name: both(schema, other.get(name, True)) for name, schema in one.items()}}
    if word == "prefixItems":
        longer, shorter = sorted((one, other), key=len, reverse=True)
        return tuple(both(each, shorter[n]) if n < len(shorter) else each for n, each in enumerate(longer))
    combine = _COMBINE.get(word)
    return one + other if combine is None else combine(one, other)


_SCHEMAS = frozenset({
    "items", "additionalProperties", "propertyNames", "unevaluatedProperties", "unevaluatedItems", "contentSchema",
})  # fmt: skip
"""Words whose value is one schema."""


def _tighter_low(one: tuple[float, bool], other: tuple[float, bool]) -> tuple[float, bool]:
    return max(one, other)


def _tighter_high(one: tuple[float, bool], other: tuple[float, bool]) -> tuple[float, bool]:
    return min(one, other, key=lambda bound: (bound[0], not bound[1]))


def _common_values(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    keys = {json_key(value) for value in other}
    return tuple(value for value in one if json_key(value) in keys)


def _distinct(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    return one + tuple(value for value in other if value not in one)


_COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "enum": _common_values,
    "minimum": _tighter_low,
    "maximum": _tighter_high,
    **dict.fromkeys(("minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maxLength", "maxItems", "maxProperties"), min),
    **dict.fromkeys(("patterns", "formats", "multiples", "required"), _distinct),
    "uniqueItems": lambda one, _: one,
}  # fmt: skip


def in_document(document: Any) -> Resolver:
    """Return a resolver of ``#/…`` references into `document`."""

    def find(reference: str) -> Schema:
        found = resolve(document, unquote(reference[1:])) if reference.startswith("#") else MISSING
        if found is MISSING:
            raise SchemaError(f"the reference {reference!r} leads nowhere")
        return found

    return find


def alternatives(flat: Flat) -> Iterator[tuple[str, tuple[Schema, ...]]]:
    """Yield the kind and the branches of each `anyOf` and `oneOf`."""
    yield from flat.words.get("unions", ())
