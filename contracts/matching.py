"""Texts that match a regular expression, made from one number each.

Hypothesis can do this too, choice by choice; for the long expressions of real documents (an optional `data:` prefix,
then any number of groups of four) one choice a text is a hundred times quicker, and the number 0 makes the shortest.
"""

from __future__ import annotations

import re
from functools import lru_cache
from random import Random
from typing import Any

# The parser has no public name; Hypothesis reads expressions with it as well.
from re import _constants as sre  # type: ignore[attr-defined]  # isort: skip
from re import _parser as parser  # type: ignore[attr-defined]  # isort: skip

_PRINTABLE = [chr(code) for code in range(0x20, 0x7F)]
_ALPHABET = [*"abcxyz", *"ABC", *"0129", *_PRINTABLE, "\t", "\n", "é", "ж", "漢", "🙂"]
_CATEGORIES = {
    sre.CATEGORY_DIGIT: re.compile(r"\d", re.ASCII), sre.CATEGORY_NOT_DIGIT: re.compile(r"\D", re.ASCII),
    sre.CATEGORY_SPACE: re.compile(r"\s", re.ASCII), sre.CATEGORY_NOT_SPACE: re.compile(r"\S", re.ASCII),
    sre.CATEGORY_WORD: re.compile(r"\w", re.ASCII), sre.CATEGORY_NOT_WORD: re.compile(r"\W", re.ASCII),
}  # fmt: skip
_REPEATS = {sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT}
_TRIES = 12


class Matching:
    """Makes texts of `low` to `high` characters that `pattern` matches.

    Raises:
        re.error: Python can't read the pattern.
    """

    def __init__(self, pattern: str, low: int, high: int) -> None:
        self._compiled = re.compile(pattern, re.ASCII)
        self._tree = parser.parse(pattern, re.ASCII)
        self._low, self._high = low, high
        fewest, most = self._tree.getwidth()
        self._fits = fewest <= high and low <= most

    def text(self, number: int) -> str | None:
        """Return the text for `number`, None where none of the right length was met."""
        for attempt in range(_TRIES if self._fits else 0):
            if number == 0:
                random, wish = None, self._low if attempt == 0 else attempt + self._low - 1
            else:
                random = Random(number * _TRIES + attempt)  # noqa: S311 - texts, not secrets
                wish = random.randint(self._low, max(self._low, min(self._high, self._low + 2 * attempt + 12)))
            made = _Text(random, wish).of(self._tree)
            if self._low <= len(made) <= self._high and self._compiled.search(made):
                return made
        return None


class _Text:
    """One text while it is made; `wish` is how long it should get."""

    def __init__(self, random: Random | None, wish: int) -> None:
        self._random = random
        self._spare = 0
        self._wish = wish
        self._groups: dict[int, str] = {}

    def of(self, tree: Any) -> str:
        self._spare = max(0, self._wish - tree.getwidth()[0])
        return self._sequence(tree)

    def _sequence(self, nodes: Any) -> str:
        return "".join(self._node(kind, argument) for kind, argument in nodes)

    def _node(self, kind: Any, argument: Any) -> str:
        if kind in _REPEATS:
            return self._repeated(*argument)
        match kind:
            case sre.LITERAL:
                return chr(argument)
            case sre.NOT_LITERAL:
                return self._pick(tuple(char for char in _ALPHABET if ord(char) != argument))
            case sre.ANY:
                return self._pick(_WITHOUT_NEWLINE)
            case sre.IN:
                return self._pick(_choices(tuple(argument)))
            case sre.BRANCH:
                branches = argument[1]
                return self._sequence(branches[0 if self._random is None else self._random.randrange(len(branches))])
            case sre.SUBPATTERN:
                group, _, _, inside = argument
                made = self._sequence(inside)
                if group is not None:
                    self._groups[group] = made
                return made
        if kind == sre.ATOMIC_GROUP:
            return self._sequence(argument)
        return (
            self._groups.get(argument, "") if kind == sre.GROUPREF else ""
        )  # anchors and look-arounds take no room; whether they hold is checked in the end

    def _repeated(self, fewest: int, most: int, inside: Any) -> str:
        width = max(1, inside.getwidth()[0])
        more = min(most - fewest, self._spare // width)
        if more and self._random is not None and width > 1 and self._random.random() < 0.3:
            more = self._random.randint(0, more)
        self._spare -= more * width
        return "".join(self._sequence(inside) for _ in range(fewest + more))

    def _pick(self, chars: tuple[str, ...]) -> str:
        if not chars:
            return ""
        return chars[0] if self._random is None else self._random.choice(chars)


_WITHOUT_NEWLINE = tuple(char for char in _ALPHABET if char != "\n")


@lru_cache(maxsize=1024)
def _choices(items: tuple[Any, ...]) -> tuple[str, ...]:
    """Return the characters that a set allows: all of a short one, those at hand of a long or negated one."""
    negated = items[0][0] == sre.NEGATE
    if negated:
        return tuple(char for char in dict.fromkeys(_ALPHABET) if not any(_holds(item, char) for item in items[1:]))
    found: list[str] = []
    for kind, argument in items:
        if kind == sre.LITERAL:
            found.append(chr(argument))
        elif kind == sre.RANGE:
            first, last = argument
            found += [chr(code) for code in range(first, min(last, first + 255) + 1) if not 0xD800 <= code < 0xE000]
        elif kind == sre.CATEGORY:
            found += [char for char in dict.fromkeys(_ALPHABET) if _holds((kind, argument), char)]
    return tuple(found)


def _holds(item: Any, char: str) -> bool:
    kind, argument = item
    if kind == sre.LITERAL:
        return bool(ord(char) == argument)
    if kind == sre.RANGE:
        return bool(argument[0] <= ord(char) <= argument[1])
    return bool(_CATEGORIES[argument].match(char)) if argument in _CATEGORIES else False
