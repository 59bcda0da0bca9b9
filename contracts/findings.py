"""What drift reports: findings, each with its place in both documents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from ..openapi.times import iso
from .changes import Change
from .document import Place
from .severity import SEVERITIES, Direction, Severity


@dataclass(frozen=True, slots=True)
class Claim:
    """What a finding says of two schemas, for whoever wants to prove it.

    Attributes:
        base: the whole schema of the base: a body's, a parameter's.
        revision: the same of the revision.
        change: the difference, with the steps that lead to it.
        direction: who sends such values.
        fixed: members that every proof should have, where they tell variants apart.
    """

    base: Any
    revision: Any
    change: Change
    direction: Direction


@dataclass(frozen=True, slots=True)
class Witness:
    """A payload that shows a finding, or why there is none.

    Attributes:
        value: the payload; meaningless where `why` is set.
        fits: which document allows it: "base" or "revision". The other does not.
        why: why there is no payload, "" where there is one.
    """

    value: Any
    fits: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """How often and when something was seen that a document does not tell; or what it tells and nobody saw.

    Attributes:
        verdict: ``violates``, ``undocumented but allowed`` or ``documented, never seen``.
        where: ``request``, ``answer 200`` or ``callback``; "" for a whole operation.
        pointer: JSON Pointer into the body, items told as ``*``.
        count: how often it was seen; of what was never seen, how often it could have been.
        first: when for the first time, in milliseconds since the epoch.
        last: when for the last time.
        example: what stood there, as JSON with keys masked; "" where nothing did.
    """

    verdict: str
    where: str
    pointer: str
    count: int
    first: int
    last: int
    example: str = ""

    def __str__(self) -> str:
        times = "once" if self.count == 1 else f"{self.count:,} times"
        when = iso(self.first) if self.first == self.last else f"{iso(self.first)} to {iso(self.last)}"
        if self.verdict == "documented, never seen":
            return f"{self.verdict}, where it could have been {times}, {when}"
        return f"{self.verdict} {times}, {when}" + (f"; for example {self.example}" if self.example else "")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that changed, or that was seen and is not documented.

    Attributes:
        id: the kind of change, stable from release to release.
        severity: breaking, warning or info.
        direction: "sent" by the client, "received" by it, or "both".
        operation: method and path; "" for what concerns the whole document.
        sentence: what changed, for a person.
        base: where in the base, None where it has no such place.
        revision: where in the revision.
        claim: what to prove, None where no payload could.
        witness: the proof, None where none was searched for.
        sighting: how often and when it was seen, None where documents were compared.
    """

    id: str
    severity: Severity
    direction: str
    operation: str
    sentence: str
    base: Place | None
    revision: Place | None
    claim: Claim | None = field(default=None, compare=False, repr=False)
    witness: Witness | None = field(default=None, compare=False)
    sighting: Sighting | None = field(default=None, compare=False)

    def shown_by(self, witness: Witness) -> Finding:
        """Return this finding with its `witness`."""
        return replace(self, witness=witness)

    @property
    def place(self) -> Place | None:
        """The place to look at first: the revision's, or the base's where it is gone."""
        return self.revision or self.base


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return `findings` in their stable order, each once: by operation, then by place, kind and sentence."""
    distinct = {
        (each.operation, each.direction, *_pointers(each), each.id, each.sentence, each.severity): each
        for each in findings
    }
    return [distinct[key] for key in sorted(distinct)]


def _pointers(finding: Finding) -> tuple[str, str, str, str]:
    base, revision = finding.base, finding.revision
    return (
        base.file if base else "", base.pointer if base else "",
        revision.file if revision else "", revision.pointer if revision else "",
    )  # fmt: skip


def worst(findings: Iterable[Finding]) -> Severity | None:
    """Return the gravest severity among `findings`, None where there are none."""
    found = {each.severity for each in findings}
    return next((severity for severity in SEVERITIES if severity in found), None)


def reaches(finding: Finding, level: str) -> bool:
    """Tell whether `finding` is at least as grave as `level`, which may be "never"."""
    return level != "never" and SEVERITIES.index(finding.severity) <= SEVERITIES.index(level)
