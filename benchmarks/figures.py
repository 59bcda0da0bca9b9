"""What was measured: figures with all their runs, how they are kept, and what is read from them."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured, several times.

    Attributes:
        measure: what was done: `creation`, `start`, `callbacks`, …
        quantity: what was read: `rate` (per second), `p50` and `p99` (milliseconds), `errors`, `cpu` (the server's
            processor time for an answer, microseconds), `busy` (the share of the time that the load generator
            worked), `seconds`, `MiB`, `bytes`.
        server: who was measured.
        at: connections, tasks or rules there were; 0 where that means nothing.
        runs: what each run came to, in their order.
    """

    measure: str
    quantity: str
    server: str
    at: int
    runs: tuple[float, ...]

    @property
    def value(self) -> float:
        """The median of the runs."""
        return statistics.median(self.runs)


@dataclass(slots=True)
class Results:
    """All figures of one run of the benchmarks, where it was run, and what could not be."""

    machine: dict[str, Any]
    profile: str
    taken: str
    figures: list[Figure] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def add(self, measure: str, quantity: str, server: str, at: int, runs: Iterable[float]) -> None:
        """Keep a figure."""
        self.figures.append(Figure(measure, quantity, server, at, tuple(float(f"{run:.5g}") for run in runs)))

    def find(self, measure: str, quantity: str, server: str, at: int = 0) -> float | None:
        """Return the median of a figure, or None where it was not measured."""
        key = (measure, quantity, server, at)
        for each in self.figures:
            if (each.measure, each.quantity, each.server, each.at) == key:
                return each.value
        return None

    def ratio(self, measure: str, quantity: str, server: str, base: str, at: int = 0) -> float | None:
        """Return how the figures of two servers compare; None where one of them is missing."""
        return quotient(self.find(measure, quantity, server, at), self.find(measure, quantity, base, at))

    def values(self, measure: str, quantity: str, server: str) -> dict[int, float]:
        """Return the medians by what there was of connections, tasks or rules, in rising order."""
        found = (
            each for each in self.figures if (each.measure, each.quantity, each.server) == (measure, quantity, server)
        )
        return {each.at: each.value for each in sorted(found, key=lambda each: each.at)}

    def servers(self, measure: str) -> list[str]:
        """Return who was measured at something, in order."""
        return list(dict.fromkeys(each.server for each in self.figures if each.measure == measure))

    def errors(self) -> int:
        """Return how many answers of this project's server were wrong."""
        return int(sum(sum(each.runs) for each in self.figures if (each.quantity, each.server) == ("errors", OURS)))

    def to_json(self) -> str:
        """Return the results as they are kept."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return results that were kept."""
        data = json.loads(text)
        figures = [Figure(**{**each, "runs": tuple(each["runs"])}) for each in data.pop("figures")]
        return cls(**data, figures=figures)


OURS = "understudy"
LIMIT = "raw ASGI"
STORED = Path(__file__).parent / "results" / "run.json"


def quotient(value: float | None, base: float | None) -> float | None:
    """Return `value / base`, None where either is missing or the base is nothing."""
    return value / base if value is not None and base else None


def stored() -> Results:
    """Return the stored run."""
    return Results.from_json(STORED.read_text())


def alternate(runs: int, sides: Sequence[Any], run: Any) -> None:
    """Call `run(side)` for all sides in turn, `runs` times over: what else the machine does falls on all."""
    for number in range(runs):
        for side in sides if number % 2 == 0 else list(reversed(sides)):
            run(side)
