"""Traffic of an emulator in this process, as the kit sees it: valid requests, faulty ones, and whole lives."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, lru_cache
from itertools import count
from typing import Any

import orjson
from understudy.contracts.checks import examples, form, keys, refusals, strays, words
from understudy.contracts.checks.documented import DocumentedOperation
from understudy.contracts.checks.exchange import Exchange
from understudy.contracts.checks.finding import Finding
from understudy.contracts.checks.oracle import Observation, Oracle
from understudy.contracts.checks.tally import Tally
from understudy.contracts.mutants import Mutants
from understudy.contracts.runs.ask import Ask, ask_for_task, cancel_of, make_ask, poll_of
from understudy.contracts.runs.control import Control, HeldTime
from understudy.contracts.runs.target import Target
from understudy.contracts.samples import samples
from understudy.contracts.strategies import Strategies
from understudy.mockserver import Settings, create_app
from understudy.openapi.pointer import MISSING
from understudy.openapi.provider import Provider, built_in_names, load_provider

from ...mockserver.stage import ACME

NAMES = (*built_in_names(), "acme", "folio")
JUDGES = (
    *examples.CHECKS, *form.CHECKS, *words.CHECKS, *refusals.CHECKS, *keys.CHECKS, *strays.CHECKS,
)  # fmt: skip


def choices() -> list[tuple[str, ...]]:
    """Return each provider with its defaults, and with another value for every option that changes its document."""
    found: list[tuple[str, ...]] = []
    for name in NAMES:
        options = load(name)._source.data.get("options", {})
        other = [
            f"{option}={value}"
            for option, each in options.items()
            for value, choice in each["values"].items()
            if value != each["default"] and "overlay" in choice
        ]
        found += [(name,), (name, *other)] if other else [(name,)]
    return found


@lru_cache(maxsize=64)
def chosen(name: str, *options: str) -> Oracle:
    """Return the oracle of a provider with ``option=value`` of each of `options`."""
    return Oracle(load(name, *options))


def load(name: str, *options: str) -> Provider:
    """Return the provider of that name, built in or of the tests."""
    return load_provider(
        name if name in built_in_names() else ACME.with_name(name), dict(each.split("=", 1) for each in options)
    )


class Session:
    """An emulator of one provider, asked in this process, with a key of its own and time standing still."""

    def __init__(self, name: str, *options: str, limits: bool = False) -> None:
        self.oracle = chosen(name, *options)
        app = create_app([load(name, *options)], Settings(limits=limits))
        self.target = Target(f"http://127.0.0.1:4020/{self.oracle.provider.name}", app=app)
        self.key = f"{self.oracle.behaviour.key_prefix}key-1"
        self.target.clock = self.clock = HeldTime(Control(self.target), (self.key,))

    def ask(self, ask: Ask) -> Observation:
        """Return what an exchange means."""
        return self.oracle.observe(self.target.ask(ask))

    def created(self, operation: DocumentedOperation) -> tuple[Observation, str]:
        """Return a creation with the simplest body, and the id of its task."""
        body = strategies_of(self.oracle)[0].simplest(body_schemas(operation)[0])
        seen = self.ask(make_ask(operation, self.key, body=body))
        assert seen.task_id is not None, seen.exchange.answer
        return seen, seen.task_id

    def close(self) -> None:
        """Close what is open."""
        self.target.close()


def body_schemas(operation: DocumentedOperation) -> list[Any]:
    """Return the schemas that JSON bodies of `operation` may have, one for each of its variants."""
    variants = [each["application/json"] for each in operation.operation.variants.values()]
    schema = operation.body_schemas[1].get("application/json")
    return variants or ([] if schema is None else [schema])


@lru_cache(maxsize=64)
def strategies_of(oracle: Oracle) -> tuple[Strategies, Mutants]:
    """Return what makes requests, and faulty ones, for the schemas of a provider."""
    strategies = Strategies({"components": oracle.contract.components}, direction="sent")
    return strategies, Mutants(strategies)


def bodies(oracle: Oracle, operation: DocumentedOperation, drawn: int) -> Iterator[Any]:
    """Yield bodies of `operation` that fit, and then each single fault of the first of them."""
    strategies, mutants = strategies_of(oracle)
    for schema in body_schemas(operation):
        found = samples(strategies.values(schema), drawn)
        yield from found
        for fault in mutants.faults(schema, max(found, key=lambda each: len(repr(each)))):
            yield fault.payload


def parameters(oracle: Oracle, operation: DocumentedOperation) -> dict[tuple[str, str], Any]:
    """Return values of the required parameters of `operation`, the same every time."""
    strategies, _ = strategies_of(oracle)
    found: dict[tuple[str, str], Any] = {}
    for each, validator, _ in operation.parameters:
        if each.required:
            drawn = [str(value) for value in samples(strategies.values(each.schema), 12) if str(value).isascii()]
            usable = [text for text in drawn if text.isalnum() or validator.is_valid(text)]
            found[each.where, each.name] = next((text for text in usable if text and "/" not in text), "a1")
    return found


def requests(session: Session, drawn: int = 3, every: int = 1) -> Iterator[Ask]:
    """Yield requests to every operation: right ones, wrong ones, and some to no operation at all.

    Of the bodies, so many that there are of a kind, only one in `every` is sent.
    """
    oracle, key, numbers = session.oracle, session.key, count()
    for operation in oracle.operations.values():
        given = parameters(oracle, operation)
        schemas = body_schemas(operation)
        first = make_ask(operation, key, parameters=given, body={} if schemas else MISSING)
        for body in list(bodies(oracle, operation, drawn))[::every] if schemas else [MISSING]:
            yield make_ask(operation, key, parameters=given, body=body)
        yield from _spoiled(first, key, operation)
        yield replace(first, method="DELETE")
        yield replace(first, path=f"{first.path}/nothing-{next(numbers)}")
        for place in given:
            if place[0] != "path":
                yield make_ask(operation, key, parameters={k: v for k, v in given.items() if k != place})
                yield make_ask(operation, key, parameters={**given, place: ""})


def _spoiled(ask: Ask, key: str, operation: DocumentedOperation) -> Iterator[Ask]:
    """Yield `ask` with other keys, bodies and types."""
    name = next((name for name, value in ask.headers if key in value), "")
    if name:
        shown = dict(ask.headers)[name]
        for value in (None, "", "Basic eDp5", shown.replace(key, "invalid-key"), shown.replace(key, "")):
            yield ask.with_header(name, value)
    if body_schemas(operation):
        yield replace(ask, body=b"{")
        yield replace(ask, body=b"")
        yield replace(ask, body=b"[" * 5)
        yield ask.with_header("content-type", "text/csv")
        yield ask.with_header("content-type", None)


def lives(session: Session) -> Iterator[list[Observation]]:
    """Yield what is seen of a task of each kind: its creation, polls until after its end, and a cancellation."""
    for operation in session.oracle.doing("create"):
        created, task = session.created(operation)
        poll = poll_of(session.oracle, operation.name)
        assert poll is not None
        seen = [created]
        for _ in range(6):
            seen.append(session.ask(ask_for_task(poll, session.key, task)))
            session.clock.wait(8_000)
        cancel = cancel_of(session.oracle, operation.name)
        if cancel is not None:
            also, other = session.created(operation)
            seen.append(also)
            seen += [session.ask(ask_for_task(cancel, session.key, each)) for each in (other, other, task)]
        seen.append(session.ask(ask_for_task(poll, session.key, unlike(task))))
        yield seen


def unlike(task: str) -> str:
    """Return an id of the same form that no task has."""
    return task.translate(str.maketrans("0123456789", "9876543210"))


def changed(seen: Observation, **facts: Any) -> Observation:
    """Return the same exchange with another answer, or another request."""
    exchange: Exchange = replace(seen.exchange, **facts)
    return seen.oracle.observe(exchange)


def answered(seen: Observation, change: Callable[[Any], Any]) -> Observation:
    """Return the same exchange with its answer's data as `change` leaves it, or with what it returns."""
    data = orjson.loads(seen.exchange.answer)
    return changed(seen, answer=orjson.dumps(change(data) or data))


