"""One run of the kit: asks in the name of accounts of its own, judges what comes, and keeps it until a part ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..checks.catalogue import CHECKS
from ..checks.exchange import Callback, header
from ..checks.finding import Finding
from ..checks.oracle import Observation, Oracle
from ..checks.tally import Tally
from ..checks.trace import Circumstances, Trace, make_trace
from .ask import Ask
from .control import Control, HeldTime, is_emulator
from .drafts import Drafts
from .receiver import Receiver
from .target import RealTime, Target, UnreachableError

if TYPE_CHECKING:
    from .verification import Verification, VerifySettings

_MOST_SILENT = 5
_LOOPBACK = {"127.0.0.1", "localhost", "::1", "testserver"}


class OutOfTimeError(Exception):
    """A part waited for longer than it may; the message says for what."""


class Run:
    """What the parts of a verification share.

    Attributes:
        oracle: what is right.
        target: what is asked.
        settings: how.
        result: what came of it so far.
        control: steers the target, where it is an emulator; None elsewhere.
        receiver: takes callbacks; None where the target can't reach this machine.
        drafts: makes valid requests.
        key: the account of the part that runs.
        other_key: a second account, "" where there is none.
        seen: what was seen in the part that runs.
        circumstances: what judges of the part that runs have to know beside; `until` is filled in at its end.
    """

    def __init__(
        self, oracle: Oracle, target: Target, settings: VerifySettings, result: Verification,
        said: Callable[[str], None], *, steers: bool = True,
    ) -> None:  # fmt: skip
        self.oracle = oracle
        self.target = target
        self.settings = settings
        self.result = result
        self.said = said
        self.control = Control(target) if steers and is_emulator(target) else None
        self.receiver = self._receiver()
        self.drafts = Drafts(oracle, self.callback_url)
        self.derives = False
        self.key, self.other_key = settings.key, settings.other_key
        self.seen: list[Observation] = []
        self.circumstances = Circumstances(0, whole=True)
        self._tally = result.tally
        self._parts = 0
        self._silent = 0
        self._slept = 0
        self.shrunk = 0

    def _receiver(self) -> Receiver | None:
        if self.oracle.behaviour.callbacks is None:
            return None
        if self.settings.callback_url:
            return Receiver(self.target, *self.settings.callback_listen)
        near = urlsplit(self.target.base_url).hostname in _LOOPBACK
        return Receiver(self.target) if near or self.target.in_process else None

    @property
    def callback_url(self) -> str:
        """Where callbacks can go to, "" where they can't."""
        return self.settings.callback_url or (self.receiver.url if self.receiver else "")

    @property
    def steers(self) -> bool:
        """Whether the target's clock is turned by hand, so that waiting costs nothing."""
        return self.control is not None

    def close(self) -> None:
        """Stop listening."""
        if self.receiver is not None:
            self.receiver.close()

    def note(self, sentence: str) -> None:
        """Tell what was left out, and why; once."""
        if sentence not in self.result.notes:
            self.result.notes.append(sentence)

    # Parts

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Do a part with accounts of its own where there can be such; judge all that was seen in it at its end."""
        self.said(name)
        self._begin()
        try:
            yield
        except OutOfTimeError as error:
            self.note(f"{name}: cut short, {error}")
        finally:
            self._end()

    @contextmanager
    def trial(self) -> Iterator[list[Finding]]:
        """Do something that is not counted, with accounts of its own; yields the list that takes the findings."""
        counted, exchanges, callbacks = self._tally, self.result.exchanges, self.result.callbacks
        self._tally = Tally(CHECKS)
        found: list[Finding] = []
        self._begin()
        try:
            yield found
        finally:
            self._end()
            found += self._tally.findings
            self._tally, self.result.exchanges, self.result.callbacks = counted, exchanges, callbacks

    def _begin(self) -> None:
        self._parts += 1
        self._slept = 0
        self.seen = []
        self.circumstances = Circumstances(0, whole=True)
        if self.derives:
            self.key = f"{self.settings.key}-{self._parts}"
            self.other_key = f"{self.settings.other_key or self.settings.key}-{self._parts}-other"
        self.result.keys.update({each: "OTHER_KEY" for each in [self.other_key] if each} | {self.key: "KEY"})
        if self.receiver is not None:
            self.receiver.callbacks.clear()
            self.receiver.answers.clear()
        if self.control is not None:
            if not self.derives:
                self._forget()
            self.target.clock = HeldTime(self.control, self.keys)
            self.circumstances = replace(self.circumstances, exact=True)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the part's accounts."""
        return tuple(dict.fromkeys(each for each in (self.key, self.other_key) if each))

    def _end(self) -> None:
        self.trace()
        if self.control is not None:
            self._forget()
            self.target.clock = RealTime(self.target)

    def _forget(self) -> None:
        assert self.control is not None  # noqa: S101 - the callers saw to it
        for key in self.keys:
            self.control.reset(key)

    @property
    def came(self) -> list[Callback]:
        """The callbacks that have come in the part that runs."""
        return list(self.receiver.callbacks) if self.receiver else []

    def trace(self) -> Trace:
        """Judge all that was seen in the part so far, and return it."""
        callbacks = self.came
        circumstances = replace(self.circumstances, until=self.target.clock.now(), receiver=self.receiver is not None)
        trace = make_trace(self.oracle, self.seen, callbacks, circumstances)
        self._tally.judge_trace(self.oracle, trace)
        self.result.callbacks += len(callbacks)
        return trace

    # Asking

    def ask(self, ask: Ask) -> Observation:
        """Ask, judge and keep the exchange; who asked too often waits as told, and asks once more."""
        seen = self.ask_once(ask)
        if seen.refusal is not None and seen.refusal.meaning == "rate-limited":
            self.wait(self._told_to_wait(seen))
            seen = self.ask_once(ask)
        return seen

    def ask_once(self, ask: Ask) -> Observation:
        """Ask, judge and keep the exchange.

        Raises:
            UnreachableError: there has been no answer for a while.
        """
        exchange = self.target.ask(ask)
        self._silent = 0 if exchange.status is not None else self._silent + 1
        if self._silent > _MOST_SILENT:
            raise UnreachableError(f"{self.target.base_url} answers no more: {exchange.error}")
        seen = self.oracle.observe(exchange)
        self.keep(seen)
        return seen

    def keep(self, seen: Observation) -> None:
        """Judge and keep an exchange."""
        self._tally.judge_exchange(self.oracle, seen)
        self.result.exchanges += 1
        self.seen.append(seen)

    def _told_to_wait(self, seen: Observation) -> int:
        told = header(seen.exchange.answer_headers, "retry-after") or ""
        wait = int(told) * 1000 if told.isascii() and told.isdigit() and len(told) < 7 else 1000
        if self.steers:  # what is told may be real time, of a clock that runs faster
            wait = max([wait, *(each.per for each in self.oracle.behaviour.limits if seen.name in each.operations)])
        return wait

    def wait(self, milliseconds: int) -> None:
        """Let so much of the provider's time pass.

        Raises:
            OutOfTimeError: it would be more real time than a part may wait.
        """
        if not self.steers:
            self._slept += milliseconds
            if self._slept > self.settings.max_wait:
                raise OutOfTimeError(f"it would wait for longer than {self.settings.max_wait / 1000:g} s (--max-wait)")
        self.target.clock.wait(milliseconds)

    def new_findings(self, since: int) -> list[Finding]:
        """Return the findings after the first `since`."""
        return self._tally.findings[since:]

    def found(self) -> int:
        """Return how many findings there are."""
        return len(self._tally.findings)


def put(data: Any, tokens: tuple[str | int, ...], value: Any) -> Any:
    """Return `data` with `value` at `tokens`, in objects that are made where there are none."""
    if not tokens:
        return value
    held = dict(data) if isinstance(data, dict) else {}
    return {**held, str(tokens[0]): put(held.get(str(tokens[0])), tokens[1:], value)}
