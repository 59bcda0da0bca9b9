"""Reading what a provider writes: where an answer keeps the facts, and how each is to be understood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .pointer import MISSING, resolve
from .times import MAX_TIME, parse_time

FACTS = (
    "id", "status", "model", "input", "created", "updated", "completed", "duration", "outputs",
    "error_code", "error_message", "credits", "progress", "retry_after", "balance", "url",
    "upload_to",
)  # fmt: skip
"""What can be read from an answer. Times and durations come out in milliseconds."""


@dataclass(frozen=True, slots=True)
class Read:
    """Where one fact stands: the first of `pointers` that leads somewhere, understood by `convert`."""

    pointers: tuple[str, ...]
    convert: Callable[[Any], Any]


def _number(scale: int) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return MISSING
        # What no calendar holds is no time; the bound lets neither infinity nor what is no number at all through.
        return round(value * scale) if abs(value) * scale <= MAX_TIME else MISSING

    return convert


def _iso(value: Any) -> Any:
    try:
        return parse_time(value) if isinstance(value, str) else MISSING
    except ValueError:
        return MISSING


def _list(value: Any) -> Any:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else MISSING


CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "as-is": lambda value: value,
    "milliseconds": _number(1),
    "seconds": _number(1000),
    "iso": _iso,
    "list": _list,
}


def compile_reads(data: Mapping[str, Any]) -> dict[str, Read]:
    """Return the reads described by `data`: a pointer, a list of them, or ``{at: …, as: seconds}`` for each fact."""
    made = {}
    for fact, place in data.items():
        at, how = (place["at"], place.get("as", "as-is")) if isinstance(place, dict) else (place, "as-is")
        made[fact] = Read((at,) if isinstance(at, str) else tuple(at), CONVERSIONS[how])
    return made


def read(reads: Mapping[str, Read], answer: Any) -> dict[str, Any]:
    """Return the facts that `answer` holds; one that is absent, null or not understood is left out."""
    facts = {}
    for fact, each in reads.items():
        for pointer in each.pointers:
            value = resolve(answer, pointer)
            if value is not MISSING and value is not None and (value := each.convert(value)) is not MISSING:
                facts[fact] = value
                break
    return facts
