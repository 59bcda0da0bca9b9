"""Which status a task may be in after another: the declared edges, and what can be reached along them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .behaviour import Status


def edges_of(statuses: Mapping[str, Status]) -> dict[str, frozenset[str]]:
    """Return the words that each status may be followed by.

    Where `next` says nothing of a status: every later one in the order of the file, and every terminal one.
    """
    names = list(statuses)
    ends = {name for name, status in statuses.items() if status.phase.terminal}
    return {
        name: frozenset(
            () if status.phase.terminal else ends.union(names[place + 1 :]) if status.next is None else status.next
        )
        for place, (name, status) in enumerate(statuses.items())
    }


def reachable(statuses: Mapping[str, Status]) -> dict[str, frozenset[str]]:
    """Return the words that a task may be in later, when it was last seen in each status; its own is among them."""
    edges = edges_of(statuses)
    return {name: _reached(name, edges) for name in edges}


def _reached(start: str, edges: Mapping[str, frozenset[str]]) -> frozenset[str]:
    found, ahead = {start}, [start]
    while ahead:
        new = edges.get(ahead.pop(), frozenset()) - found
        found |= new
        ahead += new
    return frozenset(found)
