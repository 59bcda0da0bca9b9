"""Parameters and headers, compared: what is required, where it is written and how."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .changes import Change
from .compare import Changes
from .document import Described, Side, mapping
from .exchange import Exchange
from .findings import Finding
from .lifecycle import announced, lifecycle
from .severity import Direction, Severity

if TYPE_CHECKING:
    from .messages import Messages

Key = tuple[str, str]
_IGNORED = {"accept", "content-type", "authorization"}
"""Header parameters that OpenAPI says have no meaning."""
_STYLES = {"query": "form", "path": "simple", "header": "simple", "cookie": "form"}
_SCALARS = frozenset({"string", "integer", "number", "boolean"})


class ParameterRules:
    """Compares the parameters of operations and the headers of answers."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self.base = messages.base
        self.revision = messages.revision

    def compare(self, exchange: Exchange) -> Iterator[Finding]:
        """Yield what changed in the parameters of `exchange`."""
        before, after = _parameters(self.base, exchange.base), _parameters(self.revision, exchange.revision)
        for key in dict.fromkeys((*before, *after)):
            if key in before and key in after:
                yield from self._pair(exchange, before[key], after[key])
            elif key in before:
                moved = next((each for each in after if _is_moved(key, each) and each not in before), None)
                yield self._removed(exchange, before[key], None if moved is None else after[moved])
            else:
                yield self._added(exchange, after[key])

    def _removed(self, exchange: Exchange, one: Mapping[str, Any], moved: Mapping[str, Any] | None) -> Finding:
        direction, name = exchange.asked, _name(one)
        places = self.base.place(one), self.revision.place(exchange.revision.operation, "parameters")
        if moved is not None:
            told = f"{name} is in the {moved.get('in')} now"
            word = exchange.word("request-parameter-moved")
            return exchange.finding(word, "breaking", direction, told, places[0], self.revision.place(moved))
        if direction == "received":
            severity: Severity = "breaking" if one.get("required") is True else "warning"
            why = ""
        else:
            severity, why = announced(one, "warning")
        return exchange.finding(
            exchange.word("request-parameter-removed"), severity, direction, f"{name} is gone{why}", *places
        )

    def _added(self, exchange: Exchange, other: Mapping[str, Any]) -> Finding:
        direction, required = exchange.asked, other.get("required") is True or other.get("in") == "path"
        kind = "required" if required else "optional"
        severity = exchange.judge(True, direction) if required else "info"  # noqa: FBT003
        places = self.base.place(exchange.base.operation, "parameters"), self.revision.place(other)
        word = exchange.word(f"request-parameter-added-{kind}")
        return exchange.finding(word, severity, direction, f"{_name(other)} is new, and {kind}", *places)

    def _pair(self, exchange: Exchange, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Finding]:
        direction, name = exchange.asked, _name(one)
        places = self.base.place(one), self.revision.place(other)
        required = one.get("required") is True, other.get("required") is True
        word = exchange.word("request-parameter")
        if required[0] != required[1] and one.get("in") != "path":
            state = "required" if required[1] else "optional"
            severity = exchange.judge(required[1], direction)
            yield exchange.finding(f"{word}-became-{state}", severity, direction, f"{name} is {state} now", *places)
        for what, grave, told in lifecycle(one, other, name):
            yield exchange.finding(f"{word}-{what}", grave, direction, told, *places)
        yield from self._wire(exchange, word, name, direction, (one, other))
        yield from self._schemas(
            exchange, "request-parameter", name, direction, (one, other), default=not any(required)
        )

    def _wire(
        self, exchange: Exchange, word: str, name: str, direction: Direction, pair: tuple[Any, Any]
    ) -> Iterator[Finding]:
        """Compare how the value is written."""
        places = self.base.place(pair[0]), self.revision.place(pair[1])
        before, after = self._form(self.base, pair[0]), self._form(self.revision, pair[1])
        if before != after and not _is_one_of_many(before, after):
            told = f"{name} was written as {' '.join(before)} and is written as {' '.join(after)} now"
            yield exchange.finding(f"{word}-serialisation-changed", "breaking", direction, told, *places)
        empty = pair[0].get("allowEmptyValue") is True, pair[1].get("allowEmptyValue") is True
        if empty[0] != empty[1] and pair[0].get("in") == "query":
            told = f"{name} may {'now' if empty[1] else 'no longer'} be given without a value"
            severity = exchange.judge(not empty[1], direction)
            yield exchange.finding(f"{word}-empty-value-changed", severity, direction, told, *places)

    def _form(self, side: Side, node: Mapping[str, Any]) -> tuple[str, ...]:
        """Return how a parameter's value is written, as far as its type makes a difference."""
        if "content" in node:
            return ("content", *(each.split(";")[0].strip().lower() for each in mapping(node["content"])))
        where = node.get("in", "header")
        style = str(node.get("style", _STYLES.get(where, "form")))
        composed = side.flatten(node.get("schema", True)).types & {"array", "object"}
        if not composed or composed == {"array", "object"}:  # a scalar, or anything
            return (style,) if where == "path" else ("form" if where == "query" else style,)
        exploded = node.get("explode", style in {"form", "cookie"})
        return style, "exploded" if exploded else "joined"

    def _schemas(
        self,
        exchange: Exchange,
        what: str,
        name: str,
        direction: Direction,
        pair: tuple[Any, Any],
        *,
        default: bool = False,
    ) -> Iterator[Finding]:
        (one, text), (other, _) = _schema(pair[0]), _schema(pair[1])
        found = self._unfolded(pair, one, other) if direction == "sent" else None
        if found is None:
            found = self._messages.comparison.schemas(one, other, text="value" if text else "")
        kept = []
        for change in found:
            if change.what.startswith("default-") and not change.path:
                # A caller that leaves it out gets something else from now on.
                if default and direction == "sent":
                    kept.append(replace(change, effect="changed"))
            elif change.what.startswith("deprecated-") and not change.path:
                continue
            else:
                kept.append(change)
        schemas = (one if one is not True else pair[0]), (other if other is not True else pair[1])
        yield from self._messages.changes(exchange, what, name, direction, *schemas, _placed(tuple(kept), *schemas))

    def _unfolded(self, pair: tuple[Any, Any], one: Any, other: Any) -> Changes | None:
        """Return what changed where one value in the query became a list of such: ``?a=1`` is a list of one."""
        before, after = self.base.flatten(one), self.revision.flatten(other)
        listed = (
            pair[1].get("in") == "query" and pair[1].get("style", "form") == "form" and pair[1].get("explode", True)
        )
        if not listed or after.types != {"array"} or not before.types <= _SCALARS or after.words.get("minItems", 0) > 1:
            return None
        found = self._messages.comparison.schemas(one, after.words.get("items", True), text="value")
        if any(change.effect in {"narrowed", "changed"} for change in found):
            return None
        types = sorted(before.types), ["array"]
        return (Change("type-changed", "widened", *types, before.source("type"), after.source("type"), "type"),)

    def headers(
        self, exchange: Exchange, status: str, pair: tuple[Any, Any], places: tuple[Any, Any]
    ) -> Iterator[Finding]:
        """Yield what changed in the headers of an answer."""
        before, after = _headers(self.base, pair[0]), _headers(self.revision, pair[1])
        direction, word = exchange.answered, exchange.word("response-header")
        for key in dict.fromkeys((*before, *after)):
            name = f"the header {(before.get(key) or after[key])[0]} of the answer {status}"
            one, other = before.get(key), after.get(key)
            if one is None or other is None:
                yield self._header(exchange, name, one and one[1], other and other[1], places)
                continue
            at = self.base.place(one[1]), self.revision.place(other[1])
            required = one[1].get("required") is True, other[1].get("required") is True
            if required[0] != required[1]:
                state = "required" if required[1] else "optional"
                severity = exchange.judge(required[1], direction)
                yield exchange.finding(f"{word}-became-{state}", severity, direction, f"{name} is {state} now", *at)
            yield from self._schemas(exchange, "response-header", name, direction, (one[1], other[1]))

    def _header(self, exchange: Exchange, name: str, one: Any, other: Any, places: tuple[Any, Any]) -> Finding:
        direction, word = exchange.answered, exchange.word("response-header")
        node = other if one is None else one
        required = node.get("required") is True
        if one is None:
            severity: Severity = exchange.judge(True, direction) if required else "info"  # noqa: FBT003
            at = places[0], self.revision.place(other)
            return exchange.finding(f"{word}-added", severity, direction, f"{name} is new", *at)
        severity = ("breaking" if required else "warning") if direction == "received" else "info"
        kind = "required" if required else "optional"
        return exchange.finding(
            f"{word}-removed-{kind}", severity, direction, f"{name}, which was {kind}, is gone",
            self.base.place(one), places[1],
        )  # fmt: skip


