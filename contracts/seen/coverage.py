"""Which of the documented fields and words were seen, and which seen fields are not documented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...openapi.pointer import MISSING, escape
from .documents import Documents, Spot

_MAX_DEPTH = 24
Place = tuple[str, str]
"""An operation, and which part of it: ``answer 200``, ``callback``."""


@dataclass(frozen=True, slots=True)
class Extra:
    """A field that nothing describes: its place, its value, and the schema that could describe it."""

    pointer: str
    name: str
    value: Any
    spot: Spot


class Coverage:
    """Walks data beside the schemas that speak of it, and remembers where it was."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.fields: dict[Place, set[str]] = {}
        self.words: dict[Place, dict[str, set[Any]]] = {}
        self.roots: dict[Place, set[Spot]] = {}

    def take(self, place: Place, root: Spot, value: Any, *, requests: bool = False) -> list[Extra]:
        """Remember what `value`, which fits the schema at `root`, holds; return the fields that nothing describes."""
        self.roots.setdefault(place, set()).add(root)
        return list(self._walk(place, [root], value, "", requests=requests, depth=0))

    def _walk(
        self, place: Place, schemas: list[Spot], value: Any, pointer: str, *, requests: bool, depth: int
    ) -> Iterator[Extra]:  # fmt: skip
        spots = [found for each in schemas for found in self.applying(each, value, requests=requests)]
        shape = _shape(pointer)
        self.fields.setdefault(place, set()).add(shape)
        if isinstance(value, str | int | float):
            self.words.setdefault(place, {}).setdefault(shape, set()).add(value)
        if depth > _MAX_DEPTH:
            return
        if isinstance(value, dict):
            yield from self._fields(place, spots, value, pointer, requests=requests, depth=depth)
        elif isinstance(value, list):
            for number, item in enumerate(value):
                inner = self._items(spots, number)
                if inner:
                    yield from self._walk(place, inner, item, f"{pointer}/{number}", requests=requests, depth=depth + 1)

    def _fields(
        self, place: Place, spots: list[Spot], value: dict[str, Any], pointer: str, *, requests: bool, depth: int
    ) -> Iterator[Extra]:
        nodes = [(spot, self._documents.node(spot)) for spot in spots]
        describing = [spot for spot, node in nodes if node.get("properties") or node.get("patternProperties")]
        is_open = any(
            node.get(word) not in {None, False} if isinstance(node.get(word), bool) else word in node
            for _, node in nodes
            for word in ("additionalProperties", "unevaluatedProperties")
        )
        for name, inner in value.items():
            here = f"{pointer}/{escape(name)}"
            # What a branch mentions that does not hold is a known name all the same.
            found = self._described(nodes, name) or self._described(self._mentioning(spots), name)
            if found:
                yield from self._walk(place, found, inner, here, requests=requests, depth=depth + 1)
            elif describing and not is_open:
                yield Extra(here, name, inner, describing[-1])

    def _mentioning(self, spots: list[Spot]) -> list[tuple[Spot, Any]]:
        whole = dict.fromkeys(found for each in spots for found in self._made_of(each, ()))
        return [(spot, self._documents.node(spot)) for spot in whole]

    def _described(self, nodes: list[tuple[Spot, Any]], name: str) -> list[Spot]:
        """Return the schemas that speak of the field `name`."""
        found = []
        for spot, node in nodes:
            own = [spot.child("properties", name)] if name in node.get("properties", {}) else []
            patterns = [each for each in node.get("patternProperties", {}) if _matches(each, name)]
            own += [spot.child("patternProperties", each) for each in patterns]
            if not own and isinstance(node.get("additionalProperties"), dict):
                own.append(spot.child("additionalProperties"))
            found += own
        return found

    def _items(self, spots: list[Spot], number: int) -> list[Spot]:
        found = []
        for spot in spots:
            node = self._documents.node(spot)
            before = node.get("prefixItems", ())
            if number < len(before):
                found.append(spot.child("prefixItems", number))
            elif isinstance(node.get("items"), dict):
                found.append(spot.child("items"))
        return found

    def applying(self, spot: Spot, value: Any, *, requests: bool = False) -> list[Spot]:
        """Return the schemas that speak of `value`: that at `spot`, and those that it is made of and `value` fits."""
        found: list[Spot] = []
        self._apply(spot, value, requests, found)
        return found

    def _apply(self, spot: Spot, value: Any, requests: bool, found: list[Spot]) -> None:  # noqa: FBT001
        node = self._documents.node(spot)
        if not isinstance(node, dict) or spot in found:
            return
        found.append(spot)
        target = self._documents.target(spot)
        if target is not None:
            self._apply(target, value, requests, found)
        for number in range(len(node.get("allOf", ()))):
            self._apply(spot.child("allOf", number), value, requests, found)
        branches = [spot.child(word, n) for word in ("anyOf", "oneOf") for n in range(len(node.get(word, ())))]
        if "if" in node:
            then = self._documents.validator(spot.child("if"), requests=requests).is_valid(value)
            branches.append(spot.child("then" if then else "else"))
        for branch in branches:
            there = self._documents.node(branch) is not MISSING
            if there and self._documents.validator(branch, requests=requests).is_valid(value):
                self._apply(branch, value, requests, found)

    def never(self, place: Place) -> Iterator[tuple[str, list[Any] | None]]:
        """Yield what is documented of `place` and was not seen: pointers of fields with None, or with missing words.

        Of fields within fields that never came, the outermost alone is told.
        """
        told: dict[str, list[Any] | None] = {}
        for root in self.roots.get(place, ()):
            self._never(place, [root], "", (), told)
        yield from sorted(told.items())

    def _never(
        self, place: Place, spots: list[Spot], pointer: str, above: tuple[Spot, ...], told: dict[str, Any]
    ) -> None:
        if pointer not in self.fields.get(place, ()):
            told[pointer] = None
            return
        if len(above) > _MAX_DEPTH:
            return
        whole = [found for each in spots for found in self._made_of(each, ())]
        seen = self.words.get(place, {}).get(pointer, set())
        words = [word for spot in whole for word in self._documents.node(spot).get("enum", ())]
        missing = [word for word in dict.fromkeys(map(_hashable, words)) if word is not None and word not in seen]
        if missing and seen:
            told[pointer] = missing
        for name, inner in self._inner(whole).items():
            fresh = [each for each in inner if each not in above]
            if fresh:
                self._never(place, fresh, _shape(f"{pointer}/{name}"), (*above, *fresh), told)

    def _inner(self, spots: list[Spot]) -> dict[str, list[Spot]]:
        found: dict[str, list[Spot]] = {}
        for spot in spots:
            node = self._documents.node(spot)
            for name in node.get("properties", {}):
                found.setdefault(escape(name), []).append(spot.child("properties", name))
            if isinstance(node.get("items"), dict) and any(
                self._inner(self._made_of(spot.child("items"), ())).values()
            ):
                found.setdefault("*", []).append(spot.child("items"))
        return found

    def _made_of(self, spot: Spot, above: tuple[Spot, ...]) -> list[Spot]:
        node = self._documents.node(spot)
        if not isinstance(node, dict) or spot in above:
            return []
        inner = [spot.child(word, n) for word in ("allOf", "anyOf", "oneOf") for n in range(len(node.get(word, ())))]
        target = self._documents.target(spot)
        inner += [target] if target is not None else []
        return [spot, *(found for each in inner for found in self._made_of(each, (*above, spot)))]


def _hashable(word: Any) -> Any:
    return word if isinstance(word, str | int | float) else None


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False


def _shape(pointer: str) -> str:
    """Return `pointer` with what is the number of an item told as ``*``."""
    return re.sub(r"/\d+(?=/|$)", "/*", pointer)
