"""A recording: what somebody wrote down of the traffic with a provider, as exchanges and callbacks to judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from ...openapi.errors import LoadError, shorten
from ...openapi.reads import read
from ..checks.exchange import Callback, Exchange
from ..checks.oracle import Observation, Oracle
from ..checks.trace import Circumstances, Trace, make_trace
from . import har, journal
from .addresses import Addresses, same_url
from .entry import Entry, SkippedError

MAX_BYTES = 512 * 1024 * 1024
MAX_ENTRIES = 200_000
OTHER_HOST = "of other hosts"
INBOX = "/_understudy/inbox/"
"""What stands in the path of an emulator's inbox, and of the one of `watch`."""


@dataclass
class Recording:
    """What was written down of the traffic with a provider.

    Attributes:
        exchanges: the provider's, in order.
        callbacks: what it sent on its own, in order.
        skipped: how many entries were left out, by the reason.
        notes: what else the reader should know, a sentence each.
        exact: whether the times are the provider's own to the millisecond, as an emulator's are.
    """

    exchanges: list[Exchange] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    exact: bool = False

    def trace(self, oracle: Oracle, seen: Iterable[Observation] | None = None) -> Trace:
        """Return everything in order of the tasks it is about; `seen` are the exchanges where they are read already."""
        times = [each.ended for each in self.exchanges] + [each.came for each in self.callbacks]
        told = Circumstances(until=max(times, default=0), exact=self.exact)
        return make_trace(oracle, self.exchanges if seen is None else seen, self.callbacks, told)

    def sentences(self) -> list[str]:
        """Return what was left out and what else is worth knowing, a sentence each."""
        left = [f"{count:,} {'entry' if count == 1 else 'entries'} skipped: {why}" for why, count in
                self.skipped.most_common()]  # fmt: skip
        return [*left, *self.notes]


def read_recording(text: bytes, name: str, oracle: Oracle, base_urls: Iterable[str] = ()) -> Recording:
    """Return what `text` recorded of the oracle's provider: HAR 1.2, or the exchanges of an emulator's journal.

    Args:
        text: the file.
        name: what messages call it.
        oracle: the provider's.
        base_urls: where the provider was reached, beside what its folder says.

    Raises:
        LoadError: it is neither, is too large, or breaks off.
    """
    if len(text) > MAX_BYTES:
        raise LoadError(name, f"is {len(text):,} bytes", expected=f"at most {MAX_BYTES:,}")
    data, sent = _parsed(text, name), None
    if isinstance(data, dict) and data.keys() == {"har", "sent"}:  # as an emulator that runs is read
        data, sent = data["har"], data["sent"]
    listed, kind = _entries(data, name)
    reader = _Reader(oracle, Addresses(oracle, base_urls), sent)
    for data in listed[:MAX_ENTRIES]:
        reader.take(data, kind)
    if len(listed) > MAX_ENTRIES:
        reader.recording.skipped[f"beyond the first {MAX_ENTRIES:,}"] = len(listed) - MAX_ENTRIES
    return reader.finished()


def _parsed(text: bytes, name: str) -> Any:
    body = text.removeprefix(b"\xef\xbb\xbf")
    if not body.strip():
        raise LoadError(name, "is empty", expected="a HAR, or the exchanges of a journal")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if error.pos >= len(error.doc.rstrip()) and body.lstrip()[:1] == b"{":
            raise LoadError(name, "is truncated: it breaks off in the middle", line=error.lineno) from None
        problem = f"is no JSON: {error.msg} (column {error.colno})"
        raise LoadError(name, problem, line=error.lineno, expected="a HAR, or the exchanges of a journal") from None


def _entries(data: Any, name: str) -> tuple[list[Any], str]:
    """Return the entries of a recording, and which kind of recording it is."""
    log = data.get("log") if isinstance(data, dict) else None
    if isinstance(log, dict) and isinstance(log.get("entries"), list):
        return log["entries"], "HAR"
    if isinstance(data, dict) and isinstance(data.get("exchanges"), list):
        return data["exchanges"], "journal"
    if isinstance(log, dict):
        raise LoadError(name, f"is {shorten(log.get('entries'))}", "/log/entries", expected="a list of entries")
    expected = "a HAR with log.entries, or a journal with exchanges"
    raise LoadError(name, "is neither a HAR nor a journal", expected=expected)


