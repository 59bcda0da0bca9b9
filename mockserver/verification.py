"""Asking the journal how often something was asked, and what came nearest where the count is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..openapi.errors import shorten
from .compiled import CompiledProvider
from .condition import Condition, ConditionError, Difference, check_fields, parse_condition
from .exchange import Exchange

FIELDS = ("when", "times", "at_least", "at_most")
_NEAREST = 3


@dataclass(frozen=True, slots=True)
class Question:
    """How often requests that meet `when` should have come."""

    when: Condition
    at_least: int
    at_most: int | None


def parse_question(data: Any, providers: Mapping[str, CompiledProvider]) -> Question:
    """Return the question that `data` asks; without a count it is "at least once".

    Raises:
        ConditionError: a field is unknown or malformed, or no request can be meant.
    """
    if not isinstance(data, dict):
        raise ConditionError(f"{shorten(data)} is no question; expected an object with when")
    check_fields("verify", data, FIELDS)
    counts = {name: _count(name, data[name]) for name in FIELDS[1:] if data.get(name) is not None}
    when = parse_condition(data.get("when", {}), providers)
    if "times" not in counts:
        least = counts.get("at_least", 0 if "at_most" in counts else 1)
        if least > counts.get("at_most", least):
            raise ConditionError(f"at_least is {least} and at_most {counts['at_most']}; no count is both")
        return Question(when, least, counts.get("at_most"))
    if len(counts) > 1:
        raise ConditionError("times is given with at_least or at_most; expected one or the other")
    return Question(when, counts["times"], counts["times"])


def _count(name: str, count: Any) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise ConditionError(f"{name} is {shorten(count)}; expected a whole number from 0")
    return count


def answer(
    question: Question, exchanges: Iterable[Exchange], providers: Mapping[str, CompiledProvider]
) -> dict[str, Any]:
    """Return how many of `exchanges` are meant, whether that is right, and if not the nearest that are not meant."""
    matched, others = 0, []
    for exchange in exchanges:
        differences = _differences(question.when, exchange, providers)
        if differences is None:
            continue
        if differences:
            others.append((exchange, differences))
        else:
            matched += 1
    right = matched >= question.at_least and (question.at_most is None or matched <= question.at_most)
    near = [] if right else sorted(others, key=lambda each: (len(each[1]), -each[0].number))[:_NEAREST]
    return {
        "ok": right,
        "matched": matched,
        "expected": _wanted(question),
        "nearest": [
            {
                "exchange": exchange.number,
                "request": f"{exchange.request.method} {exchange.request.path}",
                "differences": [each.shown() for each in differences],
            }
            for exchange, differences in near
        ],
    }


def _differences(
    when: Condition, exchange: Exchange, providers: Mapping[str, CompiledProvider]
) -> list[Difference] | None:
    """Return how the exchange's request differs from what is meant, or None where it fetched a file."""
    provider = providers.get(exchange.provider)
    operation = None if provider is None else provider.operations.get(exchange.operation)
    if operation is None:
        asked = f"{exchange.request.method} {exchange.request.path}"
        expected = when.operation or "an operation"
        return None if exchange.operation else [Difference("operation", asked, expected)]
    differences = list(when.differences(operation, exchange.request))
    exchange.request.forget_parsed()
    return differences


def _wanted(question: Question) -> str:
    if question.at_least == question.at_most:
        return f"exactly {question.at_least}"
    if question.at_most is None:
        return f"at least {question.at_least}"
    return f"from {question.at_least} to {question.at_most}"
