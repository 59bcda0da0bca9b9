"""Tomorrow's provider: answers that differ from what is documented, to see what a client makes of them."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from ..openapi.pointer import MISSING, resolve, split
from ..openapi.reads import Read
from .scenario import Play

EXTRA = "understudyExtra"


def vary(play: Play, body: Any, reads: Mapping[str, Read]) -> Any:
    """Return `body` changed as the drift `play` says; `reads` tells where what matters stands."""
    change, changed = play.does["change"], copy.deepcopy(body)
    if change == "unknown-status":
        for pointer in _pointers(reads, "status"):
            _set(changed, pointer, play.values["status"])
    elif change == "extra-field":
        holder = resolve(changed, play.values.get("path", ""))
        if isinstance(holder, dict):
            holder[EXTRA] = {"since": "tomorrow", "values": [1, 2, 3]}
    else:
        telling = _pointers(reads, "status", "id", "balance", "url")
        place: str | None = play.values.get("path") or _first_there(changed, telling)
        if place is not None:
            _vary_field(change, changed, place)
    return changed


def _vary_field(change: str, body: Any, pointer: str) -> None:
    value = resolve(body, pointer)
    if value is MISSING:
        return
    if change == "type-changed":
        _set(body, pointer, _other_type(value))
        return
    _remove(body, pointer)
    if change == "renamed-field":
        _set(body, f"{pointer}_v2", value)


def _pointers(reads: Mapping[str, Read], *facts: str) -> Iterable[str]:
    return [pointer for fact in facts if fact in reads for pointer in reads[fact].pointers]


def _first_there(body: Any, pointers: Iterable[str]) -> str | None:
    return next((pointer for pointer in pointers if resolve(body, pointer) is not MISSING), None)


def _holder(body: Any, pointer: str) -> tuple[Any, Any]:
    """Return what holds the value at `pointer`, and its key there; `MISSING` where there is nothing of the kind."""
    parent, _, _ = pointer.rpartition("/")
    holder, key = resolve(body, parent), split(pointer)[-1]
    if isinstance(holder, dict):
        return holder, key
    return (holder, int(key)) if isinstance(holder, list) and resolve(holder, f"/{key}") is not MISSING else (MISSING, "")


def _set(body: Any, pointer: str, value: Any) -> None:
    holder, key = _holder(body, pointer)
    if holder is not MISSING and not (isinstance(holder, dict) and key not in holder):
        holder[key] = value


def _remove(body: Any, pointer: str) -> None:
    holder, key = _holder(body, pointer)
    if holder is not MISSING:
        del holder[key]


def _other_type(value: Any) -> Any:
    if isinstance(value, str):
        return {"value": value}
    if isinstance(value, bool | int | float):
        return str(value)
    return "null" if value is None else [value]
