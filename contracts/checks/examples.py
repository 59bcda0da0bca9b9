"""Form, before anything is asked: what the stored documents show fits what they say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...openapi.pointer import MISSING, join, resolve
from ...openapi.requests import for_requests, for_requests_all
from ...openapi.structure import Kind, walk
from ...openapi.validation import Validator
from .finding import Problem, check
from .oracle import Oracle

Tokens = tuple[str | int, ...]


@check("examples-valid", "error", "contract", "form", "Examples and defaults in the documents fit their schemas.")
def examples_valid(oracle: Oracle) -> Iterator[Problem | None]:
    """Judge the examples of bodies, parameters, headers and schemas, and the defaults, with corrections applied."""
    document = oracle.contract.document("")
    components = oracle.contract.components
    sent = {**components, "schemas": for_requests_all(components.get("schemas", {}))}
    validators: dict[tuple[int, bool], Validator] = {}
    for tokens, kind, node in walk(document, "document"):
        for more, schema, value in _stated(oracle, kind, node):
            place = (*tokens, *more)
            as_request = "requestBody" in tokens or "requestBodies" in tokens
            key = id(schema), as_request
            if key not in validators:
                fitting = for_requests(schema) if as_request else schema
                validators[key] = Validator(fitting, sent if as_request else components)
            problems = validators[key].problems(value)
            if not problems:
                yield None
            for problem in problems[:1]:
                operation = _operation(document, tokens)
                yield Problem(f"the example at {join(*place)} does not fit: {problem}", operation, join(*place))


def _stated(oracle: Oracle, kind: Kind, node: Any) -> Iterator[tuple[Tokens, Any, Any]]:
    """Yield where in `node`, by which schema, and what it shows."""
    if kind == "schema":
        for number, value in enumerate(node.get("examples", ())):
            yield ("examples", number), node, value
        if "default" in node:
            yield ("default",), node, node["default"]
    elif kind in {"media type", "parameter", "header"} and "schema" in node:
        if "example" in node:
            yield ("example",), node["schema"], node["example"]
        for name, each in node.get("examples", {}).items():
            shown = oracle.contract.resolve(each)
            if isinstance(shown, dict) and "value" in shown:
                yield ("examples", name), node["schema"], shown["value"]


def _operation(document: Any, tokens: Tokens) -> str:
    """Return the name of the operation that a place belongs to, "" where that is none or many."""
    if len(tokens) < 3 or tokens[0] != "paths":
        return ""
    named = resolve(document, join(*tokens[:3], "operationId"))
    return "" if named is MISSING else str(named)


CHECKS = (examples_valid,)
