"""What was seen, gathered: one finding for each cause, with how often and when, and what was never seen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from ...openapi.errors import cut, shorten
from ...openapi.masking import is_secret_field, mask_data, mask_text
from ...openapi.pointer import MISSING, join, split
from ...openapi.provider import Provider
from ...openapi.source import Source
from ..checks.oracle import Observation
from ..checks.trace import ReceivedCallback
from ..document import Place
from ..findings import Finding, Sighting
from ..severity import Severity
from .deviation import CALLBACKS, IDS, VERDICTS, Deviation, Verdict
from .documents import Spot
from .judge import Judge

MAX_CAUSES = 5_000
_MAX_WORD = 60
_MAX_EXAMPLE = 200
_MAX_PATHS = 5


@dataclass
class _Seen:
    deviation: Deviation
    pointer: str
    count: int
    first: int
    last: int


class Sightings:
    """Judges what was seen, one after the other, and gathers what the contract does not tell.

    Attributes:
        judge: by what it is judged.
        exchanges: how many exchanges were judged.
        callbacks: how many callbacks were.
        dropped: how many deviations were of further causes than are kept.
        outside: how many requests were to paths that the contract does not describe, by method and path.
    """

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.exchanges = self.callbacks = self.dropped = 0
        self.outside: Counter[str] = Counter()
        self._causes: dict[tuple[Any, ...], _Seen] = {}
        self._secrets: dict[str, None] = {}
        self._asked: dict[tuple[str, str], list[int]] = {}
        self._keys: dict[str, set[str]] = {}
        self._lines = lru_cache(_lines_of(judge.documents.provider).get)

    def exchange(self, seen: Observation) -> list[Finding]:
        """Judge an exchange; return what was found in it that had not been seen before."""
        key = self.judge.oracle.key_in(seen.exchange)
        if key and not key.endswith("…") and len(self._secrets) < MAX_CAUSES:
            self._secrets[key] = None
        if seen.operation is None:
            if len(self.outside) < MAX_CAUSES:
                self.outside[f"{seen.exchange.method} {seen.exchange.path}"] += 1
            return []
        self.exchanges += 1
        when = seen.exchange.began
        self._note(seen.name, "", when)
        if seen.documented is not None:
            self._note(seen.name, f"answer {seen.exchange.status}", when)
            self._keys.setdefault(seen.name, set()).add(seen.documented.key)
        return self._take(self.judge.exchange(seen), when)

    def callback(self, letter: ReceivedCallback) -> list[Finding]:
        """Judge a callback; return what was found in it that had not been seen before."""
        self.callbacks += 1
        self._note(CALLBACKS, "callback", letter.callback.came)
        return self._take(self.judge.callback(letter), letter.callback.came)

    def _note(self, operation: str, where: str, when: int) -> None:
        told = self._asked.setdefault((operation, where), [0, when, when])
        told[:] = [told[0] + 1, min(told[1], when), max(told[2], when)]

    def _take(self, deviations: list[Deviation], when: int) -> list[Finding]:
        fresh = []
        # Several parts of a schema may refuse the same: it was seen once all the same.
        causes: dict[tuple[Any, ...], Deviation] = {}
        for each in deviations:
            causes.setdefault(_cause(each), each)
        for key, each in causes.items():
            known = self._causes.get(key)
            if known is not None:
                known.count += 1
                known.first, known.last = min(known.first, when), max(known.last, when)
            elif len(self._causes) < MAX_CAUSES:
                self._causes[key] = made = _Seen(each, _shape(each.pointer), 1, when, when)
                fresh.append(self._finding(made))
            else:
                self.dropped += 1
        return fresh

    def findings(self, *, never: bool = True) -> list[Finding]:
        """Return everything, by operation, verdict and place; with what was `never` seen."""
        found = [self._finding(each) for each in self._causes.values()]
        if never and self.exchanges:
            found += self._never()
        names = [*self.judge.oracle.operations, CALLBACKS]
        order = {self._titled(name): number for number, name in enumerate(names)}
        return sorted(found, key=lambda each: (order[each.operation], *_rank(each)))

    def notes(self) -> list[str]:
        """Return what else is worth knowing, a sentence each."""
        told = []
        if self.outside:
            named = ", ".join(place for place, _ in self.outside.most_common(_MAX_PATHS))
            more = ", …" if len(self.outside) > _MAX_PATHS else ""
            total = sum(self.outside.values())
            requests = "request" if total == 1 else "requests"
            told.append(f"{total:,} {requests} to what the contract does not describe: {named}{more}")
        if self.dropped:
            told.append(f"{self.dropped:,} deviations more, of other causes than the first {MAX_CAUSES:,}")
        return [mask_text(each, self._secrets) for each in told]

    def _finding(self, seen: _Seen) -> Finding:
        one = seen.deviation
        pointer = one.pointer
        secret = any(is_secret_field(str(token)) for token in split(pointer)[-1:])
        example = "" if one.value is MISSING else self._shown(one.value, secret=secret)
        place = f"`{_field(seen.pointer)}` in " if pointer else ""
        what = "does not fit" if secret and one.kind not in {"required", "field", "header"} else one.sentence
        sentence = mask_text(f"{place}the {one.where} {what}", self._secrets)
        sighting = Sighting(one.verdict, one.where, seen.pointer, seen.count, seen.first, seen.last, example)
        return self._made(
            one.verdict, one.kind, one.operation, sentence, sighting, one.remedy.spot if one.remedy else None
        )

    def _shown(self, value: Any, *, secret: bool) -> str:
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        masked = mask_data({"key": value} if secret else value, self._secrets)
        masked = masked["key"] if secret and isinstance(masked, dict) else masked
        try:
            return cut(orjson.dumps(masked).decode(), _MAX_EXAMPLE)
        except TypeError:
            return shorten(masked)

    def _made(
        self, verdict: Verdict, kind: str, operation: str, sentence: str, sighting: Sighting, spot: Spot | None
    ) -> Finding:  # fmt: skip
        sent = sighting.where == "request"
        severity: Severity = "info"
        if verdict == "violates":
            severity = "warning" if sent else "breaking"
        elif verdict == "undocumented but allowed" and not sent:
            severity = "warning"
        base = (
            None if spot is None else Place(spot.file, join(*spot.tokens), self._lines(spot.file) or (lambda _: None))
        )
        told = sentence[0].upper() + sentence[1:]
        return Finding(
            f"{IDS[verdict]}-{kind}", severity, "sent" if sent else "received", self._titled(operation),
            told, base, None, sighting=sighting,
        )  # fmt: skip

    def _titled(self, operation: str) -> str:
        known = self.judge.oracle.operations.get(operation)
        return str(known.behaviour.key) if known else "Callbacks"

    def _never(self) -> Iterator[Finding]:
        every = [0, 0, 0]
        for (_, where), (count, first, last) in self._asked.items():
            if where == "":
                every = [every[0] + count, min(every[1] or first, first), max(every[2], last)]
        for name, operation in self.judge.oracle.operations.items():
            asked = self._asked.get((name, ""))
            if asked is None:
                yield self._unseen("operation", name, "", "", "the operation was never asked for", every)
                continue
            for key in operation.responses:
                if key not in self._keys.get(name, ()) and key != "default":
                    yield self._unseen("status", name, f"answer {key}", "", f"the answer {key} never came", asked)
        if self.judge.documents.callbacks() and not self.callbacks:
            yield self._unseen("callback", CALLBACKS, "callback", "", "no callback came", every)
        for name, where in sorted(self.judge.coverage.roots):
            if where != "request":
                yield from self._never_inside(name, where)

    def _never_inside(self, name: str, where: str) -> Iterator[Finding]:
        asked = self._asked.get((name, where))
        if asked is None:
            return
        for pointer, words in self.judge.coverage.never((name, where)):
            field = f"`{_field(pointer)}` in the {where}" if pointer else f"the {where}"
            if words is None:
                yield self._unseen("field", name, where, pointer, f"{field} never came", asked)
            else:
                told = f"{field} was never {cut(', '.join(map(str, words)), 160)}"
                yield self._unseen("word", name, where, pointer, told, asked)

    def _unseen(
        self, kind: str, operation: str, where: str, pointer: str, sentence: str, asked: list[int]
    ) -> Finding:  # fmt: skip
        count, first, last = asked
        sighting = Sighting("documented, never seen", where, pointer, count, first, last)
        return self._made("documented, never seen", kind, operation, sentence, sighting, None)


def _rank(finding: Finding) -> tuple[int, str, str, str, str]:
    seen = finding.sighting
    verdict, where, pointer = (seen.verdict, seen.where, seen.pointer) if seen else ("documented, never seen", "", "")
    return VERDICTS.index(verdict), where, pointer, finding.id, finding.sentence


def _cause(deviation: Deviation) -> tuple[Any, ...]:
    """Return what deviations of one cause share: of a word that is not documented, the word as well."""
    value = deviation.value
    is_word = deviation.kind in {"enum", "const", "status", "content-type"} and isinstance(value, str | int | float)
    word = str(value) if is_word and len(str(value)) <= _MAX_WORD else ""
    pointer = _shape(deviation.pointer)
    return deviation.verdict, deviation.operation, deviation.where, pointer, deviation.kind, word


def _shape(pointer: str) -> str:
    return re.sub(r"/\d+(?=/|$)", "/*", pointer)


def _field(pointer: str) -> str:
    return pointer[1:].replace("/", ".").replace("~1", "/").replace("~0", "~")


def _lines_of(provider: Provider) -> dict[str, Any]:
    """Return the function that tells the line of a pointer, by document: of the documents as they are stored."""
    sources, _ = provider.sources()

    def finder(source: Source) -> Any:
        found: list[Any] = []

        def line_of(pointer: str) -> int | None:
            if not found:  # reading the lines of a document takes long, and few are asked for
                found.append(source.lines())
            told: int | None = found[0](pointer)
            return told

        return line_of

    return {name: finder(source) for name, source in sources.items()}
