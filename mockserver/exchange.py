"""One request and its answer, with what came of it."""

from __future__ import annotations

from .answer import Answer
from .namespace import Namespace
from .request import Request


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
        answer: what went back.
    """

    __slots__ = ("answer", "namespace", "operation", "played", "provider", "request", "task", "time")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.provider = ""
        self.operation = ""
        self.namespace: Namespace | None = None
        self.time = 0
        self.task = ""
        self.played = ""
        self.answer: Answer = Answer(500, [], b"")
