"""Form: an answer looks as its document says."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from ...openapi.errors import shorten
from ...openapi.pointer import MISSING, join, resolve
from .exchange import header
from .finding import Problem, check
from .oracle import Observation, Oracle

_MOST_TOLD = 120


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


@check(
    "content-type-documented", "error", "exchange", "form",
    "An answer has a content type that is documented for its status.",
)  # fmt: skip
def content_type_documented(_oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the content type of each answer that is documented to have content."""
    if seen.documented is None or not seen.documented.bodies or seen.exchange.method == "HEAD":
        return
    sent = header(seen.exchange.answer_headers, "content-type")
    if sent is not None and seen.documented.body(sent) is not None:
        yield None
        return
    told = "without a content type" if sent is None else f"with the content type {shorten(sent)}"
    documented = " or ".join(seen.documented.bodies)
    sentence = f"{seen.name} answered HTTP {seen.exchange.status} {told}; documented is {documented}"
    yield Problem(sentence, seen.name, evidence=(seen.exchange,))


@check("headers-documented", "error", "exchange", "form", "The headers of an answer are those that are documented.")
def headers_documented(_oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the documented headers: whether those are there that have to be, and whether their values fit."""
    if seen.documented is None:
        return
    for name, (required, validator, read) in seen.documented.headers.items():
        text = header(seen.exchange.answer_headers, name)
        place = join("headers", name)
        if text is None:
            if required:
                sentence = f"{seen.name}, HTTP {seen.exchange.status}: the header {name} is missing"
                yield Problem(sentence, seen.name, place, (seen.exchange,))
            continue
        problems = validator.problems(read(text))
        if not problems:
            yield None
            continue
        sentence = f"{seen.name}, HTTP {seen.exchange.status}: the header {name} {problems[0]}"
        yield Problem(sentence, seen.name, place, (seen.exchange,))


@check("json-parses", "error", "exchange", "form", "A body that claims to be JSON is JSON.")
def json_parses(_oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the bodies of all answers that have a JSON content type, documented or not."""
    sent = (header(seen.exchange.answer_headers, "content-type") or "").partition(";")[0].strip().lower()
    claims = sent == "application/json" or sent.endswith("+json")
    if seen.exchange.status is None or seen.exchange.method == "HEAD" or not claims:
        return
    if seen.data is not MISSING:
        yield None
        return
    start = seen.exchange.answer[:_MOST_TOLD].decode("utf-8", "replace")
    told = f"begins with {shorten(start)}" if start else "is empty"
    sentence = f"{seen.name or seen.exchange.path} answered {sent} that is no JSON: it {told}"
    yield Problem(sentence, seen.name, evidence=(seen.exchange,))


@check("body-conforms", "error", "exchange", "form", "A JSON body fits the schema that is documented for its status.")
def body_conforms(_oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge each JSON body against the schema of its status and type; values off a list are another check's."""
    if seen.answer_problems is None:
        return
    problems = [each for each in seen.answer_problems if each not in seen.strange_values]
    if not problems:
        yield None
    for problem in problems:
        yield Problem(f"{seen.name}: {problem}", seen.name, problem.pointer, (seen.exchange,))


@check("value-documented", "error", "exchange", "form", "A value of which all are listed is one of those.")
def value_documented(_oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the values of a JSON body that have to be one of a list (`enum`, `const`)."""
    if seen.answer_problems is None:
        return
    if not seen.strange_values:
        yield None
    for problem in seen.strange_values:
        yield Problem(f"{seen.name}: {problem}", seen.name, problem.pointer, (seen.exchange,))


@check(
    "fields-documented", "warning", "exchange", "form",
    "A JSON body has no field that its document does not know, unless more are allowed there.",
)  # fmt: skip
def fields_documented(_oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge the members of each JSON body; what a schema closes is refused by the schema already."""
    if seen.members is None:
        return
    if not seen.members.undocumented:
        yield None
    for pointer in seen.members.undocumented:
        value = shorten(resolve(seen.data, pointer))
        sentence = f"{seen.name}: the field {pointer[1:].replace('/', '.')} ({value}) is not documented"
        yield Problem(sentence, seen.name, pointer, (seen.exchange,))


@check("inner-json-parses", "error", "exchange", "form", "Text that holds JSON by its document is JSON.")
def inner_json_parses(_oracle: Oracle, seen: Observation) -> Iterator[Problem | None]:
    """Judge texts that are read by a pointer that steps into them, and those with a content type of JSON.

    Empty text is none yet: a result that is not there.
    """
    found = {} if seen.members is None else dict(seen.members.texts)
    if seen.operation is not None and seen.data is not MISSING:
        for pointer in seen.operation.texts_of_json:
            text = resolve(seen.data, pointer)
            if isinstance(text, str):
                found[pointer] = text
    for pointer, text in found.items():
        if not text:
            continue
        try:
            orjson.loads(text)
        except orjson.JSONDecodeError as error:
            sentence = f"{seen.name}: the text at {pointer} is no JSON ({error}): {shorten(text)}"
            yield Problem(sentence, seen.name, pointer, (seen.exchange,))
        else:
            yield None


CHECKS = (
    status_documented, content_type_documented, headers_documented, json_parses, body_conforms, value_documented,
    fields_documented, inner_json_parses,
)  # fmt: skip
