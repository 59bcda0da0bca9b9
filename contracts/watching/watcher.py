"""Judging what passes by, and telling of it at once and in the end."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any

from ...openapi.errors import cut
from ...openapi.masking import mask_query, mask_text
from ...openapi.provider import Provider
from ..checks.catalogue import CHECKS
from ..checks.exchange import Callback, Exchange
from ..checks.finding import Finding as CheckFinding
from ..checks.tally import Tally
from ..checks.trace import Circumstances, ReceivedCallback, make_trace
from ..findings import Finding
from ..seen.documents import Documents
from ..seen.judge import Judge
from ..seen.sightings import Sightings
from .heads import Head
from .passed import Passed
from .record import Record, decoded

MAX_JUDGED_BYTES = 2 * 1024 * 1024
"""Longer bodies are passed on and not judged."""
MAX_KEPT = 10_000
_MAX_KEPT_BYTES = 64 * 1024 * 1024
SAID_ALREADY = frozenset({"callback-conforms", "callback-fields"})
"""Checks that hold callbacks against the contract, as is done with every one that comes."""
_MAX_SENTENCE = 400
_MAX_SECRETS = 1_000


class Watcher:
    """Judges each request that passed by, and its answer.

    What an answer looks like is held against the contract as `drift --seen` does it. What the other checks of the kit
    say of single exchanges is told at once too, what they say of whole tasks in the end.

    Args:
        provider: by whose contract it is judged.
        said: is told each finding as it comes: the word for how grave it is, where, and what.
        record: where it is written down, None for nowhere.
        urls: what URLs begin with, of the provider and of the inbox.

    Attributes:
        unjudged: how many were not judged, by the reason.
        broken: how many ended without a whole answer.
    """

    def __init__(
        self, provider: Provider, said: Callable[[str, str, str], None], record: Record | None, urls: tuple[str, str]
    ) -> None:
        self._judge = Judge(Documents.of(provider))
        self._oracle = self._judge.oracle
        self.sightings = Sightings(self._judge)
        self._tally = Tally(each for each in CHECKS if each.family != "form" and each.id not in SAID_ALREADY)
        self._said = said
        self.record = record
        self._urls = urls
        self.unjudged: Counter[str] = Counter()
        self.broken = 0
        self._secrets: dict[str, None] = {}
        self._kept: deque[tuple[Exchange | Callback, int]] = deque()
        self._kept_bytes = 0
        self._forgotten = 0

    @property
    def key_headers(self) -> list[str]:
        """The headers that carry keys, in lower case."""
        return [name for name, _ in self._oracle.key_places]

    def take(self, passed: Passed) -> None:
        """Judge what passed by, and write it down."""
        exchange = self._exchange(passed)
        key = self._oracle.key_in(exchange)
        if key and len(self._secrets) < _MAX_SECRETS:
            self._secrets[key] = None
        place = self._place(passed)
        if passed.problem:
            self.broken += 1
            self._say("broken", place, passed.problem)
        elif passed.inbox is not None:
            self._callback(passed, exchange, place)
        else:
            self._exchanged(passed, exchange, place)
        if self.record is not None:
            base = self._urls[1] if passed.inbox is not None else self._urls[0]
            self.record.add(passed, base + passed.target.decode("latin-1"), self._secrets)

    def _exchanged(self, passed: Passed, exchange: Exchange, place: str) -> None:
        seen = self._oracle.observe(exchange)
        if seen.operation is not None and (why := _unreadable(passed)):
            self.unjudged[why] += 1
            self._say("info", place, f"not judged: {why}")
            return
        self._keep(exchange, len(exchange.body) + len(exchange.answer))
        for finding in self.sightings.exchange(seen):
            self._say_finding(finding, place)
        if seen.operation is not None:
            self._say_checks(self._tally.judge_exchange(self._oracle, seen), place)

    def _callback(self, passed: Passed, exchange: Exchange, place: str) -> None:
        if why := _unreadable(passed):
            self.unjudged[why] += 1
            self._say("info", place, f"not judged: {why}")
            return
        came = Callback(exchange.headers, exchange.body, passed.began, passed.began, passed.status)
        self._keep(came, len(exchange.body))
        for finding in self.sightings.callback(ReceivedCallback(self._oracle, came)):
            self._say_finding(finding, place)

    def _keep(self, seen: Exchange | Callback, size: int) -> None:
        self._kept.append((seen, size))
        self._kept_bytes += size
        while len(self._kept) > MAX_KEPT or self._kept_bytes > _MAX_KEPT_BYTES:
            self._kept_bytes -= self._kept.popleft()[1]
            self._forgotten += 1

    def _exchange(self, passed: Passed) -> Exchange:
        path, _, query = passed.target.partition(b"?")
        body = decoded(passed.head, bytes(passed.body.content), MAX_JUDGED_BYTES)
        answer = decoded(passed.answer_head, bytes(passed.answer.content), MAX_JUDGED_BYTES)
        return Exchange(
            passed.method, path.decode("latin-1"), query.decode("latin-1"), _headers(passed.head), body or b"",
            passed.began, passed.ended, None if passed.problem else passed.status, _headers(passed.answer_head),
            answer or b"", passed.problem,
        )  # fmt: skip

    def _place(self, passed: Passed) -> str:
        path, question, query = passed.target.partition(b"?")
        return f"{passed.method} {(path + question + mask_query(query)).decode('latin-1')}"

    def _say_finding(self, finding: Finding, place: str) -> None:
        self._say(finding.severity, place, f"{finding.sentence}  [{finding.id}]")

    def _say_checks(self, findings: Iterable[CheckFinding], place: str) -> None:
        for each in findings:
            if self._tally.counts[each.signature] == 1:
                self._say(each.severity, place, f"{each.sentence}  [{each.check}]")

    def _say(self, severity: str, place: str, sentence: str) -> None:
        self._said(severity, cut(self._masked(place), 200), cut(self._masked(sentence), _MAX_SENTENCE))

    def _masked(self, text: str) -> str:
        return mask_text(text, self._secrets)

    def finish(self) -> None:
        """Judge whole tasks, once everything has passed by."""
        exchanges = [each for each, _ in self._kept if isinstance(each, Exchange)]
        callbacks = [each for each, _ in self._kept if isinstance(each, Callback)]
        until = max((each.ended for each in exchanges), default=0)
        trace = make_trace(self._oracle, exchanges, callbacks, Circumstances(until))
        self._say_checks(self._tally.judge_trace(self._oracle, trace), "in the end")

    def counted(self) -> list[tuple[str, str, int]]:
        """Return what the checks beside the contract's found: severity, sentence and how often."""
        return [
            (each.severity, self._masked(f"{each.sentence}  [{each.check}]"), self._tally.counts[each.signature])
            for each in self._tally.findings
        ]

    def notes(self) -> list[str]:
        """Return what else there is to know in the end, a sentence each."""
        told = [f"{count:,} not judged: {why}" for why, count in self.unjudged.most_common()]
        if self.broken:
            told.append(f"{self.broken:,} without a whole answer")
        told += self.sightings.notes()
        if self._forgotten:
            told.append(f"{self._forgotten:,} were too long ago to judge their tasks as wholes")
        if self.record is not None and self.record.dropped:
            told.append(f"the record has no room for all: the oldest {self.record.dropped:,} were dropped")
        return told


def _unreadable(passed: Passed) -> str:
    """Return why bodies can't be judged, "" where they can."""
    for head, body, whose in ((passed.head, passed.body, "request"), (passed.answer_head, passed.answer, "answer")):
        if not body.is_whole:
            return f"the {whose} is larger than {MAX_JUDGED_BYTES:,} bytes"
        if body.size and decoded(head, bytes(body.content), MAX_JUDGED_BYTES) is None:
            coding = b", ".join(head.values(b"content-encoding")).decode("latin-1")
            return f"the {whose} is packed as {coding} and can't be unpacked"
    return ""


def _headers(head: Head) -> tuple[tuple[str, str], ...]:
    found: list[Any] = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head.fields]
    return tuple(found)
