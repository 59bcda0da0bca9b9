"""Two schemas compared: which values fit one and not the other, told by keyword.

The comparison knows no direction: it says whether the set of values that fit became wider or narrower, and the
opposite when the two are exchanged. What that means for a client is `severity`'s to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal, cast

from .changes import Change, Effect, Step, reverse
from .choices import Choices
from .flat import ANY, FAMILY, Flat, Flattener, Schema, common_types, has_type, json_key
from .simplify import simplified

Changes = tuple[Change, ...]
Pair = tuple[int, int, str]
Text = Literal["", "value", "body"]
"""How values are written: as JSON; as text, a value or a list of them; or as text throughout, as in a form."""

_BEHIND = "behind"
"""Marks a pair of references whose targets are compared once, however often they are met."""
LOW = {"minimum", "minLength", "minItems", "minProperties"}
HIGH = {"maximum", "maxLength", "maxItems", "maxProperties"}
_FORMAT_ORDER = {("int32", "int64"), ("float", "double"), ("int32", "double")}
"""Formats of which the first allows a part of what the second does."""
_MEMBERS = ("readOnly", "writeOnly")
_SCALARS = frozenset({"boolean", "string", "integer", "number", "null"})


class Comparison:
    """Compares schemas of a base document with schemas of a revision; what is shared is compared once.

    Args:
        base: makes the base's schemas flat.
        revision: makes the revision's schemas flat.
    """

    def __init__(self, base: Flattener, revision: Flattener) -> None:
        self.base = base
        self.revision = revision
        self._known: dict[Pair, tuple[Schema, Schema, Changes]] = {}
        self._whole: dict[Pair, Changes] = {}
        self._open: set[Pair] = set()
        self._quiet: set[Pair] = set()
        self._choices = Choices(self)

    def schemas(self, one: Schema, other: Schema, *, text: Text = "") -> Changes:
        """Return what changed from `one` to `other`.

        Where values are written as text, as in a query, a string may be what a number was. What changed in a
        schema that is met in several places, as recursive ones are, is told where it was met first.
        """
        pair = self._pair(one, other, text)
        known = self._whole.get(pair)
        if known is not None or pair in self._open:
            return known or ()  # a schema inside itself: whatever differs is told outside
        self._open.add(pair)
        found = self._expanded(self.local(one, other, text=text), pair)
        self._open.discard(pair)
        self._whole[pair] = found
        return found

    def _pair(self, one: Schema, other: Schema, text: Text) -> Pair:
        return id(self.base.target(one)), id(self.revision.target(other)), text

    def _expanded(self, found: Changes, pair: Pair) -> Changes:
        """Return `found` with what lies behind references put in its place."""
        seen = {pair}
        made: list[Change] = []
        waiting: list[tuple[tuple[Step, ...], frozenset[str], Changes]] = [((), frozenset(), found)]
        for path, guards, changes in waiting:  # grows while it is walked: nearest first
            for change in changes:
                if change.what != _BEHIND:
                    moved = replace(change, path=path + change.path, guards=guards | change.guards)
                    made.append(moved if path else change)
                    continue
                target = _ends(change)
                if target not in seen and target not in self._quiet:
                    seen.add(target)
                    behind = self._shared(change.before, change.after, target)
                    if behind:
                        waiting.append((path + change.path, guards | change.guards, behind))
        if not made:
            self._quiet |= seen
        return tuple(made)

    def _shared(self, one: Schema, other: Schema, pair: Pair) -> Changes:
        known = self._known.get(pair)
        if known is None:
            self._known[pair] = one, other, ()  # met again while it is compared, it is taken to be the same
            self._known[pair] = known = (
                one,
                other,
                self._each_once(self.flats(self.base(one), self.revision(other), text=cast("Text", pair[2]))),
            )
        return known[2]

    def _each_once(self, changes: Changes) -> Changes:
        """Leave out all but the first way to each pair of references."""
        seen: set[Pair] = set()
        kept = []
        for change in changes:
            if change.what == _BEHIND:
                pair = _ends(change)
                if pair in seen:
                    continue
                seen.add(pair)
            kept.append(change)
        return tuple(kept)

    def local(self, one: Schema, other: Schema, *, text: Text = "", inside: bool = False) -> Changes:
        """Return what changed as far as no reference is followed on both sides; those are marked as such."""
        if inside and self.base.is_shared(one) and self.revision.is_shared(other):
            ends = self.base.target(one), self.revision.target(other)
            return (Change(_BEHIND, "noted", *ends, None, None, text),)
        return self.flats(self.base(one), self.revision(other), text=text)

    def flats(self, one: Flat, other: Flat, *, text: Text = "") -> Changes:
        """Return what changed between two schemas that were made flat."""
        one, other = simplified(one, self.base), simplified(other, self.revision)
        one, other = _typed_by_values(one, other.types), _typed_by_values(other, one.types)
        notes = tuple(_notes(one, other))
        if _is_choice_only(one) != _is_choice_only(other) and not (one.words.keys() & other.words.keys() & {"unions"}):
            return self._choices.unions(one, other, text=text) + notes
        kinds, disjoint = self._types(one, other, text=text)
        if disjoint:
            return kinds + notes
        found = list(kinds)
        for word in sorted({*one.words, *other.words} & _HANDLED.keys()):
            told = _HANDLED[word](self, one, other)
            found += told if _asks(word, one, other) else (each.as_idle() for each in told)
        for kind, inside in (("object", self._objects), ("array", self._items)):
            if kind in one.types & other.types:
                found += inside(one, other, text=text)
            elif one.types == other.types:
                found += (each.as_idle() for each in inside(one, other, text=text))
        found += self._choices.unions(one, other, text=text)
        found += self._choices.listed(one, other, text=text)
        asked = tuple(found)
        return asked + notes + self._choices.branches(one, other, asked)

    def same(self, one: Schema, other: Schema) -> bool:
        """Tell whether both schemas ask the same."""
        return all(change.effect == "noted" for change in self.schemas(one, other))

    def effects(self, changes: Changes) -> set[Effect]:
        """Return the effects of `changes`, of what lies behind references as well."""
        behind = [change for change in changes if change.what == _BEHIND]
        found = {change.effect for change in changes if change.what != _BEHIND}
        for edge in behind:
            found |= {each.effect for each in self.schemas(edge.before, edge.after, text=cast("Text", edge.keyword))}
        return found - {"noted"}

    def _types(self, one: Flat, other: Flat, *, text: Text) -> tuple[Changes, bool]:
        """Return the change of types, and whether no value can fit both."""
        if one.types == other.types:
            return (), False
        before, after = _names(one.types), _names(other.types)
        effect = _types_effect(one, other, text=text)
        if effect == "noted":
            return (), False
        what = "type-changed"
        if one.types ^ other.types == {"null"}:
            what = "became-nullable" if "null" in other.types else "became-not-nullable"
        disjoint = not common_types(one.types, other.types)
        # What differs beneath is told by the type already: a number's bounds say nothing of a text.
        change = Change(what, effect, before, after, one.source("type"), other.source("type"), "type")
        return (change,), disjoint

    def _objects(self, one: Flat, other: Flat, *, text: Text) -> Iterator[Change]:
        before, after = one.words.get("properties", {}), other.words.get("properties", {})
        inside: Text = (
            "body" if text == "body" else ""
        )  # how members of an object are written in a query is anyone's guess
        for name in dict.fromkeys((*before, *after)):
            step: Step = ("property", name)
            guards = self._guards(before.get(name), after.get(name))
            if name in before and name in after:
                yield from (
                    each.under(step, guards) for each in self.local(before[name], after[name], text=inside, inside=True)
                )
                yield from _required(one, other, name, guards)
            else:
                yield self._member(one, other, name).under(step, guards)
        for name in dict.fromkeys((*one.words.get("required", ()), *other.words.get("required", ()))):
            if name not in before and name not in after:
                yield from (
                    replace(each, what=f"undescribed-{each.what}") for each in _required(one, other, name, frozenset())
                )
        yield from self._rest(one, other, text=inside)

    def _guards(self, before: Schema | None, after: Schema | None) -> frozenset[str]:
        flats = [
            flatten(schema) for flatten, schema in ((self.base, before), (self.revision, after)) if schema is not None
        ]
        return frozenset(mark for mark in _MEMBERS if all(flat.notes.get(mark) is True for flat in flats))

    def _member(self, one: Flat, other: Flat, name: str) -> Change:
        """Return the change where only one side names the member `name`."""
        added = name in other.words.get("properties", {})
        here, there = (other, one) if added else (one, other)
        schema = here.words["properties"][name]
        required = name in here.words.get("required", ())
        closed = "unnamed" if _is_open(there) else "closed"
        what = f"{'required-' if required else ''}property-{'added' if added else 'removed'}"
        effect: Effect = "narrowed" if required or closed == "unnamed" else "widened"
        if required and closed == "closed":
            effect = "changed"
        if closed == "closed":
            what += "-closed"
        return Change(
            what, effect if added else reverse(effect), None if added else schema, schema if added else None,
            one.source("properties") if added else schema, schema if added else other.source("properties"),
            "properties" if added else "",
        )  # fmt: skip

    def _rest(self, one: Flat, other: Flat, *, text: Text) -> Iterator[Change]:
        """Compare what is said of members that are not named one by one."""
        for word in ("additionalProperties", "unevaluatedProperties", "propertyNames"):
            step: Step = ("name", "") if word == "propertyNames" else ("member", "")
            yield from self._optional_schema(one, other, word, step, text=text)
        before, after = one.words.get("patternProperties", {}), other.words.get("patternProperties", {})
        for pattern in dict.fromkeys((*before, *after)):
            if pattern in before and pattern in after:
                found = self.local(before[pattern], after[pattern], text=text, inside=True)
                yield from (each.under(("member", "")) for each in found)
            else:
                what, effect = ("added", "narrowed") if pattern in after else ("removed", "widened")
                yield _change(f"pattern-properties-{what}", effect, one, other, "patternProperties", pattern, pattern)

    def _items(self, one: Flat, other: Flat, *, text: Text) -> Iterator[Change]:
        before, after = one.words.get("prefixItems", ()), other.words.get("prefixItems", ())
        rests = one.words.get("items", True), other.words.get("items", True)
        for number in range(max(len(before), len(after))):
            first = before[number] if number < len(before) else rests[0]
            second = after[number] if number < len(after) else rests[1]
            yield from (each.under(("item", str(number))) for each in self.local(first, second, text=text, inside=True))
        yield from self._optional_schema(one, other, "items", ("item", ""), text=text)
        yield from self._optional_schema(one, other, "unevaluatedItems", ("item", ""), text=text)

    def _optional_schema(self, one: Flat, other: Flat, word: str, step: Step, *, text: Text = "") -> Iterator[Change]:
        """Compare the values of a keyword that holds a schema, and that allows everything where it is absent."""
        before, after = _asked(one.words.get(word), self.base), _asked(other.words.get(word), self.revision)
        if before is None and after is None:
            return
        if before is not None and after is not None and before is not False and after is not False:
            yield from (each.under(step) for each in self.local(before, after, text=text, inside=True))
        elif (before is False) != (after is False) or (before is None) != (after is None):
            narrower = after is False or (before is None)
            what = f"{_KEBAB.get(word, word)}-{'restricted' if narrower else 'opened'}"
            yield _change(what, "narrowed" if narrower else "widened", one, other, word, before, after)

    def _content(self, one: Flat, other: Flat) -> Iterator[Change]:
        before, after = one.words.get("contentSchema"), other.words.get("contentSchema")
        if before is not None and after is not None:
            yield from (each.under(("item", "content")) for each in self.local(before, after, inside=True))
        else:
            what, effect = ("added", "narrowed") if before is None else ("removed", "widened")
            yield _change(f"content-schema-{what}", effect, one, other, "contentSchema", before, after)


def _asked(schema: Schema | None, flatten: Flattener) -> Schema | None:
    """Return `schema`, None where it lets everything fit, False where nothing does, however that is written."""
    if schema is None or schema is False:
        return schema
    flat = flatten(schema)
    return False if not flat.types else None if flat.types == ANY and not flat.words else schema


def _ends(edge: Change) -> Pair:
    return id(edge.before), id(edge.after), edge.keyword


def _typed_by_values(flat: Flat, types: frozenset[str]) -> Flat:
    """Return `flat` with `types` where it names none and all its values are of them: it goes without saying."""
    values = flat.words.get("enum")
    if flat.types != ANY or types == ANY or not values or not all(has_type(value, types) for value in values):
        return flat
    return replace(flat, types=types)


def _is_choice_only(flat: Flat) -> bool:
    """Tell whether all that `flat` asks stands in the branches of one choice."""
    return flat.words.keys() == {"unions"} and len(flat.words["unions"]) == 1 and flat.types == ANY


def _is_open(flat: Flat) -> bool:
    return flat.words.get("additionalProperties") is not False and flat.words.get("unevaluatedProperties") is not False


def _asks(word: str, one: Flat, other: Flat) -> bool:
    family = FAMILY.get(word)
    if family is None:
        return True
    shared = common_types(one.types, other.types)
    return family in shared or (family == "number" and "integer" in shared)


def _names(types: frozenset[str]) -> list[str] | None:
    return None if types == ANY else sorted(types)


def _within(one: frozenset[str], other: frozenset[str]) -> bool:
    return common_types(one, other) == one


def _types_effect(one: Flat, other: Flat, *, text: Text) -> Effect:
    plain = _ordered(one.types, other.types)
    if not text or plain != "changed":  # who lists `integer` beside `string` meant something by it, in a query too
        return plain
    return _ordered(_as_text(one), _as_text(other))


def _ordered(first: frozenset[str], second: frozenset[str]) -> Effect:
    if first == second:
        return "noted"
    if _within(first, second):
        return "widened"
    return "narrowed" if _within(second, first) else "changed"


def _as_text(flat: Flat) -> frozenset[str]:
    """Return the types whose values may stand where `flat` is written as text: free text may be anything."""
    free = not any(word in flat.words for word in ("patterns", "formats", "enum", "minLength", "maxLength"))
    types = flat.types | _SCALARS - {"null"} if "string" in flat.types and free else flat.types
    return types - {"integer"} if "number" in types else types


def _change(  # noqa: PLR0913, PLR0917 - a change has this many sides
    what: str, effect: str, one: Flat, other: Flat, word: str, before: Any, after: Any
) -> Change:
    keyword = KEYWORDS.get(word, word)
    return Change(what, cast("Effect", effect), before, after, one.source(word), other.source(word), keyword)


def _required(one: Flat, other: Flat, name: str, guards: frozenset[str]) -> Iterator[Change]:
    before, after = (name in flat.words.get("required", ()) for flat in (one, other))
    if before != after:
        what, effect = ("became-optional", "widened") if before else ("became-required", "narrowed")
        change = _change(what, effect, one, other, "required", before, after)
        yield change.under(("property", name), guards)


def _bounds(word: str) -> Any:
    def handle(_: Comparison, one: Flat, other: Flat) -> Iterator[Change]:
        before, after = one.words.get(word), other.words.get(word)
        first, second = (_whole(flat.words.get(word), word, flat) for flat in (one, other))
        if first == second:
            return
        name = _KEBAB[word]
        if before is None or after is None:
            what, narrower = (f"{name}-set", True) if before is None else (f"{name}-unset", False)
        else:
            raised = second > first
            what, narrower = f"{name}-{'raised' if raised else 'lowered'}", raised == (word in LOW)
        shown = [
            None if bound is None else bound[0] if isinstance(bound, tuple) else bound for bound in (before, after)
        ]
        yield _change(what, "narrowed" if narrower else "widened", one, other, word, *shown)

    return handle


def _whole(bound: Any, word: str, flat: Flat) -> Any:
    """Return `bound` so that bounds can be compared: for integers, more than 0 is at least 1."""
    if not isinstance(bound, tuple):
        return bound
    value, exclusive = bound
    if exclusive and flat.types & {"integer", "number"} == {"integer"} and float(value).is_integer():
        return (value + 1 if word in LOW else value - 1, 0)
    return (value, (1 if word in LOW else -1) if exclusive else 0)


def _enum(_: Comparison, one: Flat, other: Flat) -> Iterator[Change]:
    before, after = one.words.get("enum"), other.words.get("enum")
    if before is None or after is None:
        what, effect = ("became-enum", "narrowed") if before is None else ("enum-removed", "widened")
        yield _change(what, effect, one, other, "enum", before and list(before), after and list(after))
        return
    old, new = {json_key(value) for value in before}, {json_key(value) for value in after}
    for value in before:
        if json_key(value) not in new:
            yield _change("enum-value-removed", "narrowed", one, other, "enum", value, None)
    for value in after:
        if json_key(value) not in old:
            yield _change("enum-value-added", "widened", one, other, "enum", None, value)


def _format(_: Comparison, one: Flat, other: Flat) -> Iterator[Change]:
    before, after = set(one.words.get("formats", ())), set(other.words.get("formats", ()))
    if before == after:
        return
    shown = [", ".join(sorted(each)) or None for each in (before, after)]
    if before < after or after < before:
        what, effect = ("format-added", "narrowed") if before < after else ("format-removed", "widened")
    else:
        pairs = {(first, second) for first in before for second in after}
        wider, narrower = pairs & _FORMAT_ORDER, {(b, a) for a, b in pairs} & _FORMAT_ORDER
        what, effect = "format-changed", "widened" if wider else "narrowed" if narrower else "changed"
    yield _change(what, effect, one, other, "formats", *shown)


def _pattern(_: Comparison, one: Flat, other: Flat) -> Iterator[Change]:
    before, after = set(one.words.get("patterns", ())), set(other.words.get("patterns", ()))
    shown = [" and ".join(sorted(each)) or None for each in (before, after)]
    if before == after:
        return
    effect: Effect = "narrowed" if before < after else "widened" if after < before else "changed"
    what = {"narrowed": "pattern-added", "widened": "pattern-removed", "changed": "pattern-changed"}[effect]
    yield _change(what, effect, one, other, "patterns", *shown)


def _multiple(_: Comparison, one: Flat, other: Flat) -> Iterator[Change]:
    before, after = one.words.get("multiples", ()), other.words.get("multiples", ())
    if set(before) == set(after):
        return
    finer = all(_divides(each, after) for each in before)
    coarser = all(_divides(each, before) for each in after)
    effect: Effect = "narrowed" if finer else "widened" if coarser else "changed"
    yield _change("multiple-of-changed", effect, one, other, "multiples", list(before) or None, list(after) or None)


def _divides(step: float, multiples: tuple[float, ...]) -> bool:
    return any(each and step and abs(each / step - round(each / step)) < 1e-9 for each in multiples)


def _unique(_: Comparison, one: Flat, other: Flat) -> Iterator[Change]:
    before, after = bool(one.words.get("uniqueItems")), bool(other.words.get("uniqueItems"))
    if before != after:
        what, effect = ("unique-items-set", "narrowed") if after else ("unique-items-unset", "widened")
        yield _change(what, effect, one, other, "uniqueItems", before, after)


def _notes(one: Flat, other: Flat) -> Iterator[Change]:
    """Compare what is said of a value beside what is asked of it."""
    for note in sorted({*one.notes, *other.notes}):
        before, after = one.notes.get(note), other.notes.get(note)
        if note in {"deprecated", *_MEMBERS}:
            before, after = bool(before), bool(after)
        if json_key(before) == json_key(after):
            continue
        yield from _NOTED.get(note, _simply_noted)(note, before, after, one.head, other.head)


def _simply_noted(note: str, before: Any, after: Any, base: Any, revision: Any) -> Iterator[Change]:
    ended = "changed"
    if isinstance(before, bool):
        ended = "set" if after else "unset"
    elif before is None or after is None:
        ended = "added" if before is None else "removed"
    yield Change(f"{_KEBAB.get(note, note)}-{ended}", "noted", before, after, base, revision, note)


def _content_noted(note: str, before: Any, after: Any, base: Any, revision: Any) -> Iterator[Change]:
    yield Change(f"{_KEBAB[note]}-changed", "changed", before, after, base, revision, note)


def _extensible(note: str, before: Any, after: Any, base: Any, revision: Any) -> Iterator[Change]:
    if isinstance(before, list) and isinstance(after, list):
        for value in before:
            if value not in after:
                yield Change("extensible-enum-value-removed", "narrowed", value, None, base, revision, note)


_NOTED = {"contentMediaType": _content_noted, "contentEncoding": _content_noted, "x-extensible-enum": _extensible}
_HANDLED: dict[str, Any] = {
    **{word: _bounds(word) for word in (*LOW, *HIGH)},
    "enum": _enum, "formats": _format, "patterns": _pattern, "multiples": _multiple, "uniqueItems": _unique,
    "contentSchema": Comparison._content,
}  # fmt: skip
KEYWORDS = {"formats": "format", "patterns": "pattern", "multiples": "multipleOf", "nots": "not", "conditionals": "if"}
"""Keywords by the words that flat schemas have for them."""
_KEBAB = {
    "minLength": "min-length", "maxLength": "max-length", "minItems": "min-items", "maxItems": "max-items",
    "minProperties": "min-properties", "maxProperties": "max-properties", "minimum": "min", "maximum": "max",
    "additionalProperties": "additional-properties", "unevaluatedProperties": "unevaluated-properties",
    "unevaluatedItems": "unevaluated-items", "propertyNames": "property-names", "readOnly": "read-only",
    "writeOnly": "write-only", "contentMediaType": "content-media-type", "contentEncoding": "content-encoding",
    "default": "default",
}  # fmt: skip
