"""Hypothesis strategies built directly from schemas: what they draw fits by construction.

    values = Strategies(contract.document("")).values(schema)

References are followed, `allOf` merged and choices worked out when a strategy is built; drawing then takes a few
choices per value. Only what can't be worked out (two patterns, an awkward `not`) is drawn and then judged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Literal

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from .cases import cases, relevant
from .closed import verdict
from .flat import ANY, Flat, Flattener, Resolver, Schema, SchemaError, common_types, has_type, in_document, json_key
from .texts import texts

Direction = Literal["sent", "received"]
Values = SearchStrategy[Any]

_DEEPEST = 2
"""How often a recursive schema is entered inside itself before only its shortest values are drawn."""
_MORE_ITEMS = 3
_INTEGERS = {"int32": 2**31, "int64": 2**63}
_FREE = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text("abc", max_size=3))
"""Values where a schema asks nothing."""


class Strategies:
    """Builds strategies for the schemas of one document, each once.

    Args:
        root: the document, or the schema, that references such as ``#/components/schemas/Task`` look into.
        direction: leave out what only the other side sends (`readOnly` and `writeOnly`) where it may be left out.
        resolver: what follows references, where it is not `root` that they look into.
        everything: leave out nothing that may be there.
    """

    def __init__(
        self, root: Any, *, direction: Direction | None = None, resolver: Resolver | None = None,
        everything: bool = False,
    ) -> None:  # fmt: skip
        self._everything = everything
        self.resolver = resolver or in_document(root)
        self.flatten = Flattener(self.resolver)
        self._hidden = {"sent": "readOnly", "received": "writeOnly"}.get(direction or "")
        self._built: dict[tuple[int, int], tuple[Schema, Values | None]] = {}
        self._open: set[tuple[int, int]] = set()

    def values(self, schema: Schema) -> Values:
        """Return a strategy for the values that fit `schema`.

        Raises:
            SchemaError: a reference leads nowhere, or no value (or only an endless one) can fit.
        """
        built = self._build(schema, 0)
        if built is None:
            raise SchemaError("no value can fit the schema")
        return built

    def ways(self, schema: Schema) -> list[Values]:
        """Return strategies for the ways to fit `schema`, one for each way through its choices."""
        return self._made(schema, self.flatten(schema), 0)

    def simplest(self, schema: Schema) -> Any:
        """Return the simplest value that fits `schema`, None where none does."""
        from .samples import samples  # noqa: PLC0415 - only who is outside of a test draws like this

        built = self._build(schema, 0)
        drawn = [] if built is None else samples(built, 1)
        return drawn[0] if drawn else None

    def _build(self, schema: Schema, level: int) -> Values | None:
        key = (id(self.flatten.target(schema)), level)
        if key in self._open:
            return None if level >= _DEEPEST else self._build(schema, level + 1)
        known = self._built.get(key)
        if known is None:
            self._open.add(key)
            try:
                known = schema, self._of_flat(schema, self.flatten(schema), level)
            finally:
                self._open.discard(key)
            self._built[key] = known
        return known[1]

    def _of_flat(self, schema: Schema, flat: Flat, level: int) -> Values | None:
        made = self._made(schema, flat, level)
        return None if not made else made[0] if len(made) == 1 else st.one_of(made)

    def _made(self, schema: Schema, flat: Flat, level: int) -> list[Values]:
        judge: Callable[[Any], bool] | None = None
        made: list[Values] = []
        for case, sure in cases(flat, self.flatten):
            drawn, fits = self._of_case(case, level)
            if drawn is None:
                continue
            if not (sure and fits):
                judge = judge or verdict(schema, self.resolver)
                drawn = drawn.filter(judge)
            made.append(drawn)
        return made

    def _of_case(self, flat: Flat, level: int) -> tuple[Values | None, bool]:
        if "enum" in flat.words:
            values = [value for value in flat.words["enum"] if has_type(value, flat.types)]
            others = set(flat.words) - {"enum"}
            return (st.sampled_from(values) if values else None), not others
        if not flat.words and flat.types == ANY:
            return _FREE, True
        made: list[Values] = []
        sure = True
        for kind in sorted(flat.types):
            drawn, fits = self._of_type(kind, relevant(flat, kind), level)
            if drawn is not None:
                made.append(drawn)
                sure = sure and fits
        return (None if not made else made[0] if len(made) == 1 else st.one_of(made)), sure

    def _of_type(self, kind: str, words: Mapping[str, Any], level: int) -> tuple[Values | None, bool]:
        match kind:
            case "null":
                return st.none(), True
            case "boolean":
                return st.booleans(), True
            case "integer" | "number":
                return numbers(words, whole=kind == "integer")
            case "string":
                low, high = words.get("minLength", 0), words.get("maxLength")
                if high is not None and low > high:
                    return None, True
                return texts(low, high, words.get("patterns", ()), words.get("formats", ()))
            case "array":
                return self._arrays(words, level)
            case "object":
                return self._objects(words, level)
        raise SchemaError(f"{kind!r} is not a type")

    def _arrays(self, words: Mapping[str, Any], level: int) -> tuple[Values | None, bool]:
        low, high = words.get("minItems", 0), words.get("maxItems", math.inf)
        first = [self._build(schema, level) for schema in words.get("prefixItems", ())]
        item = self._build(words.get("items", True), level)
        items = words.get("items", True)
        wanted = [(self._wanted(schema, items, level), fewest) for schema, fewest, _ in words.get("contains", ())]
        low = max(low, sum(fewest for _, fewest in wanted))
        usable = next((n for n, each in enumerate(first) if each is None), len(first))
        if (item is None and low > usable) or low > high or any(each is None and fewest for each, fewest in wanted):
            return None, True
        most = min(high, max(low, usable) + _MORE_ITEMS if item is not None else usable)
        if self._everything and item is not None:
            low = max(low, int(min(most, 1)))
        unique = bool(words.get("uniqueItems"))
        if not first and not wanted:
            found = st.just([]) if item is None or most == 0 else _lists(item, low, int(most), unique=unique)
            return found, "unevaluatedItems" not in words
        return _mixed([each for each in first[:usable] if each is not None], item, wanted, low, int(most)), not (
            unique or wanted or "unevaluatedItems" in words
        )

    def _wanted(self, schema: Schema, items: Schema, level: int) -> Values | None:
        return self._build(schema if items is True else {"allOf": [schema, items]}, level)

    def _objects(self, words: Mapping[str, Any], level: int) -> tuple[Values | None, bool]:
        properties = words.get("properties", {})
        required = words.get("required", ())
        others = words.get("additionalProperties", words.get("unevaluatedProperties", True))
        always: dict[str, Values] = {}
        for name in required:
            drawn = self._build(self._member(name, words, others), level)
            if drawn is None:
                return None, True
            always[name] = drawn
        sometimes: dict[str, Values] = {}
        for name, schema in properties.items():
            if name not in always and not self.flatten(schema).notes.get(self._hidden or ""):
                drawn = self._build(self._member(name, words, others), level)
                if drawn is not None:
                    sometimes[name] = drawn
        extra = self._extra(words, level)
        low, high = words.get("minProperties", 0), words.get("maxProperties")
        room = len(always) + len(sometimes)
        if (low > room and extra is None) or (high is not None and high < len(always)):
            return None, True
        sure = not ({"unevaluatedProperties", "propertyNames"} & set(words)) and low <= len(always)
        return _dicts(always, sometimes, extra, (low, high), everything=self._everything), sure

    def _member(self, name: str, words: Mapping[str, Any], others: Schema) -> Schema:
        """Return what is asked of the member `name`, named or not."""
        import re  # noqa: PLC0415 - seldom needed

        schema = words.get("properties", {}).get(name)
        patterns = [each for key, each in words.get("patternProperties", {}).items() if re.search(key, name)]
        if schema is None and not patterns:
            return others
        parts = [*([] if schema is None else [schema]), *patterns]
        return parts[0] if len(parts) == 1 else {"allOf": parts}

    def _extra(self, words: Mapping[str, Any], level: int) -> tuple[Values, Values] | None:
        """Return strategies for the name and value of a member that the schema does not name."""
        others = words.get("additionalProperties", words.get("unevaluatedProperties"))
        if others is None and words.get("minProperties", 0) <= len(words.get("properties", {})):
            return None  # what no document speaks of, no request should hold
        value = self._build(True if others is None else others, level)
        if value is None:
            return None
        names: Values = st.sampled_from([f"x{letter}" for letter in "abcdefgh"])
        if "propertyNames" in words:
            asked = self._build({"allOf": [{"type": "string"}, words["propertyNames"]]}, level)
            if asked is None:
                return None
            names = asked
        taken = set(words.get("properties", {}))
        return names.filter(lambda name: name not in taken), value


def numbers(words: Mapping[str, Any], *, whole: bool) -> tuple[Values | None, bool]:
    """Return a strategy for numbers within the bounds of `words`, and whether it is sure to fit."""
    low, above = words.get("minimum", (None, False))
    high, below = words.get("maximum", (None, False))
    if low is not None and high is not None and (low > high or (low == high and (above or below))):
        return None, True
    if steps := words.get("multiples"):
        return _multiples(steps, (low, above), (high, below), whole=whole)
    limit = min((_INTEGERS[each] for each in words.get("formats", ()) if each in _INTEGERS), default=None)
    first = None if low is None else math.floor(low) + 1 if above else math.ceil(low)
    last = None if high is None else math.ceil(high) - 1 if below else math.floor(high)
    if limit is not None:
        first, last = (
            max(first if first is not None else -limit, -limit),
            min(last if last is not None else limit, limit - 1),
        )
    integers = None if first is not None and last is not None and first > last else st.integers(first, last)
    if whole:
        return integers, True
    if low is None and high is None:
        low, high = -1e9, 1e9
    floats = st.floats(
        None if low is None else float(low), None if high is None else float(high), exclude_min=above,
        exclude_max=below, allow_nan=False, allow_infinity=False, width=64,
    )  # fmt: skip
    return floats if integers is None else st.one_of(integers, floats), True


def _multiples(
    steps: tuple[float, ...], low: tuple[float | None, bool], high: tuple[float | None, bool], *, whole: bool
) -> tuple[Values | None, bool]:
    fractions = [Fraction(str(step)) for step in (*steps, *([1] if whole else []))]
    step = fractions[0]
    for other in fractions[1:]:
        step = Fraction(math.lcm(step.numerator, other.numerator), math.gcd(step.denominator, other.denominator))
    first = None if low[0] is None else math.ceil(Fraction(str(low[0])) / step)
    last = None if high[0] is None else math.floor(Fraction(str(high[0])) / step)
    if first is not None and low[1] and first * step == Fraction(str(low[0])):
        first += 1
    if last is not None and high[1] and last * step == Fraction(str(high[0])):
        last -= 1
    if first is not None and last is not None and first > last:
        return None, True
    exact = step.denominator == 1
    counts = st.integers(first if first is not None else -1000, last if last is not None else (first or 0) + 2000)
    return counts.map(
        lambda count: int(count * step) if (count * step).denominator == 1 else float(count * step)
    ), exact


def _lists(item: Values, low: int, high: int, *, unique: bool) -> Values:
    if unique:
        return st.lists(item, min_size=low, max_size=high, unique_by=json_key)
    return st.lists(item, min_size=low, max_size=high)


@st.composite
def _mixed(
    draw: Any, first: list[Values], item: Values | None, wanted: list[tuple[Values | None, int]], low: int, high: int
) -> list[Any]:
    """Draw an array whose first items have schemas of their own, or that has to hold certain items."""
    size = draw(st.integers(low, high))
    made = [draw(each) for each in first[:size]]
    for each, fewest in wanted:
        made += [draw(each) for _ in range(fewest) if each is not None]
    if item is not None:
        made += [draw(item) for _ in range(size - len(made))]
    return made


@st.composite
def _dicts(
    draw: Any, always: dict[str, Values], sometimes: dict[str, Values], extra: tuple[Values, Values] | None,
    size: tuple[int, int | None], *, everything: bool,
) -> dict[str, Any]:  # fmt: skip
    """Draw an object: all that is required, some of what is not, now and then a member that nobody named."""
    low, high = size
    made = {name: draw(each) for name, each in always.items()}
    if sometimes:
        every = (1 << len(sometimes)) - 1
        chosen = every if everything else draw(st.integers(0, every))
        missing = low - len(made) - chosen.bit_count() if extra is None else 0
        room = len(sometimes) if high is None else high - len(made)
        for number, (name, each) in enumerate(sometimes.items()):
            wanted = chosen >> number & 1 or missing > 0
            if wanted and room > 0:
                missing -= not chosen >> number & 1
                room -= 1
                made[name] = draw(each)
    if extra is not None and (high is None or len(made) < high):
        short = low - len(made)
        for _ in range(max(short, draw(st.integers(0, 1)))):
            name = draw(extra[0].filter(lambda text: text not in made))
            made[name] = draw(extra[1])
    return made


__all__ = ["Direction", "SchemaError", "Strategies", "common_types", "numbers"]
