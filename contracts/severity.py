"""What a change means for a client that was written for the base: the one table of opinions.

Variance decides: what a client sends may only be allowed more, what it receives may only be promised more. The
table holds what variance alone would judge too hard or too mildly, each entry with its reason.
"""

from __future__ import annotations

from typing import Literal

from .changes import Change

Severity = Literal["breaking", "warning", "info"]
Direction = Literal["sent", "received"]
SEVERITIES: tuple[Severity, ...] = ("breaking", "warning", "info")

_BY_EFFECT: dict[tuple[Direction, str], Severity] = {
    ("sent", "narrowed"): "breaking", ("sent", "changed"): "breaking",
    ("received", "widened"): "breaking", ("received", "changed"): "breaking",
}  # fmt: skip

_OPINIONS: dict[tuple[str, Direction], Severity] = {
    # A new optional field: no document closes its objects, and nobody sent it under that name by chance.
    ("property-added", "sent"): "info",
    ("property-added", "received"): "info",
    # A field that is no longer spoken of: still sent, it may be ignored or refused.
    ("property-removed", "sent"): "warning",
    ("required-property-removed", "sent"): "warning",
    # A field that was optional and is gone: whoever reads it finds it missing, as was allowed.
    ("property-removed", "received"): "warning",
    ("property-removed-closed", "received"): "warning",
    # The object was promised to hold nothing more; few programs check.
    ("property-added-closed", "received"): "warning",
    # A program that knows all values may still meet an unknown one with grace.
    ("enum-value-added", "received"): "warning",
    # Whether one expression matches all that another does is not decided here.
    ("pattern-changed", "sent"): "warning",
    # Text that was received is shown or passed on; few programs hold it against an expression.
    ("pattern-changed", "received"): "info",
    ("pattern-removed", "received"): "info",
    # A name that nothing describes is most often a slip of the document, on either side.
    ("undescribed-became-required", "sent"): "info",
    ("undescribed-became-optional", "received"): "info",
    # Said of a branch that asks nothing new as much as of one that does.
    ("all-of-removed", "sent"): "warning",
}
_VALUE_BOUNDS = frozenset({
    "enum-value-removed", "enum-value-added", "became-enum", "enum-removed", "became-required", "became-optional",
    "required-property-added", "property-removed", "required-property-removed", "property-removed-closed",
    *(f"{bound}-{how}" for bound in ("min", "max", "min-length", "max-length") for how in ("set", "raised", "lowered")),
})  # fmt: skip
"""Changes that do not matter for a field that this side never sends, even where it echoes what it read."""


def severity_of(change: Change, direction: Direction) -> Severity:
    """Return what `change` means for a client that sends or receives such values."""
    if direction == "received" and "writeOnly" in change.guards:
        return "info"  # never received
    if direction == "sent" and "readOnly" in change.guards and change.what in _VALUE_BOUNDS:
        return "info"
    told = _BY_EFFECT.get((direction, change.effect), "info")
    if change.effect != "noted":
        told = _OPINIONS.get((change.what, direction), told)
    # A keyword that asks nothing where it stands was meant to ask something: nobody knows what is checked.
    return "warning" if change.idle and told == "breaking" else told
