"""Finding the operation that a request means, and saying what is nearest where there is none."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..openapi.contract import OperationKey

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
        patterns: dict[str, tuple[re.Pattern[str], dict[str, Target]]] = {}
        fixed: dict[str, dict[str, Target]] = {}
        for key, slashes, target in operations:
            self._keys.append(key)
            if "{" in key.path:
                held = patterns.setdefault(key.path, (_pattern(key.path, slashes), {}))[1]
            else:
                held = fixed.setdefault(key.path, {})
            held[key.method] = target
        self._fixed = {path: Match(targets, {}) for path, targets in fixed.items()}
        # Of two patterns that fit, the one with more text of its own is meant.
        self._patterns = sorted(patterns.values(), key=lambda each: -len(re.sub(r"\(.*?\)", "", each[0].pattern)))

    def find(self, path: str) -> Match[Target] | None:
        """Return what `path` leads to, or None."""
        found = self._fixed.get(path)
        if found is not None:
            return found
        for pattern, targets in self._patterns:
            match = pattern.fullmatch(path)
            if match:
                return Match(targets, match.groupdict())
        return None

    def nearest(self, method: str, path: str) -> str:
        """Return a sentence that names the operation most like the request, and how the two differ."""
        wanted = f"{method} {path}"
        key = max(self._keys, key=lambda each: difflib.SequenceMatcher(None, wanted, str(each)).ratio())
        return f"{wanted} is no operation; the nearest is {key}, whose {_difference(method, path, key)}"


def _pattern(path: str, slashes: frozenset[str]) -> re.Pattern[str]:
    parts = re.split(r"\{([^}]+)\}", path)
    pattern = "".join(
        f"(?P<{part}>{'.+' if part in slashes else '[^/]+'})" if number % 2 else re.escape(part)
        for number, part in enumerate(parts)
    )
    return re.compile(pattern)


def _difference(method: str, path: str, key: OperationKey) -> str:
    if path == key.path:
        return f"method is {key.method}, not {method}"
    sent, known = path.strip("/").split("/"), key.path.strip("/").split("/")
    for number, (ours, theirs) in enumerate(zip(sent, known, strict=False), start=1):
        if ours != theirs and not theirs.startswith("{"):
            return f"path has {theirs!r} as part {number}, not {ours!r}"
    return f"path has {len(known)} parts, not {len(sent)}"
