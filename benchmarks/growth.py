"""What more tasks and more rules cost: the same requests to servers that keep more and more of them."""

from __future__ import annotations

import http.client
import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

from . import jobs
from .figures import OURS, Results, alternate
from .load import Outcome, Script, load
from .servers import Running, understudy
from .throughput import Pace, record

EQUAL, ANY = "rules", "rules of any kind"
_CONNECTIONS = 32
_STUCK = ("--scenario", "stuck; waiting=0s; queuing=0s")


class RuleError(Exception):
    """A rule was not taken."""


def measure_tasks(results: Results, sizes: Sequence[int], core: int, pace: Pace) -> None:
    """Measure polls, of any of the tasks, and creations, beside ever more tasks under way."""
    with ExitStack() as stack:
        servers, scripts = {}, {}
        for size in sizes:
            server = stack.enter_context(Running(understudy(*_STUCK, "--max-tasks", "4000000"), core))
            tasks: list[str] = []
            load(server.port, lambda tasks=tasks: jobs.creations(tasks), _CONNECTIONS, most=size)  # type: ignore[misc]
            servers[size], scripts[size] = server, any_of(tasks)
        _compare(results, "tasks, polling", servers, scripts, pace)
        creation = {size: lambda: jobs.repeated(jobs.CREATION) for size in sizes}
        _compare(results, "tasks, creation", servers, creation, pace)


def measure_rules(results: Results, sizes: Sequence[int], core: int, pace: Pace) -> None:
    """Measure creations that the last rule is for, beside ever more rules before it; of any kind, with new prompts."""
    few = [each for each in sizes if each <= 100]
    for measure, make, last, counts in ((EQUAL, equal, LAST_EQUAL, sizes), (ANY, various, LAST_OF_ANY, few)):
        numbers = itertools.count()
        script = partial(jobs.repeated, jobs.CREATION) if measure == EQUAL else partial(jobs.new_prompts, numbers)
        with ExitStack() as stack:
            servers = {}
            for count in counts:
                servers[count] = stack.enter_context(Running(understudy(), core))
                add_rules(servers[count].port, [*(make(number) for number in range(count - 1)), last])
            _compare(results, measure, servers, dict.fromkeys(counts, script), pace)


def _compare(
    results: Results, measure: str, servers: Mapping[int, Running], scripts: Mapping[int, Callable[[], Script]],
    pace: Pace,
) -> None:  # fmt: skip
    outcomes: dict[int, list[Outcome]] = {size: [] for size in servers}

    def run(size: int) -> None:
        load(servers[size].port, scripts[size], _CONNECTIONS, seconds=pace.settle_seconds)
        outcomes[size].append(servers[size].under(scripts[size], _CONNECTIONS, pace.seconds))

    alternate(pace.runs, list(servers), run)
    for size, found in outcomes.items():
        record(results, measure, OURS, size, found)


def any_of(tasks: Sequence[str]) -> Callable[[], Script]:
    """Return what makes scripts that poll any of these tasks, in no order."""
    chance = random.Random(0)  # noqa: S311 - nothing is kept secret by it

    def script() -> Script:
        while True:
            yield jobs.poll_of(chance.choice(tasks))

    return script


_INPUT: dict[str, str] = jobs.PARAM["input"]
LAST_EQUAL = {"when": {"provider": "kie", "body": {"/input/prompt": _INPUT["prompt"]}}, "play": "success"}
LAST_OF_ANY = {"when": {"provider": "kie", "body": {"/input/resolution": _INPUT["resolution"]}}, "play": "success"}


def equal(number: int) -> dict[str, Any]:
    """Return a rule that differs from the others by what one field equals."""
    return {"when": {"provider": "kie", "body": {"/input/prompt": f"prompt {number}"}}, "play": "server-error"}


_TEXTLESS = (r"^\d{1,%d}$", r"(?i)[x-z]{2}\d{%d}", r"([A-Z])\1{2,%d}", r"^(?=.*\d)(?=.*[A-Z]).{%d}")
"""Patterns that need no text of which it could be looked whether it is there."""


def various(number: int) -> dict[str, Any]:
    """Return a rule of another kind than the one before it; none is for the creation that is measured."""
    kinds: tuple[dict[str, Any], ...] = (
        {"provider": "kie", "body": {"/input/prompt": f"prompt {number}"}},
        {"provider": "kie", "body": {"/input/prompt": {"contains": f"harbour {number}"}}},
        {"provider": "kie", "body": {"/input/prompt": {"matches": f"^a boat {number}$"}}},
        {"provider": "kie", "body": {"/input/prompt": {"matches": _TEXTLESS[number // 8 % len(_TEXTLESS)] % number}}},
        {"provider": "kie", "headers": {"X-Test": f"test-{number}"}},
        {"provider": "kie", "model": "google/nano-banana", "body": {"/input/image_size": {"contains": str(number)}}},
        {"operation": "createTask", "body": {"/input/resolution": "4K", "/input/prompt": {"contains": str(number)}}},
        {"provider": "crun"},
    )
    return {"when": kinds[number % len(kinds)], "play": "server-error"}


def add_rules(port: int, rules: Sequence[Mapping[str, Any]]) -> None:
    """Add rules to a server.

    Raises:
        RuleError: one was refused.
    """
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for rule in rules:
            connection.request("POST", "/_understudy/rules", jobs.as_json(rule))
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                raise RuleError(f"{rule}: {text.decode()[:300]}")