class _Reader:
    """Tells the provider's exchanges from the rest of a recording."""

    def __init__(self, oracle: Oracle, addresses: Addresses, sent: Any = None) -> None:
        self.recording = Recording(exact=True)
        self.recording.callbacks += journal.callbacks_of(sent, oracle.provider.name)
        self._knows_all_sent = sent is not None
        self._oracle = oracle
        self._addresses = addresses
        self._others: list[Entry] = []
        self._decoded = 0

    def take(self, data: Any, kind: str) -> None:
        """Read one entry."""
        try:
            entry = har.entry_of(data) if kind == "HAR" else journal.entry_of(data)
        except SkippedError as reason:
            # What can't be read of others is others' all the same.
            other = kind == "HAR" and self._is_of_others(data)
            self.recording.skipped[OTHER_HOST if other else str(reason)] += 1
        else:
            self._sort(entry)
        if kind == "journal":
            self.recording.callbacks += journal.callbacks_of(data, self._oracle.provider.name)

    def _is_of_others(self, data: Any) -> bool:
        request = data.get("request") if isinstance(data, dict) else None
        url = request.get("url") if isinstance(request, dict) else None
        return isinstance(url, str) and self._addresses.find(url) is None

    def _sort(self, entry: Entry) -> None:
        if entry.below:
            ours = entry.provider == self._oracle.provider.name
            path, _, query = entry.url.partition("?")
        else:
            address = self._addresses.find(entry.url, played=entry.provider == self._oracle.provider.name)
            ours = address is not None
            path, query = (address.path, address.query) if address else ("", "")
        if not ours:
            self._others.append(entry)
            return
        if entry.method == "OPTIONS" and any(name == "access-control-request-method" for name, _ in entry.headers):
            self.recording.skipped["a browser's question before a request to another host"] += 1
            return
        self._decoded += entry.decoded
        # An emulator tells the provider's time; where it does not, nobody knows it to the millisecond.
        self.recording.exact &= entry.provider is not None
        made = Exchange(
            entry.method, path, query, entry.headers, entry.body, entry.began, entry.ended, entry.status,
            entry.answer_headers, entry.answer, entry.error,
        )  # fmt: skip
        self.recording.exchanges.append(made)

    def finished(self) -> Recording:
        """Return the recording, once every entry has been read."""
        made = self.recording
        made.exchanges = _numbered(sorted(made.exchanges, key=lambda each: each.began))
        observed = [self._oracle.observe(each) for each in made.exchanges]
        self._find_callbacks(observed)
        made.callbacks = _numbered(sorted(made.callbacks, key=lambda each: each.came))
        made.exact &= bool(made.exchanges)
        if self._decoded:
            many = "body was" if self._decoded == 1 else "bodies were"
            told = "was" if self._decoded == 1 else "were"
            made.notes.append(f"{self._decoded:,} {many} base64 and {told} decoded")
        self._show_missing_keys(observed)
        return made

    def _find_callbacks(self, observed: list[Observation]) -> None:
        callbacks = self._oracle.behaviour.callbacks
        named: set[str] = set()
        tasks: set[str] = set()
        for each in observed:
            if each.does == "create" and callbacks is not None and each.task_id:
                tasks.add(each.task_id)
                url = each.find(callbacks.url) if callbacks.url else None
                named |= {same_url(url)} if isinstance(url, str) else set()
        for entry in self._others:
            if callbacks is not None and entry.method == "POST" and self._is_callback(entry, named, tasks):
                if self._knows_all_sent:
                    continue
                self.recording.callbacks.append(
                    Callback(entry.headers, entry.body, entry.began, entry.real_time, entry.status)
                )
            elif entry.provider not in {None, ""}:
                self.recording.skipped["of other providers"] += 1
            else:
                self.recording.skipped[OTHER_HOST] += 1

    def _is_callback(self, entry: Entry, named: set[str], tasks: set[str]) -> bool:
        """Tell whether `entry` went where a creation said, or tells of a task of this recording."""
        if same_url(entry.url) in named:
            return True
        callbacks = self._oracle.behaviour.callbacks
        try:
            told = read(callbacks.reads, orjson.loads(entry.body)).get("id") if callbacks else None
        except orjson.JSONDecodeError:
            return False
        return isinstance(told, str) and (told in tasks or INBOX in entry.url)

    def _show_missing_keys(self, observed: list[Observation]) -> None:
        """Put a masked key where a recorder left all keys out: what was accepted was not asked without one."""
        places = self._oracle.key_places
        needing = [each for each in observed if each.operation is not None and each.operation.needs_key]
        if not places or not needing or any(each.account for each in needing):
            return
        if not any(each.accepted for each in needing):
            return
        name, scheme = places[0]
        self.recording.notes.append(f"no request shows a key: the recorder is taken to have left {name!r} out")
        self.recording.exchanges = [
            replace(each, headers=(*each.headers, (name, f"{scheme}…"))) for each in self.recording.exchanges
        ]


def _numbered(found: list[Any]) -> list[Any]:
    return [replace(each, number=number) for number, each in enumerate(found, start=1)]
