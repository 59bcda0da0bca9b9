"""Runs the benchmarks, prints their tables and, where everything was run, keeps the results and draws the plots."""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from . import callbacks, contract, growth, memory, plot, startup, throughput
from .answers import WrongAnswerError
from .callbacks import CallbackError
from .contract import ContractError
from .figures import STORED, Results
from .growth import RuleError
from .load import LoadError
from .machine import MachineError, cores, description, pinned
from .peers import PACKAGES
from .report import conditions, tables
from .servers import StartError
from .throughput import JOBS, Pace

NAMES = ("jobs", "start", "memory", "tasks", "rules", "callbacks", "contract")
_FAILURES = (CallbackError, ContractError, RuleError, LoadError, StartError)


@dataclass(frozen=True, slots=True)
class Profile:
    """How much is measured."""

    name: str
    jobs: Pace
    growth: Pace
    starts: int
    amounts: memory.Amounts
    tasks: tuple[int, ...]
    rules: tuple[int, ...]
    callbacks: int
    runs: int
    verifications: int


STANDARD = Profile(
    "standard", Pace(5, 1.5, 3, 0.1), Pace(9, 1, 0.5, 0.3), 9, memory.Amounts(3, 100_000, 1_000_000),
    (1_000, 10_000, 100_000), (1, 10, 100, 1_000, 10_000), 3_000, 5, 3,
)  # fmt: skip
LONG = replace(STANDARD, name="long", tasks=(*STANDARD.tasks, 1_000_000))
QUICK = Profile(
    "quick", Pace(1, 0.25, 0.1, 0), Pace(1, 0.25, 0.1, 0.1), 1, memory.Amounts(1, 8_000, 8_000), (1_000, 5_000),
    (1, 100), 400, 1, 1,
)  # fmt: skip
_QUICK_NAMES = NAMES[:-1]
"""Without the contract kit, which takes some time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; return 1 where something broke down, or this project's server answered wrongly."""
    asked = _parser().parse_args(arguments)
    profile = QUICK if asked.quick else LONG if asked.long else STANDARD
    peers = list(PACKAGES) if asked.peers and not asked.quick else []
    whole = not asked.quick and not asked.only and asked.peers
    try:
        server, loader = cores()
        results = Results(description(), profile.name, datetime.datetime.now(datetime.UTC).date().isoformat())
        with pinned(loader):
            broken = _run(results, asked.only or (_QUICK_NAMES if asked.quick else NAMES), profile, peers, server)
    except (WrongAnswerError, MachineError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    for table in tables(results).values():
        print(table.text() + "\n")
    print(conditions(results))
    if asked.json:
        asked.json.write_text(results.to_json())
    if whole and not broken:
        STORED.write_text(results.to_json())
        plot.draw(results)
        print("stored; docs/generate.py puts the tables into docs/benchmarks.md")
    return 1 if broken or results.errors() else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="NAME", help=f"Measure only: {', '.join(NAMES)}.")
    parser.add_argument("--long", action="store_true", help="Go up to a million tasks.")
    parser.add_argument(
        "--quick", action="store_true", help="A look within a minute, without peers; nothing is stored."
    )
    parser.add_argument(
        "--peers", action=argparse.BooleanOptionalAction, default=True, help=f"Measure {', '.join(PACKAGES)} as well."
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write the figures there.")
    return parser


def _run(results: Results, names: Sequence[str], profile: Profile, peers: Sequence[str], core: int) -> bool:
    """Measure the parts called `names`; what breaks down is told and left out. Return whether something did."""
    parts: dict[str, Callable[[], None]] = {
        "jobs": lambda: throughput.measure(results, JOBS, peers, core, profile.jobs),
        "start": lambda: startup.measure(results, peers, core, profile.starts),
        "memory": lambda: memory.measure(results, peers, core, profile.amounts),
        "tasks": lambda: growth.measure_tasks(results, profile.tasks, core, profile.growth),
        "rules": lambda: growth.measure_rules(results, profile.rules, core, profile.growth),
        "callbacks": lambda: callbacks.measure(results, profile.callbacks, core, profile.runs),
        "contract": lambda: contract.measure(results, core, profile.verifications),
    }
    for name in names:
        print(f"measuring {name} …", file=sys.stderr)
        try:
            parts[name]()
        except _FAILURES as error:
            results.left_out[name] = str(error)
    return not results.left_out.keys().isdisjoint(names)


if __name__ == "__main__":
    sys.exit(main())
