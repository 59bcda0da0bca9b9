"""Cancellations: an accepted one sticks, and one that comes too late is the documented conflict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...openapi.behaviour import Phase
from ...openapi.refusals import error_for
from .exchange import Exchange
from .finding import Problem, check
from .oracle import Observation, Oracle
from .trace import TaskHistory, Trace, View
from .views import precedes

Judgements = Iterator[Problem | None]
_SAYS_NOTHING = {"rate-limited", "unavailable", "unauthorized"}
"""Meanings of refusals that have nothing to do with the task."""


def _cancels(task: TaskHistory) -> Iterator[tuple[Observation, View | None]]:
    """Yield the owner's cancellations, each with the last view of an end that was known before, if there is one."""
    for each in task.own:
        if each.does == "cancel":
            known = (view for view in task.views if _is_end(view) and precedes(view.seen, each.exchange))
            yield each, next(known, None)


def _is_end(view: View) -> bool:
    return view.phase is not None and view.phase.terminal


@check("cancel-sticks", "error", "trace", "time", "A task whose cancellation was accepted ends cancelled.")
def cancel_sticks(_oracle: Oracle, trace: Trace) -> Judgements:
    """Judge every end that is told after an accepted cancellation."""
    for task in trace.tasks.values():
        for cancel, end in _cancels(task):
            if not cancel.accepted or end is not None:
                continue
            letters = [each for each in task.callbacks if each.callback.came > cancel.exchange.ended]
            ends: list[tuple[Any, ...]] = [
                (each.phase, each.status, each.seen, each.operation)
                for each in task.views
                if _is_end(each) and isinstance(each.seen, Exchange) and precedes(cancel.exchange, each.seen)
            ]
            ends += [(each.phase, str(each.facts["status"]), each.callback, "") for each in letters if each.phase]
            for phase, status, seen, operation in ends:
                if phase is None or not phase.terminal:
                    continue
                sentence = f"task {task.id} was cancelled; later it is {status}"
                fine = phase is Phase.CANCELLED
                yield None if fine else Problem(sentence, operation, "", (cancel.exchange, seen))


@check("cancel-late", "error", "trace", "time", "Cancelling a task that has ended is the documented conflict.")
def cancel_late(oracle: Oracle, trace: Trace) -> Judgements:
    """Judge cancellations of tasks that were seen to have ended, and those that tell another end themselves."""
    for task in trace.tasks.values():
        for cancel, end in _cancels(task):
            other_end = cancel.phase in {Phase.COMPLETED, Phase.FAILED}
            if end is None and not other_end:
                continue
            if cancel.exchange.status is None or (cancel.refusal and cancel.refusal.meaning in _SAYS_NOTHING):
                continue
            evidence = (cancel.exchange,) if end is None else (end.seen, cancel.exchange)
            problem = _wrong(oracle, cancel)
            sentence = f"task {task.id} had ended; {cancel.name} {problem}"
            yield Problem(sentence, cancel.name, "", evidence) if problem and _is_kept(oracle, task, cancel) else None


def _wrong(oracle: Oracle, cancel: Observation) -> str:
    """Return what is wrong with the answer to a late cancellation, "" where nothing is."""
    if cancel.operation is None or cancel.refusal is None:
        return "accepts its cancellation all the same"
    expected = error_for(oracle.behaviour, cancel.operation.behaviour, "cancel-late")
    if expected is None or cancel.refusal.code == str(expected.code):
        return ""
    if cancel.refusal.code is None and cancel.refusal.status == expected.status:
        return ""
    told = cancel.refusal.code or f"HTTP {cancel.refusal.status}"
    return f"refuses with {told}; expected {expected.code} ({expected.name})"


def _is_kept(oracle: Oracle, task: TaskHistory, cancel: Observation) -> bool:
    kept = oracle.behaviour.retention.tasks
    if kept is None:
        return True
    return task.creation is not None and cancel.exchange.ended < task.creation.exchange.began + kept


CHECKS = (cancel_sticks, cancel_late)
