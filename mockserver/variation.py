"""Tomorrow's provider: answers that differ from what is documented, to see what a client makes of them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from ..openapi.pointer import MISSING, resolve, split
from ..openapi.reads import Read
from .scenario import Play

EXTRA = "understudyExtra"
_TELLING = ("status", "id", "balance", "url")
"""What is changed where nobody says what: the first of these facts that the answer tells."""

Edit = Callable[[Any, Any], None]
"""Changes the value that stands in a holder, an object or a list, at a key or an index."""


def vary(play: Play, body: Any, reads: Mapping[str, Read]) -> Any:
    """Return `body` changed as the drift `play` says; `reads` tells where what matters stands.

    What is not there, as results before the end, can't be changed, and the body stays as it is.
    """
    change, changed = play.does["change"], {"": copy.deepcopy(body)}
    # The body is held by an object of our own, so that the whole of it can be edited like any part.
    if change == "unknown-status":
        places = _pointers(reads, ("status",))
    elif "path" in play.values or change == "extra-field":
        places = [play.values.get("path", "")]
    else:
        places = _pointers(reads, _TELLING)
    place = next((each for each in places if resolve(body, each) is not MISSING), None)
    if place is not None:
        _edit(changed, f"/{place}", _edit_of(change, play))
    return changed.get("", {})


def _pointers(reads: Mapping[str, Read], facts: Iterable[str]) -> list[str]:
    return [pointer for fact in facts if fact in reads for pointer in reads[fact].pointers]


def _edit_of(change: str, play: Play) -> Edit:
    def put_status(holder: Any, key: Any) -> None:
        holder[key] = play.values["status"]

    return put_status if change == "unknown-status" else _EDITS[change]


def _edit(body: Any, pointer: str, edit: Edit) -> None:
    """Let `edit` change the value at `pointer`, which is there; JSON inside a string is written anew."""
    outer, inside, inner = pointer.partition("#/")
    if inside:

        def rewrite(holder: Any, key: Any) -> None:
            data = orjson.loads(holder[key])
            _edit(data, f"/{inner}", edit)
            holder[key] = orjson.dumps(data).decode()

        _edit(body, outer, rewrite)
        return
    holder, key = resolve(body, pointer.rpartition("/")[0]), split(pointer)[-1]
    edit(holder, int(key) if isinstance(holder, list) else key)


def _add(holder: Any, key: Any) -> None:
    if isinstance(holder[key], dict):
        holder[key][EXTRA] = {"since": "tomorrow", "values": [1, 2, 3]}


def _remove(holder: Any, key: Any) -> None:
    del holder[key]


def _rename(holder: Any, key: Any) -> None:
    value = holder.pop(key)
    if isinstance(holder, dict):
        holder[f"{key}_v2"] = value


def _retype(holder: Any, key: Any) -> None:
    holder[key] = _other_type(holder[key])


_EDITS: dict[str, Edit] = {
    "extra-field": _add, "missing-field": _remove, "renamed-field": _rename, "type-changed": _retype,
}  # fmt: skip


def _other_type(value: Any) -> Any:
    if isinstance(value, str):
        return {"value": value}
    if isinstance(value, bool | int | float):
        return str(value)
    return "null" if value is None else [value]
