"""What a check reports, and the check itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .exchange import Callback, Exchange

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
Subject = Literal["contract", "exchange", "trace", "performance"]
"""What a check judges: the stored contract alone, one exchange, all that was seen, or a client in a situation."""

_INDEX = re.compile(r"/\d+(?=/|$)")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        check: the id of the check.
        severity: error, warning or info.
        sentence: what is wrong, for a person, with the value that shows it.
        operation: the name of the operation, "" where none was meant.
        pointer: JSON Pointer into the body that is wrong, "" for the whole of it.
        evidence: the exchanges and callbacks that show it, in the order in which they happened.
    """

    check: str
    severity: Severity
    sentence: str
    operation: str = ""
    pointer: str = ""
    evidence: tuple[Exchange | Callback, ...] = ()

    @property
    def signature(self) -> tuple[str, str, str]:
        """What findings of the same cause share: check, operation, and pointer without numbers of items."""
        return self.check, self.operation, _INDEX.sub("/*", self.pointer)


Judgement = Finding | None
"""A finding, or None where something was judged and is right. A check that yields nothing had nothing to judge."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something that should hold.

    Attributes:
        id: what findings name it by, stable from release to release.
        severity: of its findings.
        subject: what it judges.
        sentence: what should hold.
        judge: yields a judgement for each thing that it judges; its arguments are the oracle and the subject.
        family: form, refusal, time, callbacks, money or client: the part of the kit that it belongs to.
    """

    id: str
    severity: Severity
    subject: Subject
    sentence: str
    family: str
    judge: Callable[..., Iterable[Judgement]]


Judge = Callable[..., Iterator["Problem | None"]]


@dataclass(frozen=True, slots=True)
class Problem:
    """What a judging function found wrong; the check it belongs to makes it a `Finding`."""

    sentence: str
    operation: str = ""
    pointer: str = ""
    evidence: tuple[Any, ...] = ()


def check(identity: str, severity: Severity, subject: Subject, family: str, sentence: str) -> Callable[[Judge], Check]:
    """Make a `Check` of a function that yields a `Problem`, or None where something was judged and is right."""

    def made(judge: Judge) -> Check:
        def judgement(problem: Problem | None) -> Judgement:
            if problem is None:
                return None
            return Finding(identity, severity, problem.sentence, problem.operation, problem.pointer, problem.evidence)

        def judged(*args: Any) -> Iterator[Judgement]:
            return map(judgement, judge(*args))

        return Check(identity, severity, subject, sentence, family, judged)

    return made
