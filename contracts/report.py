"""Findings told: as text for a person, as JSON, JUnit and SARIF for machines, as annotations for GitHub."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from itertools import groupby
from typing import Any

import orjson

from ..openapi.errors import cut
from ..openapi.times import iso
from .accept import Stale
from .document import Place
from .findings import Finding, Sighting
from .severity import SEVERITIES

Report = Callable[[Sequence[Finding], Sequence[Stale], str, str], str]
_SARIF_LEVELS = {"breaking": "error", "warning": "warning", "info": "note"}
_GITHUB_WORDS = {"breaking": "error", "warning": "warning", "info": "notice"}


def _counted(findings: Iterable[Finding]) -> dict[str, int]:
    counts: dict[str, int] = dict.fromkeys(SEVERITIES, 0)
    for each in findings:
        counts[each.severity] += 1
    return counts


def _grouped(findings: Sequence[Finding]) -> list[tuple[str, list[Finding]]]:
    return [(name, list(group)) for name, group in groupby(findings, lambda each: each.operation)]


def as_text(findings: Sequence[Finding], stale: Sequence[Stale], base: str, revision: str) -> str:
    """Return the report for a person."""
    lines = []
    for operation, group in _grouped(findings):
        lines.append(operation or "The whole document")
        for each in group:
            lines.append(f"  {each.severity:8}  {each.sentence}  [{each.id}]")
            lines += [f"            {places}"] if (places := _places(each)) else []
            lines += [f"            {line}" for line in _shown_witness(each)]
        lines.append("")
    lines += [f"accepted, but stale: {each.sentence}" for each in stale]
    counts = _counted(findings)
    told = ", ".join(f"{count} {severity}" for severity, count in counts.items() if count) or "no drift"
    return "\n".join([*lines, f"{base} → {revision}: {told}", ""])


def _places(finding: Finding) -> str:
    if finding.sighting is not None:
        return str(finding.place or "")
    return " → ".join(str(place) if place else "nothing" for place in (finding.base, finding.revision))


def _shown_witness(finding: Finding) -> list[str]:
    witness = finding.witness
    if finding.sighting is not None:
        return [str(finding.sighting)]
    if witness is None:
        return []
    if witness.why:
        return [f"no example: {witness.why}"]
    shown = cut(orjson.dumps(witness.value, option=orjson.OPT_SORT_KEYS).decode(), 300)
    # In a callback the provider calls, and the client answers.
    sent, received = ("answer", "call") if finding.id.startswith(("callback-", "webhook-")) else ("request", "answer")
    if witness.fits == "base":
        told = f"this {sent} was valid and is now refused"
        told = told if finding.direction == "sent" else f"this {received} came and no longer may"
    else:
        told = f"this {received} may come now and never could"
        told = told if finding.direction == "received" else f"this {sent} was refused and is valid now"
    return [f"{told}: {shown}"]


def _place(place: Place | None) -> dict[str, Any] | None:
    return None if place is None else {"file": place.file, "pointer": place.pointer, "line": place.line}


def _as_data(finding: Finding) -> dict[str, Any]:
    witness = finding.witness
    told: dict[str, Any] = {"witness": None}
    if finding.sighting is not None:
        told = {"sighting": _sighting(finding.sighting)}
    elif witness is not None and not witness.why:
        told = {"witness": {"fits": witness.fits, "value": witness.value}}
    elif witness is not None:
        told["no_witness"] = witness.why
    return {
        "id": finding.id, "severity": finding.severity, "direction": finding.direction, "operation": finding.operation,
        "sentence": finding.sentence, "base": _place(finding.base), "revision": _place(finding.revision), **told,
    }  # fmt: skip


def _sighting(seen: Sighting) -> dict[str, Any]:
    return {
        "verdict": seen.verdict, "where": seen.where, "pointer": seen.pointer, "count": seen.count,
        "first": iso(seen.first), "last": iso(seen.last), "example": seen.example or None,
    }  # fmt: skip


def as_json(findings: Sequence[Finding], stale: Sequence[Stale], base: str, revision: str) -> str:
    """Return the report as one JSON object."""
    told = {
        "base": base, "revision": revision, "counts": _counted(findings),
        "findings": [_as_data(each) for each in findings],
        "stale": [{"entry": each.entry, "sentence": each.sentence} for each in stale],
    }  # fmt: skip
    return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode() + "\n"


def as_junit(findings: Sequence[Finding], stale: Sequence[Stale], base: str, revision: str) -> str:
    """Return the report as JUnit XML: a suite for each operation, a failure for what is more than information."""
    suites = []
    for operation, group in _grouped(findings):
        cases = [_case(each) for each in group]
        failed = sum(each.severity != "info" for each in group)
        name = _quoted(operation or "the whole document")
        suites.append(
            f'  <testsuite name={name} tests="{len(group)}" failures="{failed}">\n{"".join(cases)}  </testsuite>\n'
        )
    lines = "".join(f'    <testcase classname="accepted" name={_quoted(each.sentence)}/>\n' for each in stale)
    suites += (
        [f'  <testsuite name="stale" tests="{len(stale)}" failures="0">\n{lines}  </testsuite>\n'] if stale else []
    )
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name={_quoted(f"{base} → {revision}")}>\n'
    return f"{head}{''.join(suites)}</testsuites>\n"


def _quoted(text: str) -> str:
    return f'"{escape(text)}"'


def _case(finding: Finding) -> str:
    text = "\n".join([finding.sentence, _places(finding), *_shown_witness(finding)])
    name, body = _quoted(f"{finding.id}: {finding.sentence}"), escape(_printable(text))
    if finding.severity == "info":
        inside = f"<system-out>{body}</system-out>"
    else:
        inside = f'<failure type="{finding.severity}" message={_quoted(_printable(finding.sentence))}>{body}</failure>'
    return f'    <testcase classname="drift" name={_printable(name)}>{inside}</testcase>\n'


def _printable(text: str) -> str:
    """Return `text` with what XML can't hold replaced."""
    return "".join(char if char >= " " or char in "\n\t" else "\ufffd" for char in text)


