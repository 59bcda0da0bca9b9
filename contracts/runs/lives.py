"""Whole lives of tasks: watched from their creation until after their end, by their owner and by somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from uuid import UUID

from ...openapi.behaviour import Phase
from ...openapi.pointer import split
from ..checks.oracle import Observation
from .ask import ask_for_task, cancel_of, make_ask, poll_of
from .control import ControlError
from .drafts import Draft, Form
from .explore import forms_of
from .run import Run, put

_CLOSELY = 1_000
_CLOSE_POLLS = 12
_AFTER_THE_END = (1_000, 3_600_000)
_AFTER_THE_END_REAL = (300,)


def lives(run: Run) -> None:
    """Let tasks succeed, fail and be cancelled, and watch each."""
    forms = [each for operation in run.oracle.doing("create") for each in forms_of(run, operation)]
    for form in forms:
        watched(run, form, "success")
    for form in forms if run.steers else ():
        for scenario in _scenarios(run):
            watched(run, form, scenario)
        _cancelled_by_hand(run, form)
        _repeated_safely(run, form)
    if run.steers and forms:
        _short_of_credits(run, forms[0])
        _too_often(run, forms[0])
    elif forms:
        run.note("failing tasks, cancellations, spent credits and exceeded rates were left out: they need an emulator")
    for form in forms:
        if poll_of(run.oracle, form.operation.name) is None:
            run.note(f"tasks of {form.operation.name} can't be watched: no operation polls them")


def _scenarios(run: Run) -> Iterator[str]:
    yield "fail"
    if "moderated" in run.oracle.behaviour.failures:
        yield "moderated"
    if any(each.phase is Phase.CANCELLED for each in run.oracle.behaviour.statuses.values()):
        yield "cancelled"


def draft_of(run: Run, form: Form) -> Draft | None:
    """Return a request that is likely to be taken: the first of the contract's examples, or the simplest."""
    found = run.drafts.examples(form)
    if not found:
        run.note(f"{form.name} was left out: nothing valid can be drawn for it")
    return found[0] if found else None


def watched(run: Run, form: Form, scenario: str) -> None:
    """Create a task that ends as `scenario` says, and watch it until after its end."""
    draft = draft_of(run, form)
    if draft is None:
        return
    with run.part(f"{form.name}: the life of a task ({scenario})"):
        if not played(run, form, scenario):
            return
        balance(run)
        created = run.ask(form.ask(draft, run.key))
        if created.task_id is None:
            if not run.steers:
                run.note(f"{form.name}: no task to watch, the creation was answered HTTP {created.exchange.status}")
            return
        balance(run)
        until_the_end(run, form, created)
        balance(run)
        listed(run)
        after_the_end(run, form, created)
        balance(run)


def played(run: Run, form: Form, scenario: str) -> bool:
    """Let the part's next creation be played with `scenario`; tell whether the emulator can."""
    if scenario == "success" or run.control is None:
        return True
    try:
        run.control.play(run.key, scenario, when={"operation": form.operation.name})
    except ControlError as error:
        run.note(f"{form.name}: no task was played with {scenario!r}: {error}")
        return False
    return True


def until_the_end(run: Run, form: Form, created: Observation) -> Observation | None:
    """Poll a task, at first closely and then as advised, until it has ended; return the last poll."""
    poll = poll_of(run.oracle, form.operation.name)
    if poll is None or created.task_id is None:
        return None
    ask = ask_for_task(poll, run.key, created.task_id)
    age, asked = 0, 0
    while True:
        seen = run.ask(ask)
        if asked in {0, 4}:
            somebody_else(run, form, created)
        if (seen.phase is not None and seen.phase.terminal) or age > run.oracle.behaviour.polling.give_up:
            return seen
        asked += 1
        pause = _CLOSELY if run.steers and asked < _CLOSE_POLLS else run.oracle.behaviour.polling.pause(age)[0]
        run.wait(pause)
        age += pause


def after_the_end(run: Run, form: Form, created: Observation) -> None:
    """Poll a task that has ended once more, soon and later, and cancel it where that can be asked."""
    poll, cancel = poll_of(run.oracle, form.operation.name), cancel_of(run.oracle, form.operation.name)
    if poll is None or created.task_id is None:
        return
    for pause in _AFTER_THE_END if run.steers else _AFTER_THE_END_REAL:
        run.wait(pause)
        run.ask(ask_for_task(poll, run.key, created.task_id))
    somebody_else(run, form, created)
    if cancel is not None:
        run.ask(ask_for_task(cancel, run.key, created.task_id))
        run.ask(ask_for_task(poll, run.key, created.task_id))


def somebody_else(run: Run, form: Form, created: Observation) -> None:
    """Let another account ask for the task."""
    poll = poll_of(run.oracle, form.operation.name)
    if run.other_key and poll is not None and created.task_id is not None:
        run.ask(ask_for_task(poll, run.other_key, created.task_id))


