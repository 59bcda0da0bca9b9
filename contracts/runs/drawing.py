"""Drawing outside a test, by a seed, and finding the smallest value that still shows something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from unittest import SkipTest

from hypothesis import HealthCheck, Phase, Verbosity, find, given, seed, settings
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase
from hypothesis.errors import Flaky, NoSuchExample, Unsatisfiable
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")


@dataclass(frozen=True)
class Shelf:
    """Where the smallest values of one strategy are kept from run to run.

    Attributes:
        folder: of the database.
        name: what the strategy is for.
    """

    folder: Path
    name: str

    @property
    def database(self) -> ExampleDatabase:
        """The database."""
        return DirectoryBasedExampleDatabase(self.folder)

    @property
    def key(self) -> bytes:
        """What the values are kept under."""
        return f"understudy {self.name}".encode()


def _settings(count: int, *phases: Phase, database: ExampleDatabase | None = None) -> settings:
    return settings(
        max_examples=count, database=database, deadline=None, phases=list(phases), verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck), print_blob=False, derandomize=False,
    )  # fmt: skip


def drawn(strategy: SearchStrategy[T], count: int, number: int) -> list[T]:
    """Return up to `count` values of `strategy`, decided by the seed `number`; the first is the simplest."""
    values: list[T] = []

    def keep(value: T) -> None:
        values.append(value)

    run: Any = _settings(count, Phase.generate)(seed(number)(given(strategy)(keep)))
    with suppress(Unsatisfiable):  # next to nothing can be drawn: what was drawn will do
        run()
    return values[:count]


def shelved(strategy: SearchStrategy[T], shelf: Shelf) -> list[T]:
    """Return the values that earlier runs have kept."""
    values: list[T] = []

    def taken(value: T) -> bool:
        values.append(value)
        return False

    with suppress(NoSuchExample, Unsatisfiable, SkipTest):  # nothing was kept, or none of it is what is looked for
        find(strategy, taken, settings=_settings(1, Phase.reuse, database=shelf.database), database_key=shelf.key)
    return values


def smallest(
    strategy: SearchStrategy[T], shows: Callable[[T], bool], count: int, number: int, shelf: Shelf | None = None
) -> T | None:
    """Return the smallest value of `strategy` that `shows` what is looked for, None where `count` draws have none.

    It is kept on the `shelf`, where there is one; `number` decides nothing then, since Hypothesis keeps nothing of
    seeded runs.
    """
    found: list[T] = []
    held = _settings(count, Phase.generate, Phase.shrink, database=shelf.database if shelf else None)
    key = shelf.key if shelf else None
    random = None if shelf else Random(number)  # noqa: S311 - no secret
    with suppress(NoSuchExample, Unsatisfiable, Flaky):  # it shows nothing, or not each time that it is asked
        found.append(find(strategy, shows, settings=held, random=random, database_key=key))
    return found[0] if found else None


def without_the_rest(data: Any, shows: Callable[[Any], bool]) -> Any:
    """Return `data`, which `shows` what is looked for, without every member and item that it does as well without."""
    tried = True
    while tried:
        tried = False
        for smaller in _less(data):
            if shows(smaller):
                data, tried = smaller, True
                break
    return data


def _less(data: Any) -> Iterator[Any]:
    """Yield `data` without each of its members and items, the outer ones first."""
    if isinstance(data, dict):
        yield from ({name: each for name, each in data.items() if name != left} for left in data)
        for name, inner in data.items():
            yield from ({**data, name: each} for each in _less(inner))
    elif isinstance(data, list):
        yield from (data[:number] + data[number + 1 :] for number in range(len(data)))
        for number, inner in enumerate(data):
            yield from ([*data[:number], each, *data[number + 1 :]] for each in _less(inner))