def as_sarif(findings: Sequence[Finding], stale: Sequence[Stale], _base: str, _revision: str) -> str:
    """Return the report as SARIF 2.1.0."""
    rules = [{"id": identity} for identity in sorted({each.id for each in findings})]
    results: list[dict[str, Any]] = [
        {
            "ruleId": each.id,
            "level": _SARIF_LEVELS[each.severity],
            "message": {"text": f"{each.operation}: {each.sentence}" if each.operation else each.sentence},
            "locations": [_location(each.place)] if each.place else [],
            "relatedLocations": [_location(each.base)] if each.base and each.revision else [],
            "properties": {"direction": each.direction, **_shown_by(each)},
        }
        for each in findings
    ]
    driver = {"name": "understudy drift", "rules": rules}
    notes = [{"level": "warning", "message": {"text": f"accepted, but stale: {each.sentence}"}} for each in stale]
    run = {
        "tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
    }  # fmt: skip
    told = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode() + "\n"


def _shown_by(finding: Finding) -> dict[str, Any]:
    return {name: value for name, value in _as_data(finding).items() if name in {"witness", "sighting"}}


def _location(place: Place) -> dict[str, Any]:
    return {
        "physicalLocation": {"artifactLocation": {"uri": place.file}, "region": {"startLine": place.line or 1}},
        "logicalLocations": [{"fullyQualifiedName": place.pointer}],
    }


def as_github(findings: Sequence[Finding], stale: Sequence[Stale], _base: str, _revision: str) -> str:
    """Return the report as annotations for a GitHub workflow."""
    lines = []
    for each in findings:
        place = each.place
        where = f"file={_property(place.file)},line={place.line or 1}," if place else ""
        text = _data(" — ".join([f"{each.operation}: {each.sentence}".removeprefix(": "), *_shown_witness(each)]))
        lines.append(f"::{_GITHUB_WORDS[each.severity]} {where}title={_property(each.id)}::{text}")
    lines += [f"::warning title=stale::{_data(each.sentence)}" for each in stale]
    return "".join(f"{line}\n" for line in lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


REPORTS: dict[str, Report] = {
    "text": as_text, "json": as_json, "junit": as_junit, "sarif": as_sarif, "github": as_github,
}  # fmt: skip
"""The formats of `--format`."""
