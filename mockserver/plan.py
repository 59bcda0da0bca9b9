"""The life of a task as a value: which statuses it passes, when, and how it ends.

Theory of operation. A plan is fixed when a task is created. It names the statuses in order and the time after
creation at which each begins; nothing ticks, so a task that nobody polls ends as surely as one that is polled.
Moving a task by hand appends an intervention, which outranks the plan from its time on. The state is a function
of plan, interventions, the time and the number of the owner's polls, and everyone who asks gets the same answer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..openapi.behaviour import Failure, Phase, Status
from .chance import between

Progress = Literal["time", "polls", "hand"]


@dataclass(frozen=True, slots=True)
class Plan:
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


@dataclass(frozen=True, slots=True)
class State:
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
    starts = [0]
    for nth, status in enumerate(path[:-1]):
        starts.append(starts[-1] + between(*status.lasts, random, nth))
    return Plan(tuple(status.name for status in path), tuple(starts), failure)


def instant_plan(path: Sequence[Status], failure: Failure | None = None) -> Plan:
    """Return the plan of a task that is at its end as soon as it is created."""
    return Plan((path[-1].name,), (0,), failure)


def state_of(plan: Plan, created: int, interventions: Sequence[Intervention], now: int, polls: int) -> State:
    """Return where a task stands at `now`, both in milliseconds since the epoch, after `polls` polls by its owner."""
    if interventions and interventions[-1].time <= now:
        last = interventions[-1]
        return State(last.status, last.time, last.failure)
    index = _index(plan, now - created, polls)
    since = created + plan.starts[index] if plan.progress == "time" else created
    ended = index == len(plan.statuses) - 1
    return State(plan.statuses[index], since, plan.failure if ended else None)


def _index(plan: Plan, age: int, polls: int) -> int:
    if plan.progress == "time":
        return max(bisect_right(plan.starts, age) - 1, 0)
    if plan.progress == "polls":
        return min(polls // plan.polls_per_status, len(plan.statuses) - 1)
    return 0
