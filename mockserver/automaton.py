"""Many patterns read as one, so that a single walk through a text tells which of them may match it.

Each pattern becomes positions: the letters that it reads, with the positions that may follow. What a walk can't tell
(whether a reference repeats a group, what a boundary or a lookaround sees) is taken to hold: what is found may match,
never less. The steps of a walk are remembered, so that a letter mostly costs one look into a table.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .pattern_parts import anything, combined, is_endless, letter_test, parts_of

_LETTERS = frozenset({"ANY", "LITERAL", "NOT_LITERAL", "IN"})
_BEGINNING, _END = "beginning", "end"
"""What is read before a text, and after it: longer than a letter, which they can't be mistaken for."""
_COPIES = (32, 4, 1)
"""So many times at most is something repeated written out: fewer where that makes too much of a pattern."""
_USUAL, _MOST = 40, 256
"""So many positions a pattern may have, and may have where fewer don't do."""
_ALL = 4096
_SOON, _STEPS = 1024, 8192
"""After so many new steps it is first looked whether walking is worth while; at most so many are remembered."""
_WORTHWHILE = 512
"""It is while every step was walked once for as many as this of the new ones: else asking the patterns is quicker."""
_Node = dict[str, Any]
"""A step by each letter: the next node and the patterns whose end it is; under "" are the positions that may follow."""


class _Part(NamedTuple):
    """A part of a pattern: the positions it may begin and end with, and whether it may be empty."""

    first: int
    last: int
    empty: bool


_NOTHING = _Part(0, 0, empty=True)


class _TooMuchError(Exception):
    """A pattern has too many positions, or parts that are not known here."""


class Automaton:
    """Patterns, by a number for each, of which one walk through a text tells those that may match it."""

    def __init__(self) -> None:
        self._always = self._every = 0
        self._hopeless = False
        self._count = 0
        self._follows: list[int] = []
        self._ends: dict[int, int] = {}
        self._first = 0
        self._last = 0
        self._tests: dict[str, tuple[Callable[[str], Any], int]] = {}
        self._widths: list[int] = []
        self._long: dict[int, int] = {}
        self._short: list[int] = [-1]
        self._longest = 0
        self._forget()

    def add(self, number: int, pattern: re.Pattern[str]) -> None:
        """Add `pattern`; one that is too long, or not understood, may match any text."""
        parts = parts_of(pattern)
        width = 0 if parts is None else parts.getwidth()[0]
        if width > _COPIES[0]:
            self._need(number, width)
        read = None if parts is None else _read(parts, pattern.flags, self._count)
        if read is None or read.whole.empty or self._count + len(read.follows) > _ALL:
            self._always |= 1 << number
            self._start_found |= 1 << number
            self._every |= 1 << number
            return
        for position in _bits(read.whole.last):
            self._ends[position] = 1 << number
        for test, (accepts, positions) in read.tests.items():
            self._tests[test] = accepts, self._tests.get(test, (accepts, 0))[1] | positions
        self._first |= read.whole.first
        self._last |= read.whole.last
        self._follows += read.follows
        self._count += len(read.follows)
        self._every |= 1 << number
        self._hopeless = False
        self._forget()

    def possible(self, text: str) -> int:
        """Return the patterns that may match `text`, as a number with a bit for each."""
        if self._steps >= self._due:
            self._review()
        if self._hopeless:
            return self._every
        self._walked += len(text) + 2
        node, found = self._start, self._start_found
        letters = iter(text)
        while True:
            try:
                for letter in letters:
                    node, ended = node[letter]
                    if ended:
                        found |= ended
                break
            except KeyError as error:
                node, ended = self._step(node, error.args[0])
                found |= ended
        found |= (node.get(_END) or self._step(node, _END))[1]
        if len(text) < self._longest:
            found &= self._short[bisect_right(self._widths, len(text))]
        return found

    def _review(self) -> None:
        self._hopeless = self._walked * _WORTHWHILE < self._steps**2
        self._due *= 2
        if self._hopeless or self._steps >= _STEPS:
            self._forget()

    def _need(self, number: int, width: int) -> None:
        """Note that only a text of so many letters can match: more than are written out."""
        self._long[width] = self._long.get(width, 0) | 1 << number
        self._widths = sorted(self._long)
        self._longest = self._widths[-1]
        self._short = [-1]
        for each in reversed(self._widths):
            self._short.insert(0, self._short[0] & ~self._long[each])

    def _forget(self) -> None:
        self._nodes: dict[int, _Node] = {}
        self._accepted: dict[str, int] = {}
        self._walked = self._steps = 0
        self._due = _SOON
        here = self._first & self._accepting(_BEGINNING)
        before = 0
        while here != before:  # it may be told several times that a text begins
            before = here
            here |= self._following(here) & self._accepting(_BEGINNING)
        self._start = self._node(here)
        self._start_found = self._always | self._ended(here)

    def _step(self, node: _Node, letter: str) -> tuple[_Node, int]:
        here = node[""] & self._accepting(letter)
        step = node[letter] = self._node(here), self._ended(here)
        self._steps += 1
        return step

    def _node(self, here: int) -> _Node:
        if here not in self._nodes:
            self._nodes[here] = {"": self._following(here) | self._first}
        return self._nodes[here]

    def _following(self, here: int) -> int:
        found = 0
        for position in _bits(here):
            found |= self._follows[position]
        return found

    def _ended(self, here: int) -> int:
        found = 0
        for position in _bits(here & self._last):
            found |= self._ends[position]
        return found

    def _accepting(self, letter: str) -> int:
        """Return the positions that read `letter`."""
        if letter not in self._accepted:
            found = 0
            for accepts, positions in self._tests.values():
                if accepts(letter):
                    found |= positions
            self._accepted[letter] = found
        return self._accepted[letter]


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def _read(parts: Any, flags: int, offset: int) -> _Reader | None:
    """Return what reads a pattern with the fewest positions that tell enough of it, or None where it is too much."""
    for copies in _COPIES:
        try:
            readers = [_Reader(way, flags, offset, copies) for way in _ways(parts)]
        except _TooMuchError:
            continue
        best = next((reader for reader in readers if not reader.common), readers[0])
        if len(best.follows) <= _USUAL or copies == _COPIES[-1]:
            return best
    return None


