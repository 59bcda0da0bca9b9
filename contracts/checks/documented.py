"""One operation as the stored contract describes it, made ready to judge requests and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs

import orjson

from ...openapi.behaviour import OperationBehaviour
from ...openapi.contract import Contract, Operation, Parameter
from ...openapi.defaults import defaults_of
from ...openapi.errors import shorten
from ...openapi.pointer import MISSING, join, resolve
from ...openapi.requests import for_requests, for_requests_all, text_reader
from ...openapi.validation import Problem, Validator
from .exchange import Exchange, header
from .members import Members


class DocumentedAnswer:
    """What an operation may answer under one status.

    Attributes:
        key: the status as documented: ``200``, ``4XX`` or ``default``.
        bodies: the validator of the body by content type; empty where no body is described.
        headers: the validator of each header, in lower case, with whether it is required and how its text is read.
    """

    def __init__(self, key: str, response: Mapping[str, Any], contract: Contract) -> None:
        self.key = key
        self.schemas = {name: media.get("schema", True) for name, media in response.get("content", {}).items()}
        self.bodies = {name: Validator(schema, contract.components) for name, schema in self.schemas.items()}
        self.headers: dict[str, tuple[bool, Validator, Callable[[str], Any]]] = {}
        for name, node in response.get("headers", {}).items():
            described = contract.resolve(node)
            schema = described.get("schema", True)
            reader = text_reader(contract.resolve(schema))
            held = bool(described.get("required")), Validator(schema, contract.components), reader
            self.headers[name.lower()] = held

        self._components = contract.components
        self._names: dict[str, str | None] = {}
        self._members: dict[str, Members] = {}

    def body(self, content_type: str) -> Validator | None:
        """Return the validator for bodies of `content_type`, or None where that type is not documented."""
        name = self._documented(content_type)
        return None if name is None else self.bodies[name]

    def members(self, content_type: str) -> Members | None:
        """Return what is said of the members of bodies of `content_type`, or None where it is not documented."""
        name = self._documented(content_type)
        if name is None:
            return None
        if name not in self._members:
            self._members[name] = Members([self.schemas[name]], self._components)
        return self._members[name]

    def _documented(self, content_type: str) -> str | None:
        """Return the documented name that `content_type` falls under, or None."""
        if content_type not in self._names:
            sent = content_type.partition(";")[0].strip().lower()
            found = next((name for name in self.bodies if fnmatch(sent, name.lower())), None)
            if len(self._names) >= _MOST_NAMES:
                return found
            self._names[content_type] = found
        return self._names[content_type]


class DocumentedOperation:
    """An operation: what it does, and what the stored contract says of it.

    Attributes:
        behaviour: what the behaviour file says.
        operation: what the documents say.
        contract: where references of theirs lead to.
    """

    def __init__(self, behaviour: OperationBehaviour, operation: Operation, contract: Contract) -> None:
        self.behaviour = behaviour
        self.operation = operation
        self.contract = contract
        self.name = behaviour.name
        self._answers: dict[str, DocumentedAnswer] = {}

    def __repr__(self) -> str:
        return f"DocumentedOperation({self.name!r})"

    @cached_property
    def responses(self) -> dict[str, Mapping[str, Any]]:
        """The documented responses by status key."""
        return self.contract.responses(self.operation)

    @cached_property
    def texts_of_json(self) -> tuple[str, ...]:
        """The pointers of texts in its answers that hold JSON: those that what it `reads` steps into."""
        pointers = (pointer for each in self.behaviour.reads.values() for pointer in each.pointers)
        return tuple(dict.fromkeys(pointer.partition("#/")[0] for pointer in pointers if "#/" in pointer))

    @cached_property
    def key_schemes(self) -> tuple[Mapping[str, Any], ...]:
        """The security schemes, any one of which it needs; empty where it does without."""
        asked = self.operation.effective.get("security", self.contract.security)
        return () if {} in asked else tuple(self.contract.security_schemes(self.operation))

    @property
    def needs_key(self) -> bool:
        """Whether it is documented to need a key."""
        return bool(self.key_schemes)

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """The documented defaults of its body, as `filled` needs them, by variant."""
        return defaults_of(self.contract, self.operation)

    def answer(self, status: int) -> DocumentedAnswer | None:
        """Return what may be answered under `status`, or None where nothing is documented of it."""
        for key in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
            if key in self.responses:
                if key not in self._answers:
                    self._answers[key] = DocumentedAnswer(key, self.responses[key], self.contract)
                return self._answers[key]
        return None

    @cached_property
    def parameters(self) -> list[tuple[Parameter, Validator, Callable[[str], Any]]]:
        """Its query, path and header parameters, each with its validator and the reader of its text."""
        found = self.contract.parameters(self.operation)
        return [
            (each, self._validator(each.schema), text_reader(self.contract.resolve(each.schema)))
            for each in found
            if each.where in {"query", "path", "header"}
        ]

    @cached_property
    def body_schemas(self) -> tuple[bool, Mapping[str, Any]]:
        """Whether a body is required, and its schema by content type."""
        return self.contract.body(self.operation)

    @cached_property
    def _bodies(self) -> dict[str, Validator]:
        return {name: self._validator(schema) for name, schema in self.body_schemas[1].items()}

    @cached_property
    def _variants(self) -> dict[str, dict[str, Validator]]:
        variants = self.operation.variants.items()
        return {value: {name: self._validator(each) for name, each in held.items()} for value, held in variants}

    @cached_property
    def _components(self) -> dict[str, Any]:
        return {"schemas": for_requests_all(self.contract.components.get("schemas", {}))}

    def _validator(self, schema: Any) -> Validator:
        return Validator(for_requests(schema), self._components)

    def request_problems(self, exchange: Exchange, path_values: Mapping[str, str]) -> list[Problem] | None:
        """Return what is wrong with the request by the stored contract; None where that can't be said.

        Forms and bodies of other types than JSON are not judged.
        """
        found = list(self._parameter_problems(exchange, path_values))
        required, schemas = self.body_schemas
        if not schemas or (not exchange.body and not required):
            return found
        sent = (header(exchange.headers, "content-type") or "").partition(";")[0].strip().lower()
        documented = next((name for name in schemas if fnmatch(sent, name.lower())), None)
        if documented is None:
            expected = " or ".join(schemas)
            told = f"has the content type {sent or 'nothing'}"
            return [*found, Problem("", "content-type", sent, list(schemas), told, expected)]
        if documented != "application/json" and not documented.endswith("+json"):
            return found or None
        return found + self._body_problems(exchange.body, documented)

    def _parameter_problems(self, exchange: Exchange, path_values: Mapping[str, str]) -> list[Problem]:
        query = parse_qs(exchange.query, keep_blank_values=True, errors="replace")
        found = []
        for parameter, validator, read in self.parameters:
            if parameter.where == "query":
                text = query.get(parameter.name, [None])[0]
            elif parameter.where == "path":
                text = path_values.get(parameter.name)
            else:
                text = header(exchange.headers, parameter.name.lower())
            place = join(parameter.where, parameter.name)
            if text is None:
                if parameter.required:
                    found.append(Problem(place, "required", MISSING, None, "is missing", "a value"))
            elif not validator.is_valid(read(text)):
                problem = validator.problems(read(text))[0]
                found.append(
                    Problem(place, problem.keyword, text, problem.limit, f"is {shorten(text)}", problem.expected)
                )
        return found

    def _body_problems(self, body: bytes, content_type: str) -> list[Problem]:
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError:
            return [Problem("", "json", body, None, "is no JSON", "JSON")]
        validator = self._bodies[content_type]
        if self.behaviour.variant is not None:
            value = resolve(data, self.behaviour.variant)
            of_variant = self._variants.get(value) if isinstance(value, str) else None
            if of_variant is not None:
                validator = of_variant.get(content_type, validator)
            else:
                known = ", ".join(map(repr, self._variants))
                shown = "is missing" if value is MISSING else f"is {shorten(value)}"
                return [Problem(self.behaviour.variant, "enum", value, list(self._variants), shown, f"one of {known}")]
        return validator.problems(data, brief=len(body) > _EXPLAINED_BYTES)


_EXPLAINED_BYTES = 200_000
_MOST_NAMES = 100
