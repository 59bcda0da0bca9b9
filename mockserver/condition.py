"""Which requests are meant: the `when` of a rule, and of a question to the journal.

"Matches" means that there is no difference; what does not match says, field by field, what it is and what was wanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..openapi.errors import nearest, shorten
from ..openapi.pointer import MISSING, resolve
from .compiled import CompiledOperation, CompiledProvider
from .forms import MULTIPART, URLENCODED, as_data, parse_form
from .refusal import Refused
from .request import Request

FIELDS = ("provider", "operation", "model", "body", "headers")
MATCHERS = ("equals", "contains", "matches")


class ConditionError(ValueError):
    """A condition is malformed, or could never be met."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """What one value should be: `accepts` decides, `wanted` says it.

    Attributes:
        equal: the only value that is accepted, or `MISSING` where others may be.
        contained: the text that a text or list must contain to be accepted, or None where something else decides.
        pattern: the pattern that a text must match to be accepted, or None where something else decides.
    """

    wanted: Any
    accepts: Callable[[Any], bool]
    equal: Any = MISSING
    contained: str | None = None
    pattern: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which a request is not the one that is meant."""

    field: str
    actual: Any
    expected: Any

    def shown(self) -> dict[str, Any]:
        """Return the difference as the control API shows it."""
        actual = None if self.actual is MISSING else self.actual
        return {"field": self.field, "actual": actual, "expected": self.expected}


@dataclass(frozen=True, slots=True)
class Condition:
    """Which requests are meant; a field that is None or empty means any."""

    provider: str | None = None
    operation: str | None = None
    model: str | None = None
    body: Mapping[str, Matcher] = field(default_factory=dict)
    headers: Mapping[str, Matcher] = field(default_factory=dict)

    def matches(self, operation: CompiledOperation, request: Request) -> bool:
        """Tell whether `request`, which asks for `operation`, is meant."""
        return next(self.differences(operation, request), None) is None

    def differences(self, operation: CompiledOperation, request: Request) -> Iterator[Difference]:
        """Yield every way in which `request`, which asks for `operation`, is not what is meant."""
        if self.provider not in {None, operation.owner.name}:
            yield Difference("provider", operation.owner.name, self.provider)
        if self.operation not in {None, operation.name}:
            yield Difference("operation", operation.name, self.operation)
        for name, matcher in self.headers.items():
            value = request.headers.get(name.lower().encode())
            if value is None or not matcher.accepts(value):
                yield Difference(f"headers {name}", value, matcher.wanted)
        if self.model is None and not self.body:
            return
        body = body_of(request)
        model = model_of(operation, body)
        if self.model not in {None, model if isinstance(model, str) else None}:
            yield Difference("model", model, self.model)
        for pointer, matcher in self.body.items():
            value = resolve(body, pointer)
            if value is MISSING or not matcher.accepts(value):
                yield Difference(f"body {pointer}", value, matcher.wanted)


def body_of(request: Request) -> Any:
    """Return the body of `request` as conditions see it: JSON or the fields of a form, else `MISSING`."""
    try:
        content_type = request.headers.get(b"content-type") or ""
        if request.form is None and content_type.partition(";")[0].strip().lower() in {MULTIPART, URLENCODED}:
            request.form = parse_form(content_type, request.body)
        return request.json if request.form is None else as_data(request.form)
    except Refused:
        return MISSING


def model_of(operation: CompiledOperation, body: Any) -> Any:
    """Return the model that `body` asks `operation` for, or `MISSING`."""
    variant = operation.behaviour.variant
    if variant is not None:
        return resolve(body, variant)
    return operation.behaviour.model or MISSING


def parse_condition(data: Any, providers: Mapping[str, CompiledProvider]) -> Condition:
    """Return the condition that `data` describes.

    Raises:
        ConditionError: a field is unknown or malformed, or no request can meet it.
    """
    if not isinstance(data, dict):
        raise ConditionError(f"when is {shorten(data)}; expected an object")
    check_fields("when", data, FIELDS)
    for name in FIELDS[:3]:
        if name in data and not isinstance(data[name], str):
            raise ConditionError(f"{name} is {shorten(data[name])}; expected a name")
    condition = Condition(
        provider=data.get("provider"), operation=data.get("operation"), model=data.get("model"),
        body=_matchers("body", data.get("body", {})), headers=_matchers("headers", data.get("headers", {})),
    )  # fmt: skip
    _check_reach(condition, providers)
    return condition


