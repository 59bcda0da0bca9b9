"""Form: an answer looks as its document says."""

from __future__ import annotations

from collections.abc import Iterator

from ...openapi.pointer import MISSING
from .exchange import header
from .finding import Problem, check
from .oracle import Observation, Oracle


@check("status-documented", "error", "exchange", "form", "An answer has an HTTP status that is documented.")
def status_documented(_oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the status of every answer to a documented operation."""
    if seen.operation is None or seen.exchange.status is None:
        return
    if seen.documented is not None:
        yield None
        return
    documented = ", ".join(seen.operation.responses)
    sentence = f"{seen.name} answered HTTP {seen.exchange.status}; documented are {documented}"
    yield Problem(sentence, seen.name, evidence=(seen.exchange,))


@check("body-conforms", "error", "exchange", "form", "A JSON body fits the schema that is documented for its status.")
def body_conforms(_oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge each JSON body against the schema of its status and content type."""
    if seen.documented is None or seen.data is MISSING:
        return
    validator = seen.documented.body(header(seen.exchange.answer_headers, "content-type") or "")
    if validator is None:
        return
    problems = validator.problems(seen.data)
    if not problems:
        yield None
    for problem in problems:
        yield Problem(f"{seen.name}: {problem}", seen.name, problem.pointer, (seen.exchange,))


CHECKS = (status_documented, body_conforms)
