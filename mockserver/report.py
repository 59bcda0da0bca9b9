"""How a client behaved, told from the journal: its polls, its repetitions, its downloads."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from .compiled import CompiledProvider
from .exchange import Exchange
from .namespace import Namespace
from .task import Task


def client_report(
    namespace: Namespace, exchanges: Sequence[Exchange], providers: Mapping[str, CompiledProvider]
) -> dict[str, Any]:
    """Return what `exchanges`, all of `namespace`, show of its client.

    Intervals between polls are in real milliseconds and, times the clock's speed, in the provider's; they are not
    judged while the clock stands still.
    """
    creations = [each for each in exchanges if _does(each, providers) == "create"]
    polls: dict[tuple[str, str], list[Exchange]] = defaultdict(list)
    for exchange in exchanges:
        if _does(exchange, providers) == "poll" and exchange.task:
            polls[exchange.provider, exchange.task].append(exchange)
    fetched = Counter(each.request.path for each in exchanges if each.operation == "file" and each.answer.status == 200)
    return {
        "namespace": namespace.id,
        "exchanges": len(exchanges),
        "creations": len(creations),
        "refused": sum(1 for each in exchanges if each.played and not each.task),
        "tasks": [_task_report(namespace, provider, task, found) for (provider, task), found in polls.items()],
        "never_polled": sorted({each.task for each in creations if each.task} - {task for _, task in polls}),
        "repeated_creations": _repeated(creations),
        "fetched_twice": {path: count for path, count in fetched.items() if count > 1},
        "hurried": _hurried(exchanges),
    }


def _does(exchange: Exchange, providers: Mapping[str, CompiledProvider]) -> str:
    provider = providers.get(exchange.provider)
    operation = None if provider is None else provider.operations.get(exchange.operation)
    return "" if operation is None else operation.behaviour.does


def _task_report(namespace: Namespace, provider: str, task_id: str, polls: Sequence[Exchange]) -> dict[str, Any]:
    task = namespace.account(provider).tasks.get(task_id)
    gaps = [later.real_time - earlier.real_time for earlier, later in pairwise(polls)]
    speed = namespace.clock.speed
    judged = not namespace.clock.frozen
    return {
        "provider": provider,
        "task": task_id,
        "polls": len(polls),
        "polls_after_end": 0 if task is None else _after_end(task, polls),
        "intervals": gaps,
        "shortest_interval": round(min(gaps) * speed) if gaps and judged else None,
        "median_interval": round(sorted(gaps)[len(gaps) // 2] * speed) if gaps and judged else None,
    }


def _after_end(task: Task, polls: Iterable[Exchange]) -> int:
    """Return how many polls came after one that had already told the end."""
    told = False
    late = 0
    for poll in polls:
        late += told
        told = told or task.operation.phase_of(task.state(poll.time).status).terminal
    return late


def _repeated(creations: Iterable[Exchange]) -> list[dict[str, Any]]:
    """Return the creations that were sent again though one with the same body had been accepted already."""
    accepted: dict[tuple[str, str, bytes], Exchange] = {}
    repeated = []
    for creation in creations:
        key = (creation.provider, creation.operation, creation.request.body)
        if key in accepted:
            repeated.append({"exchange": creation.number, "first": accepted[key].number, "task": creation.task or None})
        elif creation.task:
            accepted[key] = creation
    return repeated


def _hurried(exchanges: Sequence[Exchange]) -> list[dict[str, Any]]:
    """Return the requests that came before the wait that an answer's Retry-After asked for was over."""
    until: dict[tuple[str, str], tuple[int, int]] = {}
    hurried = []
    for exchange in exchanges:
        place = exchange.provider, exchange.operation
        due, asked_by = until.get(place, (0, 0))
        if exchange.real_time < due:
            early = due - exchange.real_time
            hurried.append({"exchange": exchange.number, "asked_by": asked_by, "milliseconds_early": early})
        wait = next((value for name, value in exchange.answer.headers if name == b"retry-after"), b"")
        if wait.isdigit():
            until[place] = (exchange.real_time + int(wait) * 1000, exchange.number)
    return hurried
