"""Single-fault mutants: a payload that breaks exactly one constraint of its schema, and says which.

    for fault in Mutants(strategies).faults(schema, payload): …

A fault is made from a payload that fits: one value is replaced, taken away or added. Whether the result breaks that
constraint and nothing else at its place is checked with a validator, so a fault that can't be made (the text is too
short for its pattern already) is left out, not mislabelled.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ..openapi.pointer import join
from .cases import cases
from .closed import verdict
from .flat import FAMILY, Flat, Schema, has_type, json_key, types_of
from .matching import Matching
from .strategies import Strategies
from .texts import chars_outside

Token = str | int
_OF_TYPE: tuple[Any, ...] = (None, True, 0, "text", [], {}, 0.5)
_NO_FORMAT = ("~not this~", "", "::", "http://[")
_UNNAMED = "not-in-the-schema"


@dataclass(frozen=True, slots=True)
class Fault:
    """A payload with one fault.

    Attributes:
        pointer: JSON Pointer of the value at fault, or of the member that is missing.
        keyword: the constraint that is broken.
        value: what stands there now; None where something was taken away.
        payload: the whole.
    """

    pointer: str
    keyword: str
    value: Any
    payload: Any


class Mutants:
    """Makes faulty payloads for the schemas of one document."""

    def __init__(self, strategies: Strategies) -> None:
        self._strategies = strategies
        self._flatten = strategies.flatten
        self._judges: dict[int, tuple[Any, Any]] = {}

    def strategy(self, schema: Schema) -> SearchStrategy[Fault]:
        """Return a strategy for faulty payloads of `schema`."""

        @st.composite
        def draw_fault(draw: Any) -> Fault:
            found = self.faults(schema, draw(self._strategies.values(schema)))
            if not found:
                reject()
            chosen: Fault = found[draw(st.integers(0, len(found) - 1))]
            return chosen

        made: SearchStrategy[Fault] = draw_fault()
        return made

    def faults(self, schema: Schema, payload: Any) -> list[Fault]:
        """Return every single fault that can be made of `payload`, which fits `schema`."""
        whole = self._judge(schema)
        found = []
        for tokens, keyword, value, gone in self._at(schema, payload, ()):
            made = _changed(payload, tokens, value, gone=gone)
            if not whole(made):
                found.append(Fault(join(*tokens), keyword, None if gone else value, made))
        return found

    def _judge(self, schema: Schema) -> Any:
        known = self._judges.get(id(schema))
        if known is None:
            known = schema, verdict(schema, self._strategies.resolver)
            self._judges[id(schema)] = known
        return known[1]

    def _at(
        self, schema: Schema, value: Any, tokens: tuple[Token, ...]
    ) -> Iterator[tuple[tuple[Token, ...], str, Any, bool]]:
        """Yield (place, keyword, value, whether it is taken away) for each fault at `value` and inside it."""
        flat = self._case(schema, value)
        if flat is None:
            return
        for keyword, made in self.broken(flat, value):
            yield tokens, keyword, made, False
        if isinstance(value, dict):
            yield from self._members(flat, value, tokens)
        elif isinstance(value, list):
            first = flat.words.get("prefixItems", ())
            for number, item in enumerate(value[:3]):
                inside = first[number] if number < len(first) else flat.words.get("items", True)
                yield from self._at(inside, item, (*tokens, number))

    def _members(
        self, flat: Flat, value: dict[str, Any], tokens: tuple[Token, ...]
    ) -> Iterator[tuple[tuple[Token, ...], str, Any, bool]]:
        for name in flat.words.get("required", ()):
            if name in value:
                yield (*tokens, name), "required", None, True
        for keyword in ("additionalProperties", "unevaluatedProperties"):
            if keyword in flat.words and not flat.words.get("patternProperties"):
                yield from (((*tokens, _UNNAMED), keyword, other, False) for other in _OF_TYPE)
        for name, schema in flat.words.get("properties", {}).items():
            if name in value:
                yield from self._at(schema, value[name], (*tokens, name))

    def _case(self, schema: Schema, value: Any) -> Flat | None:
        """Return the way of fitting `schema` that `value` takes."""
        flat = self._flatten(schema)
        found = [case for case, _ in cases(flat, self._flatten)]
        if len(found) <= 1:
            return found[0] if found else None
        return next((case for case in found if verdict(as_schema(case), self._strategies.resolver)(value)), None)

    def broken(self, flat: Flat, value: Any) -> Iterator[tuple[str, Any]]:
        """Yield (keyword, value) for values that break one constraint of `flat` itself, made from one that fits."""
        for other in _OF_TYPE:
            if not has_type(other, flat.types):
                yield "type", other
        for word in flat.words:
            make = getattr(self, f"_{word}", None)
            if make is None or FAMILY.get(word, _family(value)) != _family(value):
                continue
            for made in make(flat, value):
                if self._is_single(flat, word, made):
                    yield _KEYWORDS.get(word, word), made
                    break

    def _is_single(self, flat: Flat, word: str, value: Any) -> bool:
        """Tell whether `value` breaks `word` of `flat`, and nothing else of it."""
        others = {key: each for key, each in flat.words.items() if key != word}
        if not verdict(as_schema(replace(flat, words=others)), self._strategies.resolver)(value):
            return False
        return not verdict(as_schema(flat), self._strategies.resolver)(value)

    def _enum(self, flat: Flat, value: Any) -> Iterator[Any]:
        taken = {json_key(each) for each in flat.words["enum"]}
        tries = (f"{value}-", f"{value}x", "other", "") if isinstance(value, str) else _numbers(value)
        yield from (each for each in tries if json_key(each) not in taken)

    def _minimum(self, flat: Flat, value: Any) -> Iterator[Any]:
        yield from _beyond(flat, flat.words["minimum"], -1)

    def _maximum(self, flat: Flat, value: Any) -> Iterator[Any]:
        yield from _beyond(flat, flat.words["maximum"], 1)

    def _multiples(self, flat: Flat, value: Any) -> Iterator[Any]:
        step = flat.words["multiples"][0]
        yield from (value + step / 2, value - step / 2, value + 1, value - 1)

    def _minLength(self, flat: Flat, value: Any) -> Iterator[Any]:  # noqa: N802 - named after the keyword
        fewer = flat.words["minLength"] - 1
        yield value[:fewer]
        yield from _matched(flat, fewer, fewer)

    def _maxLength(self, flat: Flat, value: Any) -> Iterator[Any]:  # noqa: N802
        more = flat.words["maxLength"] + 1
        yield value + (value[-1:] or "x") * (more - len(value))
        yield from _matched(flat, more, more + 3)

    def _patterns(self, flat: Flat, value: Any) -> Iterator[Any]:
        low = flat.words.get("minLength", 0)
        for each in chars_outside(flat.words["patterns"][0]):
            yield each
            yield each.ljust(low, each[-1:] or " ")
        yield f"{value}~"
        yield f"~{value[1:]}"

    def _formats(self, flat: Flat, value: Any) -> Iterator[Any]:
        low = flat.words.get("minLength", 0)
        if isinstance(value, str):
            yield from (each.ljust(low, "~") for each in _NO_FORMAT)

    def _minItems(self, flat: Flat, value: Any) -> Iterator[Any]:  # noqa: N802
        yield value[: flat.words["minItems"] - 1]

    def _maxItems(self, flat: Flat, value: Any) -> Iterator[Any]:  # noqa: N802
        missing = flat.words["maxItems"] + 1 - len(value)
        if value:
            yield value + [value[-1]] * missing
        items = flat.words.get("items", True)
        more = {"type": "array", "items": items, "minItems": missing, "uniqueItems": True}
        drawn = self._strategies.simplest(more)
        yield from (value + drawn,) if drawn is not None else ()

    def _uniqueItems(self, flat: Flat, value: Any) -> Iterator[Any]:  # noqa: N802
        if len(value) > 1:
            yield [value[0], *value[:-1]]
        elif value:
            yield value * 2

    def _minProperties(self, flat: Flat, value: Any) -> Iterator[Any]:  # noqa: N802
        required = flat.words.get("required", ())
        kept = [name for name in value if name in required] + [name for name in value if name not in required]
        yield {name: value[name] for name in kept[: flat.words["minProperties"] - 1]}

    def _maxProperties(self, flat: Flat, value: Any) -> Iterator[Any]:  # noqa: N802
        missing = flat.words["maxProperties"] + 1 - len(value)
        yield {**value, **{f"{_UNNAMED}-{number}": "text" for number in range(missing)}}

    def _contains(self, flat: Flat, value: Any) -> Iterator[Any]:
        for schema, fewest, most in flat.words["contains"]:
            item = self._strategies.simplest(schema)
            yield [item] * (fewest - 1)
            if most is not None:
                yield [item] * (most + 1)
            yield ["~"] * len(value)


_KEYWORDS = {"patterns": "pattern", "formats": "format", "multiples": "multipleOf"}


def _family(value: Any) -> str:
    kind = types_of(value)
    return "number" if kind == "integer" else kind


def _numbers(value: Any) -> tuple[Any, ...]:
    return (
        (value + 1, value - 1, value + 1000, -1)
        if isinstance(value, int | float) and not isinstance(value, bool)
        else ()
    )


def _beyond(flat: Flat, bound: tuple[float, bool], way: int) -> Iterator[Any]:
    limit, exclusive = bound
    if exclusive:
        yield limit
    for step in (*flat.words.get("multiples", ()), 1, 0.5):
        yield limit + way * step
    yield limit + way * max(1.0, abs(limit))


def _matched(flat: Flat, low: int, high: int) -> Iterator[str]:
    import re  # noqa: PLC0415

    for pattern in flat.words.get("patterns", ())[:1]:
        try:
            made = Matching(pattern, low, high).text(0)
        except re.error:
            return
        if made is not None:
            yield made


def _changed(payload: Any, tokens: tuple[Token, ...], value: Any, *, gone: bool) -> Any:
    """Return a copy of `payload` with `value` at `tokens`, or without what stood there."""
    if not tokens:
        return copy.deepcopy(value)
    made = copy.copy(payload)
    first = tokens[0]
    if len(tokens) == 1 and gone:
        del made[first]
    else:
        below = made.get(first) if isinstance(made, dict) else made[first]
        made[first] = _changed(below, tokens[1:], value, gone=gone)
    return made


def as_schema(flat: Flat) -> dict[str, Any]:
    """Return a schema that asks what `flat` does."""
    made: dict[str, Any] = {"type": sorted(flat.types)}
    every: list[Any] = []
    for word, value in flat.words.items():
        match word:
            case "minimum" | "maximum":
                made[word if not value[1] else f"exclusive{word.title()}"] = value[0]
            case "patterns" | "formats" | "multiples":
                every += [{_KEYWORDS[word]: each} for each in value]
            case "nots":
                every += [{"not": each} for each in value]
            case "unions":
                every += [{kind: list(branches)} for kind, branches in value]
            case "conditionals":
                every += [{"if": test, "then": then, "else": other} for test, then, other in value]
            case "contains":
                every += [_contains_schema(*each) for each in value]
            case "enum" | "required" | "prefixItems":
                made[word] = list(value)
            case _:
                made[word] = value
    return {**made, "allOf": every} if every else made


def _contains_schema(schema: Schema, fewest: int, most: int | None) -> dict[str, Any]:
    made = {"contains": schema, "minContains": fewest}
    return made if most is None else {**made, "maxContains": most}


__all__ = ["Fault", "Mutants", "as_schema"]
