"""Finding the rules that a request is meant by, without asking every rule.

Every condition of a rule is filed under the place of a request that it looks at, with those of other rules: an equality
is one look into a table for all of them, patterns are asked only where a text that they need is there, or where one
walk through the text leaves them possible, and places that a request lacks are never visited. The patterns that remain
are asked when it is their rule's turn. A set of rules is a number with a bit for each.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from ..openapi.pointer import MISSING, join, resolve, split
from .automaton import Automaton
from .compiled import CompiledOperation
from .condition import Condition, Matcher, body_of, model_of
from .literals import any_of, fold, literals_of
from .request import Request
from .scenario import Play

_SCALARS = (str, int, float, bool, type(None))
_REMEMBERED = 256
_LONGEST_REMEMBERED = 4096
_FEW, _MANY = 8, 1000
"""With fewer texts to look for, or with more, it takes longer to make one pattern of them than it saves."""
_Filed = tuple[int, Callable[[Any], bool]]
_Search = Callable[[str], re.Match[str] | None]
_Order = list[tuple[int, _Search]]


class _Texts:
    """Texts that may be in another one, each with the rules that need it there."""

    def __init__(self) -> None:
        self._filed: dict[str, list[int]] = {}
        self._any: re.Pattern[str] | None = None

    def add(self, text: str, place: int) -> None:
        """File the rule at `place` under a text that it needs."""
        self._filed.setdefault(text, []).append(place)
        self._any = None

    def needing(self, value: str | list[Any]) -> int:
        """Return the rules whose text is in `value`, or one of its items."""
        if isinstance(value, str) and _FEW < len(self._filed) <= _MANY:
            if self._any is None:
                self._any = any_of(self._filed)
            if self._any.search(value) is None:
                return 0
        found = 0
        for places in [places for text, places in self._filed.items() if text in value]:
            for place in places:
                found |= 1 << place
        return found


class _Candidates:
    """The rules whose patterns may match a text: each is asked when its turn is near, and once.

    Attributes:
        rules: all of them.
        refused: those that were asked in vain.
    """

    __slots__ = ("_at_once", "_order", "_text", "_unasked", "refused", "rules")

    def __init__(self, text: str, rules: int, order: _Order) -> None:
        self.rules = rules
        self.refused = 0
        self._text = text
        self._order = order
        self._unasked = rules
        self._at_once = 1

    def ask(self, rule: int) -> None:
        """Ask `rule`, one of them; where others were asked in vain, ever more of those behind it as well."""
        if not self._unasked & rule:
            return
        text = self._text
        first = bisect_left(self._order, (rule,))
        asked = self._order[first : first + self._at_once]
        self._unasked &= ~((asked[-1][0] << 1) - rule)
        refused = [each for each, search in asked if search(text) is None]
        if refused:
            self.refused |= sum(refused)
            self._at_once *= 16


class _Patterns:
    """The conditions of a place whose texts must match patterns."""

    def __init__(self) -> None:
        self._order: _Order = []
        self._literal = _Texts()
        self._all = 0
        self._waiting: list[tuple[int, re.Pattern[str]]] = []
        self._automaton = Automaton()
        # The same few texts come again and again.
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._met)
        self._ordered = lru_cache(maxsize=_REMEMBERED)(self._in_order)

    def add(self, place: int, pattern: re.Pattern[str]) -> None:
        """File a condition of the rule at `place`."""
        self._order.append((1 << place, pattern.search))
        literals = literals_of(pattern)
        for literal in literals:
            self._literal.add(literal, place)
        if not literals:
            self._all |= 1 << place
            self._waiting.append((place, pattern))
        self._remembered.cache_clear()
        self._ordered.cache_clear()

    def candidates(self, text: str) -> _Candidates:
        """Return the rules that `text` may meet."""
        return self._remembered(text) if len(text) <= _LONGEST_REMEMBERED else self._met(text)

    def _met(self, text: str) -> _Candidates:
        rules = self._needing_none(text) | self._literal.needing(fold(text))
        return _Candidates(text, rules, self._ordered(rules))

    def _in_order(self, rules: int) -> _Order:
        return [each for each in self._order if each[0] & rules]

    def _needing_none(self, text: str) -> int:
        if self._all.bit_count() <= _FEW or len(text) > _LONGEST_REMEMBERED:
            return self._all
        while self._waiting:
            self._automaton.add(*self._waiting.pop())
        return self._automaton.possible(text)


class _Field:
    """The conditions on one place of a request.

    Attributes:
        shared: the rules that look at other places as well.
    """

    def __init__(self) -> None:
        self.shared = 0
        self._equal: dict[Any, tuple[int, int]] = {}
        self._contained = _Texts()
        self._shaped: list[_Filed] = []
        self._several: list[_Filed] = []
        self._patterns: _Patterns | None = None

    def add(self, place: int, matchers: list[Matcher]) -> None:
        """File the conditions of the rule at `place`: one, or several where it writes the name in several ways."""
        matcher, *others = matchers
        if others:
            self._several.append((place, lambda value: all(each.accepts(value) for each in matchers)))
        elif matcher.pattern is not None:
            self._patterns = self._patterns or _Patterns()
            self._patterns.add(place, matcher.pattern)
        elif matcher.contained is not None:
            self._contained.add(matcher.contained, place)
        elif isinstance(matcher.equal, _SCALARS):
            first, rules = self._equal.get(matcher.equal, (place, 0))
            self._equal[matcher.equal] = first, rules | 1 << place - first
        else:
            self._shaped.append((place, matcher.accepts))

    def look(self, value: Any, found: _Found) -> None:
        """Note which rules' conditions accept `value`."""
        rules = 0
        if isinstance(value, _SCALARS):
            first, others = self._equal.get(value, (0, 0))
            rules = others << first
        elif self._shaped:
            rules = _accepting(self._shaped, value)
        if self._several:
            rules |= _accepting(self._several, value)
        if isinstance(value, str | list):
            rules |= self._contained.needing(value)
        if self._patterns is not None and isinstance(value, str):
            candidates = self._patterns.candidates(value)
            if candidates.rules != candidates.refused:
                rules |= candidates.rules ^ candidates.refused
                found.candidates.append(candidates)
        found.rules[self] = rules


