"""What happened while a client was played with, as values that checks judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from ...openapi.behaviour import Phase
from ..checks.exchange import Callback
from ..checks.oracle import Observation
from .adapter import Result, Said, results_of
from .situations import Situation


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the client, as the emulator's journal has it.

    Attributes:
        seen: the exchange, and what it means.
        number: the journal's number of it.
        moment: when it came, in real milliseconds since the epoch.
        fault: what befell the answer on the wire, "" for nothing.
    """

    seen: Observation
    number: int
    moment: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A callback that was handed to the client.

    Attributes:
        callback: what came.
        verdict: whether the client accepted or rejected it, fell over, or did not come back.
        error: what it fell over, or why it was rejected.
    """

    callback: Callback
    verdict: Literal["accepted", "rejected", "crashed", "hung"]
    error: str = ""


@dataclass(frozen=True, slots=True)
class EndedTask:
    """How a task of the client stands in truth: the provider's word, when nothing is played any more.

    Attributes:
        id: the provider's id.
        phase: its phase.
        outputs: the links to its results.
    """

    id: str
    phase: Phase
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Performance:
    """A client in one situation.

    Attributes:
        situation: what was played.
        speed: how many times faster than real time the provider's clock ran.
        said: how `generate` ended; the factory's failure where it made no adapter.
        closed: how `close` ended, None where there is none.
        asked: the client's requests, in order.
        report: what the emulator tells of the client's behaviour.
        tasks: the client's tasks, as they are in truth.
        taken: the callbacks that it was handed.
        links: the HTTP status under which each link that the client handed out is answered, 0 for no answer; empty
            where they were not asked for.
        contents: the results that the client fetched itself; None for a file that can't be read.
        whole: what is behind each link of the provider's, by the link, where the client fetched some.
        left_open: connections that were open when the client had closed, None where that can't be told.
    """

    situation: Situation
    speed: float
    said: Said
    closed: Said | None = None
    asked: list[Asked] = field(default_factory=list)
    report: Mapping[str, Any] = field(default_factory=dict)
    tasks: list[EndedTask] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    links: Mapping[str, int] = field(default_factory=dict)
    contents: tuple[bytes | None, ...] = ()
    whole: Mapping[str, bytes] = field(default_factory=dict)
    left_open: int | None = None

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """What the client handed out."""
        return results_of(self.said.value) if self.said.kind == "completed" else ()

    @cached_property
    def completed(self) -> list[EndedTask]:
        """The tasks that completed."""
        return [each for each in self.tasks if each.phase is Phase.COMPLETED]

    def polls(self) -> dict[str, list[Asked]]:
        """Return the polls of each task."""
        found: dict[str, list[Asked]] = {}
        for each in self.asked:
            if each.seen.does == "poll" and each.seen.asked_id:
                found.setdefault(each.seen.asked_id, []).append(each)
        return found

    def numbered(self, *numbers: Any) -> tuple[Any, ...]:
        """Return the exchanges that the journal numbers so, as evidence."""
        return tuple(each.seen.exchange for each in self.asked if each.number in numbers)