def found(seen: Observation) -> dict[str, Finding]:
    """Return what the checks of form and refusal find in an exchange, by their ids."""
    return {each.check: each for each in Tally(JUDGES).judge_exchange(seen.oracle, seen)}


def reached(seen: Observation) -> set[str]:
    """Return the ids of the checks of form and refusal that have something to judge in an exchange."""
    tally = Tally(JUDGES)
    tally.judge_exchange(seen.oracle, seen)
    return set(tally.judged)


@cache
def session(name: str, *options: str) -> Session:
    """Return a session that many tests share."""
    made = Session(name, *options)
    atexit.register(made.close)
    return made


@cache
def seen_of(name: str, kind: str, *options: str) -> Observation:
    """Return what is seen of a creation, of a poll of a task that has been made, or of one of a task that is not."""
    shared = session(name, *options)
    operation = shared.oracle.doing("create")[0]
    if kind == "creation":
        return shared.created(operation)[0]
    task = seen_of(name, "creation", *options).task_id or ""
    poll = poll_of(shared.oracle, operation.name)
    assert poll is not None
    if kind == "poll":
        shared.clock.wait(60_000)
        return shared.ask(ask_for_task(poll, shared.key, task))
    return shared.ask(ask_for_task(poll, shared.key, unlike(task)))
