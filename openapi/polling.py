"""How often a provider wants to be asked for a task, and for how long: what a client keeps to and is judged by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """From the age `since` of a task on, the pause between two polls is `least` to `most`; all in milliseconds."""

    since: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Polling:
    """A provider's advice. All times are milliseconds.

    Attributes:
        steps: the pauses, by the age of the task; the first holds from age 0.
        give_up: the age at which a task that has not ended may be given up.
        grace: the age up to which a task may be answered as unknown although it exists.
        provenance: documented, observed or assumed.
    """

    steps: tuple[Step, ...] = (Step(0, 2000, 3000), Step(30_000, 5000, 10_000), Step(120_000, 15_000, 30_000))
    give_up: int = 900_000
    grace: int = 5000
    provenance: str = "assumed"

    def pause(self, age: int) -> tuple[int, int]:
        """Return the least and the most milliseconds until the next poll of a task that is `age` old."""
        step = next((each for each in reversed(self.steps) if age >= each.since), self.steps[0])
        return step.least, step.most
