"""Lives of tasks: which status comes after which, what an end is, what a task has and what it echoes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from ...openapi.behaviour import Phase
from ...openapi.errors import shorten
from ...openapi.pointer import MISSING, join, resolve, split
from .exchange import Exchange
from .finding import Problem, check
from .oracle import Observation, Oracle
from .trace import TaskHistory, Trace, View
from .views import bare_links, follows, pointer_of, precedes, successive

Judgements = Iterator[Problem | None]

_MAY_CHANGE = {"retry_after", "balance"}
"""Facts that are none of the task's own."""


def _problem(oracle: Oracle, sentence: str, view: View, fact: str, *before: View) -> Problem:
    evidence = (*(each.seen for each in before), view.seen)
    return Problem(sentence, view.operation, pointer_of(oracle, view, fact), evidence)


@check("status-edges", "error", "trace", "time", "Until it ends, the status of a task moves along declared edges.")
def status_edges(oracle: Oracle, trace: Trace) -> Judgements:
    """Judge whether a task can have come from the status before to the one that is told."""
    for task in trace.tasks.values():
        known = [each for each in task.views if each.phase is not None]
        for before, view in successive(known):
            if before.phase is not None and before.phase.terminal:
                continue
            if view.status in oracle.reachable.get(before.status or "", ()):
                yield None
            else:
                sentence = f"task {task.id} was {before.status}, then {view.status}, which can't come after it"
                yield _problem(oracle, sentence, view, "status", before)


@check("end-frozen", "error", "trace", "time", "Once a task has ended, nothing of it changes any more.")
def end_frozen(oracle: Oracle, trace: Trace) -> Judgements:
    """Hold each answer of an operation against the first one in which it told the end."""
    for task in trace.tasks.values():
        ends: dict[str, View] = {}
        for view in task.polls:
            end = ends.get(view.operation)
            if end is None:
                if view.phase is not None and view.phase.terminal:
                    ends[view.operation] = view
            elif follows(end, view):
                yield _changed(oracle, task, end, view)


def _changed(oracle: Oracle, task: TaskHistory, end: View, view: View) -> Problem | None:
    kept = oracle.behaviour.retention.results
    for fact in end.facts.keys() | view.facts.keys() - _MAY_CHANGE:
        first, now = end.facts.get(fact, MISSING), view.facts.get(fact, MISSING)
        if first == now or fact in _MAY_CHANGE:
            continue
        if fact == "outputs" and (bare_links(first) == bare_links(now) or (kept and view.time >= end.time + kept)):
            continue
        shown = f"{fact} was {_shown(first)}, and is {_shown(now)} now"
        return _problem(oracle, f"task {task.id} had ended: its {shown}", view, fact, end)
    return None


def _shown(value: Any) -> str:
    return "absent" if value is MISSING else shorten(value)


@check("result-iff-succeeded", "error", "trace", "time", "A task has results if it succeeded, and only then.")
def result_iff_succeeded(oracle: Oracle, trace: Trace) -> Judgements:
    """Judge the outputs that are told with each phase."""
    for task, view in _known(trace):
        if not pointer_of(oracle, view, "outputs"):
            continue
        outputs, succeeded = view.facts.get("outputs"), view.phase is Phase.COMPLETED
        if bool(outputs) == succeeded:
            yield None
        else:
            has = f"tells results ({shorten(outputs)})" if outputs else "tells no result"
            yield _problem(oracle, f"task {task.id} is {view.status} and {has}", view, "outputs")


@check(
    "error-iff-failed", "error", "trace", "time", "A task has an error code and a reason if it failed, and only then."
)
def error_iff_failed(oracle: Oracle, trace: Trace) -> Judgements:
    """Judge the error that is told with each phase; what is told of a cancelled task is the provider's choice."""
    for task, view in _known(trace):
        told = {
            fact: view.facts.get(fact) for fact in ("error_code", "error_message") if pointer_of(oracle, view, fact)
        }
        if not told or view.phase is Phase.CANCELLED:
            continue
        accepted = {str(each) for each in _refusal_of(oracle, view).accepted}
        if str(told.get("error_code")) in accepted:  # a code that says that all is well, and whatever stands with it
            told = dict.fromkeys(told)
        failed = view.phase is Phase.FAILED
        wrong = next((fact for fact, value in told.items() if bool(value) is not failed), None)
        if wrong is None:
            yield None
        else:
            has = f"tells no {wrong}" if failed else f"tells the {wrong} {shorten(told[wrong])}"
            yield _problem(oracle, f"task {task.id} is {view.status} and {has}", view, wrong)


def _refusal_of(oracle: Oracle, view: View) -> Any:
    operation = oracle.operations.get(view.operation)
    return operation.behaviour.refusal if operation else oracle.behaviour.refusal


def _known(trace: Trace) -> Iterator[tuple[TaskHistory, View]]:
    """Yield every view of every task that tells a phase."""
    for task in trace.tasks.values():
        for view in task.views:
            if view.phase is not None:
                yield task, view