def balance(run: Run) -> None:
    """Read the balance, where it can be read."""
    for operation in run.oracle.doing("balance"):
        run.ask(make_ask(operation, run.key))


def listed(run: Run) -> None:
    """List the tasks, for their owner and for somebody else."""
    for operation in run.oracle.doing("list"):
        for form in forms_of(run, operation)[:1]:
            draft = run.drafts.simplest(form) or Draft()
            for key in run.keys:
                run.ask(form.ask(draft, key))


def _cancelled_by_hand(run: Run, form: Form) -> None:
    """Cancel a task at once, and another one at work; ask again, and look at both later."""
    cancel, poll = cancel_of(run.oracle, form.operation.name), poll_of(run.oracle, form.operation.name)
    draft = draft_of(run, form)
    if cancel is None or poll is None or draft is None:
        return
    for age in (0, 6_000):
        with run.part(f"{form.name}: a task that is cancelled after {age / 1000:g} s"):
            balance(run)
            created = run.ask(form.ask(draft, run.key))
            if created.task_id is None:
                return
            run.wait(age)
            run.ask(ask_for_task(poll, run.key, created.task_id))
            if run.other_key:
                run.ask(ask_for_task(cancel, run.other_key, created.task_id))
            run.ask(ask_for_task(cancel, run.key, created.task_id))
            for pause in (0, 1_000, 60_000):
                run.wait(pause)
                run.ask(ask_for_task(poll, run.key, created.task_id))
            run.ask(ask_for_task(cancel, run.key, created.task_id))
            balance(run)
            listed(run)


def _repeated_safely(run: Run, form: Form) -> None:
    """Send a creation twice where that is declared to be safe, then another one, and the first again when it ended."""
    place, draft = form.operation.behaviour.idempotency, draft_of(run, form)
    if place is None or draft is None:
        return
    with run.part(f"{form.name}: creations that are sent twice"):
        first, other = (form.ask(_with_key(draft, place, _uuid(run, number)), run.key) for number in (1, 2))
        for ask in (first, first, other, first):
            balance(run)
            created = run.ask(ask)
        balance(run)
        until_the_end(run, form, created)
        run.ask(first)
        balance(run)


def _with_key(draft: Draft, place: str, key: str) -> Draft:
    """Return `draft` with what makes it safe to repeat: `key` at `place`, a runtime expression."""
    where, _, name = place.removeprefix("$request.").partition(".")
    if where.startswith("body#"):
        return replace(draft, body=put(draft.body, split(place.partition("#")[2]), key))
    return replace(draft, parameters={**draft.parameters, (where, name): key})


def _uuid(run: Run, number: int) -> str:
    return str(UUID(int=Random(f"{run.settings.seed} {number}").getrandbits(128), version=4))  # noqa: S311 - no secret


def _short_of_credits(run: Run, form: Form) -> None:
    """Let a creation be refused for a lack of credits."""
    draft = draft_of(run, form)
    entry = _raised_when(run, "credits-spent")
    if draft is None or entry is None:
        return
    with run.part(f"{form.name}: a creation without the credits for it"):
        if played(run, form, entry):
            balance(run)
            run.ask(form.ask(draft, run.key))
            balance(run)


def _too_often(run: Run, form: Form) -> None:
    """Ask more often than may be, and again when it was told that one may."""
    for limit in run.oracle.behaviour.limits:
        with run.part(f"{', '.join(limit.operations)}: more often than {limit.count} in {limit.per / 1000:g} s"):
            for seen in _repeated(run, form, limit.operations[0], limit.count + 1):
                if seen.refusal is not None:
                    break
    entry = _raised_when(run, "rate-exceeded")
    draft = draft_of(run, form)
    if not run.oracle.behaviour.limits and entry is not None and draft is not None:
        with run.part(f"{form.name}: a creation that comes too soon"):
            if played(run, form, entry):
                run.ask(form.ask(draft, run.key))


def _raised_when(run: Run, condition: str) -> str | None:
    """Return the name of the error that `condition` raises, None where none is declared."""
    return next((each.name for each in run.oracle.behaviour.errors.values() if condition in each.when), None)


def _repeated(run: Run, form: Form, name: str, count: int) -> Iterator[Observation]:
    operation = run.oracle.operations[name]
    draft = draft_of(run, form)
    if draft is None:
        return
    if operation.behaviour.does == "poll":
        created = run.ask(form.ask(draft, run.key))
        if created.task_id is not None:
            for _ in range(count):
                yield run.ask(ask_for_task(operation, run.key, created.task_id))
        return
    for each in forms_of(run, operation)[:1]:
        some = run.drafts.examples(each)
        for _ in range(count if some else 0):
            yield run.ask(each.ask(some[0], run.key))
