"""Deprecation, sunset and stability: what a provider announced before it changed something."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from .severity import Severity

if TYPE_CHECKING:
    from .document import Described, Side
    from .exchange import Exchange
    from .findings import Finding

_LEVELS = ("draft", "alpha", "beta", "stable")


def is_unstable(each: Described) -> bool:
    """Tell whether the operation was announced as one that may change at any time."""
    return each.operation.get("x-stability-level") in _LEVELS[:2]


def _level(node: Mapping[str, Any]) -> int:
    """Return how stable `node` is said to be: stable, where nothing is said."""
    told = node.get("x-stability-level")
    return _LEVELS.index(told) if told in _LEVELS else len(_LEVELS) - 1


def sunset(node: Mapping[str, Any]) -> date | None:
    """Return the day on which `node` was to go, None where none is given or it can't be read."""
    told = node.get("x-sunset")
    if not isinstance(told, str):
        return None
    try:
        return datetime.fromisoformat(told).date()
    except ValueError:
        return None


def removal(each: Described) -> tuple[Severity, str]:
    """Return how grave the removal of an operation is, and why, in words that follow "is gone"."""
    return announced(each.operation) if not is_unstable(each) else ("info", ", and was never said to be stable")


def announced(node: Mapping[str, Any], severity: Severity = "breaking") -> tuple[Severity, str]:
    """Return how grave the removal of `node` is: not at all where it was deprecated and its day has come."""
    if node.get("deprecated") is not True:
        return severity, ""
    day = sunset(node)
    if day is None and "x-sunset" in node:
        return severity, f", and its sunset {node['x-sunset']!r} is no date"
    if day is not None and day > datetime.now(UTC).date():
        return "breaking", f" before its sunset on {day}"
    return "info", ", as was announced"


def deprecations(exchange: Exchange, base: Side, revision: Side) -> list[Finding]:
    """Compare what is announced of an operation."""
    one, other = exchange.base.operation, exchange.revision.operation
    places = base.place(one), revision.place(other)
    found = [
        exchange.finding(f"operation-{what}", severity, "both", told, *places)
        for what, severity, told in lifecycle(one, other, "the operation")
    ]
    before, after = _level(one), _level(other)
    if before != after:
        lowered = after < before
        told = f"the operation was {_LEVELS[before]} and is {_LEVELS[after]} now"
        severity: Severity = "breaking" if lowered else "info"
        found.append(
            exchange.finding(f"stability-{'lowered' if lowered else 'raised'}", severity, "both", told, *places)
        )
    return found


def lifecycle(one: Mapping[str, Any], other: Mapping[str, Any], name: str) -> list[tuple[str, Severity, str]]:
    """Return (what, severity, sentence) for what is announced of a thing that is there before and after."""
    before, after = one.get("deprecated") is True, other.get("deprecated") is True
    if before and not after:
        return [("reactivated", "info", f"{name} is no longer deprecated")]
    if not after:
        return []
    old, new = sunset(one), sunset(other)
    found: list[tuple[str, Severity, str]] = []
    if not before:
        found.append(("deprecated", "info", f"{name} is deprecated now"))
        if new is None and "x-sunset" in other:
            found.append(("sunset-unreadable", "warning", f"the sunset {other['x-sunset']!r} of {name} is no date"))
        elif new is not None and new < datetime.now(UTC).date():
            found.append(("sunset-passed", "warning", f"{name} is deprecated from now on, and was to go on {new}"))
    elif old is not None and "x-sunset" not in other:
        found.append(("sunset-removed", "warning", f"{name} was to go on {old}, and no day is given any more"))
    elif old is not None and new is not None and new < old:
        found.append(("sunset-earlier", "warning", f"{name} was to go on {old} and is to go on {new} now"))
    return found
