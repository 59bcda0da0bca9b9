"""Changes told in sentences that a person understands."""

from __future__ import annotations

from typing import Any

import orjson

from ..openapi.errors import cut
from .changes import Change, shown

_UNITS = {"length": "characters", "items": "items", "properties": "fields"}
_SENTENCES: dict[str, str] = {
    "type-changed": "{place} was {before} and is {after} now",
    "became-nullable": "{place} may be null now",
    "became-not-nullable": "{place} may no longer be null",
    "enum-value-added": "{place} may be {after} now",
    "enum-value-removed": "{place} may no longer be {before}",
    "became-enum": "{place} is now one of {after}",
    "enum-removed": "{place} is no longer one of a fixed set, which was {before}",
    "pattern-added": "{place} now has to match {after}",
    "pattern-removed": "{place} no longer has to match {before}",
    "pattern-changed": "{place} has to match {after}, no longer {before}",
    "format-added": "{place} is now of format {after}",
    "format-removed": "{place} is no longer of format {before}",
    "format-changed": "{place} was of format {before} and is of {after} now",
    "multiple-of-changed": "{place} was a multiple of {before} and is one of {after} now",
    "unique-items-set": "the items of {place} now have to differ",
    "unique-items-unset": "the items of {place} may now be the same",
    "became-required": "{place} is required now",
    "became-optional": "{place} is optional now",
    "undescribed-became-required": "{place}, which nothing describes, is required now",
    "undescribed-became-optional": "{place}, which nothing describes, is no longer required",
    "property-added": "{place} is new, and optional",
    "property-added-closed": "{place} is new, where nothing more was promised",
    "required-property-added": "{place} is new, and required",
    "required-property-added-closed": "{place} is new, and required",
    "property-removed": "{place} is gone",
    "property-removed-closed": "{place} is gone, and nothing that is not named is allowed there",
    "required-property-removed": "{place}, which was required, is gone",
    "required-property-removed-closed": "{place}, which was required, is gone",
    "additional-properties-restricted": "{place} no longer takes members of any name and kind",
    "additional-properties-opened": "{place} takes members of other names or kinds now",
    "unevaluated-properties-restricted": "{place} no longer takes members of any name and kind",
    "unevaluated-properties-opened": "{place} takes members of other names or kinds now",
    "items-restricted": "the items of {place} may no longer be anything",
    "items-opened": "the items of {place} may be more than they could",
    "unevaluated-items-restricted": "{place} no longer takes further items of any kind",
    "unevaluated-items-opened": "{place} takes further items now",
    "property-names-restricted": "names of members of {place} are restricted now",
    "property-names-opened": "names of members of {place} are no longer restricted",
    "one-of-added": "{place} may take another form now: {after}",
    "any-of-added": "{place} may take another form now: {after}",
    "one-of-removed": "{place} may no longer take the form {before}",
    "any-of-removed": "{place} may no longer take the form {before}",
    "any-of-became-one-of": "{place} has to fit exactly one of its forms now, not any of them",
    "one-of-became-any-of": "{place} may fit several of its forms now, not only one",
    "wrapped-in-one-of": "{place} has to fit exactly one of several forms now",
    "wrapped-in-any-of": "{place} has to fit one of several forms now",
    "unwrapped-from-one-of": "{place} no longer is a choice of several forms",
    "unwrapped-from-any-of": "{place} no longer is a choice of several forms",
    "all-of-added": "{place} has to fit {after} as well now",
    "all-of-removed": "{place} no longer has to fit {before}",
    "not-added": "{place} may no longer be {after}",
    "not-removed": "{place} may be {before} again",
    "not-changed": "what {place} may not be has changed",
    "contains-added": "{place} has to contain an item of a certain kind now",
    "contains-removed": "{place} no longer has to contain an item of a certain kind",
    "min-contains-raised": "{place} has to contain {after} such items, no longer {before}",
    "min-contains-lowered": "{place} has to contain {after} such items, no longer {before}",
    "max-contains-raised": "{place} may contain {after} such items, no longer {before}",
    "max-contains-lowered": "{place} may contain {after} such items, no longer {before}",
    "condition-added": "{place} has a new condition to meet",
    "condition-removed": "{place} has one condition less to meet",
    "condition-changed": "a condition on {place} has changed",
    "content-schema-added": "what the text of {place} holds is restricted now",
    "content-schema-removed": "what the text of {place} holds is no longer restricted",
    "content-media-type-changed": "the text of {place} was {before} and is {after} now",
    "content-encoding-changed": "the text of {place} was encoded as {before} and is {after} now",
    "extensible-enum-value-removed": "{place} no longer lists {before}",
    "pattern-properties-added": "members of {place} whose names match {after} are restricted now",
    "pattern-properties-removed": "members of {place} whose names match {before} are no longer restricted",
    "default-changed": "{place} left out meant {before} and means {after} now",
    "default-added": "{place} left out means {after} now",
    "default-removed": "{place} left out no longer means {before}",
    "deprecated-set": "{place} is deprecated now",
    "deprecated-unset": "{place} is no longer deprecated",
    "read-only-set": "{place} is only received now, no longer sent",
    "read-only-unset": "{place} may be sent now, and no longer is only received",
    "write-only-set": "{place} is only sent now, no longer received",
    "write-only-unset": "{place} may be received now, and no longer is only sent",
    "discriminator-added": "the field that tells the forms of {place} apart is named now",
    "discriminator-removed": "the field that tells the forms of {place} apart is no longer named",
    "discriminator-changed": "how the forms of {place} are told apart has changed",
}


def sentence(change: Change, where: str) -> str:
    """Return what `change`, inside `where` ("the request body"), says."""
    steps = shown(change.path)
    place = f"`{steps}` in {where}" if steps else where
    template = _SENTENCES.get(change.what) or _bound(change)
    if change.what.startswith("enum-value-"):  # a value that is null is one
        before, after = (_told(each) if each is not None else "null" for each in (change.before, change.after))
    else:
        before, after = _told(change.before), _told(change.after)
    told = template.format(place=place, before=before, after=after)
    return told[0].upper() + told[1:] if not told.startswith("`") else told


def _bound(change: Change) -> str:
    """Return the template for a bound: ``min-length-raised``."""
    bound, _, how = change.what.rpartition("-")
    side, _, kind = bound.partition("-")
    if side not in {"min", "max"}:
        return "{place}: " + change.what.replace("-", " ")
    least = "at least" if side == "min" else "at most"
    unit = f" {_UNITS[kind]}" if kind else ""
    verb = "has" if kind else "is"
    if how == "unset":
        return f"{{place}} no longer {verb} {least} {{before}}{unit}"
    return f"{{place}} {verb} {least} {{after}}{unit} now" + ("" if how == "set" else ", no longer {before}")


def _told(value: Any) -> str:
    if value is None:
        return "anything"
    if isinstance(value, dict):
        return _form(value)
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return cut(" or ".join(value), 120)
    if isinstance(value, str):
        return cut(value if value and not value.isspace() else repr(value), 80)
    return cut(orjson.dumps(value, default=repr).decode(), 120)


def _form(schema: dict[str, Any]) -> str:
    """Return a schema by its name where it has one."""
    if isinstance(schema.get("$ref"), str):
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if isinstance(schema.get("title"), str):
        return f"`{schema['title']}`"
    kept = {key: value for key, value in schema.items() if key not in {"description", "example", "examples"}}
    return cut(orjson.dumps(kept, default=repr).decode(), 80)
