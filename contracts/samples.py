"""Drawing from a strategy outside a test: seeded, bounded, leaving nothing behind."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import HypothesisException
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")


def samples(strategy: SearchStrategy[T], count: int) -> list[T]:
    """Return up to `count` values drawn from `strategy`, the same every time; the first is the simplest."""
    drawn: list[T] = []

    def keep(value: T) -> None:
        drawn.append(value)

    run: Any = given(strategy)(keep)
    run = settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate], verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck), print_blob=False,
    )(seed(0)(run))  # fmt: skip
    with suppress(HypothesisException):  # next to nothing can be drawn: what was drawn will do
        run()
    return drawn[:count]


@cache
def keep_out_of_the_way() -> None:
    """Let Hypothesis keep its files in a folder that goes with the process, not where the user stands."""
    folder = tempfile.mkdtemp(prefix="understudy-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    set_hypothesis_home_dir(folder)
