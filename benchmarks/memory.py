"""How much memory: idle, for each task that is kept, and after very many exchanges."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import jobs
from .figures import OURS, Results
from .load import load
from .servers import Running, StartError, bare, understudy
from .throughput import CHECKER, commands, stage

_SETTLE_SECONDS = 0.5
_FIRST = 12_000
"""Exchanges before anything is compared: the journal is full by then, and grows no more."""
_CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many starts, tasks and exchanges the memory is read after."""

    runs: int
    tasks: int
    exchanges: int


def measure(results: Results, peers: Sequence[str], core: int, amounts: Amounts) -> None:
    """Measure memory of every server when idle, and this one's growth."""
    with tempfile.TemporaryDirectory() as place:
        folder = stage(Path(place) / "stage", "creation")
        for name, command in commands("creation", folder, peers, results.left_out).items():
            idle = []
            try:
                for _ in range(amounts.runs):
                    with Running(command, core) as server:
                        idle.append(_settled(server))
            except StartError as error:
                results.left_out[f"{name}, memory"] = str(error)
                continue
            results.add("idle", "MiB", name, 0, idle)
        with Running(bare("checked", folder, 0), core) as server:
            results.add("task", "bytes", CHECKER, amounts.tasks, [_per_task(server, amounts.tasks)])
    with Running(understudy(), core) as server:
        results.add("task", "bytes", OURS, amounts.tasks, [_per_task(server, amounts.tasks)])
    with Running(understudy(), core) as server:
        for at, held in _after_exchanges(server, amounts.exchanges).items():
            results.add("exchanges", "MiB", OURS, at, [held])


def _settled(server: Running) -> float:
    time.sleep(_SETTLE_SECONDS)
    return server.memory()


def _per_task(server: Running, tasks: int) -> float:
    """Return the bytes that each of so many more tasks takes."""
    load(server.port, lambda: jobs.repeated(jobs.CREATION), _CONNECTIONS, most=_FIRST)
    before = _settled(server)
    load(server.port, lambda: jobs.repeated(jobs.CREATION), _CONNECTIONS, most=tasks)
    return (_settled(server) - before) * 1024 * 1024 / tasks


def _after_exchanges(server: Running, exchanges: int) -> dict[int, float]:
    """Return the MiB held once the journal is full, and after so many exchanges more."""
    tasks: list[str] = []
    load(server.port, lambda: jobs.creations(tasks), 1, most=1000)
    script = jobs.poll_in_turn(tasks)
    load(server.port, script, _CONNECTIONS, most=_FIRST)
    before = _settled(server)
    load(server.port, script, _CONNECTIONS, most=exchanges)
    return {0: before, exchanges: _settled(server)}
