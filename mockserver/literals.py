"""Text that a pattern can't match without, so that most patterns need not be asked about a text.

Everything is compared in small letters, and as if the few letters that are equal to an ASCII letter where case is
ignored were that letter: what is found is what may match, never less.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from .pattern_parts import parts_of

_ODD = {0x130: "i", 0x131: "i", 0x17F: "s", 0x212A: "k"}
_LEAST = 2
"""A text shorter than this is found nearly everywhere."""
_MOST = 32
_LONGEST = 32
_Texts = frozenset[str]


def fold(text: str) -> str:
    """Return `text` as literals are looked for in it."""
    return (text if text.isascii() else text.translate(_ODD)).lower()


def literals_of(pattern: re.Pattern[str]) -> frozenset[str]:
    """Return texts of which a text must hold one, once folded, for `pattern` to match it; none where any may match."""
    best = max(_needed(parts_of(pattern) or ()), key=_worth, default=frozenset())
    return best if _worth(best) >= _LEAST and len(best) <= _MOST else frozenset()


def any_of(texts: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that finds whether any of `texts` may be in a text: it looks at their beginnings alone.

    Where it finds nothing, none is. Beginnings that they share are compared once.
    """
    tree: dict[str, Any] = {}
    for text in texts:
        node = tree
        for letter in text[:_LONGEST]:
            node = node.setdefault(letter, {})
        node[""] = {}
    return re.compile(_written(tree))


def _written(tree: dict[str, Any]) -> str:
    if "" in tree:
        return ""  # a text ends here: what follows in longer ones does not matter
    ways = [re.escape(letter) + _written(tree[letter]) for letter in sorted(tree)]
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"


def _worth(texts: _Texts) -> int:
    return min(map(len, texts), default=0)


def _needed(parsed: Any) -> Iterator[_Texts]:
    """Yield sets of texts; every match holds a text of each."""
    run = ""
    for kind, what in parsed:
        letter = _letter(str(kind), what)
        run += letter
        if not letter:
            if run:
                yield frozenset({run[:_LONGEST]})
            run = ""
            yield from _inside(str(kind), what)
    if run:
        yield frozenset({run[:_LONGEST]})


def _letter(kind: str, what: Any) -> str:
    """Return the one ASCII letter that this matches, folded, or ""."""
    if kind == "LITERAL":
        return chr(what).lower() if what < 128 else ""
    if kind == "IN":
        letters = {_letter(str(each), value) for each, value in what}
        return letters.pop() if len(letters) == 1 else ""
    return ""


def _inside(kind: str, what: Any) -> Iterator[_Texts]:
    if kind == "SUBPATTERN":
        yield from _needed(what[3])
    elif kind == "ATOMIC_GROUP":
        yield from _needed(what)
    elif kind.endswith("_REPEAT") and what[0] > 0:
        yield from _needed(what[2])
    elif kind == "BRANCH":
        ways = [max(_needed(way), key=_worth, default=frozenset()) for way in what[1]]
        if all(ways):
            yield frozenset().union(*ways)
