"""Findings that someone looked at and accepted, until a day where one is given.

accepted:
  - id: response-body-enum-value-added
    operation: GET /v1/tasks/{id}
    pointer: /components/schemas/Task/properties/status/enum
    reason: we treat unknown words as pending
    until: 2026-12-31
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ..openapi.errors import LoadError, nearest, shorten
from ..openapi.source import Source, read_source
from .findings import Finding

_FIELDS = ("id", "operation", "pointer", "reason", "until")


@dataclass(frozen=True, slots=True)
class Stale:
    """An entry that accepts nothing any more.

    Attributes:
        entry: the entry as written.
        sentence: why it is stale.
    """

    entry: dict[str, Any]
    sentence: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """An entry of an accept file: what is accepted, why, and until when."""

    entry: dict[str, Any]
    until: date | None

    def covers(self, finding: Finding) -> bool:
        """Tell whether `finding` is the one that this entry means."""
        pointers = {place.pointer for place in (finding.base, finding.revision) if place is not None}
        return (
            self.entry["id"] == finding.id
            and self.entry.get("operation", finding.operation) == finding.operation
            and ("pointer" not in self.entry or self.entry["pointer"] in pointers)
        )

    def __str__(self) -> str:
        where = [str(self.entry[key]) for key in ("operation", "pointer") if key in self.entry]
        return " ".join([str(self.entry["id"]), *where])


def read_accepted(name: str) -> list[Accepted]:
    """Return the entries of the accept file `name`.

    Raises:
        LoadError: it can't be read, or an entry is not what it should be.
    """
    source = read_source(Path(name), name)
    entries = source.data.get("accepted") if isinstance(source.data, dict) else None
    if not isinstance(entries, list):
        raise source.error("/accepted", "is no list", "a list of entries with id, operation, pointer, reason, until")
    return [_read(source, number, entry) for number, entry in enumerate(entries)]


def _read(source: Source, number: int, entry: Any) -> Accepted:
    pointer = f"/accepted/{number}"
    if not isinstance(entry, dict):
        raise source.error(pointer, f"is {shorten(entry)}", "an object")
    for key in entry:
        if key not in _FIELDS:
            raise source.error(
                f"{pointer}/{key}", f"is not known{nearest(key, _FIELDS)}", f"one of {', '.join(_FIELDS)}"
            )
    for key in ("id", "reason"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise source.error(f"{pointer}/{key}", "is missing", "a text")
    until = entry.get("until")
    if until is None:
        return Accepted(entry, None)
    try:
        return Accepted(entry, date.fromisoformat(str(until)))
    except ValueError:
        raise source.error(f"{pointer}/until", f"is {shorten(until)}", "a day such as 2026-12-31") from None


def settle(
    findings: Sequence[Finding], accepted: Sequence[Accepted], today: date | None = None
) -> tuple[list[Finding], list[Stale]]:
    """Return the findings that nobody accepted, and the entries that are stale: past their day, or met by nothing."""
    now = today or datetime.now(UTC).date()
    stale, valid = [], []
    for each in accepted:
        if each.until is not None and each.until < now:
            stale.append(Stale(each.entry, f"{each} was accepted until {each.until}"))
        elif not any(each.covers(finding) for finding in findings):
            stale.append(Stale(each.entry, f"{each} is met by no finding"))
        else:
            valid.append(each)
    return [finding for finding in findings if not any(each.covers(finding) for each in valid)], stale


__all__ = ["Accepted", "LoadError", "Stale", "read_accepted", "settle"]