def _placed(found: Changes, one: Any, other: Any) -> Changes:
    """Give changes of a schema that is not written down the parameter as their place."""
    return tuple(
        replace(
            each,
            base=one if each.base is True else each.base,
            revision=other if each.revision is True else each.revision,
        )
        for each in found
    )


def _is_one_of_many(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """Tell whether the two are written the same: one value, and an exploded list of one."""
    return {before, after} <= {("form",), ("form", "exploded")} or {before, after} <= {
        ("simple",),
        ("simple", "joined"),
        ("simple", "exploded"),
    }


def _schema(node: Mapping[str, Any]) -> tuple[Any, bool]:
    """Return the schema of a parameter or header, and whether its values are written as text."""
    if "content" in node:
        media: Any = next(iter(mapping(node["content"]).values()), {})
        return mapping(media).get("schema", True), False
    return node.get("schema", True), True


def _parameters(side: Side, each: Described) -> dict[Key, Mapping[str, Any]]:
    """Return the parameters of an operation by place and name; those of the path by their position in it."""
    positions = {name: str(number) for number, name in enumerate(re.findall(r"\{([^}]*)\}", each.path))}
    found: dict[Key, Mapping[str, Any]] = {}
    for holder in (each.item, each.operation):
        for node in holder.get("parameters") or ():
            parameter = side.follow(node)
            where, name = str(parameter.get("in")), str(parameter.get("name"))
            if where == "header" and name.lower() in _IGNORED:
                continue
            shown = positions.get(name, name) if where == "path" else name.lower() if where == "header" else name
            found[where, shown] = parameter
    return found


def _is_moved(one: Key, other: Key) -> bool:
    """Tell whether both are the same name in two places; of headers' names the case means nothing."""
    return one[1] == other[1] or ("header" in {one[0], other[0]} and one[1].lower() == other[1].lower())


def _headers(side: Side, response: Mapping[str, Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    headers = mapping(response.get("headers"))
    return {name.lower(): (name, side.follow(node)) for name, node in headers.items() if name.lower() != "content-type"}


def _name(node: Mapping[str, Any]) -> str:
    return f"the {node.get('in')} parameter `{node.get('name')}`"
