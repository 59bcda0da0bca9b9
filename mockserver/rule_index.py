"""Finding the rules that a request is meant by, without asking every rule.

Every condition of a rule is filed under the place of a request that it looks at, with those of other rules: an equality
is one look into a table for all of them, patterns are asked only where a text that they need is there, and places that
a request lacks are never visited. A set of rules is a number with a bit for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from ..openapi.pointer import MISSING, join, resolve, split
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


class _Texts:
    """Texts that may be in another one, each with the conditions that need it there."""

    def __init__(self) -> None:
        self._filed: dict[str, list[_Filed]] = {}
        self._any: re.Pattern[str] | None = None

    def add(self, text: str, filed: _Filed) -> None:
        """File a condition under a text that it needs."""
        self._filed.setdefault(text, []).append(filed)
        self._any = None

    def needing(self, value: str | list[Any]) -> list[_Filed]:
        """Return the conditions whose text is in `value`, or one of its items."""
        if isinstance(value, str) and _FEW < len(self._filed) <= _MANY:
            if self._any is None:
                self._any = any_of(self._filed)
            if self._any.search(value) is None:
                return []
        return [each for text, filed in self._filed.items() if text in value for each in filed]


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
        self._patterns: list[_Filed] = []
        self._matched = False
        self._matching = _Texts()
        # The same few texts come again and again.
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._met)

    def add(self, place: int, matcher: Matcher) -> None:
        """File a condition of the rule at `place`."""
        filed = place, matcher.accepts
        if matcher.pattern is not None:
            literals = literals_of(matcher.pattern)
            for literal in literals:
                self._matching.add(literal, filed)
            if not literals:
                self._patterns.append(filed)
            self._remembered.cache_clear()
            self._matched = True
        elif matcher.contained is not None:
            self._contained.add(matcher.contained, filed)
        elif isinstance(matcher.equal, _SCALARS):
            first, others = self._equal.get(matcher.equal, (place, 0))
            self._equal[matcher.equal] = first, others | 1 << place - first
        else:
            self._shaped.append(filed)

    def accepting(self, value: Any) -> int:
        """Return the rules whose conditions accept `value`."""
        found = 0
        if isinstance(value, _SCALARS):
            first, others = self._equal.get(value, (0, 0))
            found = others << first
        elif self._shaped:
            found = _asked(self._shaped, value)
        if isinstance(value, str | list):
            for place, _ in self._contained.needing(value):
                found |= 1 << place
        if self._matched and isinstance(value, str):
            found |= self._remembered(value) if len(value) <= _LONGEST_REMEMBERED else self._met(value)
        return found

    def _met(self, text: str) -> int:
        return _asked(self._patterns, text) | _asked(self._matching.needing(fold(text)), text)


def _asked(filed: list[_Filed], value: Any) -> int:
    found = 0
    for place in [place for place, accepts in filed if accepts(value)]:
        found |= 1 << place
    return found


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

    def visit(self, value: Any, found: dict[_Field, int]) -> None:
        """Note, by field, which rules accept what is in `value`."""
        if self.field is not None:
            found[self.field] = self.field.accepting(value)
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
        self._unconditional = 0
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
        for field, matcher in wanted:
            field.add(place, matcher)
        if not wanted:
            self._unconditional |= 1 << place
        elif len(wanted) > 1:
            self._shared |= 1 << place
            for field, _ in wanted:
                field.shared |= 1 << place

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
        accepted = self._accepted(request)
        found = self._unconditional
        for rules in accepted.values():
            found |= rules
        if found & self._shared:  # a rule that looks at several places is met where none of them refuses it
            for field in self._fields:
                if field.shared & found:
                    found &= ~field.shared | accepted.get(field, 0)
        while found:
            lowest = found & -found
            yield lowest.bit_length() - 1
            found ^= lowest

    def _accepted(self, request: Request) -> dict[_Field, int]:
        """Return, by field, which rules accept what `request` has there."""
        accepted: dict[_Field, int] = {}
        if self._headers:
            for name in request.headers.names() & self._headers.keys():
                accepted[self._headers[name]] = self._headers[name].accepting(request.headers.get(name))
        if not (self._body.inside or self._in_strings or self._model):
            return accepted
        body = body_of(request)
        self._body.visit(body, accepted)
        for pointer, field in self._in_strings.items():
            value = resolve(body, pointer)
            if value is not MISSING:
                accepted[field] = field.accepting(value)
        if self._model is not None:
            model = model_of(self.operation, body)
            if isinstance(model, str):
                accepted[self._model] = self._model.accepting(model)
        return accepted
