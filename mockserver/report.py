"""How a client behaved, told from the journal: its polls, its repetitions, its downloads."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

import orjson

from ..openapi.reads import read
from .compiled import CompiledOperation, CompiledProvider
from .exchange import Exchange
from .faults import LOSSY
from .namespace import Namespace

Providers = Mapping[str, CompiledProvider]


def client_report(namespace: Namespace, exchanges: Sequence[Exchange], providers: Providers) -> dict[str, Any]:
    """Return what `exchanges`, all of `namespace`, show of its client.

    Intervals between polls are in real milliseconds; times the clock's speed they are the provider's, and are
    judged by its advice. While the clock stands still, and where its speed changed, nothing is judged.
    """
    creations = [each for each in exchanges if _does(each, providers) == "create"]
    polls: dict[tuple[str, str], list[Exchange]] = defaultdict(list)
    for exchange in exchanges:
        if _does(exchange, providers) == "poll" and exchange.task:
            polls[exchange.provider, exchange.task].append(exchange)
    fetched = Counter(each.request.path for each in exchanges if _was_fetched(each))
    polled = {task for _, task in polls}
    return {
        "namespace": namespace.id,
        "exchanges": len(exchanges),
        "creations": len(creations),
        "refused": sum(each.refused for each in exchanges),
        "tasks": [
            _task_report(namespace, providers[provider], task, found) for (provider, task), found in polls.items()
        ],
        "never_polled": sorted({each.task for each in creations if each.task} - polled),
        "repeated_creations": _repeated(creations),
        "fetched_twice": {path: count for path, count in fetched.items() if count > 1},
        "hurried": _hurried(exchanges),
    }


def _operation(exchange: Exchange, providers: Providers) -> CompiledOperation | None:
    provider = providers.get(exchange.provider)
    return None if provider is None else provider.operations.get(exchange.operation)


def _does(exchange: Exchange, providers: Providers) -> str:
    operation = _operation(exchange, providers)
    return "" if operation is None else operation.behaviour.does


def _is_lost(exchange: Exchange) -> bool:
    """Tell whether the client did not get the answer that the provider gave."""
    return exchange.fault is not None and exchange.fault.does["fault"] in LOSSY


def _was_fetched(exchange: Exchange) -> bool:
    whole = exchange.answer.status == 200 and not _is_lost(exchange)
    return exchange.operation == "file" and exchange.request.method == "GET" and whole


def _task_report(
    namespace: Namespace, provider: CompiledProvider, task_id: str, polls: Sequence[Exchange]
) -> dict[str, Any]:
    judged = list(_judged_intervals(polls))
    task = namespace.account(provider.name).tasks.get(task_id)
    advice = provider.behaviour.polling
    too_soon = 0 if task is None else sum(gap < advice.pause(at - task.created)[0] for at, gap in judged)
    return {
        "provider": provider.name,
        "task": task_id,
        "polls": len(polls),
        "polls_after_end": _after_end(provider, polls),
        "intervals": [later.real_time - earlier.real_time for earlier, later in pairwise(polls)],
        "shortest_interval": round(min(gap for _, gap in judged)) if judged else None,
        "median_interval": round(median(gap for _, gap in judged)) if judged else None,
        "sooner_than_advised": too_soon,
        "advice": {
            "intervals": [{"from": each.since, "least": each.least, "most": each.most} for each in advice.steps],
            "provenance": advice.provenance,
        },
    }


def _judged_intervals(polls: Sequence[Exchange]) -> Iterator[tuple[int, float]]:
    """Yield when each interval began, and the provider's milliseconds that it lasted, where that can be said."""
    for earlier, later in pairwise(polls):
        if earlier.pace and earlier.pace == later.pace:
            yield earlier.time, (later.real_time - earlier.real_time) * earlier.pace


def _after_end(provider: CompiledProvider, polls: Iterable[Exchange]) -> int:
    """Return how many polls came after one whose answer had told the end."""
    told = False
    late = 0
    for poll in polls:
        late += told
        told = told or (not poll.refused and not _is_lost(poll) and _tells_end(provider, poll))
    return late


def _tells_end(provider: CompiledProvider, poll: Exchange) -> bool:
    operation = provider.operations[poll.operation]
    try:
        status = read(operation.behaviour.reads, orjson.loads(poll.answer.body)).get("status")
    except orjson.JSONDecodeError:
        return False
    return isinstance(status, str) and status in operation.phases and operation.phase_of(status).terminal


def _repeated(creations: Iterable[Exchange]) -> list[dict[str, Any]]:
    """Return the creations that were sent again though one with the same body had been accepted already.

    Where the answer to that one was lost on the wire, the client could not know, and `answer_lost` says so.
    """
    accepted: dict[tuple[str, str, bytes], Exchange] = {}
    repeated = []
    for creation in creations:
        key = (creation.provider, creation.operation, creation.request.body)
        first = accepted.get(key)
        if first is not None:
            repeated.append({
                "exchange": creation.number, "first": first.number, "task": creation.task or None,
                "answer_lost": _is_lost(first),
            })  # fmt: skip
        if creation.task and (first is None or _is_lost(first)):
            accepted[key] = creation
    return repeated


def _hurried(exchanges: Sequence[Exchange]) -> list[dict[str, Any]]:
    """Return the requests that came before the wait that an answer's Retry-After asked for was over."""
    until: dict[tuple[str, str], tuple[int, int]] = {}
    hurried = []
    for exchange in exchanges:
        place = exchange.provider, exchange.operation
        due, asked_by = until.get(place, (0, 0))
        if exchange.pace and exchange.real_time < due:
            early = due - exchange.real_time
            hurried.append({"exchange": exchange.number, "asked_by": asked_by, "milliseconds_early": early})
        wait = next((value for name, value in exchange.answer.headers if name == b"retry-after"), b"")
        if wait.isdigit() and exchange.pace and not _is_lost(exchange):
            until[place] = (exchange.real_time + int(wait) * 1000, exchange.number)
    return hurried