def check_fields(what: str, data: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse a field of `data` that is not `known`.

    Raises:
        ConditionError: there is one; the nearest known field is named.
    """
    for name in data:
        if name not in known:
            raise ConditionError(f"{what} has no field {name!r}{nearest(name, known)}; known: {', '.join(known)}")


def operations_meant(condition: Condition, providers: Mapping[str, CompiledProvider]) -> list[CompiledOperation]:
    """Return the operations that requests which meet `condition` may ask for."""
    return [
        operation
        for name, provider in providers.items()
        if condition.provider in {None, name}
        for operation in provider.operations.values()
        if condition.operation in {None, operation.name}
    ]


def _check_reach(condition: Condition, providers: Mapping[str, CompiledProvider]) -> None:
    _check_known("provider", condition.provider, providers)
    served = [each for name, each in providers.items() if condition.provider in {None, name}]
    _check_known("operation", condition.operation, [name for each in served for name in each.operations])
    _check_known("model", condition.model, [name for each in served for name in each.behaviour.models])
    for operation in operations_meant(condition, providers):
        if not why_unreachable(condition, operation):
            return
    raise ConditionError(f"no request can match: {why_unreachable(condition, operation)}")


def why_unreachable(condition: Condition, operation: CompiledOperation) -> str:
    """Return why no request for `operation` can meet `condition`, or ""."""
    if condition.body and operation.behaviour.key.method in {"GET", "HEAD"}:
        return f"{operation.name} has no body"
    if condition.model is None:
        return ""
    named = operation.contract.variants or ([operation.behaviour.model] if operation.behaviour.model else ())
    if not named:
        return f"{operation.name} names no model"
    return "" if condition.model in named else f"{operation.name} is not for the model {condition.model!r}"


def _check_known(what: str, value: Any, known: Iterable[str]) -> None:
    if value is not None and value not in known:
        names = ", ".join(dict.fromkeys(known))
        raise ConditionError(f"no {what} {shorten(value)}{nearest(str(value), known)}; known: {names}")


def _matchers(what: str, data: Any) -> dict[str, Matcher]:
    if not isinstance(data, dict):
        raise ConditionError(f"{what} is {shorten(data)}; expected matchers by place")
    made = {}
    for place, wanted in data.items():
        if what == "body" and not place.startswith("/"):
            raise ConditionError(f"body: {place!r} is no JSON Pointer; expected one such as /input/prompt")
        made[place] = _matcher(f"{what}, {place}", wanted, text_only=what == "headers")
    return made


def _matcher(place: str, wanted: Any, *, text_only: bool) -> Matcher:
    if not isinstance(wanted, dict):
        if text_only and not isinstance(wanted, str):
            raise ConditionError(f"{place}: no request can match {shorten(wanted)}; expected text")
        return Matcher(wanted, lambda value: bool(value == wanted), wanted)
    if len(wanted) != 1 or next(iter(wanted)) not in MATCHERS:
        hint = nearest(next(iter(wanted), ""), MATCHERS)
        raise ConditionError(f"{place}: {shorten(wanted)}{hint}; expected one of {', '.join(MATCHERS)}")
    ((how, expected),) = wanted.items()
    if how == "equals":
        if text_only and not isinstance(expected, str):
            raise ConditionError(f"{place}: no request can match {shorten(expected)}; expected text")
        return Matcher(wanted, lambda value: bool(value == expected), expected)
    if not isinstance(expected, str):
        raise ConditionError(f"{place}: {how} is {shorten(expected)}; expected text")
    if how == "contains":
        return Matcher(wanted, lambda value: isinstance(value, str | list) and expected in value, contained=expected)
    try:
        pattern = re.compile(expected)
    except re.error as error:
        raise ConditionError(f"{place}: {expected!r} is no regular expression: {error}") from None
    return Matcher(wanted, lambda value: isinstance(value, str) and pattern.search(value) is not None, pattern=pattern)
