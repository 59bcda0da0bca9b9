"""What checks of time share: views in order, times that were told with less than a millisecond's care, places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .exchange import Callback, Exchange
from .oracle import Oracle
from .trace import View

SECOND = 1000
"""Some providers tell times in whole seconds: one that is may have been anywhere in it."""


def precedes(earlier: Exchange | Callback, later: Exchange) -> bool:
    """Tell whether `earlier` was over when `later` began; what overlaps says nothing of an order.

    On a clock that is held, many things happen at one time: then their numbers tell.
    """
    if isinstance(earlier, Callback):
        return earlier.came < later.began
    return earlier is not later and earlier.ended <= later.began and earlier.number <= later.number


def follows(earlier: View, later: View) -> bool:
    """Tell whether `later` was asked for when `earlier` was known."""
    return isinstance(later.seen, Exchange) and precedes(earlier.seen, later.seen)


def successive(views: Iterable[View]) -> Iterator[tuple[View, View]]:
    """Yield each view with the last one that was known when it was asked for."""
    seen: list[View] = []
    for view in views:
        before = next((each for each in reversed(seen) if follows(each, view)), None)
        if before is not None:
            yield before, view
        seen.append(view)


def is_later(moment: int, other: int) -> bool:
    """Tell whether `moment` is later than `other`, as far as whole seconds let that be known."""
    slack = 0 if moment % SECOND and other % SECOND else SECOND - 1
    return moment > other + slack


def differ(moment: int, other: int) -> bool:
    """Tell whether two times can't be the same, as far as whole seconds let that be known."""
    return is_later(moment, other) or is_later(other, moment)


def pointer_of(oracle: Oracle, view: View, fact: str) -> str:
    """Return where `view` tells `fact`."""
    if view.source == "callback":
        reads = oracle.behaviour.callbacks.reads if oracle.behaviour.callbacks else {}
    else:
        reads = oracle.operations[view.operation].behaviour.reads
    return reads[fact].pointers[0] if fact in reads else ""


def bare_links(value: Any) -> Any:
    """Return links without their queries, which may be signed anew whenever they are told."""
    if not isinstance(value, list):
        return value
    return [each.partition("?")[0] if isinstance(each, str) else each for each in value]
