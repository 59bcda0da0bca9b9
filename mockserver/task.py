"""A task: what was asked, what becomes of it, and how it looks at a given time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from ..openapi.behaviour import Phase
from .plan import Intervention, Plan, State, state_of

if TYPE_CHECKING:
    from .account import Account
    from .compiled import CompiledOperation
    from .delivery import Delivery
    from .namespace import Namespace
    from .scenario import Play


@dataclass(slots=True)
class Staging:
    """What a scenario makes of a task beyond its plan.

    Attributes:
        pending: plays that wait for the task's polls, results or callbacks, each with how often it may still happen.
        hidden_until: until when polls do not find it, in milliseconds since the epoch.
        results: how many results it has, where not as many as were asked for.
        file: the picture to answer with, where not one made for the task, and its media type.
        result_status: the HTTP status that links to its results are refused with, or 0.
        deliveries: its callbacks.
        callback_url: where the creation asked for them to be sent, or None.
        truncated: whether its results are cut in half.
    """

    pending: list[tuple[Play, int | None]] = field(default_factory=list)
    hidden_until: int = 0
    results: int | None = None
    file: tuple[bytes, str] | None = None
    result_status: int = 0
    truncated: bool = False
    deliveries: list[Delivery] = field(default_factory=list)
    callback_url: str | None = None

    def take(self, on: str) -> list[Play]:
        """Return the plays that happen to one request on `on`, and count it against them."""
        taken, kept = [], []
        for play, left in self.pending:
            if play.on != on:
                kept.append((play, left))
                continue
            taken.append(play)
            if left is None or left > 1:
                kept.append((play, None if left is None else left - 1))
        self.pending = kept
        return taken


class Task:
    """One creation of an account, kept as small as it can be: a million of them may be alive.

    Attributes:
        id: the provider's id for it.
        number: the how-manieth creation of its namespace it is.
        operation: the operation that created it.
        model: the model that was asked for.
        created: milliseconds since the epoch.
        plan: what becomes of it.
        body: the creation's body, as the bytes that were sent.
        random: the bytes that decide whatever is random about it.
        price: the credits it was charged.
        polls: how often its owner asked for it.
        interventions: what was done to it by hand.
        refunded: whether its price was given back.
        home: the namespace and the account that it belongs to, or None while it is kept in none.
        staging: what a scenario makes of it beyond its plan; None for most tasks.
        rendered: an operation, a status, and what the operation answers while the task is in it.
    """

    __slots__ = (
        "body", "created", "home", "id", "interventions", "model", "number", "operation", "plan", "polls", "price",
        "random", "refunded", "rendered", "staging",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 - a record with that many columns
        self, *, id: str, number: int, operation: CompiledOperation, model: str, created: int, plan: Plan,  # noqa: A002
        body: bytes, random: bytes, price: float,
    ) -> None:  # fmt: skip
        self.id = id
        self.number = number
        self.operation = operation
        self.model = model
        self.created = created
        self.plan = plan
        self.body = body
        self.random = random
        self.price = price
        self.polls = 0
        self.interventions: tuple[Intervention, ...] = ()
        self.refunded = False
        self.home: tuple[Namespace, Account] | None = None
        self.staging: Staging | None = None
        self.rendered: tuple[str, str, bytes] | None = None

    def state(self, now: int) -> State:
        """Return where the task stands at `now`."""
        return state_of(self.plan, self.created, self.interventions, now)

    def stage(self) -> Staging:
        """Return what goes beyond its plan, made when there is none yet."""
        if self.staging is None:
            self.staging = Staging()
        return self.staging

    def ends(self) -> int:
        """Return when the plan ends, whatever is done by hand."""
        return self.created + self.plan.starts[-1]


_UNREAD: Any = object()


class TaskView:
    """A task at one moment, as templates see it; times and durations are in milliseconds, times since the epoch.

    Attributes:
        id: the provider's id.
        model: the model that was asked for.
        status: the provider's word for where it stands.
        phase: our word for that.
        created: when it was created.
        updated: when its status last changed.
        completed: when it ended, or None while it has not.
        duration: from creation to end, or None while it has not ended.
        outputs: links to the results once it is completed, else None.
        credits: those it consumed once it ended, nothing where it did not complete; None before.
    """

    __slots__ = (
        "_body", "_failure", "_input", "completed", "created", "credits", "duration", "id", "model", "outputs", "phase",
        "status", "updated",
    )  # fmt: skip

    completed: int | None
    duration: int | None
    outputs: list[str] | None
    credits: float | None

    def __init__(self, task: Task, state: State, phase: Phase, links: Iterable[str]) -> None:
        self.id = task.id
        self.model = task.model
        self.status = state.status
        self.phase = phase
        self.created = task.created
        self.updated = state.since
        self.completed = self.duration = self.outputs = self.credits = None
        self._failure = state.failure if phase is Phase.FAILED else None
        self._body = task.body
        self._input = _UNREAD
        if phase.terminal:
            self.completed = state.since
            self.duration = state.since - task.created
            self.credits = 0
            if phase is Phase.COMPLETED:
                self.outputs = list(links)
                self.credits = task.price

    @property
    def input(self) -> Any:
        """The creation's body, or None where it had none."""
        if self._input is _UNREAD:
            self._input = orjson.loads(self._body or b"null")
        return self._input

    @property
    def error(self) -> Mapping[str, Any] | None:
        """Code, message and further facts once it failed, else None."""
        failure = self._failure
        return None if failure is None else {"code": failure.code, "message": failure.message, **failure.facts}
