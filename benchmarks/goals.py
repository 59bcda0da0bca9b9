"""The goals: what is asked of each figure, and whether it was met."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .callbacks import AT_ONCE, HTTPX
from .figures import LIMIT, OURS, Results, quotient
from .growth import ANY, EQUAL

LEAST, MOST = "≥", "≤"
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure is to be at least or at most; `value` is None where it was not measured."""

    title: str
    sign: str
    bound: float
    unit: str
    value: float | None

    @property
    def met(self) -> bool:
        """Whether it was measured and reached."""
        if self.value is None:
            return False
        return self.value >= self.bound if self.sign == LEAST else self.value <= self.bound


def goals(results: Results) -> list[Goal]:
    """Return every goal with what was measured for it."""
    return [*_speed(results), *_lateness(results), *_resources(results), *_growth(results)]


def _speed(results: Results) -> Iterator[Goal]:
    raw = f"x {LIMIT}"
    yield Goal("creation", LEAST, 0.35, raw, results.ratio("creation", "rate", OURS, LIMIT, 32))
    yield Goal("polling", LEAST, 0.45, raw, results.ratio("polling", "rate", OURS, LIMIT, 32))
    bare = [results.find("callbacks", "rate", f"{HTTPX}, {number} at once") or 0.0 for number in AT_ONCE]
    value = quotient(results.find("callbacks", "rate", OURS), max(bare))
    yield Goal("callbacks", LEAST, 0.7, "x bare httpx", value)


def _lateness(results: Results) -> Iterator[Goal]:
    places = (
        ("creation", "creation", 32),
        ("polling", "polling", 32),
        ("creation, a million tasks", "tasks, creation", _MILLION),
        ("polling, a million tasks", "tasks, polling", _MILLION),
    )
    for title, measure, at in places:
        value = quotient(results.find(measure, "p99", OURS, at), results.find(measure, "p50", OURS, at))
        yield Goal(f"p99 at 32 connections, {title}", MOST, 3, "x p50", value)


def _resources(results: Results) -> Iterator[Goal]:
    yield Goal("first answer, a creation", MOST, 0.35, "s", results.find("start", "seconds", OURS))
    yield Goal("memory, idle", MOST, 60, "MiB", results.find("idle", "MiB", OURS))
    per_task = next(iter(results.values("task", "bytes", OURS).values()), None)
    yield Goal("memory of a live task", MOST, 1.2, "KB", quotient(per_task, 1000))
    held = list(results.values("exchanges", "MiB", OURS).items())
    count, value = (held[-1][0], quotient(held[-1][1], held[0][1])) if held else (_MILLION, None)
    yield Goal(f"memory after {count:,} exchanges", MOST, 1.02, "x before", value)


def _growth(results: Results) -> Iterator[Goal]:
    costs = cost(results, "tasks, polling")
    most = max(costs, default=_MILLION)
    yield Goal(f"polling beside {most:,} tasks", MOST, 1.1, "x beside 1,000", costs.get(most))
    kinds = ((ANY, 100, "rules of any kind"), (EQUAL, 100, "rules that differ in one field"), (EQUAL, 10_000, "such"))
    for measure, count, title in kinds:
        value = cost(results, measure).get(count)
        yield Goal(f"creation beside {count:,} {title}", MOST, 1.2, "x beside one", value)


def cost(results: Results, measure: str) -> dict[int, float]:
    """Return how many times longer an answer takes than with the fewest tasks or rules, by how many there are."""
    rates = results.values(measure, "rate", OURS)
    fewest = rates.get(min(rates, default=0), 0.0)
    return {at: fewest / rate for at, rate in rates.items() if rate}
