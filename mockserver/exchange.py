"""One request and its answer, with what came of it."""

from __future__ import annotations

from .answer import Answer
from .namespace import Namespace
from .request import Request
from .scenario import Play
from .task import Task

_NONE = Answer(500, (), b"")


class Exchange:
    """A request, what it was taken for, and its answer.

    Attributes:
        request: as it came.
        provider: the provider's name, "" where none was meant.
        operation: the operation's name, "" where none was meant.
        namespace: whose it is, or None where no key said so.
        time: the namespace's time when it came, in milliseconds since the epoch.
        task: the id of the task it was about, or "".
        played: what was played in place of the documented success, or "".
        early: a task that it created whose callbacks go out before the answer, or None.
        fault: the fault that its answer is spoiled by, or None.
        refused: whether the answer is a refusal.
        pace: how many times faster than real time the namespace's clock ran when it came; 0 while it stood still.
        number: how many came before it, and one; 0 until it is in the journal.
        real_time: the real time when it came, in milliseconds since the epoch.
        began: when it came, by a clock that tells durations alone, in seconds.
        milliseconds: how long it took.
        weight: how many bytes it counts for in the journal.
        masked: whether the keys and signatures in its request were masked, as they are for who reads the journal.
        answer: what went back.
    """

    __slots__ = (
        "answer", "began", "early", "fault", "masked", "milliseconds", "namespace", "number", "operation", "pace",
        "played", "provider", "real_time", "refused", "request", "task", "time", "weight",
    )  # fmt: skip

    def __init__(self, request: Request) -> None:
        self.request = request
        self.provider = ""
        self.operation = ""
        self.namespace: Namespace | None = None
        self.time = 0
        self.task = ""
        self.played = ""
        self.early: Task | None = None
        self.fault: Play | None = None
        self.refused = False
        self.pace: float = 1
        self.number = 0
        self.real_time = 0
        self.began = 0.0
        self.milliseconds = 0.0
        self.weight = 0
        self.masked = False
        self.answer: Answer = _NONE
