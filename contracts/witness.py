"""Searching for payloads that prove a finding: allowed by one document, refused by the other.

The search knows where to look. It breaks the constraint that changed, at the place where it changed, inside a payload
that fits otherwise; only where that fails are whole payloads drawn. It is bounded and seeded: the same documents give
the same payloads. Two validators have to agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from ..openapi.errors import cut
from .changes import Change, Step
from .closed import second_judge, verdict
from .document import Side
from .findings import Claim, Finding, Witness
from .flat import Schema, SchemaError
from .mutants import Mutants
from .samples import samples
from .strategies import Strategies

DRAWS = 40
"""How many values are drawn at one place before the search gives up."""
MOST = 100
"""How many findings are proven: who meets more of them has one cause to look for, not a hundred."""
_WHOLE = 60
_FRAMES = 4
_WAYS = 6
_SILENT = ("default-", "content-", "extensible-enum-", "discriminator-")
"""Changes that no payload can show: they say what a value means, not which one fits."""

Judge = Callable[[Any], bool]


def with_witnesses(findings: Sequence[Finding], base: Side, revision: Side) -> list[Finding]:
    """Return `findings`, each claim about a schema that is more than information with its witness."""
    prover = Prover(base, revision)
    left = MOST
    shown = []
    for each in findings:
        if each.claim is None or each.severity == "info":
            shown.append(each)
            continue
        left -= 1
        why = f"not searched: {MOST} findings before this one were"
        shown.append(each.shown_by(prover.witness(each.claim) if left >= 0 else Witness(None, "", why)))
    return shown


class Prover:
    """Searches for witnesses between two sides; what was compiled for one claim serves the next."""

    def __init__(self, base: Side, revision: Side) -> None:
        self._sides = {
            "base": (Strategies(None, resolver=base.resolve), base),
            "revision": (Strategies(None, resolver=revision.resolve), revision),
        }
        self._judges: dict[tuple[str, int], tuple[Schema, Judge, Any]] = {}
        self._values: dict[tuple[str, int, int, bool], tuple[Schema, list[Any]]] = {}
        self._everything: dict[str, Strategies] = {}

    def witness(self, claim: Claim) -> Witness:
        """Return a payload for `claim`, or why there is none."""
        fits, other = ("base", "revision") if claim.direction == "sent" else ("revision", "base")
        change = claim.change
        if change.what.startswith(_SILENT):
            return Witness(None, fits, "it changes what a value means, not which values fit")
        if change.idle:
            return Witness(None, fits, "the keyword asks nothing of values of the type that stands beside it")
        if change.what == "property-removed" or not _shows(change, claim.direction):
            return Witness(None, fits, "what changed is what is said of a value, not which values fit")
        schemas = {"base": claim.base, "revision": claim.revision}
        try:
            return self._searched(change, fits, other, schemas)
        except (SchemaError, RecursionError, ValueError) as error:  # a pattern, say, that a validator can't read
            return Witness(None, fits, f"the search met a schema that it can't read: {cut(str(error))}")

    def _searched(self, change: Change, fits: str, other: str, schemas: dict[str, Schema]) -> Witness:
        accepts, refuses = self._judge(fits, _schema(schemas[fits])), self._judge(other, _schema(schemas[other]))
        disagreed, tried, second = False, 0, None
        for value in self._candidates(change, fits, other, schemas):
            tried += 1
            if not accepts[1](value) or refuses[1](value):
                continue
            errors = list(refuses[2].iter_errors(value))
            if not accepts[2].is_valid(value) or not errors:
                disagreed = True
                continue
            telling = [_tells(error, change) for error in errors]
            if all(telling):
                return Witness(value, fits)
            if any(telling) and second is None:  # it is refused for another reason as well
                second = Witness(value, fits)
        if second is not None:
            return second
        if disagreed:
            return Witness(None, fits, "the two validators do not agree on what was found")
        if tried == 0:
            return Witness(None, fits, "no payload that fits could be made")
        return Witness(
            None, fits, f"none of {tried} payloads tried is allowed by one document and refused by the other for this"
        )

    def _judge(self, side: str, schema: Schema) -> tuple[Schema, Judge, Any]:
        known = self._judges.get((side, id(schema)))
        if known is None:
            resolver = self._sides[side][1].resolve
            known = schema, verdict(schema, resolver), second_judge(schema, resolver)
            self._judges[side, id(schema)] = known
        return known

    def _candidates(self, change: Change, fits: str, other: str, schemas: dict[str, Schema]) -> Iterator[Any]:
        """Yield payloads to try, the most telling first."""
        schema = _schema(schemas[fits])
        place = self._walked(change.path, fits, schema), self._walked(change.path, other, _schema(schemas[other]))
        if change.path:
            yield from self._without(change, fits, schema)
        if place[0] is not None and place[1] is not None:
            for value in self._leaves(change, fits, other, *place):
                yield from self._embedded(fits, schema, change.path, value)
        yield from self._drawn(fits, schema, _WHOLE)

    def _walked(self, path: tuple[Step, ...], side: str, schema: Schema) -> Schema | None:
        """Return the schema at `path`, None where it can't be reached without choosing a branch."""
        flatten = self._sides[side][0].flatten
        for kind, name in path:
            words = flatten(schema).words
            if kind == "property":
                found = words.get("properties", {}).get(name, words.get("additionalProperties"))
            elif kind == "item" and name.isdecimal():
                first = words.get("prefixItems", ())
                found = first[int(name)] if int(name) < len(first) else words.get("items")
            else:
                found = words.get({"item": "items", "member": "additionalProperties"}.get(kind, ""))
            if found is None:
                return None
            schema = found
        return schema

    def _leaves(self, change: Change, fits: str, other: str, one: Schema, two: Schema) -> Iterator[Any]:
        """Yield values for the place that changed: such as break what the other document asks there."""
        for value in (change.before, change.after):
            if change.what.startswith("enum-value-"):
                yield value
        strategies = self._sides[other][0]
        judge = self._judge(fits, one)[1]
        mutants = Mutants(strategies)
        ways = self._full(other).ways(two)[:_WAYS]
        for sample in (*self._drawn(other, two, 1), *(each for way in ways for each in samples(way, 1))):
            for fault in mutants.faults(two, sample):
                if judge(fault.payload):
                    yield fault.payload
        refuses = self._judge(other, two)[1]
        yield from (value for value in self._drawn(fits, one, DRAWS) if not refuses(value))

    def _without(self, change: Change, fits: str, schema: Schema) -> Iterator[Any]:
        """Yield payloads that lack the member that changed."""
        *around, (kind, name) = change.path
        if kind == "property":
            for frame in self._framed(fits, schema):
                for holder in _holders(frame, tuple(around)):
                    if isinstance(holder, dict):
                        holder.pop(name, None)
                yield frame

    def _embedded(self, fits: str, schema: Schema, path: tuple[Step, ...], value: Any) -> Iterator[Any]:
        """Yield payloads of the whole schema with `value` at `path`."""
        if not path:
            yield value
            return
        *around, last = path
        for frame in self._framed(fits, schema):
            placed = False
            for holder in _holders(frame, tuple(around)):
                placed = _placed(holder, last, value) or placed
            if placed:
                yield frame

    def _framed(self, side: str, schema: Schema) -> Iterator[Any]:
        """Yield fresh payloads that fit, with as many members as they may have."""
        import copy  # noqa: PLC0415

        yield from (copy.deepcopy(each) for each in self._drawn(side, schema, _FRAMES, whole=True))

    def _full(self, side: str) -> Strategies:
        """Return strategies that leave out nothing that may be there."""
        if side not in self._everything:
            self._everything[side] = Strategies(None, resolver=self._sides[side][1].resolve, everything=True)
        return self._everything[side]

    def _drawn(self, side: str, schema: Schema, count: int, *, whole: bool = False) -> list[Any]:
        """Return values that fit, drawn once for all claims; `whole` ones leave out nothing that may be there."""
        key = side, id(schema), count, whole
        if key not in self._values:
            strategies = self._full(side) if whole else self._sides[side][0]
            values: list[Any] = []
            with suppress(SchemaError):
                values = samples(strategies.values(schema), count)
            self._values[key] = schema, values  # the schema is kept, so that its id stays its own
        return self._values[key][1]


