"""A stage for the checks of traces: an emulator in this process, its clock held, and a receiver of callbacks."""

from __future__ import annotations

import atexit
from dataclasses import replace
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import orjson
from understudy.contracts.checks.catalogue import CHECKS
from understudy.contracts.checks.exchange import Callback
from understudy.contracts.checks.finding import Finding
from understudy.contracts.checks.oracle import Observation, Oracle
from understudy.contracts.checks.tally import Tally
from understudy.contracts.checks.trace import Circumstances, Trace, make_trace
from understudy.contracts.runs.ask import ask_for_task, cancel_of, make_ask, poll_of
from understudy.contracts.runs.control import Control, HeldTime
from understudy.contracts.runs.receiver import Receiver
from understudy.contracts.runs.target import Target
from understudy.mockserver import create_app
from understudy.mockserver.settings import Settings
from understudy.openapi.pointer import MISSING, split
from understudy.openapi.provider import Provider, built_in_names, load_provider

ACME = Path(__file__).parents[2] / "providers" / "acme"
NAMES = (*built_in_names(), "acme", "folio")
SECRETS = {"kie": "key-of-webhooks", "mulerouter": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLJ7a"}
SECRETS["folio"] = SECRETS["mulerouter"]
PICTURE = "https://example.com/a.png"
BODIES: dict[str, dict[str, Any]] = {
    "kie": {"model": "nano-banana-pro", "input": {"prompt": "a heron"}},
    "apikley": {"model": "nano-banana-pro", "input": {"prompt": "a heron", "resolution": "4K"}},
    "crun": {"model": "google/nano-banana-v2", "input": {"prompt": "a heron"}},
    "mulerouter": {"prompt": "a heron"},
    "acme": {"prompt": "a heron", "n": 2},
    "folio": {"model": "folio-line", "spec": {"prompt": "a heron"}},
}
URL_FIELDS = {"kie": "callBackUrl", "apikley": "callBackUrl", "crun": "callback_url", "folio": "notify_url"}
_numbers = count()


@lru_cache(maxsize=64)
def oracle_of(name: str, *options: tuple[str, str]) -> Oracle:
    """Return the oracle of a provider that is built in, or of the tests, with the options chosen."""
    return Oracle(provider_of(name, *options))


@lru_cache(maxsize=64)
def provider_of(name: str, *options: tuple[str, str]) -> Provider:
    """Return a provider that is built in, or of the tests."""
    return load_provider(name if name in built_in_names() else ACME.with_name(name), dict(options))


@lru_cache(maxsize=64)
def _theatre(name: str, options: tuple[tuple[str, str], ...], settings: tuple[tuple[str, Any], ...]) -> Any:
    provider = provider_of(name, *options)
    app = create_app([provider], Settings(**dict(settings)))
    target = Target(f"http://127.0.0.1:4020/{name}", app=app)
    receiver = Receiver(target)

    @atexit.register
    def end() -> None:
        receiver.close()
        target.run(app.emulator.deliveries.close())
        target.close()

    return target, Control(target), receiver


class Stage:
    """One account with one provider: what is asked is kept, and judged in the end."""

    def __init__(self, name: str = "kie", options: tuple[tuple[str, str], ...] = (), **settings: Any) -> None:
        self.name = name
        self.oracle = oracle_of(name, *options)
        self.target, self.control, self.receiver = _theatre(name, options, tuple(settings.items()))
        self.key = f"checks-{next(_numbers)}"
        self.other = f"other-{self.key}"
        self.clock = HeldTime(self.control, (self.key, self.other))
        self.target.clock = self.clock
        self.letters: list[Callback] = []
        self.receiver.callbacks = self.letters
        self.receiver.answers.clear()
        self.seen: list[Observation] = []
        self.creator = self.oracle.doing("create")[0]
        self.secret = self.callback_url = ""
        self.redelivered: set[str] = set()

    def signed(self) -> Stage:
        """Set the account's secret, where its callbacks can be signed."""
        callbacks = self.oracle.behaviour.callbacks
        if callbacks is not None and callbacks.signature is not None:
            self.secret = SECRETS[self.name]
            self.control.set(self.key, self.name, **{callbacks.signature.secret: self.secret})
        return self

    def calls_back(self) -> Stage:
        """Let the account's callbacks go to the receiver, where a setting says so."""
        callbacks = self.oracle.behaviour.callbacks
        if callbacks is not None and callbacks.setting is not None:
            self.control.set(self.key, self.name, **{callbacks.setting: self.receiver.url})
            self.callback_url = self.receiver.url
        return self

    def ask(self, ask: Any) -> Observation:
        """Send a request, and keep what came of it."""
        seen = self.oracle.observe(self.target.ask(ask))
        self.seen.append(seen)
        return seen

    def create(self, key: str | None = None, idempotency: str | None = None, **body: Any) -> Observation:
        """Ask for a task."""
        whole = {**BODIES[self.name], **body}
        if self.name in URL_FIELDS:
            whole.setdefault(URL_FIELDS[self.name], self.receiver.url)
        ask = make_ask(self.creator, key or self.key, body=whole)
        return self.ask(ask.with_header("idempotency-key", idempotency))

    def poll(self, task: str | None, key: str | None = None) -> Observation:
        """Ask for a task's state."""
        operation = poll_of(self.oracle, self.creator.name)
        assert operation is not None
        return self.ask(ask_for_task(operation, key or self.key, task or ""))

    def cancel(self, task: str | None, key: str | None = None) -> Observation:
        """Ask to cancel a task."""
        operation = cancel_of(self.oracle, self.creator.name)
        assert operation is not None
        return self.ask(ask_for_task(operation, key or self.key, task or ""))

    def do(self, what: str) -> Observation | None:
        """Ask the provider's first operation that does `what`, if it has one."""
        operations = self.oracle.doing(what)
        return self.ask(make_ask(operations[0], self.key)) if operations else None

    def play(self, scenario: str, **values: Any) -> None:
        """Let the next fitting request be played with `scenario`."""
        self.control.play(self.key, scenario, **values)

    def wait(self, milliseconds: int) -> None:
        """Let time pass."""
        self.clock.wait(milliseconds)

    @property
    def circumstances(self) -> Circumstances:
        """What a judge has to know."""
        return Circumstances(
            self.clock.now(), self.secret, self.callback_url, receiver=True, exact=True,
            redelivered=frozenset(self.redelivered),
        )  # fmt: skip

    def trace(self) -> Trace:
        """Return everything that was seen."""
        return make_trace(self.oracle, self.seen, self.letters, self.circumstances)

    def judged(self) -> Tally:
        """Return what the checks make of it."""
        return judge(self.oracle, self.trace())


LASTS = {
    "kie": {"waiting": "2s", "queuing": "2s", "generating": "10s"},
    "apikley": {"waiting": "2s", "queuing": "2s", "generating": "10s"},
    "crun": {"pending": "2s", "running": "10s"},
    "mulerouter": {"pending": "2s", "processing": "10s"},
    "acme": {"queued": "2s", "painting": "10s"},
    "folio": {"filed": "2s", "sketching": "4s", "inking": "6s"},
}


def lived(name: str, scenario: str = "success", answers: tuple[Any, ...] = (), **values: Any) -> Stage:
    """Return the stage on which a task lived its whole life, polled in every status; its callbacks are signed.

    Polls come at 0, 3, 9, 20, 21 and 41 seconds, a list at 9, balances before and after.
    """
    stage = Stage(name).calls_back().signed()
    stage.receiver.answers.extend(answers)
    stage.play(scenario, **({**LASTS[name], **values} if scenario in {"success", "fail"} else values))
    stage.do("balance")
    task = stage.create().task_id
    for pause in (0, 3_000, 6_000, 11_000, 1_000, 20_000):
        stage.wait(pause)
        stage.poll(task)
        if pause == 6_000:
            stage.do("list")
    stage.do("balance")
    return stage


Change = tuple[str, int | None, str, Any]
"""What does it, which of these (None for all from a phase on), where in the answer, and the new value or a function."""


def found(stage: Stage, *changes: Change, letters: list[Callback] | None = None, **circumstances: Any) -> set[str]:
    """Return the checks that have something to say of what was seen on a stage, with answers changed."""
    return {each.check for each in findings(stage, *changes, letters=letters, **circumstances)}


def findings(
    stage: Stage, *changes: Change, letters: list[Callback] | None = None, **circumstances: Any
) -> list[Finding]:
    """Return the findings of what was seen on a stage, with answers changed."""
    exchanges = [each.exchange for each in stage.seen]
    for does, which, pointer, value in changes:
        places = [number for number, each in enumerate(stage.seen) if each.does == does]
        for place in places if which is None else [places[which]]:
            answer = changed(exchanges[place].answer, pointer, value)
            exchanges[place] = replace(exchanges[place], answer=answer)
    callbacks = stage.letters if letters is None else letters
    trace = make_trace(stage.oracle, exchanges, callbacks, replace(stage.circumstances, **circumstances))
    return judge(stage.oracle, trace).findings


def changed(body: bytes, pointer: str, value: Any) -> bytes:
    """Return a JSON body with `value` at a pointer, or what it makes of the old value; `MISSING` leaves it out."""
    data = orjson.loads(body)
    *way, last = split(pointer)
    there = data
    for token in way:
        there = there[int(token)] if isinstance(there, list) else there[token]
    new = value(there.get(last)) if callable(value) else value
    if new is MISSING:
        there.pop(last, None)
    else:
        there[last] = new
    return orjson.dumps(data)


def judge(oracle: Oracle, trace: Trace) -> Tally:
    """Return what the checks of time, callbacks and money make of a trace."""
    tally = Tally(each for each in CHECKS if each.family in {"time", "callbacks", "money"})
    for observation in trace.observations:
        tally.judge_exchange(oracle, observation)
    tally.judge_trace(oracle, trace)
    return tally


def told(findings: list[Finding]) -> list[str]:
    """Return findings as lines for a failed test to show."""
    return [f"{each.check} {each.operation} {each.pointer}: {each.sentence}" for each in findings]
