"""Schemas that say the same in other words, brought to one form before they are compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .flat import FAMILY, Flat, Flattener, Schema, has_type, json_key

_FAMILIES = {"integer": "number"}


def simplified(flat: Flat, flatten: Flattener) -> Flat:
    """Return `flat` without choices that are none: branches of different types, or a single branch.

    ``anyOf: [{type: string}, {type: "null"}]`` is ``type: [string, "null"]``.
    """
    for _ in range(8):
        unions = flat.words.get("unions", ())
        for number, (_, branches) in enumerate(unions):
            made = _resolved(flat, branches, flatten)
            if made is not None:
                left = unions[:number] + unions[number + 1 :]
                flat = _with(made, left + made.words.get("unions", ()))
                break
        else:
            return flat
    return flat


def _with(flat: Flat, unions: tuple[Any, ...]) -> Flat:
    words = {word: value for word, value in flat.words.items() if word != "unions"}
    return replace(flat, words={**words, "unions": unions} if unions else words)


def _resolved(flat: Flat, branches: tuple[Schema, ...], flatten: Flattener) -> Flat | None:
    rest = _with(flat, ())
    if len(branches) == 1:
        return flatten.merged(rest, branches[0])
    flats = [flatten(branch) for branch in branches]
    if all(each.words.keys() == {"enum"} for each in flats):
        return _listed(rest, flats, flatten)
    if not all(_is_typed(each) for each in flats) or not _are_apart([each.types for each in flats]):
        return None
    joined = Flat(flat.head, frozenset[str]().union(*(each.types for each in flats)))
    if sum("enum" in each.words for each in flats) not in {0, len(flats)}:
        if any("enum" in each.words for each in flats if each.types != {"null"}) and any(
            each.types != {"null"} and "enum" not in each.words for each in flats
        ):
            return None
        joined.words["enum"] = _values(flats)
    elif "enum" in flats[0].words:
        joined.words["enum"] = _values(flats)
    for each in flats:
        joined.words |= {word: value for word, value in each.words.items() if word != "enum"}
        joined.origin |= each.origin
        joined.notes |= each.notes
    joined.origin["type"] = flat.origin.get("unions", flat.head)
    return flatten.joined(rest, joined)


def _listed(rest: Flat, flats: list[Flat], flatten: Flattener) -> Flat | None:
    """Return the enum that a choice of constants is, None where two of them are the same."""
    values = [value for each in flats for value in each.words["enum"] if has_type(value, each.types)]
    if len({json_key(value) for value in values}) < len(values):
        return None
    joined = Flat(rest.head, frozenset[str]().union(*(each.types for each in flats)))
    joined.words["enum"], joined.origin["enum"] = tuple(values), rest.origin.get("unions", rest.head)
    return flatten.joined(rest, joined)


def _values(flats: list[Flat]) -> tuple[Any, ...]:
    return tuple(value for each in flats for value in each.words.get("enum", (None,)))


def _is_typed(flat: Flat) -> bool:
    """Tell whether all that `flat` asks is asked of values of its own types only."""
    families = {_FAMILIES.get(kind, kind) for kind in flat.types}
    apart = all(
        FAMILY.get(word) in families or (word == "formats" and len(families) == 1)
        for word in flat.words
        if word != "enum"
    )
    return apart and len(flat.types) <= 2 and bool(flat.types)


def _are_apart(types: list[frozenset[str]]) -> bool:
    families = [_FAMILIES.get(kind, kind) for each in types for kind in each]
    return len(families) == len(set(families))
