"""One verdict on whether data fits a schema, and sentences that say why not.

The verdict is jsonschema-rs's, compiled once. Where it says no, `jsonschema` explains: asked about those keywords alone
that the verdict points to, where they judge by themselves, or else about the whole schema. Where `jsonschema` sees
nothing wrong (the two differ at the edges), the verdict's own error speaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonschema_rs

from .errors import cut, nearest, shorten
from .pointer import MISSING, join, resolve
from .schema_place import SchemaPlace, schema_place, value_at

_MAX_PROBLEMS = 20
_MAX_REMEMBERED = 256
_LONGEST_REMEMBERED = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """One way in which data does not fit its schema.

    Attributes:
        pointer: JSON Pointer of the value, or of the object that lacks one.
        keyword: the schema's keyword that refuses it.
        value: the value that was sent, or `MISSING`.
        limit: the keyword's value.
        sentence: what is wrong, without the place.
        expected: what would have been right.
    """

    pointer: str
    keyword: str
    value: Any
    limit: Any
    sentence: str
    expected: str

    @property
    def field(self) -> str:
        """The place as a person would write it: ``input.aspect_ratio``, or "" for the whole."""
        return self.pointer[1:].replace("/", ".").replace("~1", "/").replace("~0", "~")

    def __str__(self) -> str:
        wanted = f"; expected {self.expected}" if self.expected else ""
        return f"{self.field} {self.sentence}{wanted}" if self.field else f"{self.sentence}{wanted}"


class Validator:
    """A schema compiled for verdicts, with the components that its references point to."""

    def __init__(self, schema: Any, components: Mapping[str, Any] | None = None) -> None:
        self.schema = schema
        self._whole = self._with_components(schema, components or {})
        self._compiled = jsonschema_rs.Draft202012Validator(self._whole, validate_formats=True)
        self.is_valid = self._compiled.is_valid
        self._places: dict[tuple[str | int, ...], SchemaPlace | None] = {}
        self._remembered: dict[tuple[Any, ...], list[Problem]] = {}

    @staticmethod
    def _with_components(schema: Any, components: Mapping[str, Any]) -> Any:
        if not isinstance(schema, dict) or not components:
            return schema
        return {**schema, "components": {"schemas": components.get("schemas", {})}}

    def problems(self, data: Any, *, brief: bool = False) -> list[Problem]:
        """Return what is wrong with `data`, nothing where it fits; `brief` is quick for data of any size."""
        if self.is_valid(data):
            return []
        if brief:
            return [self._own(data)]
        try:
            told = self._pinpointed(data) or _distinct(
                [problem for error in _explained(self._whole, data) for problem in problems_of(error)]
            )
        except (RecursionError, re.error):  # too deep for Python, or a pattern that it can't read
            told = []
        return told[:_MAX_PROBLEMS] or [self._own(data)]

    def _pinpointed(self, data: Any) -> list[Problem]:
        """Return what `jsonschema` says of the keywords that the verdict points to, in the order of `_explained`.

        Nothing where it has to be asked about the whole: a keyword is beside the plain way, or it sees nothing wrong.
        """
        faults: dict[tuple[Any, ...], tuple[SchemaPlace, list[str | int], Any]] = {}
        try:
            for error in self._compiled.iter_errors(data):
                path, place = error.instance_path, self._place(tuple(error.evaluation_path))
                if place is None or place.depth != len(path):  # it leaves out a name that is empty
                    return []
                value = value_at(data, path)
                if value is MISSING:
                    return []
                faults[len(path), tuple(map(str, path)), place.order] = place, path, value
        except ValueError:  # see `_own`
            return []
        if len(faults) == 1:
            return _distinct(self._told(*next(iter(faults.values()))))
        found: dict[str, Problem] = {}
        for _, fault in sorted(faults.items()):
            told = self._told(*fault)
            if not told:
                return []
            found.update((str(each), each) for each in told)
            if len(found) >= _MAX_PROBLEMS:
                break
        return list(found.values())

    def _told(self, place: SchemaPlace, path: list[str | int], value: Any) -> list[Problem]:
        """Return what `jsonschema` says of `value`, remembered where it is short: the same mistakes come again."""
        if not isinstance(value, str | int | None) or (isinstance(value, str) and len(value) > _LONGEST_REMEMBERED):
            return _asked(place, path, value)
        key = (place.order, *path, type(value), value)
        told = self._remembered.get(key)
        if told is None:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            told = self._remembered[key] = _asked(place, path, value)
        return told

    def _place(self, path: tuple[str | int, ...]) -> SchemaPlace | None:
        if path not in self._places:
            if len(self._places) >= _MAX_REMEMBERED:  # a schema that refers to itself has endlessly many
                self._places.clear()
            self._places[path] = schema_place(self._whole, path)
        return self._places[path]

    def errors(self, data: Any) -> list[Any]:
        """Return what `jsonschema` says is wrong with `data`: its errors, with their places in the schema.

        Nothing where it sees nothing wrong, though the verdict may be no: see `verdict_places`.

        Raises:
            RecursionError: the data is too deep for it.
            re.error: the schema has a pattern that Python can't read.
        """
        return list(_explainer()[0](self._whole).iter_errors(data))

    def verdict_places(self, data: Any) -> list[tuple[str | int, ...]]:
        """Return the places in the schema of what the verdict holds against `data`, references told as ``$ref``."""
        try:
            return [tuple(error.schema_path) for error in self._compiled.iter_errors(data)]
        except ValueError:  # see `_own`
            return []

    def _own(self, data: Any) -> Problem:
        try:
            error = next(self._compiled.iter_errors(data))
        except ValueError:  # an error holds its instance, and jsonschema-rs hands none over that is this deep
            return Problem("", "depth", data, None, "does not fit, and is nested too deeply to say where", "")
        pointer = join(*error.instance_path)
        keyword = str(error.schema_path[-1]) if error.schema_path else "false"
        return Problem(pointer, keyword, resolve(data, pointer), None, f"does not fit: {cut(error.message)}", "")


def first_problem(schema: Any, data: Any) -> Problem | None:
    """Return the most telling thing that is wrong with `data`, or None where it fits `schema`."""
    return next(iter(Validator(schema).problems(data)), None)


def _distinct(problems: list[Problem]) -> list[Problem]:
    return problems if len(problems) < 2 else list({str(each): each for each in problems}.values())


def _explained(schema: Any, data: Any) -> Iterator[Any]:
    """Yield what `jsonschema` says of `data`, the outermost first."""
    checker, best_match = _explainer()
    validator = checker(schema)
    for error in sorted(validator.iter_errors(data), key=lambda each: (len(each.path), list(map(str, each.path)))):
        # Of the branches of an anyOf or oneOf, the one that the data came nearest to is worth telling.
        told = best_match([error]) if error.context else error
        if told.validator is not None:  # of a value that the schema `false` refuses, jsonschema does not say where
            yield told


def _asked(place: SchemaPlace, path: list[str | int], value: Any) -> list[Problem]:
    """Return what `jsonschema` says of `value`, which stands at `path`, asked about one keyword alone."""
    validator, (keyword, schema) = _keywords(), (place.keyword, place.schema)
    limit = schema[keyword]
    errors = list(validator.VALIDATORS[keyword](validator, limit, value, schema) or ())
    for error in errors:
        error.validator, error.validator_value, error.instance, error.schema = keyword, limit, value, schema
        error.path.extend(path)
    return [problem for error in errors for problem in problems_of(error)]


@lru_cache(maxsize=1)
def _keywords() -> Any:
    """Return the validator whose keywords are asked one at a time."""
    return _explainer()[0]({})


@lru_cache(maxsize=1)
def _explainer() -> tuple[Any, Any]:
    # Imported when the first refusal has to be explained: starting a server needs only the verdict.
    from jsonschema import Draft202012Validator  # noqa: PLC0415
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    checker = Draft202012Validator.FORMAT_CHECKER
    return lambda schema: Draft202012Validator(schema, format_checker=checker), best_match


def problems_of(error: Any) -> Iterator[Problem]:
    """Yield what an error of `jsonschema` says, in our words."""
    pointer = join(*error.absolute_path)
    keyword, limit, value = str(error.validator), error.validator_value, error.instance
    match keyword:
        case "required":
            for name in limit:
                if name not in value:
                    yield Problem(pointer + join(name), keyword, MISSING, limit, "is missing", "a value")
        case "additionalProperties" | "unevaluatedProperties" if isinstance(value, dict) and not limit:
            known = list(error.schema.get("properties", {}))
            expected = f"one of {', '.join(known)}" if known else "nothing more"
            for extra in value:
                if repr(extra) in error.message:  # only the message tells which ones patterns and branches leave over
                    hint = nearest(extra, known)
                    place = pointer + join(extra)
                    yield Problem(place, keyword, value[extra], limit, f"is not known{hint}", expected)
        case "enum" | "const":
            allowed = limit if keyword == "enum" else [limit]
            hint = nearest(value, [each for each in allowed if isinstance(each, str)]) if isinstance(value, str) else ""
            shown = [shorten(each) for each in allowed]
            expected = f"one of {', '.join(shown)}" if len(shown) > 1 else "".join(shown)
            yield Problem(pointer, keyword, value, limit, f"is {shorten(value)}{hint}", expected)
        case _:
            sentence, expected = _SENTENCES.get(keyword, ("is {value}", "a value that fits {keyword} {limit}"))
            facts = {
                "value": shorten(value), "limit": _shown(limit), "keyword": keyword, "kind": _kind(value),
                "size": len(value) if hasattr(value, "__len__") else 0,
            }  # fmt: skip
            yield Problem(pointer, keyword, value, limit, sentence.format(**facts), expected.format(**facts))


_SENTENCES: dict[str, tuple[str, str]] = {
    "type": ("is {value}, of type {kind}", "{limit}"),
    "format": ("is {value}", "a {limit}"),
    "pattern": ("is {value}", "text that matches {limit}"),
    "minLength": ("has {size} characters", "at least {limit}"),
    "maxLength": ("has {size} characters", "at most {limit}"),
    "minItems": ("has {size} items", "at least {limit}"),
    "maxItems": ("has {size} items", "at most {limit}"),
    "uniqueItems": ("holds an item twice", "items that differ"),
    "minimum": ("is {value}", "at least {limit}"),
    "maximum": ("is {value}", "at most {limit}"),
    "exclusiveMinimum": ("is {value}", "more than {limit}"),
    "exclusiveMaximum": ("is {value}", "less than {limit}"),
    "multipleOf": ("is {value}", "a multiple of {limit}"),
    "minProperties": ("has {size} fields", "at least {limit}"),
    "maxProperties": ("has {size} fields", "at most {limit}"),
    "propertyNames": ("has a field name that is not allowed", "names that fit {limit}"),
    "anyOf": ("is {value}", "a value that fits one of the documented forms"),
    "oneOf": ("is {value}", "a value that fits exactly one of the documented forms"),
    "not": ("is {value}", "a value that does not fit {limit}"),
}


def _shown(limit: Any) -> str:
    if isinstance(limit, list):
        return " or ".join(map(str, limit))
    return str(limit) if isinstance(limit, str | int | float) else shorten(limit)


_KINDS = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "null")
