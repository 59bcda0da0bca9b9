"""Callbacks: what they look like, and that they tell what polls tell, not before it is so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...openapi.behaviour import Phase
from ...openapi.errors import shorten
from ...openapi.pointer import MISSING
from ...openapi.times import iso
from ...openapi.validation import Problem as SchemaProblem
from .documented_callbacks import DocumentedBody
from .exchange import header
from .finding import Problem, check
from .oracle import Oracle
from .trace import ReceivedCallback, TaskHistory, Trace, View
from .views import bare_links, differ, is_later, pointer_of

Judgements = Iterator[Problem | None]
_COMPARED = ("outputs", "error_code", "error_message", "created", "completed", "credits", "model")
_TIMES = {"created", "completed"}


@check("callback-conforms", "error", "trace", "callbacks", "A callback has the documented content type and body.")
def callback_conforms(oracle: Oracle, trace: Trace) -> Judgements:
    """Judge every callback against the schema of the creating operation's, or of the webhook's."""
    for letter, bodies in _documented(oracle, trace):
        sent = header(letter.callback.headers, "content-type") or ""
        fitting = [each for each in bodies if each.has_type(sent)]
        if not fitting:
            expected = " or ".join(dict.fromkeys(each.content_type for each in bodies))
            sentence = f"a callback has the content type {sent or 'nothing'}; expected {expected}"
            yield Problem(sentence, "", "content-type", (letter.callback,))
        if letter.data is MISSING:
            yield Problem("a callback's body is no JSON", "", "", (letter.callback,))
            continue
        problems = _problems(fitting or bodies, letter.data)
        if fitting and not problems:
            yield None
        for problem in problems:
            yield Problem(f"callback: {problem}", "", problem.pointer, (letter.callback,))


@check("callback-fields", "warning", "trace", "callbacks", "A callback has no fields but documented ones.")
def callback_fields(oracle: Oracle, trace: Trace) -> Judgements:
    """Judge the callbacks that fit their schema; where several fit, the one that knows the most fields."""
    for letter, bodies in _documented(oracle, trace):
        fitting = [each for each in bodies if letter.data is not MISSING and each.validator.is_valid(letter.data)]
        if not fitting:
            continue
        found = min((each.members.walk(letter.data).undocumented for each in fitting), key=len)
        if not found:
            yield None
        for pointer in found:
            yield Problem(f"a callback has the undocumented field {pointer}", "", pointer, (letter.callback,))


def _documented(oracle: Oracle, trace: Trace) -> Iterator[tuple[ReceivedCallback, list[DocumentedBody]]]:
    """Yield every callback with the bodies that it may have, where any are documented."""
    creators = {task.id: task.creation.name for task in trace.tasks.values() if task.creation is not None}
    for letter in trace.received:
        bodies = oracle.callbacks.bodies(creators.get(letter.task_id or "", ""), letter.phase)
        if bodies:
            yield letter, bodies


def _problems(bodies: list[DocumentedBody], data: Any) -> list[SchemaProblem]:
    """Return what is wrong with `data` by the body it comes nearest to, nothing where it fits one."""
    if any(each.validator.is_valid(data) for each in bodies):
        return []
    return min((each.validator.problems(data) for each in bodies), key=len)


@check("callback-event", "error", "trace", "callbacks", "A callback tells an event that is documented to be told.")
def callback_event(oracle: Oracle, trace: Trace) -> Judgements:
    """Judge the phase that each callback about a task tells."""
    callbacks = oracle.behaviour.callbacks
    for letter in trace.received if callbacks is not None else ():
        if callbacks is None or letter.phase is None:
            continue
        told = ", ".join(sorted(each.value for each in callbacks.on))
        sentence = f"a callback tells that task {letter.task_id} is {letter.facts['status']}; documented are: {told}"
        fine = letter.phase in callbacks.on
        yield None if fine else _problem(oracle, sentence, "status", letter.callback)


@check("callback-equals-poll", "error", "trace", "callbacks", "A callback tells what a poll tells of the same status.")
def callback_equals_poll(oracle: Oracle, trace: Trace) -> Judgements:
    """Hold each callback against the polls that tell the same status, and one of an end against the end."""
    for task in trace.tasks.values():
        for letter in task.callbacks:
            ended, phase = task.ended, letter.phase
            if phase is None:
                continue
            if phase.terminal and ended is not None and ended.status != letter.facts["status"]:
                sentence = (
                    f"a callback tells that task {task.id} is {letter.facts['status']}; polls tell {ended.status}"
                )
                yield _problem(oracle, sentence, "status", ended.seen, letter.callback)
                continue
            same = next((each for each in task.polls if each.status == letter.facts["status"]), None)
            if same is not None:
                yield _compared(oracle, task, letter, same)


def _problem(oracle: Oracle, sentence: str, fact: str, *evidence: Any) -> Problem:
    reads = oracle.behaviour.callbacks.reads if oracle.behaviour.callbacks else {}
    return Problem(sentence, "", reads[fact].pointers[0] if fact in reads else "", evidence)


def _compared(oracle: Oracle, task: TaskHistory, letter: ReceivedCallback, poll: View) -> Problem | None:
    reads = oracle.behaviour.callbacks.reads if oracle.behaviour.callbacks else {}
    for fact in _COMPARED:
        told, polled = letter.facts.get(fact, MISSING), poll.facts.get(fact, MISSING)
        if fact not in reads or not pointer_of(oracle, poll, fact) or _same(fact, told, polled):
            continue
        if told is MISSING and not _needed(fact, letter.phase):
            continue
        shown = ["nothing" if each is MISSING else shorten(each) for each in (told, polled)]
        sentence = f"task {task.id}, {fact}: a callback tells {shown[0]}, a poll {shown[1]}"
        return _problem(oracle, sentence, fact, poll.seen, letter.callback)
    return None


def _needed(fact: str, phase: Phase | None) -> bool:
    """Tell whether a callback that leaves the fact out keeps something back that it is sent for."""
    return (fact == "outputs" and phase is Phase.COMPLETED) or (fact == "error_code" and phase is Phase.FAILED)


def _same(fact: str, told: Any, polled: Any) -> bool:
    if fact in _TIMES and isinstance(told, int) and isinstance(polled, int):
        return not differ(told, polled)
    if fact == "outputs":
        return bool(bare_links(told) == bare_links(polled)) or not (told or polled)
    if fact.startswith("error"):
        return str(told or "") == str(polled or "")
    # What a poll does not tell, a callback may; a poll may be told of at another time than the callback was made.
    return polled is MISSING or bool(told == polled)


@check("callback-not-early", "error", "trace", "callbacks", "No callback comes before what it tells is so.")
def callback_not_early(oracle: Oracle, trace: Trace) -> Judgements:
    """Hold each callback against the polls after it and, where clocks are the same, against the times told."""
    for task in trace.tasks.values():
        for letter in task.callbacks:
            if letter.phase is not None:
                yield _early(oracle, task, letter, exact=trace.circumstances.exact)


def _early(oracle: Oracle, task: TaskHistory, letter: ReceivedCallback, *, exact: bool) -> Problem | None:
    came, told = letter.callback.came, str(letter.facts["status"])
    for poll in task.polls:
        goes_on = poll.phase is not None and not poll.phase.terminal
        if poll.began > came and goes_on and poll.status not in oracle.reachable[told]:
            sentence = f"a callback told that task {task.id} is {told}; a later poll tells {poll.status}"
            return _problem(oracle, sentence, "status", letter.callback, poll.seen)
    for fact in ("updated", "completed") if exact else ():
        moments = [("tells", letter.facts.get(fact))]
        if task.ended is not None and task.ended.status == told:
            moments.append(("comes before what a poll tells:", task.ended.facts.get(fact)))
        for how, moment in moments:
            if isinstance(moment, int) and is_later(moment, came):
                sentence = f"a callback about task {task.id} came at {iso(came)} and {how} {fact} at {iso(moment)}"
                return _problem(oracle, sentence, fact, letter.callback)
    return None


CHECKS = (callback_conforms, callback_fields, callback_event, callback_equals_poll, callback_not_early)
