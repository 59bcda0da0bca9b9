"""The ways in which a value can fit a schema with choices in it: each way a flat schema without any.

`anyOf`, `oneOf`, `if` and `not` are worked out before anything is drawn, so that what is drawn fits by
construction. What can't be worked out is marked, and only then is a draw asked of a validator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from .flat import ANY, FAMILY, Flat, Flattener, Schema, common_types, has_type, json_key

MOST_CASES = 32
"""Bound on the ways worked out of one schema: choices multiply."""


def cases(flat: Flat, flatten: Flattener) -> list[tuple[Flat, bool]]:
    """Return the ways to fit `flat`, each with whether a value made for it is sure to fit."""
    return list(islice(_cases(flat, flatten), MOST_CASES))


def _cases(flat: Flat, flatten: Flattener) -> Iterator[tuple[Flat, bool]]:
    if not flat.types or flat.words.get("enum") == ():
        return
    if unions := flat.words.get("unions"):
        kind, branches = unions[0]
        rest = _without(flat, "unions", unions[1:])
        for number, branch in enumerate(branches):
            made = flatten.merged(rest, branch)
            if kind == "oneOf":
                others = [each for n, each in enumerate(branches) if n != number]
                made = _with_nots(made, others, flatten)
            yield from _cases(made, flatten)
    elif conditionals := flat.words.get("conditionals"):
        test, then, other = conditionals[0]
        rest = _without(flat, "conditionals", conditionals[1:])
        yield from _cases(flatten.merged(_with_nots(rest, [test], flatten), other), flatten)
        yield from _cases(flatten.merged(flatten.merged(rest, test), then), flatten)
    elif nots := flat.words.get("nots"):
        yield from _excluded(_without(flat, "nots", nots[1:]), nots[0], flatten)
    else:
        yield flat, True


def _without(flat: Flat, word: str, left: tuple[Any, ...]) -> Flat:
    words = {key: value for key, value in flat.words.items() if key != word}
    if left:
        words[word] = left
    return replace(flat, words=words)


def _with_nots(flat: Flat, refused: list[Schema], flatten: Flattener) -> Flat:
    new = tuple(each for each in refused if not disjoint(flat, flatten(each), flatten))
    if not new:
        return flat
    return replace(flat, words={**flat.words, "nots": (*flat.words.get("nots", ()), *new)})


def disjoint(one: Flat, other: Flat, flatten: Flattener, depth: int = 3) -> bool:
    """Tell whether no value can fit both, as far as types, values and required properties tell."""
    if not common_types(one.types, other.types):
        return True
    values = [flat.words["enum"] for flat in (one, other) if "enum" in flat.words]
    if len(values) == 2 and not {json_key(value) for value in values[0]} & {json_key(value) for value in values[1]}:
        return True
    for flat, there in ((one, other), (other, one)):
        if "enum" in flat.words and not any(has_type(value, there.types) for value in flat.words["enum"]):
            return True
    if depth == 0 or common_types(one.types, other.types) != {"object"}:
        return False
    needed = {*one.words.get("required", ()), *other.words.get("required", ())}
    for name in needed:
        first, second = (flat.words.get("properties", {}).get(name, True) for flat in (one, other))
        if disjoint(flatten(first), flatten(second), flatten, depth - 1):
            return True
    return False


def _excluded(flat: Flat, refused: Schema, flatten: Flattener) -> Iterator[tuple[Flat, bool]]:
    """Yield the ways to fit `flat` that do not fit `refused`."""
    other = flatten(refused)
    if disjoint(flat, other, flatten):
        yield from _cases(flat, flatten)
        return
    words = set(other.words)
    if not words:
        left = common_types(flat.types, ANY - other.types)
        sure = not ("integer" in other.types and "number" in flat.types)
        yield from _marked(replace(flat, types=flat.types if not sure else left), flatten, sure=sure)
    elif words == {"enum"}:
        yield from _without_values(flat, other.words["enum"], flatten)
    elif words <= {"properties", "required"} and other.types >= common_types(flat.types, ANY):
        yield from _without_members(flat, other, flatten)
    elif words == {"unions"} and all(kind == "anyOf" for kind, _ in other.words["unions"]) and other.types == ANY:
        branches = tuple(branch for _, each in other.words["unions"] for branch in each)
        if len(other.words["unions"]) == 1:
            yield from _cases(
                replace(flat, words={**flat.words, "nots": (*flat.words.get("nots", ()), *branches)}), flatten
            )
        else:
            yield from _marked(flat, flatten, sure=False)
    else:
        yield from _marked(flat, flatten, sure=False)


def _marked(flat: Flat, flatten: Flattener, *, sure: bool) -> Iterator[tuple[Flat, bool]]:
    for case, known in _cases(flat, flatten):
        yield case, known and sure


def _without_values(flat: Flat, refused: tuple[Any, ...], flatten: Flattener) -> Iterator[tuple[Flat, bool]]:
    if "enum" not in flat.words:
        yield from _marked(flat, flatten, sure=False)
        return
    keys = {json_key(value) for value in refused}
    left = tuple(value for value in flat.words["enum"] if json_key(value) not in keys)
    yield from _cases(replace(flat, words={**flat.words, "enum": left}), flatten)


def _without_members(flat: Flat, refused: Flat, flatten: Flattener) -> Iterator[tuple[Flat, bool]]:
    """Yield the ways not to be an object with certain members: without one of them, or with another value there."""
    own = flat.words.get("properties", {})
    required = flat.words.get("required", ())
    objects = replace(flat, types=frozenset({"object"}))
    for name, schema in refused.words.get("properties", {}).items():
        if schema is True or schema == {}:
            continue
        value = {"allOf": [own.get(name, True), {"not": schema}]}
        words = {**flat.words, "properties": {**own, name: value}, "required": tuple(dict.fromkeys((*required, name)))}
        yield from _cases(replace(objects, words=words), flatten)
    for name in refused.words.get("required", ()):
        if name not in required:
            yield from _cases(replace(objects, words={**flat.words, "properties": {**own, name: False}}), flatten)
    if "object" in refused.types and flat.types - {"object"} and refused.types != ANY:
        yield from _cases(replace(flat, types=flat.types - {"object"}), flatten)


def relevant(flat: Flat, kind: str) -> dict[str, Any]:
    """Return the words of `flat` that ask something of values of type `kind`."""
    family = "number" if kind == "integer" else kind
    return {word: value for word, value in flat.words.items() if FAMILY.get(word, family) == family}
