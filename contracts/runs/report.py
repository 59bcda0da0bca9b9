"""What a verification found, told: as text for a person, as JSON and JUnit for machines, as annotations for GitHub."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

import orjson

from ...openapi.errors import cut
from ..checks.exchange import Callback, Exchange
from ..checks.finding import SEVERITIES, Check, Finding
from .curl import curl
from .verification import Verification

_MOST_SHOWN = 4
_MOST_LINE = 2_000
_LEAST_HIDDEN = 6
_MOST_ALIKE = 3
_GITHUB_WORDS = {"error": "error", "warning": "warning", "info": "notice"}


@dataclass(frozen=True)
class Verified:
    """A verification, with what it was of.

    Attributes:
        provider: the provider's name.
        target: where it was, in a few words.
        base_url: what its URLs begin with, for commands.
        result: what came of it.
        seed: what decided what was drawn.
    """

    provider: str
    target: str
    base_url: str
    result: Verification
    seed: int = 0

    @property
    def findings(self) -> list[Finding]:
        """The findings, the gravest first, those of one check and operation together."""
        order = {check.id: number for number, check in enumerate(self.result.tally.checks)}
        return sorted(
            self.result.tally.findings,
            key=lambda each: (SEVERITIES.index(each.severity), order.get(each.check, 0), each.operation),
        )

    def times(self, finding: Finding) -> int:
        """Return how often the finding was met."""
        return self.result.tally.counts[finding.signature]

    def found_by(self, check: Check) -> int:
        """Return how many findings `check` has."""
        return sum(each.check == check.id for each in self.result.tally.findings)

    def hidden(self, text: str) -> str:
        """Return `text` with the name of a variable for every key in it: who is asked may tell keys again."""
        for key, name in sorted(self.result.keys.items(), key=lambda each: -len(each[0])):
            before = "(?<!/)" if key == "understudy" else ""  # the kit's own key is part of paths that it makes up
            text = re.sub(before + re.escape(key), f"${name}", text)
            for length in range(len(key) - 1, min(_LEAST_HIDDEN, len(key)) - 1, -1):  # a message may have cut it
                text = text.replace(f"{key[:length]}…", f"${name}…")
        return text

    def commands(self, finding: Finding) -> list[str]:
        """Return the commands that ask again what showed `finding`."""
        asked = [each for each in finding.evidence if isinstance(each, Exchange)]
        return [curl(each, self.base_url, self.result.keys) for each in asked]

    def counts(self) -> dict[str, int]:
        """Return how many findings there are of each severity."""
        found = [each.severity for each in self.result.tally.findings]
        return {severity: found.count(severity) for severity in SEVERITIES}


Report = Callable[[Verified], str]


def as_text(verified: Verified) -> str:
    """Return the report for a person."""
    lines = [*_table(verified), ""]
    for alike in _alike(verified.findings):
        for finding in alike[:_MOST_ALIKE]:
            lines += [told(verified, finding), ""]
        if left := alike[_MOST_ALIKE:]:
            places = ", ".join(each.pointer or "the whole" for each in left)
            lines += [
                f"{left[0].severity}: … and {len(left)} more of {left[0].operation or 'the same'}  [{left[0].check}]",
                f"  at {_cut(_shown(verified, places))}", "  (whole with --format json)", "",
            ]  # fmt: skip
    if verified.result.notes:
        lines += [
            "Left out, or worth knowing",
            *(f"  - {_shown(verified, note)}" for note in verified.result.notes),
            "",
        ]
    return "\n".join([*lines, _summary(verified), ""])


def _alike(findings: list[Finding]) -> list[list[Finding]]:
    """Return the findings by check and operation: many places with one trouble are likely to have one cause."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for each in findings:
        groups.setdefault((each.check, each.operation), []).append(each)
    return list(groups.values())


def _table(verified: Verified) -> list[str]:
    tally = verified.result.tally
    width = max((len(each.id) for each in tally.checks), default=0)
    lines = []
    for family in dict.fromkeys(each.family for each in tally.checks):
        lines.append(f"{family:{width + 2}}    judged  findings")
        for check in tally.checks:
            if check.family == family:
                judged, found = tally.judged[check.id], verified.found_by(check)
                reached = f"{judged:8,}" if judged else "   never"
                lines.append(f"  {check.id:{width}}  {reached}  {found or '-':>8}")
    return lines


def told(verified: Verified, finding: Finding) -> str:
    """Return `finding` for a person: what is wrong, where, how to ask the same again, and what was answered."""
    return "\n".join(_lines(verified, finding))


def _lines(verified: Verified, finding: Finding) -> list[str]:
    times = verified.times(finding)
    head = f"{finding.severity}: {_shown(verified, finding.sentence)}  [{finding.check}]" + (
        f", {times:,} times" if times > 1 else ""
    )
    place = f"  at {finding.pointer}" if finding.pointer else ""
    commands = verified.commands(finding)
    shown = [f"  {_cut(each)}" for each in commands[:_MOST_SHOWN]]
    if len(commands) > _MOST_SHOWN:
        shown.append(f"  … and {len(commands) - _MOST_SHOWN} more requests")
    answers = [each for each in finding.evidence if isinstance(each, Exchange)][-1:]
    shown += [f"  answered {_answer(verified, each)}" for each in answers]
    shown += [f"  {_letter(verified, each)}" for each in finding.evidence if isinstance(each, Callback)][:_MOST_SHOWN]
    return [head, *([place] if place else []), *shown]


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_LINE else f"{text[:_MOST_LINE]}…  # {len(text):,} characters; whole in JSON"


