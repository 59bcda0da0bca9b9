"""Creations: the ids they tell, what the same key gives again, and who can read the task from when until when."""

from __future__ import annotations

from collections.abc import Iterator

from ...openapi.pointer import MISSING
from .finding import Problem, check
from .oracle import Observation, Oracle
from .trace import TaskHistory, Trace
from .views import precedes

Judgements = Iterator[Problem | None]


def _creations(trace: Trace) -> Iterator[Observation]:
    """Yield the creations that were accepted."""
    return (each for each in trace.observations if each.does == "create" and each.accepted)


@check("creation-tells-id", "error", "exchange", "time", "An accepted creation tells the id of the task.")
def creation_tells_id(_oracle: Oracle, seen: Observation) -> Judgements:
    """Judge every creation that was accepted."""
    if seen.does != "create" or not seen.accepted or seen.operation is None:
        return
    reads = seen.operation.behaviour.reads
    if "id" not in reads:
        return
    pointer = reads["id"].pointers[0]
    fine = bool(seen.task_id)
    yield None if fine else Problem(f"{seen.name} tells no id at {pointer}", seen.name, pointer, (seen.exchange,))


@check("ids-differ", "error", "trace", "time", "No two tasks of an account have the same id.")
def ids_differ(_oracle: Oracle, trace: Trace) -> Judgements:
    """Hold each creation's id against those before it; repetitions with the same key are no other task."""
    first: dict[tuple[str, str], Observation] = {}
    for seen in _creations(trace):
        if seen.task_id is None:
            continue
        other = first.setdefault((seen.account, seen.task_id), seen)
        if other is seen or (seen.idempotency_key and _repetition(seen) == _repetition(other)):
            yield None
            continue
        sentence = f"two creations were told the same id, {seen.task_id}"
        pointer = seen.operation.behaviour.reads["id"].pointers[0] if seen.operation else ""
        yield Problem(sentence, seen.name, pointer, (other.exchange, seen.exchange))


def _repetition(seen: Observation) -> tuple[str, str, str | None]:
    return seen.account, seen.name, seen.idempotency_key


@check("same-key-same-task", "error", "trace", "time", "The same idempotency key of an account gives the same task.")
def same_key_same_task(oracle: Oracle, trace: Trace) -> Judgements:
    """Hold each creation with a known key against the first one with it, as long as tasks are kept."""
    kept = oracle.behaviour.retention.tasks
    first: dict[tuple[str, str, str | None], Observation] = {}
    for seen in _creations(trace):
        if not seen.idempotency_key or seen.task_id is None:
            continue
        other = first.setdefault(_repetition(seen), seen)
        if other is seen:
            continue
        if kept is not None and seen.exchange.ended >= other.exchange.began + kept:
            first[_repetition(seen)] = seen
        elif seen.task_id == other.task_id:
            yield None
        elif other.exchange.ended <= seen.exchange.began:
            sentence = f"the same key was told task {other.task_id}, then task {seen.task_id}"
            yield Problem(sentence, seen.name, "", (other.exchange, seen.exchange))


@check(
    "readable",
    "error",
    "trace",
    "time",
    "A task can be read at once, or within the documented grace, as long as it is kept.",
)
def readable(oracle: Oracle, trace: Trace) -> Judgements:
    """Judge whether the owner's polls find the task."""
    grace, kept = oracle.behaviour.polling.grace, oracle.behaviour.retention.tasks
    for task in trace.tasks.values():
        if task.creation is None:
            continue
        created = task.creation.exchange
        for poll in _answered(task):
            if task.ended is not None and precedes(task.ended.seen, poll.exchange):
                break  # from then on, another check judges
            if poll.accepted:
                yield None
            elif poll.exchange.ended <= created.ended + grace or poll.exchange.began < created.ended:
                continue
            elif kept is None or poll.exchange.ended < created.began + kept:
                age = (poll.exchange.began - created.ended) / 1000
                sentence = f"task {task.id} is unknown to its owner {age:g} s after its creation"
                yield Problem(sentence, poll.name, "", (created, poll.exchange))


def _answered(task: TaskHistory) -> Iterator[Observation]:
    """Yield the owner's polls that were answered with the task, or that there is none."""
    for each in task.own:
        unknown = each.refusal is not None and each.refusal.meaning == "not-found"
        if each.does == "poll" and (each.accepted or unknown) and _knows(each, task):
            yield each


def _knows(seen: Observation, task: TaskHistory) -> bool:
    """Tell whether the operation knows tasks of that creation at all."""
    creators = seen.operation.behaviour.creates if seen.operation else ()
    return not creators or task.creation is None or task.creation.name in creators


@check("ended-stays-readable", "error", "trace", "time", "A task that has ended stays readable as long as it is kept.")
def ended_stays_readable(oracle: Oracle, trace: Trace) -> Judgements:
    """Judge the polls after the one that first told the end."""
    kept = oracle.behaviour.retention.tasks
    for task in trace.tasks.values():
        if task.ended is None:
            continue
        began = task.creation.exchange.began if task.creation else task.ended.began
        for poll in _answered(task):
            if not precedes(task.ended.seen, poll.exchange):
                continue
            if poll.accepted:
                yield None
            elif kept is None or poll.exchange.ended < began + kept:
                sentence = f"task {task.id} had ended and was told of; now it is unknown to its owner"
                yield Problem(sentence, poll.name, "", (task.ended.seen, poll.exchange))


@check("own-tasks-only", "error", "trace", "time", "Nobody but its owner can read, list or cancel a task.")
def own_tasks_only(_oracle: Oracle, trace: Trace) -> Judgements:
    """Judge what was asked with another key than the creation's."""
    for task in trace.tasks.values():
        for each in task.asked if task.creation is not None else ():
            if each.account in {"", task.owner} or each.does not in {"poll", "cancel"}:
                continue
            if each.accepted and each.data is not MISSING:
                sentence = f"task {task.id} of one key answers {each.name} with another key"
                evidence = () if task.creation is None else (task.creation.exchange,)
                yield Problem(sentence, each.name, "", (*evidence, each.exchange))
            elif each.refusal is not None and each.refusal.meaning in {"not-found", "unauthorized"}:
                yield None
    yield from _foreign_in_lists(trace)


def _foreign_in_lists(trace: Trace) -> Judgements:
    owners: dict[str, set[str]] = {}
    for task in trace.tasks.values():
        if task.creation is not None:
            owners.setdefault(task.id, set()).add(task.owner)
    for seen in trace.observations:
        for facts in seen.listed:
            held_by = owners.get(str(facts.get("id")))
            if held_by is None:
                continue
            foreign = seen.account not in held_by
            sentence = f"{seen.name} lists task {facts['id']}, which another key created"
            yield Problem(sentence, seen.name, "", (seen.exchange,)) if foreign else None


CHECKS = (
    creation_tells_id, ids_differ, same_key_same_task, readable, ended_stays_readable, own_tasks_only,
)  # fmt: skip
