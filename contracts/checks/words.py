"""Form, by the behaviour file: the words that an answer uses are the provider's, and it tells of its task."""

from __future__ import annotations

from collections.abc import Iterator

from ...openapi.behaviour import NAMES, Error
from ...openapi.errors import nearest, shorten
from ...openapi.pointer import MISSING
from .documented import DocumentedOperation
from .finding import Problem, check
from .oracle import Observation, Oracle


@check("status-word-known", "error", "exchange", "form", "The word for where a task stands is one of the provider's.")
def status_word_known(oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the status that an accepting answer tells; a poll has to tell one."""
    if not seen.accepted or seen.operation is None or "status" not in seen.operation.behaviour.reads:
        return
    read = seen.operation.behaviour.reads["status"].pointers[0]
    told = seen.facts.get("status")
    known = oracle.behaviour.statuses
    if isinstance(told, str) and told in known:
        yield None
    elif told is None:
        if seen.does == "poll" and seen.data is not MISSING:
            yield Problem(f"{seen.name} tells no status at {read}", seen.name, read, (seen.exchange,))
    else:
        word = told if isinstance(told, str) else str(told)
        hint = " (a word of another option)" if word in oracle.provider.other_statuses else nearest(word, known)
        sentence = f"{seen.name} tells the status {shorten(told)}{hint}; known are {', '.join(known)}"
        yield Problem(sentence, seen.name, read, (seen.exchange,))


@check("task-asked-for", "error", "exchange", "form", "An answer about a task tells of the one that was asked for.")
def task_asked_for(_oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the id that the answer to a poll or a cancellation tells."""
    if not seen.accepted or seen.operation is None or seen.asked_id is None or "id" not in seen.facts:
        return
    if seen.facts["id"] == seen.asked_id:
        yield None
        return
    read = seen.operation.behaviour.reads["id"].pointers[0]
    sentence = f"{seen.name} was asked for {shorten(seen.asked_id)} and tells of {shorten(seen.facts['id'])}"
    yield Problem(sentence, seen.name, read, (seen.exchange,))


@check("refusal-code-known", "warning", "exchange", "form", "The code of a refusal is in the error catalogue.")
def refusal_code_known(_oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the code that a refusal tells, or its HTTP status where it tells none."""
    if seen.refusal is None or seen.operation is None:
        return
    if seen.refusal.entry is not None:
        yield None
        return
    code = f"HTTP {seen.refusal.status}" if seen.refusal.code is None else f"the code {shorten(seen.refusal.code)}"
    message = f" ({shorten(seen.refusal.message)})" if seen.refusal.message else ""
    sentence = f"{seen.name} was refused with {code}{message}, which the error catalogue does not know"
    yield Problem(sentence, seen.name, evidence=(seen.exchange,))


@check(
    "refusal-status-documented", "error", "exchange", "form",
    "A refusal's HTTP status is the one that goes with its code.",
)  # fmt: skip
def refusal_status_documented(oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the HTTP status of a refusal whose code the error catalogue knows."""
    if seen.refusal is None or seen.operation is None or seen.refusal.code is None:
        return
    sharing = [each for each in oracle.behaviour.errors.values() if str(each.code) == seen.refusal.code]
    statuses = sorted({status for each in sharing if (status := status_of(seen.operation, each)) is not None})
    if not statuses:
        return
    if seen.refusal.status in statuses:
        yield None
        return
    expected = " or ".join(map(str, statuses))
    sentence = (
        f"{seen.name} told the code {seen.refusal.code} with HTTP {seen.refusal.status}; documented is {expected}"
    )
    yield Problem(sentence, seen.name, evidence=(seen.exchange,))


def status_of(operation: DocumentedOperation, error: Error) -> int | None:
    """Return the HTTP status with which `operation` tells `error`; None where that depends on more than the error."""
    shown = {"code": error.code, "status": error.status, "name": error.name, **error.facts}
    try:
        status = operation.behaviour.refusal.status({**dict.fromkeys(NAMES["refusal"]), "error": shown})
    except Exception:
        return None
    return status if isinstance(status, int) else None


CHECKS = (status_word_known, task_asked_for, refusal_code_known, refusal_status_documented)
