"""Drift: what changed from one description of a provider to another, and what it means for a client of the first."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ..openapi.errors import LoadError
from .compare import Comparison
from .document import Described, Side, mapping
from .exchange import Exchange, Polarity
from .findings import Finding, in_order
from .flat import SchemaError
from .lifecycle import deprecations, is_unstable, removal
from .messages import Messages
from .security import compare_security, compare_servers
from .severity import Severity

Key = tuple[str, str]
DEEPEST = 10_000
"""Bound on how deep calls nest while schemas are compared."""


def compare_sides(base: Side, revision: Side) -> list[Finding]:
    """Return what changed from `base` to `revision`, in a stable order.

    Where one side is a page, which tells of some operations only, the others are not taken to be gone.

    Raises:
        LoadError: a schema can't be understood.
    """
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, DEEPEST))  # documents nest 200 deep, and references add to that
    try:
        return in_order(_Drift(base, revision).findings())
    except SchemaError as error:
        raise LoadError(f"{base.name} or {revision.name}", str(error)) from None
    except RecursionError:
        raise LoadError(f"{base.name} or {revision.name}", "its schemas are nested too deeply to be compared") from None
    finally:
        sys.setrecursionlimit(limit)


class _Drift:
    def __init__(self, base: Side, revision: Side) -> None:
        self.base = base
        self.revision = revision
        self.partial = "" if base.partial == revision.partial else "base" if base.partial else "revision"
        self.messages = Messages(base, revision, Comparison(base.flatten, revision.flatten))
        self.found: list[Finding] = []

    def findings(self) -> list[Finding]:
        self._operations(list(self.base.operations()), list(self.revision.operations()), "operation")
        self._operations(list(self.base.webhooks()), list(self.revision.webhooks()), "webhook")
        if not self.partial:
            self.found += compare_servers(self.base, self.revision)
        return self.found

    def _operations(self, before: Sequence[Described], after: Sequence[Described], kind: Polarity) -> None:
        old, new = _by_key(before), _by_key(after)
        for key in dict.fromkeys((*old, *new)):
            pairs, lost, gained = _paired(self.base, old.get(key, []), self.revision, new.get(key, []))
            several = len(old.get(key, [])) > 1
            for one, other in pairs:
                self._operation(one, other, kind, _label(self.base, one) if several else "")
            if self.partial != "revision":
                for one in lost:
                    self._removed(one, kind, _label(self.base, one) if several else "")
            if self.partial != "base":
                for other in gained:
                    self._added(other, kind)

    def _removed(self, one: Described, kind: Polarity, label: str) -> None:
        severity, why = removal(one)
        what = "webhook" if kind == "webhook" else "operation"
        name = f"{one.name}{label}"
        self._add(f"{what}-removed", severity, name, f"{name} is gone{why}", base=self.base.place(one.operation))

    def _added(self, other: Described, kind: Polarity) -> None:
        what = "webhook" if kind == "webhook" else "operation"
        self._add(
            f"{what}-added", "info", other.name, f"{other.name} is new", revision=self.revision.place(other.operation)
        )

    def _add(self, identity: str, severity: Severity, operation: str, sentence: str, **places: Any) -> None:
        direction = "both" if identity.startswith("operation") else "received"
        self.found.append(
            Finding(identity, severity, direction, operation, sentence, places.get("base"), places.get("revision"))
        )

    def _operation(self, one: Described, other: Described, kind: Polarity, label: str = "") -> None:
        exchange = Exchange(one, other, kind, f"{one.name}{label}", draft=is_unstable(one))
        self.found += deprecations(exchange, self.base, self.revision)
        self.found += self._named(exchange)
        self.found += self.messages.compare(exchange)
        if not (self.partial and "security" not in one.operation and "security" not in other.operation):
            self.found += compare_security(exchange, self.base, self.revision)
        self._callbacks(exchange)

    def _named(self, exchange: Exchange) -> list[Finding]:
        """Compare what the operation is called and filed under."""
        one, other = exchange.base.operation, exchange.revision.operation
        found = []
        for word, name in (("operationId", "operation-id"), ("tags", "tags")):
            before, after = one.get(word), other.get(word)
            if word == "tags":
                before, after = sorted(map(str, before or ())), sorted(map(str, after or ()))
            if before != after:
                told = f"{word} was {before or 'absent'} and is {after or 'absent'} now"
                places = self.base.place(one, word), self.revision.place(other, word)
                found.append(exchange.finding(f"{name}-changed", "info", "both", told, *places))
        return found

    def _callbacks(self, exchange: Exchange) -> None:
        one, other = exchange.base.operation, exchange.revision.operation
        before, after = mapping(one.get("callbacks")), mapping(other.get("callbacks"))
        for name in dict.fromkeys((*before, *after)):
            if name not in after:
                told = f"the callback {name} is no longer documented"
                self.found.append(exchange.finding(
                    "callback-removed", "breaking", "received", told,
                    self.base.place(self.base.follow(before[name])), self.revision.place(other),
                ))  # fmt: skip
            elif name not in before:
                told = f"the callback {name} is new"
                self.found.append(exchange.finding(
                    "callback-added", "info", "received", told,
                    self.base.place(one), self.revision.place(self.revision.follow(after[name])),
                ))  # fmt: skip
            else:
                self._callback(exchange, name, self.base.follow(before[name]), self.revision.follow(after[name]))

    def _callback(self, exchange: Exchange, name: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
        before = [key for key in one if not key.startswith("x-")]
        after = [key for key in other if not key.startswith("x-")]
        shared = [(key, key) for key in before if key in after]
        if len(before) == len(after) == 1 and not shared:
            told = f"the callback {name} was sent to {before[0]} and is sent to {after[0]} now"
            places = self.base.place(one), self.revision.place(other)
            self.found.append(exchange.finding("callback-target-changed", "breaking", "received", told, *places))
            shared = [(before[0], after[0])]
        for old, new in shared:
            first = list(self.base.of_item(exchange.base.file, f"{exchange.base.path} → {name}", one[old]))
            second = list(
                self.revision.of_item(exchange.revision.file, f"{exchange.revision.path} → {name}", other[new])
            )
            self._operations(first, second, "callback")


def _by_key(operations: Sequence[Described]) -> dict[Key, list[Described]]:
    found: dict[Key, list[Described]] = {}
    for each in operations:
        found.setdefault((each.method, re.sub(r"\{[^}]*\}", "{}", each.path)), []).append(each)
    return found


def _tells(side: Side, each: Described) -> set[tuple[str, str]]:
    """Return the fields of the body that may have one value only: what tells variants of an operation apart."""
    content = mapping(side.follow(each.operation.get("requestBody")).get("content"))
    found = set()
    for media in content.values():
        flat = side.flatten(mapping(media).get("schema", True))
        for name, schema in flat.words.get("properties", {}).items():
            values = side.flatten(schema).words.get("enum", ())
            if len(values) == 1:
                found.add((name, str(values[0])))
    return found


def _label(side: Side, each: Described) -> str:
    told = sorted(_tells(side, each))
    return f" ({', '.join(f'{name} {value}' for name, value in told)})" if told else f" ({each.file})"


def _paired(
    base: Side, before: list[Described], revision: Side, after: list[Described]
) -> tuple[list[tuple[Described, Described]], list[Described], list[Described]]:
    """Return the descriptions of one operation that speak of the same variant, and those that have none."""
    if len(before) == len(after) == 1:
        return [(before[0], after[0])], [], []
    pairs: list[tuple[Described, Described]] = []
    lost, gained = list(before), list(after)

    def take(alike: Any) -> None:
        for one in tuple(lost):
            other = next((each for each in gained if alike(one, each)), None)
            if other is not None:
                pairs.append((one, other))
                lost.remove(one)
                gained.remove(other)

    take(lambda one, other: _tells(base, one) == _tells(revision, other) != set())
    take(lambda one, other: one.operation.get("operationId", "") == other.operation.get("operationId"))
    take(lambda one, other: one.file == other.file)
    return pairs, lost, gained
