"""Deliveries of callbacks: that they come, who signed them, when they are repeated and when no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...openapi.behaviour import Phase
from ...openapi.callbacks import Callbacks
from ...openapi.pointer import MISSING
from ...openapi.signing import SecretError, SignatureError, verify
from .exchange import Callback, header
from .finding import Problem, check
from .oracle import Oracle
from .trace import TaskHistory, Trace

Judgements = Iterator[Problem | None]
TOLERANCE = 250
"""Milliseconds by which a pause may miss what is documented: an attempt takes its time, too."""


@dataclass(frozen=True, slots=True)
class _Delivery:
    """The attempts to tell one event of a task, in order."""

    task: TaskHistory
    event: str
    attempts: list[Callback]


def _deliveries(trace: Trace) -> Iterator[_Delivery]:
    """Yield the deliveries of every task whose callbacks nobody asked for once more."""
    for task in trace.tasks.values():
        if task.id in trace.circumstances.redelivered:
            continue
        by_event: dict[str, list[Callback]] = {}
        for letter in task.callbacks:
            by_event.setdefault(str(letter.facts.get("status")), []).append(letter.callback)
        for event, attempts in by_event.items():
            yield _Delivery(task, event, attempts)


@check("callback-comes", "error", "trace", "callbacks", "Each documented event of a task is told at least once.")
def callback_comes(oracle: Oracle, trace: Trace) -> Judgements:
    """Judge the events that were seen to happen, where a receiver saw everything for long enough afterwards."""
    callbacks = oracle.behaviour.callbacks
    if callbacks is None or not trace.circumstances.receiver:
        return
    for task in trace.tasks.values():
        if task.shared or not _is_asked_for(callbacks, trace, task):
            continue
        told = {letter.phase for letter in task.callbacks}
        for phase, since in _happened(task).items():
            if phase not in callbacks.on:
                continue
            if phase in told:
                yield None
            elif trace.circumstances.until > since + callbacks.timeout:
                evidence = () if task.creation is None else (task.creation.exchange,)
                sentence = f"task {task.id} is {phase.value}, and no callback tells it"
                yield Problem(sentence, task.creation.name if task.creation else "", "", evidence)


def _is_asked_for(callbacks: Callbacks, trace: Trace, task: TaskHistory) -> bool:
    """Tell whether callbacks about the task have somewhere to go."""
    if task.creation is None:
        return False
    if callbacks.setting is not None:
        return bool(trace.circumstances.callback_url) and trace.circumstances.holds_for(task.owner)
    found = task.creation.find(callbacks.url) if callbacks.url else MISSING
    return isinstance(found, str) and bool(found)


def _happened(task: TaskHistory) -> dict[Phase, int]:
    """Return the phases that the task was seen in, each with the time by which that was."""
    found: dict[Phase, int] = {}
    for view in task.views:
        if view.phase is not None:
            found.setdefault(view.phase, view.time)
    return found


@check("callback-signed", "error", "trace", "callbacks", "A callback is signed with the account's secret.")
def callback_signed(oracle: Oracle, trace: Trace) -> Judgements:
    """Verify the signature of every callback of the accounts that have a secret."""
    callbacks, secret = oracle.behaviour.callbacks, trace.circumstances.secret
    if callbacks is None or callbacks.signature is None or not secret:
        return
    owners: dict[str, set[str]] = {}  # ids are an account's own: tasks of two may have the same
    for task in trace.tasks.values():
        if task.creation is not None:
            owners.setdefault(task.id, set()).add(task.owner)
    for letter in trace.received:
        if not all(map(trace.circumstances.holds_for, owners.get(letter.task_id or "", ()))):
            continue
        sent = letter.callback
        try:
            verify(
                callbacks.signature, secret, headers=sent.headers, task_id=letter.task_id, body=sent.body,
                now=sent.real_time,
            )  # fmt: skip
        except SignatureError as error:
            yield Problem(f"a callback's signature: {error.problem}", "", error.reason, (sent,))
        except SecretError:
            return
        else:
            yield None


@check("callback-stops", "error", "trace", "callbacks", "A callback that was received is not sent again.")
def callback_stops(oracle: Oracle, trace: Trace) -> Judgements:
    """Judge what comes of the same event after an answer that counts as received."""
    callbacks = oracle.behaviour.callbacks
    if callbacks is None:
        return
    for delivery in _deliveries(trace):
        received: Callback | None = None
        for attempt in delivery.attempts:
            if received is None:
                yield None
            else:
                sentence = (
                    f"the callback that task {delivery.task.id} is {delivery.event} was answered "
                    f"{received.answered} and comes again"
                )
                yield Problem(sentence, "", "", (received, attempt))
            if received is None and attempt.answered in callbacks.received:
                received = attempt


@check("callback-retries", "error", "trace", "callbacks", "A callback that failed is repeated as documented.")
def callback_retries(oracle: Oracle, trace: Trace) -> Judgements:
    """Judge number and pauses of attempts, where the receiver's time is the provider's."""
    callbacks = oracle.behaviour.callbacks
    if callbacks is None or not trace.circumstances.exact:
        return
    for delivery in _deliveries(trace):
        for number, attempt in enumerate(delivery.attempts):
            if attempt.answered in callbacks.received:
                break
            yield _repeated(callbacks, trace, delivery, number)


def _repeated(callbacks: Callbacks, trace: Trace, delivery: _Delivery, number: int) -> Problem | None:
    """Judge what follows the failed attempt `number`, counted from 0."""
    failed = delivery.attempts[number]
    after = delivery.attempts[number + 1] if number + 1 < len(delivery.attempts) else None
    about = f"the callback that task {delivery.task.id} is {delivery.event}"
    if number >= len(callbacks.retries):
        if after is None:
            return None
        sentence = f"{about} is tried {number + 2} times; documented are {len(callbacks.retries) + 1}"
        return Problem(sentence, "", "", (failed, after))
    pause = callbacks.retries[number]
    least = pause * (1 - callbacks.jitter) - TOLERANCE
    takes = 0 if failed.answered is not None else callbacks.timeout
    most = pause * (1 + callbacks.jitter) + takes + TOLERANCE
    if after is None:
        if not trace.circumstances.receiver or trace.circumstances.until <= failed.came + most:
            return None
        sentence = f"{about} failed and is not repeated; it should have been after {pause / 1000:g} s"
        return Problem(sentence, "", "", (failed,))
    if least <= after.came - failed.came <= most:
        return None
    sentence = f"{about} is repeated after {(after.came - failed.came) / 1000:g} s; documented are {pause / 1000:g} s"
    return Problem(sentence, "", "", (failed, after))


@check("callback-id", "error", "trace", "callbacks", "Attempts of a callback have the same message id.")
def callback_id(oracle: Oracle, trace: Trace) -> Judgements:
    """Hold the ids of a delivery's attempts against the first one's, and those of different deliveries apart."""
    callbacks = oracle.behaviour.callbacks
    name = callbacks.signature.id.lower() if callbacks and callbacks.signature else ""
    if not name:
        return
    used: dict[str, tuple[_Delivery, Callback]] = {}
    for delivery in _deliveries(trace):
        first = delivery.attempts[0]
        known = header(first.headers, name)
        for attempt in delivery.attempts[1:] if known is not None else ():
            told = header(attempt.headers, name)
            sentence = f"the same callback has the id {known}, and then {told}"
            yield None if told == known else Problem(sentence, "", name, (first, attempt))
        other = used.setdefault(known, (delivery, first)) if known is not None else None
        if other is not None and other[0] is not delivery:
            yield Problem(f"two different callbacks have the id {known}", "", name, (other[1], first))


CHECKS = (callback_comes, callback_signed, callback_stops, callback_retries, callback_id)
