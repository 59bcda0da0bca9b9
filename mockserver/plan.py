"""The life of a task as a value: which statuses it passes, when, and how it ends.

Theory of operation. A plan is fixed when a task is created. It names the statuses in order and the time after
creation at which each begins; nothing ticks, so a task that nobody polls ends as surely as one that is polled.
Moving a task by hand appends an intervention, which outranks the plan from its time on. The state is a function
of plan, interventions and the time, and everyone who asks gets the same answer. Where polls move a task, the poll
that does so is an intervention like any other.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, NamedTuple

from ..openapi.behaviour import Failure, Phase, Status
from .chance import between

Progress = Literal["time", "polls", "hand"]


class Plan(NamedTuple):
    """What becomes of a task.

    Attributes:
        statuses: the provider's words, in order; the last one is where the plan ends.
        starts: milliseconds after creation at which each status begins; the first is 0.
        failure: why it fails, where it does.
        progress: what moves it on: time, the owner's polls, or nothing but a hand.
        polls_per_status: how many polls a status lasts where polls move it.
    """

    statuses: tuple[str, ...]
    starts: tuple[int, ...]
    failure: Failure | None = None
    progress: Progress = "time"
    polls_per_status: int = 1


@dataclass(frozen=True, slots=True)
class Intervention:
    """A task moved by hand: at `time`, in milliseconds since the epoch, to `status`."""

    time: int
    status: str
    failure: Failure | None = None


class State(NamedTuple):
    """Where a task stands: its status, since when, and why it failed, if it did."""

    status: str
    since: int
    failure: Failure | None


def path_to(statuses: Mapping[str, Status], end: Phase) -> tuple[Status, ...]:
    """Return the statuses that a task passes on its way to `end`, in documented order.

    Raises:
        ValueError: the provider has no status of that phase.
    """
    last = next((status for status in statuses.values() if status.phase is end), None)
    if last is None:
        raise ValueError(f"no status has the phase {end.value}")
    return (*(status for status in statuses.values() if not status.phase.terminal), last)


def make_plan(path: Sequence[Status], random: bytes, failure: Failure | None = None) -> Plan:
    """Return the plan that passes the statuses of `path`, each for a time drawn from its range."""
    return Plan(tuple([status.name for status in path]), drawn_starts(path, random), failure)


def drawn_starts(path: Sequence[Status], random: bytes) -> tuple[int, ...]:
    """Return when each status of `path` begins if those before it last for times drawn from their ranges."""
    return starts_of(between([status.lasts for status in path[:-1]], random))


def starts_of(lasts: Sequence[int]) -> tuple[int, ...]:
    """Return when each status begins if those before the last one last as long as `lasts` says."""
    return tuple(accumulate(lasts, initial=0))


def instant_plan(path: Sequence[Status], failure: Failure | None = None) -> Plan:
    """Return the plan of a task that is at its end as soon as it is created."""
    return Plan((path[-1].name,), (0,), failure)


def state_of(plan: Plan, created: int, interventions: Sequence[Intervention], now: int) -> State:
    """Return where a task stands at `now`, both in milliseconds since the epoch."""
    last = next((each for each in reversed(interventions) if each.time <= now), None) if interventions else None
    if last is None:
        return _planned(plan, created, now - created)
    if plan.progress == "time" and last.status in plan.statuses[:-1]:
        # Put back into the middle of its plan, a task goes on from there.
        start = plan.starts[plan.statuses.index(last.status)]
        return _planned(plan, last.time - start, now - last.time + start)
    return State(last.status, last.time, last.failure)


def _planned(plan: Plan, origin: int, age: int) -> State:
    statuses, starts = plan.statuses, plan.starts
    index = bisect_right(starts, age, 1) - 1 if plan.progress == "time" else 0
    return State(statuses[index], origin + starts[index], plan.failure if index == len(statuses) - 1 else None)


def moved_by_poll(plan: Plan, status: str, polls: int) -> str | None:
    """Return the status that the owner's `polls`-th poll moves a task to from `status`, or None.

    Each status lasts `Plan.polls_per_status` polls; a task that was moved by hand is never moved back.
    """
    if plan.progress != "polls" or status not in plan.statuses:
        return None
    index = min((polls - 1) // plan.polls_per_status, len(plan.statuses) - 1)
    return plan.statuses[index] if index > plan.statuses.index(status) else None


def transitions(plan: Plan, created: int, interventions: Sequence[Intervention], now: int) -> list[State]:
    """Return every state that a task was in until `now`, oldest first."""
    moments = {created + start for start in plan.starts} | {each.time for each in interventions}
    for each in interventions:
        if each.status in plan.statuses:
            offset = plan.starts[plan.statuses.index(each.status)]
            moments |= {each.time + start - offset for start in plan.starts if start > offset}
    states = (state_of(plan, created, interventions, moment) for moment in sorted(moments) if created <= moment <= now)
    seen: list[State] = []
    for state in states:
        if not seen or state.status != seen[-1].status:
            seen.append(state)
    return seen
