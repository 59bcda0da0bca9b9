"""Data as a provider sends it, changed in one place: a value of another kind, a field that is gone or renamed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from ..strategies import JSON

ODD = JSON | st.sampled_from(
    ["", "{", "{}", "[]", "null", '{"resultUrls":[]}', '{"resultUrls":[7]}', '{"resultUrls":null}', "9" * 30, "\x00",
     0, -1, True, 10**15, 10**18, -(10**18), 1e308, 1.5, "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"]
)  # fmt: skip


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value inside `value`."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield (*way, key)
        yield from places(child, (*way, key))


@st.composite
def mutated(draw: st.DrawFn, valid: Any) -> Any:
    """Draw `valid` with up to three changes."""
    made = copy.deepcopy(valid)
    for _ in range(draw(st.integers(1, 3))):
        ways = list(places(made))
        if not ways:
            break
        *way, last = draw(st.sampled_from(ways))
        holder = made
        for key in way:
            holder = holder[key]
        change = draw(st.sampled_from(["replace", "remove", "rename"]))
        if change == "replace" or isinstance(holder, list):
            holder[last] = draw(ODD)
        else:
            value = holder.pop(last)
            if change == "rename":
                holder[f"{last}_"] = value
    return made