def _ways(parts: Any) -> list[list[Any]]:
    """Return what every match of a pattern has: the whole, and each lookahead with what is before it."""
    items = list(parts)
    ways = [items]
    for place, (kind, what) in enumerate(items):
        if str(kind) == "ASSERT" and what[0] > 0:
            ways.append([*items[:place], *what[1]])
    return ways


class _Reader:
    """Reads a pattern into positions, from `offset` on.

    Attributes:
        whole: where it begins and ends.
        follows: by position, those that may follow.
        tests: what tells whether a letter is read, and the positions that read so.
    """

    def __init__(self, items: list[Any], flags: int, offset: int, copies: int) -> None:
        self.follows: list[int] = []
        self.tests: dict[str, tuple[Callable[[str], Any], int]] = {}
        self._offset = offset
        self._copies = copies
        self._groups: dict[int, tuple[Any, int]] = {}
        self._inside = self._again = 0
        ending = bool(items) and str(items[-1][0]) == "AT" and "END" in str(items[-1][1]) and not flags & re.MULTILINE
        self.whole = self._sequence(items[:-1] if ending else items, flags)
        if ending:  # before a line's end, too, which may be the last
            end = self._position(_END, lambda letter: letter in {_END, "\n"})
            self.whole = self._then(self.whole, end)

    @property
    def common(self) -> bool:
        """Whether nearly any text may match."""
        return all(accepts("e") for test, (accepts, _) in self.tests.items() if test not in {_BEGINNING, _END})

    def _position(self, test: str, accepts: Callable[[str], Any]) -> _Part:
        if len(self.follows) >= _MOST:
            raise _TooMuchError
        bit = 1 << self._offset + len(self.follows)
        self.follows.append(0)
        self.tests[test] = accepts, self.tests.get(test, (accepts, 0))[1] | bit
        return _Part(bit, bit, empty=False)

    def _then(self, one: _Part, other: _Part) -> _Part:
        self._link(one, other)
        return _Part(
            one.first | other.first if one.empty else one.first,
            one.last | other.last if other.empty else other.last,
            empty=one.empty and other.empty,
        )

    def _link(self, one: _Part, other: _Part) -> None:
        for position in _bits(one.last):
            self.follows[position - self._offset] |= other.first

    def _sequence(self, items: Any, flags: int) -> _Part:
        part = _NOTHING
        for kind, what in items:
            part = self._then(part, self._item(kind, what, flags))
        return part

    def _item(self, kind: Any, what: Any, flags: int) -> _Part:
        name = str(kind)
        if name in _LETTERS:
            return self._letter(kind, what, flags)
        if name not in _READS:
            raise _TooMuchError
        return _READS[name](self, what, flags)

    def _group(self, what: Any, flags: int) -> _Part:
        group, added, removed, items = what
        flags = combined(flags, added, removed)
        if group is not None and not self._inside and not self._again:
            self._groups[group] = items, flags
        return self._sequence(items, flags)

    def _kept(self, items: Any, flags: int) -> _Part:
        part = self._within(items, flags)
        self._groups.clear()  # Python itself mistakes what groups read beside what is never given back
        return part

    def _within(self, items: Any, flags: int) -> _Part:
        self._inside += 1
        part = self._sequence(items, flags)
        self._inside -= 1
        return part

    def _letter(self, kind: Any, what: Any, flags: int) -> _Part:
        test = f"{kind} {what} {flags}"
        if test in self.tests:
            return self._position(test, self.tests[test][0])
        return self._position(test, letter_test(kind, what, flags))

    def _either(self, ways: Any, flags: int) -> _Part:
        parts = [self._within(way, flags) for way in ways]
        first = last = 0
        for part in parts:
            first |= part.first
            last |= part.last
        return _Part(first, last, empty=any(part.empty for part in parts))

    def _repeat(self, what: Any, flags: int) -> _Part:
        least, most, items = what
        bounded = not is_endless(most) and most <= self._copies
        written = most if bounded else max(1, min(least, self._copies))
        part = _NOTHING
        for number in range(written):
            one = self._within(items, flags)
            if not bounded and number == written - 1:
                self._link(one, one)
            part = self._then(part, one._replace(empty=one.empty or number >= least))
        return part

    def _kept_repeat(self, what: Any, flags: int) -> _Part:
        part = self._repeat(what, flags)
        self._groups.clear()
        return part

    def _at(self, what: Any, flags: int) -> _Part:
        where = str(what)
        if self._again or "BEGINNING" not in where or (where == "AT_BEGINNING" and flags & re.MULTILINE):
            return _NOTHING
        return self._position(_BEGINNING, _BEGINNING.__eq__)

    def _reference(self, group: int, flags: int) -> _Part:
        """Return what `group` reads; anything where letters may differ in case, or it may be read more than once."""
        if flags & re.IGNORECASE or group not in self._groups:
            return self._repeat(anything(), flags)
        items, flags = self._groups[group]
        self._again += 1
        part = self._sequence(items, flags)
        self._again -= 1
        return part


_READS: dict[str, Callable[[_Reader, Any, int], _Part]] = {
    "MAX_REPEAT": _Reader._repeat,
    "MIN_REPEAT": _Reader._repeat,
    "POSSESSIVE_REPEAT": _Reader._kept_repeat,
    "ATOMIC_GROUP": _Reader._kept,
    "SUBPATTERN": _Reader._group,
    "BRANCH": lambda reader, what, flags: reader._either(what[1], flags),
    "GROUPREF_EXISTS": lambda reader, what, flags: reader._either([what[1], what[2] or ()], flags),
    "GROUPREF": _Reader._reference,
    "AT": _Reader._at,
    "ASSERT": lambda *_: _NOTHING,
    "ASSERT_NOT": lambda *_: _NOTHING,
    "FAILURE": lambda *_: _Part(0, 0, empty=False),
}
"""How the parts of a pattern are read; what a lookaround sees is taken to be there."""
