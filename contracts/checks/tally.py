"""Judging, and keeping count: which checks had something to judge, how often, and what they found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from .finding import Check, Finding
from .oracle import Observation, Oracle
from .trace import Trace


class Tally:
    """What a set of checks has judged so far.

    Attributes:
        checks: the checks.
        judged: how many things each check has judged, by its id: one that is 0 was never reached.
        findings: the first finding of each cause, in order.
        counts: how often each cause was found, by the findings' signature.
    """

    def __init__(self, checks: Iterable[Check]) -> None:
        self.checks = tuple(checks)
        self.judged: Counter[str] = Counter()
        self.findings: list[Finding] = []
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self._by_subject = {
            subject: [each for each in self.checks if each.subject == subject]
            for subject in ("contract", "exchange", "trace", "performance")
        }

    def judge_contract(self, oracle: Oracle) -> list[Finding]:
        """Judge the stored contract itself; return what was found, known before or not."""
        return self._judge("contract", oracle)

    def judge_exchange(self, oracle: Oracle, observation: Observation) -> list[Finding]:
        """Judge one exchange; return what was found, known before or not."""
        return self._judge("exchange", oracle, observation)

    def judge_trace(self, oracle: Oracle, trace: Trace) -> list[Finding]:
        """Judge everything that was seen; return what was found, known before or not."""
        return self._judge("trace", oracle, trace)

    def judge_performance(self, oracle: Oracle, performance: Any) -> list[Finding]:
        """Judge a client in one situation; return what was found, known before or not."""
        return self._judge("performance", oracle, performance)

    def add(self, finding: Finding) -> None:
        """Keep `finding`, or count it where one of the same cause is kept already."""
        self.counts[finding.signature] += 1
        if self.counts[finding.signature] == 1:
            self.findings.append(finding)

    def replace(self, finding: Finding) -> None:
        """Keep `finding` in place of the one of the same cause: it shows the same with less."""
        self.findings = [finding if each.signature == finding.signature else each for each in self.findings]

    def _judge(self, subject: str, *arguments: Any) -> list[Finding]:
        found = []
        for check in self._by_subject[subject]:
            for judgement in check.judge(*arguments):
                self.judged[check.id] += 1
                if judgement is not None:
                    found.append(judgement)
                    self.add(judgement)
        return found
