"""Finding the rules that a request may be meant by, without asking every rule.

A rule is filed under one of its conditions: an equality where it has one, so that ten thousand rules that differ by
the value of a field cost one look into a table. What a request brings to light is then asked for its other conditions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ..openapi.pointer import MISSING, resolve
from .compiled import CompiledOperation
from .condition import Condition, Matcher, body_of, model_of
from .request import Request
from .scenario import Play

_SCALARS = (str, int, float, bool, type(None))
_REMEMBERED = 256
_LONGEST_REMEMBERED = 4096


class _Field:
    """The rules that are filed under one place of a request, by what they want there."""

    def __init__(self) -> None:
        self._equal: dict[Any, list[int]] = {}
        self._contained: list[tuple[int, str]] = []
        self._others: list[tuple[int, Callable[[Any], bool]]] = []
        # The same few texts come again and again, and a hundred patterns take longer than all the rest.
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._asked)

    def add(self, number: int, matcher: Matcher) -> None:
        """File rule `number`."""
        if isinstance(matcher.equal, _SCALARS):
            self._equal.setdefault(matcher.equal, []).append(number)
        elif matcher.contained is not None:
            self._contained.append((number, matcher.contained))
        else:
            self._others.append((number, matcher.accepts))
            self._remembered.cache_clear()

    def accepting(self, value: Any) -> list[int]:
        """Return the rules that accept `value`."""
        found = [*self._equal.get(value, ())] if isinstance(value, _SCALARS) else []
        if self._contained and isinstance(value, str | list):
            found += [number for number, text in self._contained if text in value]
        if self._others:
            short = isinstance(value, str) and len(value) <= _LONGEST_REMEMBERED
            found += self._remembered(value) if short else self._asked(value)
        return found

    def _asked(self, value: Any) -> list[int]:
        return [number for number, accepts in self._others if accepts(value)]


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
        self._conditions: list[Condition] = []
        self._alone: list[bool] = []
        self._fields: dict[tuple[str, str], _Field] = {}
        self._unconditional: list[int] = []

    def add(self, number: int, condition: Condition, play: Play) -> None:
        """File the rule that is the book's `number`-th, which is for these requests under `condition`."""
        if condition.provider not in {None, self.operation.owner.name}:
            return
        place = len(self.numbers)
        self.numbers.append(number)
        self.plays.append(play)
        self._conditions.append(condition)
        wanted = [(("headers", name.lower()), each) for name, each in condition.headers.items()]
        wanted += [(("body", pointer), each) for pointer, each in condition.body.items()]
        if condition.model is not None:
            wanted.append((("model", ""), Matcher(condition.model, condition.model.__eq__, condition.model)))
        self._alone.append(len(wanted) < 2)
        if not wanted:
            self._unconditional.append(place)
            return
        field, matcher = min(wanted, key=lambda each: (each[1].equal is MISSING, each[0][0] == "model"))
        self._fields.setdefault(field, _Field()).add(place, matcher)

    def matching(self, request: Request) -> list[int]:
        """Return the places of the rules that `request` meets, in order."""
        found = self._unconditional.copy()
        for (kind, name), field in self._fields.items():
            value = self._value(kind, name, request)
            if value is not MISSING:
                found += field.accepting(value)
        found.sort()
        operation = self.operation
        return [place for place in found if self._alone[place] or self._conditions[place].matches(operation, request)]

    def _value(self, kind: str, name: str, request: Request) -> Any:
        if kind == "headers":
            value = request.header(name.encode())
            return MISSING if value is None else value
        body = body_of(request)
        return resolve(body, name) if kind == "body" else model_of(self.operation, body)