def _accepting(filed: list[_Filed], value: Any) -> int:
    found = 0
    for place in [place for place, accepts in filed if accepts(value)]:
        found |= 1 << place
    return found


class _Found:
    """What the places of a request say.

    Attributes:
        rules: by field, those that accept what is there, or may.
        candidates: those that may, with what asks them.
    """

    __slots__ = ("candidates", "rules")

    def __init__(self) -> None:
        self.rules: dict[_Field, int] = {}
        self.candidates: list[_Candidates] = []


class _Node:
    """A step into a body: the conditions on what is there, and the steps from there on."""

    def __init__(self) -> None:
        self.field: _Field | None = None
        self.inside: dict[str, _Node] = {}

    def at(self, steps: tuple[str, ...]) -> _Node:
        """Return the node that `steps` lead to, made where there is none yet."""
        node = self
        for step in steps:
            node = node.inside.setdefault(step, _Node())
        return node

    def visit(self, value: Any, found: _Found) -> None:
        """Note, by field, which rules accept what is in `value`."""
        if self.field is not None:
            self.field.look(value, found)
        if isinstance(value, dict):
            for name in value if len(value) < len(self.inside) else self.inside:
                if name in self.inside and name in value:
                    self.inside[name].visit(value[name], found)
        elif isinstance(value, list):
            for name, node in self.inside.items():
                item = resolve(value, join(name))
                if item is not MISSING:
                    node.visit(item, found)


class RuleIndex:
    """The rules that are for requests to one operation, in their order.

    Attributes:
        operation: the operation.
        plays: what each of them plays.
        numbers: which of the book's rules each of them is.
    """

    def __init__(self, operation: CompiledOperation) -> None:
        self.plays: list[Play] = []
        self.numbers: list[int] = []
        self.operation = operation
        self._unconditional = self._retired = 0
        self._shared = 0
        self._fields: list[_Field] = []
        self._headers: dict[bytes, _Field] = {}
        self._body = _Node()
        self._in_strings: dict[str, _Field] = {}
        self._model: _Field | None = None

    def add(self, number: int, condition: Condition, play: Play) -> None:
        """File the rule that is the book's `number`-th, which is for these requests under `condition`."""
        if condition.provider not in {None, self.operation.owner.name}:
            return
        place = len(self.numbers)
        self.numbers.append(number)
        self.plays.append(play)
        wanted = [(self._header(name), each) for name, each in condition.headers.items()]
        wanted += [(self._in_body(pointer), each) for pointer, each in condition.body.items()]
        if condition.model is not None:
            self._model = self._model or self._new()
            wanted.append((self._model, Matcher(condition.model, condition.model.__eq__, condition.model)))
        by_field: dict[_Field, list[Matcher]] = {}
        for field, matcher in wanted:
            by_field.setdefault(field, []).append(matcher)
        for field, matchers in by_field.items():
            field.add(place, matchers)
            if len(by_field) > 1:
                field.shared |= 1 << place
                self._shared |= 1 << place
        if not wanted:
            self._unconditional |= 1 << place

    def _new(self) -> _Field:
        field = _Field()
        self._fields.append(field)
        return field

    def _header(self, name: str) -> _Field:
        key = name.lower().encode()
        if key not in self._headers:
            self._headers[key] = self._new()
        return self._headers[key]

    def _in_body(self, pointer: str) -> _Field:
        steps = split(pointer)
        if not all(isinstance(step, str) for step in steps):  # a step through a string
            if pointer not in self._in_strings:
                self._in_strings[pointer] = self._new()
            return self._in_strings[pointer]
        node = self._body.at(steps)
        node.field = node.field or self._new()
        return node.field

    def matching(self, request: Request) -> Iterator[int]:
        """Yield the places of the rules that `request` meets, in order."""
        met = self._met(request)
        found = self._unconditional
        for rules in met.rules.values():
            found |= rules
        if found & self._shared:  # a rule that looks at several places is met where none of them refuses it
            for field in self._fields:
                if field.shared & found:
                    found &= ~field.shared | met.rules.get(field, 0)
        found &= ~self._retired
        while found:
            lowest = found & -found
            for candidates in met.candidates:
                if lowest & candidates.rules:
                    candidates.ask(lowest)
                    found &= ~candidates.refused
            if found & lowest:
                yield lowest.bit_length() - 1
                found ^= lowest

    def retire(self, place: int) -> None:
        """Yield the rule at `place` no more."""
        self._retired |= 1 << place

    def _met(self, request: Request) -> _Found:
        """Return what the places of `request` say."""
        found = _Found()
        if self._headers:
            for name in request.headers.names() & self._headers.keys():
                self._headers[name].look(request.headers.get(name), found)
        if not (self._body.inside or self._in_strings or self._model):
            return found
        body = body_of(request)
        self._body.visit(body, found)
        for pointer, field in self._in_strings.items():
            value = resolve(body, pointer)
            if value is not MISSING:
                field.look(value, found)
        if self._model is not None:
            model = model_of(self.operation, body)
            if isinstance(model, str):
                self._model.look(model, found)
        return found
