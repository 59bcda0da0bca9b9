"""The error that every loader of stored files raises."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache


@dataclass(eq=False)
class LoadError(ValueError):
    """A stored file cannot be used.

    Attributes:
        file: the file's name as the user gave it.
        problem: what is wrong, with the value that caused it.
        pointer: JSON Pointer of the place inside the file, "" for the whole file.
        line: line number counted from 1, or None where it is unknown.
        expected: what would have been right, "" where there is nothing to add.
    """

    file: str
    problem: str
    pointer: str = ""
    line: int | None = None
    expected: str = field(default="")

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        where = f" {self.pointer}:" if self.pointer else ""
        wanted = f"; expected {self.expected}" if self.expected else ""
        return f"{place}:{where} {self.problem}{wanted}"


_LONGEST_WORD = 200
"""Comparing takes long for long words, and nobody mistypes those."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` for the known word most like `word`, or ``""``."""
    return "" if len(word) > _LONGEST_WORD else _hint(word, tuple(known))


@lru_cache(maxsize=1024)
def _hint(word: str, known: tuple[str, ...]) -> str:
    # The same mistake is made again and again, and comparing words takes longer than all else about a refusal.
    found = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f" (did you mean {found[0]!r}?)" if found else ""


def shorten(value: object, limit: int = 80) -> str:
    """Return `value` as text that fits a message: JSON-like, cut in the middle of nothing important."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    try:
        return cut(repr(value), limit)
    except RecursionError:
        return "a value that is nested too deeply to show"


def cut(text: str, limit: int = 80) -> str:
    """Return `text`, or as much of it as fits a message."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