def _answer(verified: Verified, exchange: Exchange) -> str:
    if exchange.status is None:
        return f"nothing: {_shown(verified, exchange.error)}"
    return f"HTTP {exchange.status} {_text(verified, exchange.answer)}".rstrip()


def _letter(verified: Verified, callback: Callback) -> str:
    answered = "nothing" if callback.answered is None else callback.answered
    return f"callback, answered {answered}: {_text(verified, callback.body)}"


def _text(verified: Verified, body: bytes) -> str:
    return cut(_shown(verified, body.decode("utf-8", "replace")), 300)


def _shown(verified: Verified, text: str) -> str:
    """Return `text` in one line, without keys and without what a terminal would obey."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in verified.hidden(text))


def _summary(verified: Verified) -> str:
    result = verified.result
    counted = (
        ", ".join(f"{count} {severity}" for severity, count in verified.counts().items() if count) or "no findings"
    )
    judged = f"{_many(result.exchanges, 'exchange')} and {_many(result.callbacks, 'callback')}"
    return (
        f"{verified.provider} at {verified.target}: {counted}; {judged} in {result.seconds:.1f} s, seed {verified.seed}"
    )


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def as_json(verified: Verified) -> str:
    """Return the report as one JSON object."""
    result = verified.result
    data = {
        "provider": verified.provider, "target": verified.target, "seed": verified.seed,
        "seconds": round(result.seconds, 3), "exchanges": result.exchanges, "callbacks": result.callbacks,
        "counts": verified.counts(),
        "checks": [
            {
                "id": each.id, "family": each.family, "severity": each.severity, "sentence": each.sentence,
                "judged": result.tally.judged[each.id], "findings": verified.found_by(each),
            }
            for each in result.tally.checks
        ],
        "findings": [_as_data(verified, each) for each in verified.findings],
        "notes": [verified.hidden(each) for each in result.notes],
    }  # fmt: skip
    return orjson.dumps(data, option=orjson.OPT_INDENT_2).decode() + "\n"


def _as_data(verified: Verified, finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check, "severity": finding.severity,
        "sentence": verified.hidden(finding.sentence),
        "operation": finding.operation, "pointer": finding.pointer, "times": verified.times(finding),
        "curl": verified.commands(finding),
        "evidence": [_evidence(verified, each) for each in finding.evidence],
    }  # fmt: skip


def _evidence(verified: Verified, each: Exchange | Callback) -> dict[str, Any]:
    if isinstance(each, Callback):
        return {
            "callback": verified.hidden(each.body.decode("utf-8", "replace")),
            "came": each.came,
            "answered": each.answered,
        }
    return {
        "request": f"{each.method} {each.path}", "began": each.began, "status": each.status,
        "answer": verified.hidden(each.answer.decode("utf-8", "replace")),
        **({"error": verified.hidden(each.error)} if each.error else {}),
    }  # fmt: skip


def as_junit(verified: Verified) -> str:
    """Return the report as JUnit XML: a suite for each family of checks, a case for each check."""
    checks = verified.result.tally.checks
    suites = []
    for family in dict.fromkeys(each.family for each in checks):
        mine = [each for each in checks if each.family == family]
        cases = [_case(verified, each) for each in mine]
        failed = sum("<failure" in each for each in cases)
        skipped = sum("<skipped" in each for each in cases)
        suites.append(
            f'  <testsuite name={_quoted(family)} tests="{len(mine)}" failures="{failed}" skipped="{skipped}">\n'
            f"{''.join(cases)}  </testsuite>\n"
        )
    name = _quoted(f"{verified.provider} at {verified.target}")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name={name}>\n{"".join(suites)}</testsuites>\n'


def _case(verified: Verified, check: Check) -> str:
    found = [each for each in verified.findings if each.check == check.id]
    text = escape(_printable("\n\n".join(told(verified, each) for each in found)))
    graver = [each for each in found if each.severity != "info"]
    if graver:
        message = _quoted(_shown(verified, graver[0].sentence))
        inside = f'<failure type="{graver[0].severity}" message={message}>{text}</failure>'
    elif found:
        inside = f"<system-out>{text}</system-out>"
    else:
        inside = "" if verified.result.tally.judged[check.id] else '<skipped message="never reached"/>'
    name = _quoted(f"{check.id}: {check.sentence}")
    return f"    <testcase classname={_quoted(verified.provider)} name={name}>{inside}</testcase>\n"


def _quoted(text: str) -> str:
    return f'"{escape(text)}"'


def _printable(text: str) -> str:
    """Return `text` with what XML can't hold replaced."""
    return "".join(char if char >= " " or char in "\n\t" else "\ufffd" for char in text if char not in "\ufffe\uffff")


def as_github(verified: Verified) -> str:
    """Return the report as annotations for a GitHub workflow."""
    return "".join(f"{line}\n" for line in _annotations(verified))


def _annotations(verified: Verified) -> Iterable[str]:
    for finding in verified.findings:
        text = _data("\n".join(_lines(verified, finding)[1:]))
        word = _GITHUB_WORDS[finding.severity]
        yield f"::{word} title={_property(finding.check)}::{_data(_shown(verified, finding.sentence))}" + (
            f"%0A{text}" if text else ""
        )
    yield from (f"::notice title=left out::{_data(_shown(verified, note))}" for note in verified.result.notes)
    yield _summary(verified)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


REPORTS: dict[str, Report] = {"text": as_text, "json": as_json, "junit": as_junit, "github": as_github}
"""The formats of `--format`."""
