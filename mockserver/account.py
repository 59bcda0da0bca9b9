"""What a provider keeps for one key: tasks, credits, rate windows, files."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from ..openapi.behaviour import Limit, Phase
from .task import Task

if TYPE_CHECKING:
    from .namespace import Namespace


@dataclass(slots=True)
class StoredFile:
    """A file that a user uploaded, or a synthetic stand-in for one."""

    name: str
    content: bytes
    media_type: str
    stored: int


class Account:
    """The pair of a provider and a namespace."""

    __slots__ = ("_due", "_windows", "files", "home", "last_id_time", "repeatable", "spent", "tasks")

    def __init__(self) -> None:
        self.home: tuple[Namespace, Account] | None = None
        self.tasks: dict[str, Task] = {}
        self.files: dict[str, StoredFile] = {}
        self.repeatable: dict[bytes, str] = {}
        self.spent: float = 0
        self.last_id_time = 0
        self._windows: dict[Limit, deque[int]] = {}
        self._due: list[tuple[int, int, Task]] = []

    def file(self, name: str, now: int, kept_for: int | None) -> StoredFile | None:
        """Return the uploaded file `name`, or None where there is none or it was kept for its time."""
        file = self.files.get(name)
        expired = file is not None and kept_for is not None and now >= file.stored + kept_for
        return None if expired else file

    def next_id_time(self, now: int) -> int:
        """Return `now`, or the first later millisecond that no id of this account was made of yet."""
        self.last_id_time = max(now, self.last_id_time + 1)
        return self.last_id_time

    def charge(self, task: Task) -> None:
        """Take the task's price, and lay it up for when the task's plan ends without a result."""
        if self._due:  # where nobody asks for the balance, tasks that are long gone would be held here
            self.balance(0, task.created)
        self.spent += task.price
        phase = task.operation.phase_of(task.plan.statuses[-1])
        if task.plan.progress == "time" and phase in {Phase.FAILED, Phase.CANCELLED}:
            self.refund_later(task, task.ends())

    def refund_later(self, task: Task, moment: int) -> None:
        """Give the price back at `moment`, if the task did not complete by then."""
        heappush(self._due, (moment, task.number, task))

    def balance(self, start: float, now: int) -> float:
        """Return the credits left of `start` at `now`, with what is owed for failed tasks given back."""
        while self._due and self._due[0][0] <= now:
            task = heappop(self._due)[2]
            phase = task.operation.phase_of(task.state(now).status)
            if not task.refunded and phase in {Phase.FAILED, Phase.CANCELLED}:
                task.refunded = True
                self.spent -= task.price
        return start - self.spent

    def wait_for(self, limit: Limit, now: int) -> int:
        """Count a call against `limit`; return 0, or the milliseconds until one is allowed again."""
        window = self._windows.get(limit)
        if window is None:
            window = self._windows[limit] = deque(maxlen=limit.count)
        if len(window) == limit.count and window[0] > now - limit.per:
            return window[0] + limit.per - now
        window.append(now)
        return 0
