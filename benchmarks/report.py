"""The tables that tell what was measured, as text and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .figures import LIMIT, OURS, Results
from .goals import cost, goals
from .growth import ANY, EQUAL
from .throughput import JOBS

NOTHING = "-"
_GROWTH = {
    "polling, by tasks": "tasks, polling",
    "creation, by tasks": "tasks, creation",
    "creation, by rules that differ in one field": EQUAL,
    "creation, by rules of any kind": ANY,
}


@dataclass(frozen=True, slots=True)
class Table:
    """A title, the columns' names, and rows of as many cells."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """Return the table as a terminal shows it."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[at]) for line in lines) for at in range(len(self.columns))]
        shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        return "\n".join([self.title, *(f"  {line}".rstrip() for line in shown)])


def tables(results: Results) -> dict[str, Table]:
    """Return every table that has something to tell, by name."""
    made = {
        "ratios": _ratios(results),
        "costs": _costs(results),
        "lateness": _lateness(results),
        "resources": _resources(results),
        "callbacks": _callbacks(results),
        "contract": _contract(results),
        "growth": _growth(results),
        "goals": _goals(results),
    }
    return {name: table for name, table in made.items() if table.rows}


def _ratios(results: Results) -> Table:
    rows = []
    for server in _servers(results, JOBS):
        cells = []
        for job in JOBS:
            rate, ratio = results.find(job, "rate", server, 32), results.ratio(job, "rate", server, LIMIT, 32)
            wrong = results.find(job, "errors", server, 32)
            told = NOTHING if rate is None else f"{rate:,.0f}" + (f" ({ratio:.2f} x)" if ratio else "")
            cells.append(told + (f", {wrong:,.0f} wrong" if wrong else ""))
        rows.append((server, *cells))
    return Table(f"Answers per second at 32 connections, and their ratio to {LIMIT}", ("", *JOBS), tuple(rows))


def _costs(results: Results) -> Table:
    rows = [
        (server, *(_told(results.find(job, "cpu", server, 32), ",.0f") for job in JOBS))
        for server in _servers(results, JOBS)
    ]
    return Table("Processor time of an answer at 32 connections, microseconds", ("", *JOBS), tuple(rows))


def _lateness(results: Results) -> Table:
    rows = []
    for server in _servers(results, JOBS):
        for connections in (1, 32):
            cells = []
            for job in JOBS:
                p50, p99 = (results.find(job, each, server, connections) for each in ("p50", "p99"))
                cells.append(NOTHING if p50 is None or p99 is None else f"{p50:.2f} / {p99:.2f}")
            rows.append((server, str(connections), *cells))
    return Table("How late answers are, p50 / p99 in milliseconds", ("", "connections", *JOBS), tuple(rows))


def _resources(results: Results) -> Table:
    rows = []
    for server in _servers(results, ("start", "idle", "task")):
        health = results.find("start, health", "seconds", server)
        fresh = results.find("start, not compiled", "seconds", server)
        per_task = next(iter(results.values("task", "bytes", server).values()), None)
        rows.append((
            server, _told(results.find("start", "seconds", server), ".2f"), _told(health, ".2f"), _told(fresh, ".2f"),
            _told(results.find("idle", "MiB", server), ".0f"), _told(per_task, ",.0f"),
        ))  # fmt: skip
    columns = ("", "to a creation, s", "to a health check, s", "to a creation, no bytecode yet, s", "idle, MiB",
               "each live task, bytes")  # fmt: skip
    return Table("From the command to the first answer, and memory", columns, tuple(rows))


def _callbacks(results: Results) -> Table:
    rows = []
    for server in _servers(results, ("callbacks",)):
        rate, ratio = results.find("callbacks", "rate", server), results.ratio("callbacks", "rate", OURS, server)
        rows.append((server, _told(rate, ",.0f"), _told(ratio, ".2f")))
    return Table("Callbacks per second", ("sent by", "per second", f"{OURS}'s ratio to it"), tuple(rows))


def _contract(results: Results) -> Table:
    rate = results.find("contract", "rate", OURS)
    rows = () if rate is None else (("kit and emulator in one process, on one core", f"{rate:,.0f}"),)
    return Table("Cases of the contract kit", ("", "per second"), rows)


def _growth(results: Results) -> Table:
    rows = []
    for title, measure in _GROWTH.items():
        for at, times in cost(results, measure).items():
            rate, p50, p99 = (results.find(measure, each, OURS, at) for each in ("rate", "p50", "p99"))
            rows.append((title, f"{at:,}", _told(rate, ",.0f"), f"{times:.2f}", _told(p50, ".2f"), _told(p99, ".2f")))
    columns = ("", "of them", "per second", "cost, x the fewest", "p50, ms", "p99, ms")
    return Table("What more tasks and more rules cost", columns, tuple(rows))


def _goals(results: Results) -> Table:
    rows = []
    for goal in goals(results):
        if goal.value is not None:
            verdict = "met" if goal.met else "missed"
            rows.append((goal.title, f"{goal.sign} {goal.bound:g} {goal.unit}", f"{goal.value:.2f}", verdict))
    return Table("Goals", ("", "asked", "measured", ""), tuple(rows))


def _told(value: float | None, form: str) -> str:
    return NOTHING if value is None else format(value, form)


def _servers(results: Results, measures: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(server for measure in measures for server in results.servers(measure)))


def conditions(results: Results) -> str:
    """Return where and when it was measured, and what was not, as sentences."""
    machine = results.machine
    libraries = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    told = [
        f"{results.taken}, profile {results.profile}. {machine['processor']}, {machine['cores']} cores.",
        f"{machine['system']}, Python {machine['python']}, {libraries}.",
        f"Other processes took {machine['others']:.0%} of the machine before the run.",
    ]
    told += [f"Left out: {name} ({why})." for name, why in results.left_out.items()]
    return "\n".join(told)