@check("echoes", "error", "trace", "time", "What is told of a task's model and input is what was sent.")
def echoes(oracle: Oracle, trace: Trace) -> Judgements:
    """Hold what polls and callbacks repeat against the creation; documented defaults may be filled in."""
    for task in trace.tasks.values():
        if task.creation is None:
            continue
        told = [View(each.callback.came, "callback", each.facts, each.phase, each.callback) for each in task.callbacks]
        for view in (*task.views[1:], *told):
            model = view.facts.get("model")
            if model is not None and task.creation.model is not None:
                sentence = f"task {task.id} was asked of model {task.creation.model}, and tells {shorten(model)}"
                wrong = model != task.creation.model
                yield _problem(oracle, sentence, view, "model") if wrong else None
            if "input" in view.facts and task.creation.request_data is not MISSING:
                yield _echoed(oracle, task, task.creation, view)


def _echoed(oracle: Oracle, task: TaskHistory, creation: Observation, view: View) -> Problem | None:
    differences = []
    for place in {_input_place(creation), ""}:
        sent, whole = (_parsed(resolve(each, place)) for each in (creation.request_data, creation.whole_request))
        found = _difference(sent, whole, _parsed(view.facts["input"]), place)
        if found is None:
            return None
        differences.append(found)
    # Of the places that may be repeated, the one that comes nearest is the one that was meant.
    place, sentence = max(differences, key=lambda each: len(split(each[0])))
    evidence = (creation.exchange, view.seen)
    pointer = pointer_of(oracle, view, "input")
    return Problem(f"task {task.id}: the input at {place or 'the top'} {sentence}", view.operation, pointer, evidence)


def _input_place(creation: Observation) -> str:
    """Return where a creation's body has the input: where its prompt stands."""
    prompt = creation.operation.behaviour.input.prompt if creation.operation else ()
    return prompt[0].rpartition("/")[0].removesuffix("#") if prompt else ""


def _parsed(told: Any) -> Any:
    """Return the input that is told, which may be JSON text inside JSON text."""
    if not isinstance(told, str):
        return told
    try:
        return orjson.loads(told)
    except orjson.JSONDecodeError:
        return told


def _difference(sent: Any, whole: Any, told: Any, place: str) -> tuple[str, str] | None:
    """Return where and how `told` differs from what was `sent`, beyond the defaults that are filled in in `whole`."""
    if not isinstance(sent, dict) or not isinstance(told, dict):
        return None if sent == told else (place, f"is {_shown(told)}; {_shown(sent)} was sent")
    filled: Mapping[str, Any] = whole if isinstance(whole, dict) else sent
    for name in {**sent, **told}:
        there = place + join(name)
        if name not in told:
            if sent[name] is not None:
                return there, f"is left out; {_shown(sent[name])} was sent"
        elif name in sent:
            found = _difference(sent[name], filled.get(name), told[name], there)
            if found is not None:
                return found
        elif told[name] is not None and told[name] != filled.get(name, MISSING):
            return there, f"is {_shown(told[name])}; nothing was sent, and that is no documented default"
    return None


@check("lists-agree", "error", "trace", "time", "A list tells of a task what polls around it tell.")
def lists_agree(oracle: Oracle, trace: Trace) -> Judgements:
    """Judge whether a listed status can have come after the poll before it, and before the one after it."""
    owned = {(task.owner, task.id): task for task in trace.tasks.values() if task.creation is not None}
    for seen in trace.observations:
        for number, facts in enumerate(seen.listed):
            task = owned.get((seen.account, str(facts.get("id"))))
            if task is not None and oracle.phase_of(facts.get("status")) is not None:
                yield from _listed(oracle, task, seen, number, str(facts["status"]))


def _listed(oracle: Oracle, task: TaskHistory, seen: Observation, number: int, told: str) -> Judgements:
    polls = [each for each in task.polls if each.phase is not None]
    before = next((each for each in reversed(polls) if precedes(each.seen, seen.exchange)), None)
    after = next(
        (each for each in polls if isinstance(each.seen, Exchange) and precedes(seen.exchange, each.seen)), None
    )
    behaviour = seen.operation.behaviour if seen.operation else None
    pointer = f"{behaviour.items}/{number}{behaviour.reads['status'].pointers[0]}" if behaviour else ""
    if before is not None:
        sentence = f"the list tells that task {task.id} is {told}; the poll before it told {before.status}"
        fine = told in oracle.reachable.get(before.status or "", ())
        yield None if fine else Problem(sentence, seen.name, pointer, (before.seen, seen.exchange))
    if after is not None:
        sentence = f"the list tells that task {task.id} is {told}; the poll after it told {after.status}"
        fine = after.status in oracle.reachable[told]
        yield None if fine else Problem(sentence, seen.name, pointer, (seen.exchange, after.seen))


CHECKS = (status_edges, end_frozen, result_iff_succeeded, error_iff_failed, echoes, lists_agree)
