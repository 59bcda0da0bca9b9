"""Money: the balance falls by what tasks say that they cost, and is as before where they fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...openapi.behaviour import Phase, Template
from .finding import Problem, check
from .oracle import Observation, Oracle
from .trace import TaskHistory, Trace, View
from .views import precedes

_CENT = 1e-6
"""What sums of fractions may miss."""


@dataclass(frozen=True, slots=True)
class _Span:
    """What happened to an account between two of its balances, each read when no task of it was under way."""

    before: Observation
    after: Observation
    tasks: list[TaskHistory]

    @property
    def failed(self) -> list[TaskHistory]:
        """The tasks that did not complete."""
        return [each for each in self.tasks if (end := _end_of(each)) and end.phase is not Phase.COMPLETED]


@check("credits-charged", "error", "trace", "money", "A balance falls by the credits that completed tasks tell.")
def credits_charged(oracle: Oracle, trace: Trace) -> Iterator[Problem | None]:
    """Judge pairs of balances with completed tasks between them."""
    for span in _spans(trace):
        if not span.failed:
            yield from _judged(oracle, span)


@check("credits-returned", "error", "trace", "money", "A task that failed or was cancelled costs nothing.")
def credits_returned(oracle: Oracle, trace: Trace) -> Iterator[Problem | None]:
    """Judge pairs of balances with failed or cancelled tasks between them, and the credits that those tell."""
    for span in _spans(trace):
        if span.failed:
            yield from _judged(oracle, span)


def _judged(oracle: Oracle, span: _Span) -> Iterator[Problem | None]:
    costs = [_cost(oracle, task) for task in span.tasks]
    known = [each for each in costs if each is not None]
    if len(known) < len(costs):
        return
    before, after = span.before.facts["balance"], span.after.facts["balance"]
    fallen = before - after
    if abs(fallen - sum(known)) <= _CENT * max(1.0, abs(before)):
        yield None
        return
    what = ", ".join(f"{task.id} ({cost:g})" for task, cost in zip(span.tasks, known, strict=True)) or "no task"
    sentence = f"the balance went from {before:g} to {after:g}, a fall of {fallen:g}; between were {what}"
    ends = [end.seen for task in span.tasks if (end := _end_of(task))]
    pointer = span.after.operation.behaviour.reads["balance"].pointers[0] if span.after.operation else ""
    yield Problem(sentence, span.after.name, pointer, (span.before.exchange, *ends, span.after.exchange))


def _cost(oracle: Oracle, task: TaskHistory) -> float | None:
    """Return what a task that has ended should have cost, None where nobody says."""
    end = _end_of(task)
    if end is None or task.creation is None:
        return None
    if end.phase is not Phase.COMPLETED:
        return 0.0
    told = end.facts.get("credits")
    if isinstance(told, int | float) and not isinstance(told, bool):
        return float(told)
    return _documented_price(oracle, task.creation)


def _documented_price(oracle: Oracle, creation: Observation) -> float | None:
    model = oracle.behaviour.models.get(creation.model or "")
    if model is None or model.provenance != "documented":
        return None
    if isinstance(model.credits, Template):
        return float(model.credits({"input": creation.whole_request, "model": model.name}) or 0)
    return model.credits


def _spans(trace: Trace) -> Iterator[_Span]:
    """Yield what lies between two balances of an account that were read while none of its tasks was under way."""
    by_account: dict[str, list[Observation]] = {}
    for seen in trace.observations:
        if seen.does in {"create", "balance"}:
            by_account.setdefault(seen.account, []).append(seen)
    for account, observations in by_account.items():
        owned = {task.id: task for task in trace.tasks.values() if task.owner == account and task.creation}
        yield from _spans_of(observations, owned)


def _spans_of(observations: list[Observation], owned: dict[str, TaskHistory]) -> Iterator[_Span]:
    last: Observation | None = None
    between: dict[str, TaskHistory] = {}
    for seen in observations:
        if seen.does == "create":
            task = owned.get(seen.task_id or "") if seen.accepted else None
            if task is None and _may_have_created(seen):
                return  # what it costs, and when, nobody knows from here on
            if task is not None and task.creation is seen:
                between[task.id] = task
                overlaps = last is not None and seen.exchange.began < last.exchange.ended
                last = None if overlaps else last
            continue
        balance = seen.facts.get("balance")
        if isinstance(balance, bool) or not isinstance(balance, int | float):
            continue
        if all(_had_ended(task, seen) for task in between.values()):
            if last is not None:
                yield _Span(last, seen, list(between.values()))
            last, between = seen, {}


def _may_have_created(seen: Observation) -> bool:
    """Tell whether a creation that was not seen to be accepted may have been all the same."""
    unclear = seen.refusal is not None and (seen.refusal.meaning == "unavailable" or seen.refusal.status >= 500)
    return seen.exchange.status is None or seen.accepted or unclear


def _had_ended(task: TaskHistory, balance: Observation) -> bool:
    end = _end_of(task)
    return end is not None and precedes(end.seen, balance.exchange)


def _end_of(task: TaskHistory) -> View | None:
    """Return the first answer that told the end of the task, whatever was asked."""
    return next((each for each in task.views if each.phase is not None and each.phase.terminal), None)


CHECKS = (credits_charged, credits_returned)