def _tells(error: Any, change: Change) -> bool:
    """Tell whether `error`, or one of the branches that led to it, is about the place and the keyword that changed."""
    return _is_about(error, change) or any(_tells(each, change) for each in error.context or ())


def _is_about(error: Any, change: Change) -> bool:
    path = list(error.absolute_path)
    steps = list(change.path)
    if change.what.endswith(("became-required", "became-optional")) or "property-" in change.what:
        *steps, last = steps
        missing = error.validator == "required" and last[1] not in error.instance
        if _at(path, steps) and (missing or error.validator in _CLOSING):
            return True
        return _under(path, [*steps, last]) and not missing
    if not _under(path, steps):
        return False
    if not change.keyword or len(path) > len(steps) or change.what.startswith(_COMPOSED):
        return True
    return change.keyword in [*map(str, error.absolute_schema_path), *_COMPANIONS.get(str(error.validator), ())]


_COMPOSED = ("wrapped-", "unwrapped-", "one-of-", "any-of-", "all-of-", "condition-", "not-")
"""Changes of what is asked as a whole, where the side that refuses may say it in any keyword."""
_CLOSING = {"additionalProperties", "unevaluatedProperties", "minProperties", "maxProperties"}
_COMPANIONS = {
    "const": ("enum",), "enum": ("const",), "type": ("nullable",), "then": ("if",), "else": ("if",),
    "contains": ("minContains", "maxContains"), "oneOf": ("anyOf", ""), "anyOf": ("oneOf", ""),
    "exclusiveMinimum": ("minimum",), "exclusiveMaximum": ("maximum",),
    "minimum": ("exclusiveMinimum",), "maximum": ("exclusiveMaximum",),
}  # fmt: skip
"""Keywords that a change may be filed under where another reports the error."""


