"""The parts of a pattern, as Python's own parser tells them.

The parser has no public name, so what needs it has to do without: a Python that keeps it elsewhere reads no parts, and
every pattern is asked about every text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any


def _module(name: str) -> Any:
    try:
        return import_module(f"re.{name}")
    except ImportError:
        return None


_PARSER, _COMPILER = _module("_parser"), _module("_compiler")


def parts_of(pattern: re.Pattern[str]) -> Any:
    """Return the parts of `pattern`, kinds with what they hold; None where they can't be told."""
    if _PARSER is None or _COMPILER is None:
        return None
    return _PARSER.parse(pattern.pattern, pattern.flags)


def combined(flags: int, added: int, removed: int) -> int:
    """Return the flags of a group that adds and removes some."""
    found: int = _COMPILER._combine_flags(flags, added, removed)
    return found


def letter_test(kind: Any, what: Any, flags: int) -> Callable[[str], Any]:
    """Return what tells whether a letter is read by the part `kind`, which holds `what`."""
    part = _PARSER.SubPattern(_PARSER.State(), [(kind, what)])
    found: Callable[[str], Any] = _COMPILER.compile(part, flags).fullmatch
    return found


def anything() -> tuple[int, Any, Any]:
    """Return what a part holds that reads any text."""
    return 0, _PARSER.MAXREPEAT, _PARSER.parse("(?s:.)")


def is_endless(most: Any) -> bool:
    """Tell whether a part may be repeated as often as there is text."""
    return most is _PARSER.MAXREPEAT
