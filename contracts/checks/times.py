"""Times: what a provider tells of when, and how long it takes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ...openapi.times import iso
from .exchange import header
from .finding import Problem, check
from .oracle import Observation, Oracle
from .trace import TaskHistory, Trace, View
from .views import differ, is_later, pointer_of, successive

Judgements = Iterator[Problem | None]


def _problem(oracle: Oracle, sentence: str, view: View, fact: str, *before: View) -> Problem:
    evidence = (*(each.seen for each in before), view.seen)
    return Problem(sentence, view.operation, pointer_of(oracle, view, fact), evidence)


@check("created-constant", "error", "trace", "time", "The time at which a task was created stays the same.")
def created_constant(oracle: Oracle, trace: Trace) -> Judgements:
    """Hold each telling of `created` against the first one."""
    for task in trace.tasks.values():
        told = [each for each in task.views if "created" in each.facts]
        for view in told[1:]:
            first, now = told[0].facts["created"], view.facts["created"]
            if differ(first, now):
                sentence = f"task {task.id} was created at {iso(first)}, and later at {iso(now)}"
                yield _problem(oracle, sentence, view, "created", told[0])
            else:
                yield None


@check("times-in-order", "error", "trace", "time", "A task is created, then updated, then completed.")
def times_in_order(oracle: Oracle, trace: Trace) -> Judgements:
    """Hold against each other the times that one answer tells."""
    for task in trace.tasks.values():
        for view in task.views:
            told = [fact for fact in ("created", "updated", "completed") if fact in view.facts]
            for earlier, later in pairwise(told):
                first, second = view.facts[earlier], view.facts[later]
                if is_later(first, second):
                    sentence = f"task {task.id}: {earlier} at {iso(first)}, {later} before that, at {iso(second)}"
                    yield _problem(oracle, sentence, view, later)
                else:
                    yield None


@check("never-back", "error", "trace", "time", "Time of the last change and progress of a task never decrease.")
def never_back(oracle: Oracle, trace: Trace) -> Judgements:
    """Hold each poll against the one before it."""
    for task in trace.tasks.values():
        for before, view in successive(task.polls):
            for fact in ("updated", "progress"):
                if fact in before.facts and fact in view.facts:
                    yield _gone_back(oracle, task, before, view, fact)


def _gone_back(oracle: Oracle, task: TaskHistory, before: View, view: View, fact: str) -> Problem | None:
    first, second = before.facts[fact], view.facts[fact]
    numbers = isinstance(first, int | float) and isinstance(second, int | float)
    if not numbers or second >= first:
        return None
    shown = (iso(first), iso(second)) if fact == "updated" else (first, second)
    return _problem(oracle, f"task {task.id}: {fact} was {shown[0]}, then {shown[1]}", view, fact, before)


@check("created-at-creation", "error", "trace", "time", "A task was created when its creation was asked for.")
def created_at_creation(oracle: Oracle, trace: Trace) -> Judgements:
    """Hold what is told against the creation's own time, where clocks are the same."""
    for task in trace.tasks.values() if trace.circumstances.exact else ():
        view = next((each for each in task.views if "created" in each.facts), None)
        if task.creation is None or view is None:
            continue
        told, asked = view.facts["created"], task.creation.exchange
        # With a key it may repeat a creation that nobody saw.
        before = is_later(asked.began, told) and task.creation.idempotency_key is None
        if before or is_later(told, asked.ended):
            sentence = (
                f"task {task.id} was asked for at {iso(asked.began)} and tells that it was created at {iso(told)}"
            )
            yield Problem(sentence, view.operation, pointer_of(oracle, view, "created"), (asked, view.seen))
        else:
            yield None


@check("times-have-come", "error", "trace", "time", "No time is told before it has come.")
def times_have_come(oracle: Oracle, trace: Trace) -> Judgements:
    """Hold each time that is told against the time of the answer, where clocks are the same."""
    for task in trace.tasks.values() if trace.circumstances.exact else ():
        for view in task.views:
            for fact in ("created", "updated", "completed"):
                if fact not in view.facts:
                    continue
                if is_later(view.facts[fact], view.time):
                    sentence = f"task {task.id}: {fact} at {iso(view.facts[fact])}, told at {iso(view.time)} already"
                    yield _problem(oracle, sentence, view, fact)
                else:
                    yield None


@check("ends-in-time", "error", "trace", "time", "A task ends within the documented bound.")
def ends_in_time(oracle: Oracle, trace: Trace) -> Judgements:
    """Judge tasks that were asked for when the bound was over, and those that were seen to end."""
    bound = oracle.behaviour.polling.give_up
    for task in trace.tasks.values():
        if task.creation is None:
            continue
        due = task.creation.exchange.ended + bound
        late = next((each for each in task.polls if each.began > due and _goes_on(each)), None)
        if late is not None:
            sentence = (
                f"task {task.id} is {late.status} {(late.began - due + bound) // 1000} s after its creation; "
                f"it should have ended within {bound // 1000} s"
            )
            yield _problem(oracle, sentence, late, "status")
        elif task.ended is not None:
            created = task.ended.facts.get("created")
            if not trace.circumstances.exact and isinstance(created, int):
                due = max(due, created + bound)  # the provider's own clock may be ahead of ours
            yield _ended_in_time(oracle, task, task.ended, due)


def _goes_on(view: View) -> bool:
    return view.phase is not None and not view.phase.terminal


def _ended_in_time(oracle: Oracle, task: TaskHistory, ended: View, due: int) -> Problem | None:
    told = ended.facts.get("completed")
    if not isinstance(told, int) or not is_later(told, due):
        return None
    sentence = f"task {task.id} ended at {iso(told)}; it should have by {iso(due)}"
    return _problem(oracle, sentence, ended, "completed")


@check("retry-after", "error", "exchange", "time", "A refusal that promises a time to wait tells it in Retry-After.")
def retry_after(_oracle: Oracle, seen: Observation) -> Judgements:
    """Judge refusals whose entry in the catalogue has that header."""
    entry = seen.refusal.entry if seen.refusal else None
    promised = entry is not None and entry.headers is not None and isinstance(entry.headers.data, dict)
    if entry is None or not promised or "retry-after" not in map(str.lower, entry.headers.data):  # type: ignore[union-attr]
        return
    told = header(seen.exchange.answer_headers, "retry-after")
    if told is not None and told.isascii() and told.isdecimal() and int(told) >= 1:
        yield None
        return
    shown = "is missing" if told is None else f"is {told!r}"
    sentence = f"{seen.name} refused with {entry.name}: Retry-After {shown}; expected seconds, at least 1"
    yield Problem(sentence, seen.name, "retry-after", (seen.exchange,))


CHECKS = (
    created_constant, times_in_order, never_back, created_at_creation, times_have_come, ends_in_time, retry_after,
)  # fmt: skip
