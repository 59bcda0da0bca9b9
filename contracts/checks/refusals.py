"""Refusal: what is wrong is refused as documented, what is right is not.

Whether a request is wrong is judged by its bytes. A request without a right key may be refused for that alone, and one
that came too fast for that: neither says anything of the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...openapi.behaviour import Error
from ...openapi.errors import shorten
from ...openapi.meanings import meaning_of
from ...openapi.pointer import MISSING, join, resolve
from ...openapi.refusals import ReadRefusal, error_for, read_refusal
from ...openapi.validation import Problem as RequestProblem
from .documented import DocumentedOperation
from .finding import Problem, check
from .keys import KeyShown, key_shown
from .oracle import Observation, Oracle
from .words import status_of

MAX_JUDGED_BYTES = 1_000_000
_SHALLOW = 200
"""So many brackets, however they are nested, are no reason to refuse."""


@check("invalid-request-refused", "error", "exchange", "refusal", "A request that breaks the document is refused.")
def invalid_request_refused(_oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the answer to each request in which something but the content type is wrong."""
    problems = [each for each in seen.request_problems or () if each.keyword != "content-type"]
    if problems:
        yield from _refused(seen, problems[0])


@check("unknown-type-refused", "error", "exchange", "refusal", "A body of an undocumented content type is refused.")
def unknown_type_refused(_oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the answer to each request whose only fault is its content type."""
    problems = seen.request_problems or []
    if problems and all(each.keyword == "content-type" for each in problems):
        yield from _refused(seen, problems[0])


def _refused(seen: Observation, problem: RequestProblem) -> Iterator[Problem | None]:
    if seen.exchange.status is None:
        return
    if seen.accepted:
        sentence = f"{seen.name} accepted a request that breaks its document: {told(problem)}"
        yield Problem(sentence, seen.name, problem.pointer, (seen.exchange,))
    else:
        yield None


@check(
    "refused-as-documented", "error", "exchange", "refusal",
    "An invalid request is refused with the documented meaning.",
)  # fmt: skip
def refused_as_documented(oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge what the refusal of an invalid request says is wrong; one that blames the server is another check's."""
    problems, refusal = seen.request_problems, seen.refusal
    if not problems or refusal is None or seen.operation is None or not _is_told_of_request(seen, refusal):
        return
    if blames_server(oracle, refusal):
        return
    expected = _expected(oracle, seen, problems)
    if not expected or is_one_of(refusal, expected):
        yield None
        return
    said = f"{refusal.meaning} ({refusal.code or f'HTTP {refusal.status}'}: {shorten(refusal.message)})"
    documented = " or ".join(sorted({meaning_of(each) for each in expected}))
    sentence = f"{seen.name} refused a request as {said}; documented is {documented}, as {told(problems[0])}"
    yield Problem(sentence, seen.name, problems[0].pointer, (seen.exchange,))


def _is_told_of_request(seen: Observation, refusal: ReadRefusal) -> bool:
    """Tell whether a refusal is about what was asked, not about who asked, how often, or with which balance."""
    return key_shown(seen) is KeyShown.RIGHT and refusal.meaning not in {"rate-limited", "insufficient-credits"}


def _expected(oracle: Oracle, seen: Observation, problems: list[RequestProblem]) -> list[Error]:
    """Return the entries of the error catalogue that tell these problems; none where one of them has no entry."""
    if seen.operation is None:
        return []
    operation = seen.operation.behaviour
    conditions = {condition_of(seen.operation, each) for each in problems}
    # What is asked for need not be there, and no document says which of two faults is told.
    if seen.asked_id:
        conditions.add("id-unknown")
    if operation.file:
        conditions.add("file-unknown")
    entries = [error_for(oracle.behaviour, operation, each) for each in conditions]
    found = [each for each in entries if each is not None]
    return found if len(found) == len(entries) else []


def is_one_of(refusal: ReadRefusal, expected: list[Error]) -> bool:
    """Tell whether a refusal says what one of `expected` does: by its meaning, or by a code that has several."""
    return any(refusal.meaning == meaning_of(each) or refusal.code == str(each.code) for each in expected)


def condition_of(operation: DocumentedOperation, problem: RequestProblem) -> str:
    """Return the condition of the error catalogue that `problem` of a request is."""
    if problem.keyword == "json":
        return "body-malformed"
    if problem.keyword == "content-type":
        return "type-unsupported"
    place, _, name = (operation.behaviour.task_id or "").removeprefix("$request.").partition(".")
    if name and problem.pointer == join(place, name):
        return "id-malformed" if problem.value else "id-missing"
    if problem.pointer == operation.behaviour.variant and isinstance(problem.value, str):
        return "model-unknown"
    return "request-invalid"


@check("valid-request-accepted", "error", "exchange", "refusal", "A valid request is not refused as invalid.")
def valid_request_accepted(oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the answer to each valid request that hands over no pictures."""
    if _is_valid(seen) and not _hands_pictures_over(seen):
        yield from _not_refused(oracle, seen, "")


@check(
    "valid-pictures-accepted", "warning", "exchange", "refusal",
    "A valid request that hands over pictures is not refused as invalid.",
)  # fmt: skip
def valid_pictures_accepted(oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the answer to each valid request with pictures, which may be at fault without that showing here."""
    if _is_valid(seen) and _hands_pictures_over(seen):
        yield from _not_refused(oracle, seen, " (if its pictures are there and in order)")


def _is_valid(seen: Observation) -> bool:
    body = seen.exchange.body
    if seen.operation is None or seen.exchange.status is None or seen.request_problems != []:
        return False
    if seen.idempotency_key is not None:  # it may have come with another body before
        return False
    if len(body) > MAX_JUDGED_BYTES or body.count(b"[") + body.count(b"{") > _SHALLOW:
        return False
    return key_shown(seen) is KeyShown.RIGHT


def _hands_pictures_over(seen: Observation) -> bool:
    pointers = seen.operation.behaviour.input.images if seen.operation else ()
    return any(resolve(seen.request_data, pointer) not in (MISSING, None, []) for pointer in pointers)


def _not_refused(oracle: Oracle, seen: Observation, but: str) -> Iterator[Problem | None]:
    refusal = seen.refusal
    if refusal is None:
        yield None
    elif refusal.meaning == "invalid-request" and not _is_allowed(oracle, seen, refusal):
        said = f"{refusal.code or f'HTTP {refusal.status}'}: {shorten(refusal.message)}"
        yield Problem(f"{seen.name} refused a valid request{but} ({said})", seen.name, evidence=(seen.exchange,))
    elif refusal.meaning == "invalid-request":
        yield None


def _is_allowed(oracle: Oracle, seen: Observation, refusal: ReadRefusal) -> bool:
    """Tell whether the refusal may be of something that the document says nothing about: a task, a file, an end."""
    operation = seen.operation
    if operation is None:
        return False
    conditions = {"id-unknown"} if seen.asked_id else set()
    conditions |= {"file-unknown", "signature-refused"} if operation.behaviour.file else set()
    conditions |= {"cancel-late"} if operation.behaviour.does == "cancel" else set()
    entries = [error_for(oracle.behaviour, operation.behaviour, each) for each in conditions]
    return any(each is not None and str(each.code) == refusal.code for each in entries)


@check(
    "no-server-error", "error", "exchange", "refusal", "What is wrong with a request is not told as the server's fault."
)
def no_server_error(oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the answer to every wrong request: to an operation, without a key, or to no operation at all.

    A right request may meet a server error that is documented, and one that is not is told by the checks of form.
    """
    wrong = what_is_wrong(oracle, seen)
    if not wrong:
        return
    if seen.exchange.status is None:
        sentence = f"{_asked(seen)} was answered nothing ({seen.exchange.error}); {wrong}"
        yield Problem(sentence, seen.name, evidence=(seen.exchange,))
        return
    refusal = seen.refusal or stray_refusal(oracle, seen)
    if refusal is None or not blames_server(oracle, refusal) or _documents_server_error(oracle, seen, refusal):
        yield None
        return
    code = f" and the code {refusal.code}" if refusal.code else ""
    sentence = f"{_asked(seen)} was answered HTTP {refusal.status}{code}; {wrong}"
    yield Problem(sentence, seen.name, evidence=(seen.exchange,))


def what_is_wrong(oracle: Oracle, seen: Observation) -> str:
    """Return what is wrong with a request, "" where nothing is, or nothing can be said."""
    if seen.operation is None:
        return "the path has no such method" if oracle.has_path(seen.exchange.path) else "no operation has the path"
    if seen.request_problems:
        return told(seen.request_problems[0])
    shown = key_shown(seen)
    return "" if shown in {KeyShown.RIGHT, KeyShown.UNKNOWN} else f"the key is {shown.value}"


def stray_refusal(oracle: Oracle, seen: Observation) -> ReadRefusal | None:
    """Return the refusal that the answer to a request for no operation is, None where it was accepted."""
    status = seen.exchange.status
    if status is None or seen.operation is not None:
        return None
    return read_refusal(oracle.behaviour, None, status, seen.data)


def blames_server(oracle: Oracle, refusal: ReadRefusal) -> bool:
    """Tell whether a refusal says that the server failed: by its HTTP status, its code, or what raises its entry."""
    code = refusal.code or ""
    entry = error_for(oracle.behaviour, None, "server-failed")
    by_code = len(code) == 3 and code.isdecimal() and code.startswith("5")
    return refusal.status >= 500 or by_code or (refusal.entry is not None and refusal.entry is entry)


def _documents_server_error(oracle: Oracle, seen: Observation, refusal: ReadRefusal) -> bool:
    """Tell whether the error catalogue answers what is wrong with this very code."""
    if seen.operation is None or refusal.entry is None:
        return False
    if refusal.status >= 500 and status_of(seen.operation, refusal.entry) not in {refusal.status, None}:
        return False  # the code is right, and the HTTP status is not
    conditions = [condition_of(seen.operation, each) for each in seen.request_problems or ()]
    return any(error_for(oracle.behaviour, seen.operation.behaviour, each) is refusal.entry for each in conditions)


def _asked(seen: Observation) -> str:
    return seen.name or f"{seen.exchange.method} {seen.exchange.path}"


def told(problem: RequestProblem) -> str:
    """Return one sentence about `problem` of a request, as part of another."""
    return str(problem) if problem.field else f"the body {problem}"


CHECKS = (
    invalid_request_refused, unknown_type_refused, refused_as_documented, valid_request_accepted,
    valid_pictures_accepted, no_server_error,
)  # fmt: skip