def _at(path: list[str | int], steps: list[Step]) -> bool:
    return len(path) == len(steps) and _under(path, steps)


def _under(path: list[str | int], steps: list[Step]) -> bool:
    """Tell whether the value at `path` is the one at `steps`, or inside it."""
    if len(path) < len(steps):
        return False
    for token, (kind, name) in zip(path, steps, strict=False):
        if (kind == "property" and token != name) or (kind == "item" and name.isdecimal() and token != int(name)):
            return False
    return True


def _shows(change: Change, direction: str) -> bool:
    """Tell whether `change` has a side that a payload of `direction` could show."""
    return change.effect in {"changed", "narrowed" if direction == "sent" else "widened"}


def _schema(node: Any) -> Schema:
    """Return the schema that a claim is about; where none is written down, everything fits."""
    if isinstance(node, dict) and ("schema" in node or "content" in node or "in" in node) and "type" not in node:
        return True
    return node


def _holders(value: Any, path: tuple[Step, ...]) -> list[Any]:
    """Return the values that stand at `path` inside `value`."""
    found = [value]
    for kind, name in path:
        inside: list[Any] = []
        for each in found:
            if kind == "property" and isinstance(each, dict) and name in each:
                inside.append(each[name])
            elif kind == "item" and isinstance(each, list):
                inside += each[int(name) : int(name) + 1] if name.isdecimal() else each[:1]
            elif kind == "member" and isinstance(each, dict):
                inside += list(each.values())[:1]
        found = inside
    return found


def _placed(holder: Any, step: Step, value: Any) -> bool:
    kind, name = step
    if kind == "property" and isinstance(holder, dict):
        holder[name] = value
    elif kind == "item" and isinstance(holder, list):
        at = int(name) if name.isdecimal() else 0
        if at > len(holder):
            return False
        holder[at : at + 1] = [value]
    elif kind == "member" and isinstance(holder, dict):
        holder["x"] = value
    else:
        return False
    return True
