"""Checks of what a client says: that it says something, in time, and that it is true."""

from __future__ import annotations

from collections.abc import Iterator

from ...openapi.signing import Signature
from ..checks.finding import Check, Problem, check
from ..checks.oracle import Oracle
from .performance import Performance
from .situations import FORGED, Claim

_BROKEN_RESULTS = ("result-expired", "result-403", "result-truncated")


@check(
    "client-answers", "error", "performance", "client",
    "A client ends with results or with an error that it documents, and falls over nothing.",
)  # fmt: skip
def client_answers(_oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge how `generate` and `close` ended."""
    for name, said in (("generate", seen.said), ("close", seen.closed)):
        if said is None or said.kind == "hung":
            continue
        crashed = said.kind == "crashed" or (name == "close" and said.kind == "reported")
        yield Problem(f"{name} fell over: {said.error}", evidence=_last(seen)) if crashed else None


@check("deadline-kept", "error", "performance", "client", "A client ends by itself, however little it is told.")
def deadline_kept(_oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge whether `generate` and `close` ended in time."""
    for name, said in (("generate", seen.said), ("close", seen.closed)):
        if said is not None:
            late = said.kind == "hung"
            yield Problem(f"{name} had not ended after {said.seconds:.1f} s", evidence=_last(seen)) if late else None


def _claimed(identity: Claim, severity: str, sentence: str, told: str) -> Check:
    """Return the check that a client got through the situations that are claimed by it."""

    @check(identity, severity, "performance", "client", sentence)  # type: ignore[arg-type]
    def judged(_oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
        if seen.situation.claim != identity or seen.said.kind in {"crashed", "hung"}:
            return
        if seen.said.kind == "completed":
            yield None
        else:
            yield Problem(f"{told}: {seen.said.error}", evidence=_last(seen))

    return judged


success_told = _claimed(
    "success-told", "error", "A client hands out the results of a task that completes.",
    "the task completed, and the client gave up",
)  # fmt: skip
passing_failure_survived = _claimed(
    "passing-failure-survived", "warning", "A client gives no task up for a failure that passes.",
    "the failure passed and the task completed, but the client gave up",
)  # fmt: skip
drift_survived = _claimed(
    "drift-survived", "error", "A client survives fields and statuses that it does not know.",
    "the client gave up over something that it does not know",
)  # fmt: skip
callbacks_harmless = _claimed(
    "callbacks-harmless", "error", "Callbacks that come late, early, twice or in the wrong order do no harm.",
    "the task completed, and the client gave up over its callbacks",
)  # fmt: skip


@check("failure-told", "error", "performance", "client", "A client calls nothing a success that is none.")
def failure_told(_oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge successes by how the tasks stand in truth, and failures as failures."""
    if seen.said.kind == "reported" and not seen.completed:
        yield None
    elif seen.said.kind == "completed":
        if seen.completed:
            yield None
            return
        phases = ", ".join(each.phase.value for each in seen.tasks)
        truth = f"its task is {phases}" if phases else "no task was created"
        yield Problem(f"the client told a success, but {truth}", evidence=_last(seen))


@check("reason-told", "info", "performance", "client", "A client's error tells why the task failed.")
def reason_told(_oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge whether the provider's sentence is in the error's text."""
    wanted = seen.situation.values.get("message")
    if wanted is not None and seen.said.kind == "reported":
        found = wanted in seen.said.error
        told = f"the provider said {wanted!r}, the client only {seen.said.error!r}"
        yield None if found else Problem(told, evidence=_last(seen))


@check("results-right", "error", "performance", "client", "The results are those of the task, all of them.")
def results_right(_oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Compare what was handed out with what the provider tells."""
    if seen.said.kind != "completed" or not seen.completed:
        return
    links = [each for each in seen.results if isinstance(each, str)]
    outputs = [set(each.outputs) for each in seen.completed]
    if len(seen.results) not in {len(each) for each in outputs}:
        counts = " or ".join(str(len(each)) for each in outputs)
        yield Problem(f"{len(seen.results)} results were handed out; the task has {counts}", evidence=_last(seen))
    elif links and set(links) not in outputs:
        strange = next((each for each in links if not any(each in told for told in outputs)), links[0])
        yield Problem(f"{strange} is none of the task's results", evidence=_last(seen))
    else:
        yield None


@check("results-usable", "error", "performance", "client", "What is handed out can be used: whole files, good links.")
def results_usable(_oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge links by asking for them, and contents by what is behind the task's links."""
    for link, status in seen.links.items():
        yield None if status == 200 else Problem(f"{link} is answered with {status or 'nothing'}")
    broken = seen.situation.play in _BROKEN_RESULTS
    for content in seen.contents:
        if content is None:
            yield Problem("a file that was handed out can't be read")
        elif broken or (seen.whole and content not in seen.whole.values()):
            told = f"{len(content):,} bytes were handed out as a result, and are not, or not the whole of, what it is"
            yield Problem(told, evidence=_last(seen))
        else:
            yield None
    if broken and seen.said.kind == "reported":
        yield None


@check("callbacks-taken", "error", "performance", "client", "A client falls over no callback, and does not hang in it.")
def callbacks_taken(_oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge what became of each callback."""
    for each in seen.taken:
        if each.verdict == "crashed":
            yield Problem(f"callback fell over: {each.error}", evidence=(each.callback,))
        elif each.verdict == "hung":
            yield Problem("callback did not come back in time", evidence=(each.callback,))
        else:
            yield None


@check("true-callbacks-accepted", "warning", "performance", "client", "A client accepts the provider's callbacks.")
def true_callbacks_accepted(_oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge callbacks in situations in which nothing is wrong with them."""
    if seen.situation.claim != "callbacks-harmless" or "on" in seen.situation.values:
        return
    for each in seen.taken:
        rejected = each.verdict == "rejected"
        yield Problem(f"a true callback was rejected: {each.error}", evidence=(each.callback,)) if rejected else None


@check("false-callbacks-rejected", "error", "performance", "client", "A client rejects callbacks that are forged.")
def false_callbacks_rejected(oracle: Oracle, seen: Performance) -> Iterator[Problem | None]:
    """Judge the callback that tells the end, where its signature is wrong."""
    callbacks = oracle.behaviour.callbacks
    if seen.situation.play not in FORGED or callbacks is None or callbacks.signature is None or not seen.taken:
        return
    if seen.situation.play == "callback-altered-body" and not covers_body(callbacks.signature):
        return
    if any(each.verdict == "rejected" for each in seen.taken):
        yield None
    else:
        told = f"no callback was rejected in {seen.situation.play}"
        yield Problem(told, evidence=tuple(each.callback for each in seen.taken))


def covers_body(signature: Signature) -> bool:
    """Tell whether a changed body breaks the signature."""
    return signature.scheme == "standard-webhooks"


def _last(seen: Performance) -> tuple[object, ...]:
    return tuple(each.seen.exchange for each in seen.asked[-2:])


CHECKS = (
    client_answers, deadline_kept, success_told, passing_failure_survived, drift_survived, callbacks_harmless,
    failure_told, reason_told, results_right, results_usable, callbacks_taken, true_callbacks_accepted,
    false_callbacks_rejected,
)  # fmt: skip
