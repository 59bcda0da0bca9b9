"""What has to change in one schema so that it allows what was seen: each keyword in its own way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ...openapi.pointer import MISSING
from .documents import Documents, Spot
from .infer import infer, kind_of

_MAX_WORDS = 40
"""An enum that would have to grow by more than this is none."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a document.

    Attributes:
        spot: the object that is changed, or what is removed.
        update: what is merged into it; `MISSING` where it is removed.
        item: the item of the list at `spot` that is removed, instead of the list; `MISSING` for none.
    """

    spot: Spot
    update: Any = MISSING
    item: Any = MISSING


def widen(documents: Documents, spot: Spot, keyword: str, values: Sequence[Any]) -> list[Edit]:
    """Return the changes by which the schema at `spot` no longer refuses `values` for its `keyword`."""
    node = documents.node(spot)
    if not isinstance(node, dict) or keyword not in node:
        return [Edit(spot)] if node is False else [Edit(spot.child(keyword))]
    return _WIDENERS.get(keyword, _dropped)(documents, spot, keyword, values)


def _dropped(_documents: Documents, spot: Spot, keyword: str, _values: Sequence[Any]) -> list[Edit]:
    return [Edit(spot.child(keyword))]


def _typed(documents: Documents, spot: Spot, _keyword: str, values: Sequence[Any]) -> list[Edit]:
    node, old = documents.node(spot), documents.is_old(spot)
    told = node["type"] if isinstance(node["type"], list) else [node["type"]]
    added = [kind for kind in dict.fromkeys(map(kind_of, values)) if kind not in told]
    if not added:
        return _dropped(documents, spot, "type", values)
    if added == ["null"]:
        if old:
            return [Edit(spot, {"nullable": True})]
    elif "number" in added and "integer" in told and len(added) == 1:
        kinds = [each for each in told if each != "null"]
        if len(kinds) == 1 and (old or len(told) == 1):
            return [Edit(spot, {"type": "number"})]
    if old or "enum" in node or "const" in node:
        return _split(documents, spot, [value for value in values if kind_of(value) in added])
    return [Edit(spot, {"type": added if isinstance(node["type"], list) else [*told, *added]})]


def _split(documents: Documents, spot: Spot, values: Sequence[Any]) -> list[Edit]:
    """Make a choice of the schema at `spot`: what it was, or what was seen."""
    raw, old = documents.raw(spot), documents.is_old(spot)
    moved = [word for word in ("type", "enum", "const", "nullable") if word in raw]
    before = {word: raw[word] for word in moved}
    if old and before.get("type") == "array":
        before["items"] = {}
    choice = {"anyOf": [before, infer(values, old=old)]}
    # A schema that has a choice already has two of them now, both of which have to hold.
    update = {"allOf": [choice]} if "anyOf" in raw else choice
    return [*(Edit(spot.child(word)) for word in moved), Edit(spot, update)]


def _worded(documents: Documents, spot: Spot, _keyword: str, values: Sequence[Any]) -> list[Edit]:
    known = documents.node(spot)["enum"]
    added = _distinct([value for value in values if value not in known])
    if len(added) > _MAX_WORDS or any(isinstance(value, dict | list) for value in added):
        return [Edit(spot.child("enum"))]
    return [Edit(spot, {"enum": added})]


def _constant(documents: Documents, spot: Spot, _keyword: str, values: Sequence[Any]) -> list[Edit]:
    words = _distinct([documents.node(spot)["const"], *values])
    return [Edit(spot.child("const")), Edit(spot, {"enum": words})]


def _distinct(values: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if not any(value == each and type(value) is type(each) for each in found):
            found.append(value)
    return found


def _required(documents: Documents, spot: Spot, _keyword: str, values: Sequence[Any]) -> list[Edit]:
    listed = documents.node(spot)["required"]
    missing = [name for name in dict.fromkeys(values) if name in listed]
    if len(missing) == len(set(listed)):
        return [Edit(spot.child("required"))]
    return [Edit(spot.child("required"), item=name) for name in missing]


def _bounded(documents: Documents, spot: Spot, keyword: str, values: Sequence[Any]) -> list[Edit]:
    low = "min" in keyword or "Min" in keyword
    sizes = [len(value) if isinstance(value, str | list | dict) else value for value in values]
    seen = min(sizes) if low else max(sizes)
    inclusive = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}.get(keyword)
    if inclusive is None:
        return [Edit(spot, {keyword: seen})]
    if documents.is_old(spot):
        return [Edit(spot, {inclusive: seen, keyword: False})]
    return [Edit(spot.child(keyword)), Edit(spot, {inclusive: seen})]


def _any_of_several(documents: Documents, spot: Spot, _keyword: str, _values: Sequence[Any]) -> list[Edit]:
    """Let a value fit several branches of a `oneOf`."""
    raw = documents.raw(spot)
    choice = {"anyOf": raw["oneOf"]}
    return [Edit(spot.child("oneOf")), Edit(spot, {"allOf": [choice]} if "anyOf" in raw else choice)]


_BOUNDS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems",
    "minProperties", "maxProperties",
)  # fmt: skip
_WIDENERS: dict[str, Callable[[Documents, Spot, str, Sequence[Any]], list[Edit]]] = {
    "type": _typed, "enum": _worded, "const": _constant, "required": _required, "oneOf": _any_of_several,
    **dict.fromkeys(_BOUNDS, _bounded),
}  # fmt: skip
