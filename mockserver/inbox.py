"""Inboxes: receivers of callbacks for tests and people who have none of their own."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..openapi.times import iso

MAX_MESSAGES = 1000
MAX_INBOXES = 1000
MAX_MESSAGE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Letter:
    """A callback as it came; `answered` is the HTTP status it was answered with, or what was done instead."""

    real_time: int
    headers: Mapping[str, str]
    body: str
    answered: str

    def shown(self) -> dict[str, Any]:
        """Return it as the control API shows it."""
        headers = dict(self.headers)
        return {"real_time": iso(self.real_time), "headers": headers, "body": self.body, "answered": self.answered}


@dataclass(slots=True)
class Inbox:
    """One inbox: what came, and how the next ones are to be answered."""

    letters: deque[Letter] = field(default_factory=lambda: deque(maxlen=MAX_MESSAGES))
    answers: deque[str] = field(default_factory=deque)
    count: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def next_answer(self) -> str:
        """Return how the next callback is to be answered: a status, ``hang`` or ``reset``."""
        return self.answers.popleft() if self.answers else "200"

    def put(self, letter: Letter) -> None:
        """Keep `letter`, and wake who waits for one."""
        self.letters.append(letter)
        self.count += 1
        self.arrived.set()
        self.arrived = asyncio.Event()

    def clear(self) -> None:
        """Forget what came, and how the next ones were to be answered; who waits for callbacks goes on waiting."""
        self.letters.clear()
        self.answers.clear()
        self.count = 0

    async def wait(self, count: int, seconds: float) -> bool:
        """Wait until `count` letters have come in all; tell whether they have, at the latest after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while self.count < count:
                    await self.arrived.wait()
        except TimeoutError:
            return False
        return True


class Inboxes:
    """All inboxes, made when they are first used; the one unused longest goes first."""

    def __init__(self) -> None:
        self._inboxes: OrderedDict[str, Inbox] = OrderedDict()

    def open(self, name: str) -> Inbox:
        """Return the inbox called `name`."""
        inbox = self._inboxes.setdefault(name, Inbox())
        self._inboxes.move_to_end(name)
        if len(self._inboxes) > MAX_INBOXES:
            self._inboxes.popitem(last=False)
        return inbox

    def clear(self, name: str | None = None) -> None:
        """Empty the inbox called `name`, or all of them."""
        for inbox in self._inboxes.values() if name is None else [self.open(name)]:
            inbox.clear()
