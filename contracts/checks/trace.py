"""Everything that was seen of a provider in one go, in order: exchanges, callbacks, and what they tell of each task."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import orjson

from ...openapi.behaviour import Phase
from ...openapi.pointer import MISSING
from ...openapi.reads import read
from .exchange import Callback, Exchange
from .oracle import Observation, Oracle


@dataclass(frozen=True)
class ReceivedCallback:
    """A callback, and what it tells."""

    oracle: Oracle
    callback: Callback

    @cached_property
    def data(self) -> Any:
        """Its body as data, `MISSING` where it is no JSON."""
        try:
            return orjson.loads(self.callback.body)
        except orjson.JSONDecodeError:
            return MISSING

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What it tells of its task, by the names of `reads.FACTS`; times are milliseconds."""
        callbacks = self.oracle.behaviour.callbacks
        return {} if callbacks is None or self.data is MISSING else read(callbacks.reads, self.data)

    @property
    def task_id(self) -> str | None:
        """The id of the task that it tells of, or None."""
        told = self.facts.get("id")
        return told if isinstance(told, str) else None

    @property
    def phase(self) -> Phase | None:
        """The phase that it tells; None where it tells none, or a word that is not known."""
        return self.oracle.phase_of(self.facts.get("status"))


@dataclass(frozen=True, slots=True)
class View:
    """A moment at which a task was told of.

    Attributes:
        time: when that was, in milliseconds since the epoch by the provider's clock.
        source: what told of it.
        facts: what was told, by the names of `reads.FACTS`.
        phase: the phase that was told; None where none was, or a word that is not known.
        seen: the exchange or callback.
        operation: the name of the operation that was asked, "" for callbacks.
    """

    time: int
    source: Literal["creation", "poll", "cancel", "callback"]
    facts: dict[str, Any]
    phase: Phase | None
    seen: Exchange | Callback
    operation: str = ""

    @property
    def began(self) -> int:
        """When it was asked for, or when it came."""
        return self.seen.began if isinstance(self.seen, Exchange) else self.seen.came

    @property
    def status(self) -> str | None:
        """The provider's word for where the task stands, where it told one."""
        told = self.facts.get("status")
        return told if isinstance(told, str) else None


@dataclass
class TaskHistory:
    """What was seen of one task.

    Attributes:
        id: the provider's id of it.
        creation: the exchange that created it, None where that was not seen.
        asked: every exchange that asked for it by its id, whoever asked and whatever was answered, in order.
        callbacks: the callbacks that told of it, in order; none where the id is shared.
        shared: whether another account has a task of the same id, so that nobody can say of which a callback tells.
        views: what was told of it to its owner, in order; polls that were refused tell nothing.
    """

    id: str
    creation: Observation | None = None
    asked: list[Observation] = field(default_factory=list)
    callbacks: list[ReceivedCallback] = field(default_factory=list)
    shared: bool = False

    @property
    def owner(self) -> str:
        """The key of the account that created it, "" where that was not seen."""
        return self.creation.account if self.creation else ""

    @cached_property
    def own(self) -> list[Observation]:
        """The exchanges in which its owner asked for it; where nobody saw the creation, all of them."""
        return [each for each in self.asked if self.creation is None or each.account == self.owner]

    @cached_property
    def views(self) -> list[View]:
        """What was told of it to its owner by creation, polls and cancellations, in order."""
        first = [] if self.creation is None else [self.creation]
        words: dict[str, Literal["creation", "poll", "cancel"]] = {
            "create": "creation", "poll": "poll", "cancel": "cancel",
        }  # fmt: skip
        return [
            View(each.exchange.ended, words[each.does], each.facts, each.phase, each.exchange, each.name)
            for each in [*first, *self.own]
            if each.accepted and each.does in words
        ]

    @cached_property
    def polls(self) -> list[View]:
        """What polls told of it to its owner, in order."""
        return [each for each in self.views if each.source == "poll"]

    @cached_property
    def ended(self) -> View | None:
        """The first poll that told of its end, or None."""
        return next((each for each in self.polls if each.phase is not None and each.phase.terminal), None)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a judge has to know beyond the bytes.

    Attributes:
        until: up to which time everything was seen, in milliseconds since the epoch by the provider's clock; what had
            not happened by then is judged as late or lost.
        secret: the secret that callbacks are signed with, "" where none was set.
        callback_url: where callbacks were to go by the account's settings; "" where creations say it, or nobody did.
        receiver: whether every callback that came to the URLs of the creations was seen.
        exact: whether the times of exchanges are the provider's own to the millisecond (an emulator's clock), so that
            what is told can be held against them.
        whole: whether every creation of these accounts was seen, so that a task that nobody created is none.
        redelivered: the ids of tasks whose callbacks the provider was asked to send once more.
        accounts: the keys of the accounts that `secret` and `callback_url` were set for; empty for all.
    """

    until: int
    secret: str = ""
    callback_url: str = ""
    receiver: bool = False
    exact: bool = False
    whole: bool = False
    redelivered: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()

    def holds_for(self, account: str) -> bool:
        """Tell whether `secret` and `callback_url` were set for the account of this key."""
        return not self.accounts or account in self.accounts


@dataclass
class Trace:
    """Everything that was seen, in order.

    Attributes:
        observations: the exchanges, with what they mean.
        received: the callbacks, with what they tell.
        circumstances: what a judge has to know beside.
        tasks: what was seen of each task, by its id, in the order of their first appearance. Ids are an account's own:
            where a second account has a task of the same id, a number stands behind it.
    """

    observations: list[Observation]
    received: list[ReceivedCallback]
    circumstances: Circumstances
    tasks: dict[str, TaskHistory]


def make_trace(
    oracle: Oracle, exchanges: Iterable[Exchange | Observation], callbacks: Iterable[Callback],
    circumstances: Circumstances,
) -> Trace:  # fmt: skip
    """Put what was seen in order of what it is about."""
    observed = [each if isinstance(each, Observation) else oracle.observe(each) for each in exchanges]
    received = [ReceivedCallback(oracle, each) for each in callbacks]
    tasks: dict[str, TaskHistory] = {}
    owners = _owners(observed)
    for each in observed:
        identity = each.task_id
        if identity is not None:
            accounts = owners.get(identity, [])
            number = accounts.index(each.account) if each.account in accounts else 0
            name = f"{identity} {number + 1}" if number else identity
            history = tasks.setdefault(name, TaskHistory(identity, shared=len(accounts) > 1))
            if each.does == "create":
                history.creation = history.creation or each
            else:
                history.asked.append(each)
    for letter in received:
        identity = letter.task_id
        if identity is not None and len(owners.get(identity, ())) < 2:
            tasks.setdefault(identity, TaskHistory(identity)).callbacks.append(letter)
    return Trace(observed, received, circumstances, tasks)


def _owners(observed: list[Observation]) -> dict[str, list[str]]:
    """Return the keys of the accounts that have a task of each id."""
    found: dict[str, list[str]] = {}
    for each in observed:
        if each.does == "create" and each.task_id is not None:
            accounts = found.setdefault(each.task_id, [])
            if each.account not in accounts:
                accounts.append(each.account)
    return found
