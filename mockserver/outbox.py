"""The callbacks of one namespace: those that wait, by due time, and those that anybody may still ask for."""

from __future__ import annotations

import asyncio
from heapq import heappop, heappush

from .delivery import Delivery

MAX_KEPT = 10_000
"""Deliveries kept of a namespace; the oldest that have ended go first."""
_SLACK = 1000
"""By how many more they may be for a while: who looks for ended ones then finds many at once."""


class Outbox:
    """The deliveries of one namespace.

    Attributes:
        all: every delivery that is kept, by id.
        count: how many there ever were.
        paused: whether nothing is sent for the time being.
        advances: how many advances of the clock are going on.
        under_way: what is done when the attempts have ended that were started as their time came.
    """

    def __init__(self) -> None:
        self.all: dict[str, Delivery] = {}
        self.count = 0
        self.paused = False
        self.advances = 0
        self.under_way: set[asyncio.Future[None]] = set()
        self._due: list[tuple[int, int, int, Delivery]] = []
        self._pushed = 0
        self._crowded = MAX_KEPT + _SLACK

    def pending(self) -> int:
        """Return how many have not ended."""
        return sum(1 for each in self.all.values() if each.state == "pending")

    def push(self, delivery: Delivery) -> None:
        """Let `delivery` wait until it is due."""
        self._pushed += 1
        heappush(self._due, (delivery.due, delivery.number, self._pushed, delivery))

    def pop_due(self, now: int) -> list[Delivery]:
        """Return what is due at `now`, in order of due time, each once, and let it wait no more."""
        found: dict[str, Delivery] = {}
        while self._due and self._due[0][0] <= now:
            due, _, _, delivery = heappop(self._due)
            if delivery.state == "pending" and delivery.due == due:
                found[delivery.id] = delivery
        return list(found.values())

    def next_due(self) -> int | None:
        """Return when the next one is due, or None."""
        while self._due and (self._due[0][3].state != "pending" or self._due[0][3].due != self._due[0][0]):
            heappop(self._due)
        return self._due[0][0] if self._due else None

    def keep(self, delivery: Delivery) -> None:
        """Keep `delivery` for who asks, and let go of the oldest that have ended where there are too many."""
        self.all[delivery.id] = delivery
        if len(self.all) > self._crowded:
            ended = [key for key, each in self.all.items() if each.state != "pending"]
            for key in ended[: len(self.all) - MAX_KEPT]:
                del self.all[key]
            self._crowded = len(self.all) + _SLACK
