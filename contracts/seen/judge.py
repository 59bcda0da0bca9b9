"""Holding what was seen against the stored contract, and saying where the contract would have to change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch
from typing import Any
from urllib.parse import parse_qs

from ...openapi.pointer import MISSING, escape, resolve, split
from ...openapi.validation import Validator, problems_of
from ..checks.documented import DocumentedOperation
from ..checks.exchange import header
from ..checks.oracle import Observation, Oracle
from ..checks.trace import ReceivedCallback
from .coverage import Coverage
from .deviation import CALLBACKS, Deviation, Remedy, Verdict
from .documents import Documents, Spot

_BODYLESS = {204, 205, 304}


class Judge:
    """Judges exchanges and callbacks by a provider's contract.

    Attributes:
        oracle: what is right.
        documents: where it says so.
        coverage: what of it was seen.
    """

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.oracle = Oracle(documents.provider, self.documents.contract)
        self.coverage = Coverage(self.documents)
        self._callbacks = self.documents.callbacks()

    def exchange(self, seen: Observation) -> list[Deviation]:
        """Return what of an exchange the contract does not tell; the request is judged where it was not refused."""
        if seen.operation is None or seen.exchange.status is None:
            return []
        asked = self._request(seen, seen.operation) if seen.accepted else ()
        return [*self._answer(seen, seen.operation), *asked]

    def callback(self, letter: ReceivedCallback) -> list[Deviation]:
        """Return what of a callback the contract does not tell."""
        if not self._callbacks:
            return []
        if letter.data is MISSING:
            return [Deviation("violates", CALLBACKS, "callback", "", "json", "is no JSON", letter.callback.body[:200])]
        fitting = [root for root in self._callbacks if self.documents.validator(root).is_valid(letter.data)]
        if fitting:
            return list(self._extras(CALLBACKS, "callback", fitting[0], letter.data))
        found = [list(self._refused(CALLBACKS, "callback", root, letter.data)) for root in self._callbacks]
        return min(found, key=len)

    def _answer(self, seen: Observation, operation: DocumentedOperation) -> Iterator[Deviation]:
        exchange, name = seen.exchange, operation.name
        where, sent = f"answer {exchange.status}", _media_type(header(exchange.answer_headers, "content-type"))
        body = seen.data if _is_json(sent) else MISSING
        if seen.documented is None:
            told = ", ".join(operation.responses) or "none"
            wanted = Remedy("status", self._operation(seen, operation)[0], str(exchange.status), (sent, body))
            sentence = f"answered HTTP {exchange.status}; documented: {told}"
            yield Deviation("violates", name, where, "", "status", sentence, exchange.status, wanted)
            return
        key = seen.documented.key
        places = self._in_order(seen, operation, self.documents.responses(operation.operation, key))
        yield from self._headers(seen, operation, where, places)
        if not exchange.answer:
            if seen.documented.bodies and exchange.status not in _BODYLESS and exchange.method != "HEAD":
                yield Deviation("violates", name, where, "", "body", f"has no body; documented: {_listed(seen)}")
            return
        validator = seen.documented.body(sent)
        if validator is None:
            verdict: Verdict = "violates" if seen.documented.bodies else "undocumented but allowed"
            sentence = f"has the content type {sent or 'nothing'}; documented: {_listed(seen) or 'no body'}"
            remedy = Remedy("content", places[0], sent, body) if "/" in sent else None
            yield Deviation(verdict, name, where, "", "content-type", sentence, sent, remedy)
        elif _is_json(sent):
            roots = [root for place in places for root in self._schemas(place, sent)]
            yield from self._body(name, where, roots, validator, body)

    def _body(
        self, name: str, where: str, roots: list[Spot], validator: Validator, data: Any, *, requests: bool = False
    ) -> Iterator[Deviation]:
        if data is MISSING:
            yield Deviation("violates", name, where, "", "json", "is no JSON, as its content type has it")
        elif not validator.is_valid(data):
            yield from self._refused(name, where, roots[0], data, requests=requests)
        else:
            for root in roots:
                if self.documents.validator(root, requests=requests).is_valid(data):
                    yield from self._extras(name, where, root, data, requests=requests)
                    return

    def _extras(self, name: str, where: str, root: Spot, data: Any, *, requests: bool = False) -> Iterator[Deviation]:
        for extra in self.coverage.take((name, where), root, data, requests=requests):
            remedy = Remedy("property", extra.spot, extra.name, extra.value)
            yield Deviation(
                "undocumented but allowed",
                name,
                where,
                extra.pointer,
                "field",
                "is not documented",
                extra.value,
                remedy,
            )

    def _refused(self, name: str, where: str, root: Spot, data: Any, *, requests: bool = False) -> Iterator[Deviation]:
        """Yield what is wrong with `data`, which the schema at `root` refuses."""
        validator = self.documents.validator(root, requests=requests)
        try:
            leaves = [leaf for error in validator.errors(data) for leaf in _leaves(error)]
        except (RecursionError, re.error):
            leaves = []
        mistyped = {tuple(leaf.absolute_path) for leaf in leaves if leaf.validator == "type"}
        for leaf in leaves:
            if leaf.validator in {"enum", "const"} and tuple(leaf.absolute_path) in mistyped:
                continue  # that it is none of the words goes without saying
            path = list(leaf.absolute_schema_path)
            for problem in problems_of(leaf):
                sentence = f"{problem.sentence}; expected {problem.expected}" if problem.expected else problem.sentence
                yield Deviation(
                    "violates", name, where, problem.pointer, problem.keyword, sentence, problem.value,
                    self._remedy(root, path, problem.pointer, problem.value),
                )  # fmt: skip
        if not leaves:  # the two validators differ at the edges, and the verdict is not the explaining one's
            for place in validator.verdict_places(data) or [()]:
                problem = validator.problems(data, brief=True)[0]
                remedy = self._remedy(root, list(place), "", MISSING) if place else None
                yield Deviation(
                    "violates", name, where, problem.pointer, problem.keyword, problem.sentence, problem.value, remedy
                )

    def _remedy(self, root: Spot, path: list[Any], pointer: str, value: Any) -> Remedy | None:
        """Return what would have to change where the schema at `root` refuses `value` at `path`."""
        found = self.documents.follow(root, path) if path else None
        if found is None:
            return None
        spot = Spot(found.file, found.tokens[:-1])
        keyword = str(path[-1])
        if keyword in {"additionalProperties", "unevaluatedProperties", "required"}:
            name = split(pointer)[-1] if pointer else ""
            if keyword != "required":
                return Remedy("property", spot, str(name), value)
            return Remedy("keyword", spot, "required", str(name))
        return Remedy("keyword", spot, keyword, value)

    def _headers(
        self, seen: Observation, operation: DocumentedOperation, where: str, places: list[Spot]
    ) -> Iterator[Deviation]:
        documented = seen.documented.headers if seen.documented else {}
        for name, (required, validator, read) in documented.items():
            pointer = f"/header/{escape(name)}"
            spots = [self.documents.resolve(found) for each in places for found in self._named(each, name)]
            text = header(seen.exchange.answer_headers, name)
            if text is None:
                if required:
                    remedy = Remedy("optional", spots[0]) if spots else None
                    yield Deviation("violates", operation.name, where, pointer, "header", "is missing", MISSING, remedy)
            elif spots and not validator.is_valid(read(text)):
                yield from self._at(self._refused(operation.name, where, spots[0].child("schema"), read(text)), pointer)

    def _named(self, response: Spot, name: str) -> list[Spot]:
        listed = self.documents.node(response.child("headers"))
        held = listed if isinstance(listed, dict) else {}
        return [response.child("headers", each) for each in held if each.lower() == name]

    @staticmethod
    def _at(found: Iterator[Deviation], pointer: str) -> Iterator[Deviation]:
        """Yield `found` with its pointers below `pointer`."""
        for each in found:
            yield replace(each, pointer=pointer + each.pointer)

    def _request(self, seen: Observation, operation: DocumentedOperation) -> Iterator[Deviation]:
        yield from self._parameters(seen, operation)
        required, schemas = operation.body_schemas
        exchange = seen.exchange
        if not schemas:
            return
        places = self._in_order(seen, operation, self.documents.body(operation.operation))
        if not exchange.body:
            if required:
                needed = Remedy("optional", places[0])
                yield Deviation("violates", operation.name, "request", "", "body", "has no body", MISSING, needed)
            return
        sent = _media_type(header(exchange.headers, "content-type"))
        if not any(fnmatch(sent, each.lower()) for each in schemas):
            sentence = f"has the content type {sent or 'nothing'}; documented: {', '.join(schemas)}"
            body = seen.request_data if _is_json(sent) else MISSING
            remedy = Remedy("content", places[0], sent, body) if "/" in sent else None
            yield Deviation("violates", operation.name, "request", "", "content-type", sentence, sent, remedy)
        elif _is_json(sent):
            roots = [root for place in places for root in self._schemas(place, sent)]
            validator = self.documents.validator(roots[0], requests=True)
            found = self._body(operation.name, "request", roots[:1], validator, seen.request_data, requests=True)
            variant = operation.behaviour.variant
            for each in found:
                # What tells variants apart stays a word of a list: it is by that that they are read.
                kept = each.pointer != variant or (each.kind == "enum" and isinstance(each.value, str))
                yield each if kept else replace(each, remedy=None)

    def _parameters(self, seen: Observation, operation: DocumentedOperation) -> Iterator[Deviation]:
        query = parse_qs(seen.exchange.query, keep_blank_values=True, errors="replace")
        known = set()
        for parameter, validator, read in operation.parameters:
            known.add((parameter.where, parameter.name))
            texts = {
                "query": query.get(parameter.name, [None])[0], "path": seen.path_values.get(parameter.name),
                "header": header(seen.exchange.headers, parameter.name.lower()),
            }  # fmt: skip
            text, pointer = texts[parameter.where], f"/{parameter.where}/{escape(parameter.name)}"
            spot = self.documents.parameter(operation.operation, parameter.where, parameter.name)
            if spot is None:
                continue
            if text is None and parameter.required:
                yield Deviation(
                    "violates", operation.name, "request", pointer, "required", "is missing, and was not missed",
                    MISSING, Remedy("optional", spot),
                )  # fmt: skip
            elif text is not None and not validator.is_valid(read(text)):
                found = self._refused(operation.name, "request", spot.child("schema"), read(text), requests=True)
                yield from self._at(found, pointer)
        for name, values in query.items():
            if ("query", name) not in known and not self._is_key(operation, name):
                remedy = Remedy("parameter", self._operation(seen, operation)[0], name, values[0])
                pointer = f"/query/{escape(name)}"
                yield Deviation(
                    "undocumented but allowed",
                    operation.name,
                    "request",
                    pointer,
                    "field",
                    "is not documented",
                    values[0],
                    remedy,
                )

    def _is_key(self, operation: DocumentedOperation, name: str) -> bool:
        schemes = operation.contract.security_schemes(operation.operation)
        return any(each.get("in") == "query" and each.get("name") == name for each in schemes)

    def _schemas(self, holder: Spot, sent: str) -> list[Spot]:
        """Return the schema of bodies of the content type `sent` in a response or a request body."""
        content = self.documents.node(holder.child("content"))
        held = content if isinstance(content, dict) else {}
        name = next((each for each in held if fnmatch(sent, each.lower())), None)
        spot = holder.child("content", name or "", "schema")
        return [spot] if self.documents.node(spot) is not MISSING else []

    def _operation(self, seen: Observation, operation: DocumentedOperation) -> list[Spot]:
        return self._in_order(seen, operation, self.documents.operations(operation.operation))

    def _in_order(self, seen: Observation, operation: DocumentedOperation, places: list[Spot]) -> list[Spot]:
        """Return `places` with those first that are of the document that describes the request's variant."""
        pointer = operation.behaviour.variant
        if pointer is None or len(operation.operation.documents) < 2:
            return places
        value = resolve(seen.request_data, pointer)
        files = [
            body.file
            for body in self.documents.body(operation.operation)
            for root in self._schemas(body, "application/json")
            if self._allows(root, pointer, value)
        ]
        # Places of a document that others refer to as well are nobody's own.
        return sorted(places, key=lambda spot: spot.file not in files)

    def _allows(self, root: Spot, pointer: str, value: Any) -> bool:
        path = [token for name in split(pointer) for token in ("properties", name)]
        spot = self.documents.follow(root, path)
        node = self.documents.node(self.documents.resolve(spot)) if spot else MISSING
        return isinstance(node, dict) and value in node.get("enum", [node.get("const", MISSING)])


def _listed(seen: Observation) -> str:
    return ", ".join(seen.documented.bodies) if seen.documented else ""


def _media_type(value: str | None) -> str:
    return (value or "").partition(";")[0].strip().lower()


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")


def _leaves(error: Any) -> list[Any]:
    """Return the errors that `error` is about: of the branches of a choice, those of the one that came nearest."""
    if not error.context:
        return [error]
    branches: dict[Any, list[Any]] = {}
    for each in error.context:
        branches.setdefault(each.schema_path[0], []).append(each)
    nearest = min(branches.values(), key=_distance)
    return [leaf for each in nearest for leaf in _leaves(each)]


def _distance(errors: list[Any]) -> tuple[bool, int]:
    wrong_kind = any(not each.path and each.validator in {"type", "const", "enum"} for each in errors)
    return wrong_kind, len(errors)
