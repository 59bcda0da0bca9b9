"""Refusal: what no document knows — a path, a method, a task — is refused."""

from __future__ import annotations

from collections.abc import Iterator

from ...openapi.errors import nearest, shorten
from ...openapi.meanings import meaning_of
from ...openapi.refusals import error_for
from .exchange import header
from .finding import Problem, check
from .oracle import Observation, Oracle
from .refusals import blames_server, is_one_of, stray_refusal
from .trace import TaskHistory, Trace

_OF_HTTP = frozenset({"HEAD", "OPTIONS", "TRACE", "CONNECT"})
"""Methods that a server may answer on its own, whatever the document says of the path."""
_OTHER_REASONS = frozenset({"unauthorized", "rate-limited", "unavailable"})


def _is_stray(oracle: Oracle, seen: Observation, *, path_known: bool) -> bool:
    if seen.operation is not None or seen.exchange.status is None or seen.exchange.method in _OF_HTTP:
        return False
    return oracle.has_path(seen.exchange.path) is path_known


@check("unknown-method-refused", "error", "exchange", "refusal", "A method that a path does not have is refused.")
def unknown_method_refused(oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the answer to each request of a documented path with another method."""
    if _is_stray(oracle, seen, path_known=True):
        yield from _refused(oracle, seen, "which has no such method")


@check("unknown-path-refused", "warning", "exchange", "refusal", "A path that no document has is refused.")
def unknown_path_refused(oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the answer to each request of an undocumented path that shows a key: others may be of a site beside it."""
    if seen.account and _is_stray(oracle, seen, path_known=False):
        paths = [each.behaviour.key.path for each in oracle.operations.values()]
        yield from _refused(oracle, seen, f"which no document has{nearest(seen.exchange.path, paths)}")


def _refused(oracle: Oracle, seen: Observation, why: str) -> Iterator[Problem | None]:
    status = seen.exchange.status or 0
    if stray_refusal(oracle, seen) is None and status <= 299:
        asked = f"{seen.exchange.method} {shorten(seen.exchange.path)}"
        yield Problem(f"{asked}, {why}, was answered HTTP {status}", evidence=(seen.exchange,))
    else:
        yield None


@check(
    "stray-refused-as-documented", "warning", "exchange", "refusal",
    "An unknown path or method is refused in the provider's form, with the code of its catalogue.",
)  # fmt: skip
def stray_refused_as_documented(oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the form of each refusal of an unknown path or method, where the error catalogue has an entry for it."""
    path_known = oracle.has_path(seen.exchange.path) if seen.operation is None else False
    if not _is_stray(oracle, seen, path_known=path_known) or not (seen.account or path_known):
        return
    refusal = stray_refusal(oracle, seen)
    condition = "method-unknown" if path_known else "path-unknown"
    expected = error_for(oracle.behaviour, None, condition)
    if refusal is None or expected is None or blames_server(oracle, refusal) or refusal.status // 100 == 3:
        return
    if refusal.entry is not None and meaning_of(refusal.entry) in {"unauthorized", "rate-limited"}:
        return
    # Some answer both alike, and nobody is misled by it.
    general = error_for(oracle.behaviour, None, "path-unknown")
    codes = {str(each.code) for each in (expected, general) if each is not None}
    sent = (header(seen.exchange.answer_headers, "content-type") or "").partition(";")[0].strip().lower()
    asked = f"{seen.exchange.method} {shorten(seen.exchange.path)}"
    if sent != oracle.behaviour.refusal.content_type:
        told = f"as {sent or 'nothing'}; documented is {oracle.behaviour.refusal.content_type}"
        yield Problem(f"{asked} was refused {told}", evidence=(seen.exchange,))
    elif refusal.code not in codes:
        told = f"with the code {refusal.code}; documented is {expected.code} ({expected.name})"
        yield Problem(f"{asked} was refused {told}", evidence=(seen.exchange,))
    else:
        yield None


@check("unknown-id-refused", "error", "trace", "refusal", "A task that nobody created is refused as not found.")
def unknown_id_refused(oracle: Oracle, trace: Trace) -> Iterator[Problem | None]:
    """Judge the answers about tasks that nobody created in what was seen.

    Where not every creation was seen, those are left out that may well be older than what was seen.
    """
    for task in trace.tasks.values():
        if task.creation is not None or (not trace.circumstances.whole and _may_be_older(trace, task)):
            continue
        for seen in task.asked:
            yield from _not_found(oracle, seen, whole=trace.circumstances.whole)


def _may_be_older(trace: Trace, task: TaskHistory) -> bool:
    """Tell whether `task` may have been created before anything was seen; a callback tells that it is there."""
    if task.callbacks:
        return True
    created = [seen.facts.get("created") for seen in task.asked if seen.accepted]
    start = min((each.exchange.began for each in trace.observations), default=0)
    return any(moment is None or moment < start for moment in created)


def _not_found(oracle: Oracle, seen: Observation, *, whole: bool) -> Iterator[Problem | None]:
    if seen.exchange.status is None or seen.operation is None or seen.request_problems:
        return
    asked = f"{seen.name} of the task {shorten(seen.asked_id)}, which nobody created,"
    if seen.accepted:
        yield Problem(f"{asked} was answered HTTP {seen.exchange.status}", seen.name, evidence=(seen.exchange,))
        return
    refusal = seen.refusal
    expected = error_for(oracle.behaviour, seen.operation.behaviour, "id-unknown")
    if refusal is None or expected is None or refusal.meaning in _OTHER_REASONS:
        return
    if is_one_of(refusal, [expected]):
        yield None
    elif whole:
        said = f"{refusal.meaning} ({refusal.code or f'HTTP {refusal.status}'}: {shorten(refusal.message)})"
        sentence = f"{asked} was refused as {said}; documented is {meaning_of(expected)}"
        yield Problem(sentence, seen.name, evidence=(seen.exchange,))


CHECKS = (unknown_method_refused, unknown_path_refused, stray_refused_as_documented, unknown_id_refused)
