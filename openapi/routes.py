"""Finding the operation that a request means, and saying what is nearest where there is none."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from .contract import OperationKey

Target = TypeVar("Target")


@dataclass(frozen=True, slots=True)
class Match(Generic[Target]):
    """What a path leads to: operations by method, and the values of the path's parameters."""

    targets: Mapping[str, Target]
    values: Mapping[str, str]


class Routes(Generic[Target]):
    """The paths of a provider; fixed ones are found at once, those with parameters by their pattern."""

    def __init__(self, operations: Iterable[tuple[OperationKey, frozenset[str], Target]]) -> None:
        self._keys: list[OperationKey] = []
        self._fixed: dict[str, Match[Target]] = {}
        patterns: dict[str, tuple[re.Pattern[str], list[str], dict[str, Target]]] = {}
        fixed: dict[str, dict[str, Target]] = {}
        for key, slashes, target in operations:
            self._keys.append(key)
            if "{" in key.path:
                held = patterns.setdefault(key.path, (*_pattern(key.path, slashes), {}))[2]
            else:
                held = fixed.setdefault(key.path, {})
            held[key.method] = target
        self._fixed = {path: Match(targets, {}) for path, targets in fixed.items()}
        # Of two patterns that fit, the one with more text of its own is meant.
        self._patterns = [patterns[path] for path in sorted(patterns, key=lambda path: -len(_PARAMETER.sub("", path)))]

    def find(self, path: str) -> Match[Target] | None:
        """Return what `path` leads to, or None."""
        found = self._fixed.get(path)
        if found is not None:
            return found
        for pattern, names, targets in self._patterns:
            match = pattern.fullmatch(path)
            if match:
                return Match(targets, dict(zip(names, match.groups(), strict=True)))
        return None

    def nearest(self, method: str, path: str) -> str:
        """Return a sentence that names the operation most like the request, and how the two differ."""
        shown = path if len(path) <= _SHOWN else f"{path[:_SHOWN]}…"
        wanted = f"{method} {shown}"
        fitting = [key for key in self._keys if _pattern(key.path, frozenset())[0].fullmatch(path)]
        key = max(fitting or self._keys, key=lambda each: difflib.SequenceMatcher(None, wanted, str(each)).ratio())
        difference = f"method is {key.method}, not {method}" if fitting else _difference(shown, key)
        return f"{wanted} is no operation; the nearest is {key}, whose {difference}"


_SHOWN = 200
_PARAMETER = re.compile(r"\{([^}]+)\}")


def _pattern(path: str, slashes: frozenset[str]) -> tuple[re.Pattern[str], list[str]]:
    """Return the pattern of the paths that the template `path` stands for, and the names of its groups."""
    parts = _PARAMETER.split(path)
    pattern = "".join(
        f"({'.+' if part in slashes else '[^/]+'})" if number % 2 else re.escape(part)
        for number, part in enumerate(parts)
    )
    return re.compile(pattern, re.DOTALL), parts[1::2]


def _difference(path: str, key: OperationKey) -> str:
    sent, known = path[1:].split("/"), key.path[1:].split("/")
    for number, (ours, theirs) in enumerate(zip(sent, known, strict=False), start=1):
        if not _pattern(theirs, frozenset())[0].fullmatch(ours):
            return f"path has {theirs!r} as part {number}, not {ours!r}"
    return f"path has {len(known)} parts, not {len(sent)}"
