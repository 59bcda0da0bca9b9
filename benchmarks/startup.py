"""How long from the command to the first right answer, every server in turn."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import jobs
from .figures import LIMIT, OURS, Results, alternate
from .load import Ask
from .servers import Command, Running, StartError
from .throughput import CHECKER, commands, stage

HEALTH = Ask(jobs.request("GET", "/_understudy/health"), b'"ok"')
_PEER_RUNS = 3


def measure(results: Results, peers: Sequence[str], core: int, runs: int) -> None:
    """Measure the start of every server; of this one also the way to its health check, and the very first start."""
    with tempfile.TemporaryDirectory() as place:
        folder = stage(Path(place) / "stage", "creation")
        found = commands("creation", folder, peers, results.left_out)
        mine = {name: found[name] for name in (OURS, LIMIT, CHECKER)}
        times: dict[tuple[str, str], list[float]] = {}

        def run(side: tuple[str, str, Command, Ask, bool]) -> None:
            measure, name, command, ready, bytecode = side
            with Running(command, core, ready=ready, bytecode=bytecode) as server:
                times.setdefault((measure, name), []).append(server.seconds)

        sides = [("start", name, command, jobs.CREATION, True) for name, command in mine.items()]
        sides.append(("start, health", OURS, mine[OURS], HEALTH, True))
        sides.append(("start, not compiled", OURS, mine[OURS], jobs.CREATION, False))
        alternate(runs + 1, sides, run)
        for seconds in times.values():
            seconds.pop(0)  # the first one finds nothing in the system's cache
        for name in set(found) & set(peers):
            try:
                alternate(min(runs, _PEER_RUNS), [("start", name, found[name], jobs.CREATION, True)], run)
            except StartError as error:
                results.left_out[f"{name}, start"] = str(error)
        for (what, name), seconds in times.items():
            results.add(what, "seconds", name, 0, seconds)
