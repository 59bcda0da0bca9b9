"""Drawing outside a test, by a seed, and finding the smallest value that still shows something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, find, given, seed, settings
from hypothesis.errors import HypothesisException
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")


def _settings(count: int, *phases: Phase) -> settings:
    return settings(
        max_examples=count, database=None, deadline=None, phases=list(phases), verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck), print_blob=False, derandomize=False,
    )  # fmt: skip


def drawn(strategy: SearchStrategy[T], count: int, number: int) -> list[T]:
    """Return up to `count` values of `strategy`, decided by the seed `number`; the first is the simplest."""
    values: list[T] = []

    def keep(value: T) -> None:
        values.append(value)

    run: Any = _settings(count, Phase.generate)(seed(number)(given(strategy)(keep)))
    with suppress(HypothesisException):  # next to nothing can be drawn: what was drawn will do
        run()
    return values[:count]


def smallest(strategy: SearchStrategy[T], shows: Callable[[T], bool], count: int, number: int) -> T | None:
    """Return the smallest value of `strategy` that `shows` what is looked for, None where `count` draws have none."""
    found: list[T] = []
    with suppress(HypothesisException):
        held = _settings(count, Phase.generate, Phase.shrink)
        found.append(find(strategy, shows, settings=held, random=Random(number)))  # noqa: S311 - no secret
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
