"""What passed by: one request and what became of it, as its bytes were."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .body import Body
from .heads import Head

Ending = Literal["answered", "refused", "cut", "gone"]
"""How it ended: with an answer; without a connection; broken by the provider; broken by the application."""


@dataclass(slots=True)
class Passed:
    """One request, and what became of it. Times are milliseconds since the epoch.

    Attributes:
        method: of the request.
        target: path and query as the application sent them.
        head: of the request, as the application sent it.
        body: of the request.
        began: when the request came.
        inbox: the name of the inbox that it was sent to, None for a request to the provider.
        ended: when the answer had passed, or it was clear that none would.
        status: of the answer; None where none came.
        answer_head: of the answer.
        answer: the answer's body.
        ending: how it ended.
        problem: why it ended without an answer, or with half of one; "" where it did not.
    """

    method: str
    target: bytes
    head: Head
    body: Body
    began: int
    inbox: str | None = None
    ended: int = 0
    status: int | None = None
    answer_head: Head = field(default_factory=lambda: Head(b"", ()))
    answer: Body = field(default_factory=lambda: Body(0, 0))
    ending: Ending = "gone"
    problem: str = ""
