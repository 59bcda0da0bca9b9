"""Comparing what is a list of schemas: `anyOf` and `oneOf`, `not`, `contains`, `if`, and the branches of `allOf`.

Branches are matched by what they say: first those that are the same, then those that are most alike. What is left
over was added or removed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .changes import Change, Effect, effect_of, reverse, together
from .flat import Flat, Flattener, Schema, common_types, json_key

if TYPE_CHECKING:
    from .compare import Changes, Comparison, Text

Union = tuple[str, tuple[Schema, ...]]


class Choices:
    """The part of a comparison that matches schemas of one list with those of another."""

    def __init__(self, comparison: Comparison) -> None:
        self._compare = comparison

    def unions(self, one: Flat, other: Flat, *, text: Text) -> Changes:
        """Return what changed in the choices of `one` and `other`."""
        before, after = list(one.words.get("unions", ())), list(other.words.get("unions", ()))
        for union in tuple(before):
            equal = next((each for each in after if self._same_union(union, each)), None)
            if equal is not None:
                before.remove(union)
                after.remove(equal)
        found: list[Change] = []
        while before and after:
            found += self._union(one, other, before.pop(0), after.pop(0), text=text)
        for union in before:
            changes = [
                each.with_effect(reverse(each.effect))
                for each in self._wrapped(other, one, union, back=True, text=text)
            ]
            found += [replace(each, what=_unwrapped(each)) for each in changes]
        for union in after:
            found += self._wrapped(one, other, union, back=False, text=text)
        return tuple(found)

    def _same_union(self, one: Union, other: Union) -> bool:
        if len(one[1]) != len(other[1]):
            return False
        _, lost, gained = self.matched(one[1], other[1])
        return not lost and not gained and (one[0] == other[0])

    def matched(
        self, before: Sequence[Schema], after: Sequence[Schema]
    ) -> tuple[list[tuple[Schema, Schema]], list[Schema], list[Schema]]:
        """Return the pairs that say the same, and what is left of both sides."""
        pairs, lost, left = [], [], list(after)
        for schema in before:
            found = next((n for n, each in enumerate(left) if self._compare.same(schema, each)), None)
            if found is None:
                lost.append(schema)
            else:
                pairs.append((schema, left.pop(found)))
        return pairs, lost, left

    def _union(self, one: Flat, other: Flat, before: Union, after: Union, *, text: Text) -> list[Change]:
        pairs, lost, gained = self.matched(before[1], after[1])
        found: list[Change] = []
        for schema, revised in pairs:  # the same but for what is said beside
            found += self._compare.local(schema, revised, text=text, inside=True)
        for schema, revised in self._alike(lost, gained):
            found += self._compare.local(schema, revised, text=text, inside=True)
        found += [self._branch("removed", "widened", before, one, other, each) for each in lost]
        found += [self._branch("added", "widened", after, one, other, each) for each in gained]
        if before[0] != after[0]:
            stricter = after[0] == "oneOf"
            what = "any-of-became-one-of" if stricter else "one-of-became-any-of"
            apart = self._are_apart(before[1] if stricter else after[1], base=stricter)
            effect: Effect = "noted" if apart else effect_of(narrowed=stricter)
            sources = one.source("unions"), other.source("unions")
            found.append(Change(what, effect, before[0], after[0], *sources, after[0]))
        return found

    def _branch(self, what: str, effect: Effect, union: Union, one: Flat, other: Flat, schema: Schema) -> Change:
        name = "one-of" if union[0] == "oneOf" else "any-of"
        added = what == "added"
        base, revision = (one.source("unions"), schema) if added else (schema, other.source("unions"))
        before, after = (None, schema) if added else (schema, None)
        return Change(f"{name}-{what}", effect if added else reverse(effect), before, after, base, revision)

    def _alike(self, lost: list[Schema], gained: list[Schema]) -> list[tuple[Schema, Schema]]:
        """Take from both lists, and return, the pairs that are likely the same branch, changed."""
        pairs = []
        for schema in tuple(lost):
            ranked = sorted(gained, key=lambda each: -self._likeness(schema, each))
            if ranked and self._likeness(schema, ranked[0]) >= 1:
                pairs.append((schema, ranked[0]))
                lost.remove(schema)
                gained[:] = [each for each in gained if each is not ranked[0]]
        return pairs

    def _likeness(self, one: Schema, other: Schema) -> float:
        if not isinstance(one, dict) or not isinstance(other, dict):
            return 0
        first, second = self._compare.base(one), self._compare.revision(other)
        if not common_types(first.types, second.types):
            return 0
        score = 0.0
        for key in ("$ref", "title"):
            score += key in one and one.get(key) == other.get(key)
        mine, theirs = set(first.words.get("properties", {})), set(second.words.get("properties", {}))
        if mine or theirs:
            score += 1.5 * len(mine & theirs) / len(mine | theirs) if mine & theirs else -1
            consts = [
                _constants(flat, flatten)
                for flat, flatten in ((first, self._compare.base), (second, self._compare.revision))
            ]
            score -= 2 * any(consts[0][name] != consts[1][name] for name in consts[0].keys() & consts[1].keys())
        elif first.types == second.types and len(first.types) == 1:
            score += 1
        return score

    def _are_apart(self, branches: tuple[Schema, ...], *, base: bool) -> bool:
        from .cases import disjoint  # noqa: PLC0415

        flatten = self._compare.base if base else self._compare.revision
        flats = [flatten(branch) for branch in branches]
        return all(disjoint(a, b, flatten) for n, a in enumerate(flats) for b in flats[n + 1 :])

    def _wrapped(self, one: Flat, other: Flat, union: Union, *, back: bool, text: Text) -> list[Change]:
        """Return what it means that `one` became a choice; `back` says that it was `other` that became `one`."""
        kind, branches = union
        flatten = self._compare.base if back else self._compare.revision
        rest = _without_unions(other)
        plain = _without_unions(one)
        found: list[Effect] = []
        for branch in branches:
            merged = flatten.merged(rest, branch)
            pair = (merged, plain) if back else (plain, merged)
            each = together(self._compare.effects(self._compare.flats(*pair, text=text)))
            found.append(reverse(each) if back else each)
        accepting = [effect for effect in found if effect in {"widened", "noted"}]
        if kind == "oneOf" and accepting and self._overlap(branches, found, flatten):
            effect: Effect = "changed"
        elif accepting:
            # A single branch that asks the same, beside branches that ask more, changes nothing.
            effect = "noted" if set(found) <= {"noted", "narrowed"} else "widened"
        else:
            effect = "narrowed" if set(found) == {"narrowed"} else "changed"
        name = "one-of" if kind == "oneOf" else "any-of"
        base, revision = (other.source("unions"), one.head) if back else (one.head, other.source("unions"))
        before, after = (list(branches), None) if back else (None, list(branches))
        return [Change(f"wrapped-in-{name}", effect, before, after, base, revision, "" if back else kind)]

    def _overlap(self, branches: tuple[Schema, ...], found: list[Effect], flatten: Flattener) -> bool:
        """Tell whether what one branch takes, another may take as well, so that a `oneOf` refuses it."""
        from .cases import disjoint  # noqa: PLC0415 - seldom needed

        taking = next(n for n, effect in enumerate(found) if effect in {"widened", "noted"})
        return any(n != taking and not disjoint(flatten(branches[taking]), flatten(each), flatten)
                   for n, each in enumerate(branches))  # fmt: skip

    def listed(self, one: Flat, other: Flat, *, text: Text) -> Changes:
        """Return what changed in `not`, `contains` and `if`."""
        found: list[Change] = []
        for word, name in (("nots", "not"), ("contains", "contains"), ("conditionals", "condition")):
            if word == "contains" and not ({"array"} & one.types & other.types):
                continue
            before, after = one.words.get(word, ()), other.words.get(word, ())
            if before or after:
                found += self._list(word, name, one, other, text=text)
        return tuple(found)

    def _list(self, word: str, name: str, one: Flat, other: Flat, *, text: Text) -> list[Change]:
        compare: Callable[..., list[Change]] = {
            "nots": self._not, "contains": self._contained, "conditionals": self._condition,
        }[word]  # fmt: skip
        lost, gained = list(one.words.get(word, ())), list(other.words.get(word, ()))
        for each in tuple(lost):
            equal = next(
                (new for new in gained if not self._compare.effects(tuple(compare(each, new, one, other)))), None
            )
            if equal is not None:
                lost.remove(each)
                gained.remove(equal)
        found: list[Change] = []
        while lost and gained:
            found += compare(lost.pop(0), gained.pop(0), one, other)
        keyword = {"nots": "not", "conditionals": "if"}.get(word, word)
        sources = one.source(word), other.source(word), keyword
        found += [Change(f"{name}-removed", "widened", _plain(each), None, *sources) for each in lost]
        found += [Change(f"{name}-added", "narrowed", None, _plain(each), *sources) for each in gained]
        return found

    def _not(self, before: Schema, after: Schema, one: Flat, other: Flat) -> list[Change]:
        effect = reverse(together(self._compare.effects(self._compare.schemas(before, after))))
        if effect == "noted":
            return []
        return [Change("not-changed", effect, before, after, one.source("nots"), other.source("nots"), "not")]

    def _contained(self, before: Any, after: Any, one: Flat, other: Flat) -> list[Change]:
        found = [each.under(("item", "")) for each in self._compare.local(before[0], after[0], inside=True)]
        sources = one.source("contains"), other.source("contains")
        if before[1] != after[1]:
            raised = after[1] > before[1]
            what = "min-contains-raised" if raised else "min-contains-lowered"
            found.append(Change(what, effect_of(narrowed=raised), before[1], after[1], *sources, "minContains"))
        if before[2] != after[2]:
            lower = before[2] is None or (after[2] is not None and after[2] < before[2])
            what = "max-contains-lowered" if lower else "max-contains-raised"
            found.append(Change(what, effect_of(narrowed=lower), before[2], after[2], *sources, "maxContains"))
        return found

    def _condition(self, before: Any, after: Any, one: Flat, other: Flat) -> list[Change]:
        sources = one.source("conditionals"), other.source("conditionals"), "if"
        if not self._compare.same(before[0], after[0]):
            return [Change("condition-changed", "changed", before[0], after[0], *sources)]
        found = []
        for number in (1, 2):
            effect = together(self._compare.effects(self._compare.schemas(before[number], after[number])))
            if effect != "noted":
                found.append(Change("condition-changed", effect, before[number], after[number], *sources))
        return found

    def branches(self, one: Flat, other: Flat, told: Changes) -> Changes:
        """Return the `allOf` branches that came or went, where what they ask is not told already.

        A branch whose members were all asked before is told too: the value has become one more thing that may
        change on its own.
        """
        if not one.branches or not other.branches or len(one.branches) == len(other.branches):
            return ()
        _, lost, gained = self.matched(one.branches, other.branches)
        self._alike(lost, gained)
        found = []
        for schema, added in (*((each, False) for each in lost), *((each, True) for each in gained)):
            effect = effect_of(narrowed=added)
            flat = (self._compare.revision if added else self._compare.base)(schema)
            asks = bool(flat.words) or "type" in flat.origin
            if not asks or together(self._compare.effects(told)) not in {"noted", effect} or _is_told(told, effect):
                continue
            if added:
                found.append(Change("all-of-added", effect, None, schema, one.head, schema))
            else:
                found.append(Change("all-of-removed", effect, schema, None, schema, other.head))
        return tuple(found)


def _is_told(told: Changes, effect: str) -> bool:
    """Tell whether a change says already what a branch would: more than that a member was named."""
    return any(each.effect == effect and not each.what.startswith("property-") for each in told)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _unwrapped(change: Change) -> str:
    return change.what.replace("wrapped-in-", "unwrapped-from-")


def _without_unions(flat: Flat) -> Flat:
    return replace(flat, words={word: value for word, value in flat.words.items() if word != "unions"}, branches=())


def _constants(flat: Flat, flatten: Any) -> dict[str, Any]:
    """Return the members that may have one value only, as the field that tells branches apart."""
    found = {}
    for name, schema in flat.words.get("properties", {}).items():
        values = flatten(schema).words.get("enum", ())
        if len(values) == 1:
            found[name] = json_key(values[0])
    return found
