"""The oracle: what a provider's stored contract says of bytes that went over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson

from ...openapi.behaviour import Behaviour, Phase
from ...openapi.contract import Contract
from ...openapi.pointer import MISSING, resolve
from ...openapi.provider import Provider
from ...openapi.reads import read
from ...openapi.refusals import ReadRefusal, read_refusal
from ...openapi.routes import Routes
from ...openapi.validation import Problem
from .documented import DocumentedAnswer, DocumentedOperation
from .exchange import Exchange, header


class Observation:
    """An exchange, and what it means by the stored contract. Everything is worked out once, when first asked for.

    Attributes:
        exchange: what went over the wire.
        operation: the operation that was meant, None where no documented one was.
        path_values: the values of the path's parameters.
    """

    def __init__(
        self, oracle: Oracle, exchange: Exchange, operation: DocumentedOperation | None, path_values: Mapping[str, str]
    ) -> None:
        self.oracle = oracle
        self.exchange = exchange
        self.operation = operation
        self.path_values = path_values

    def __repr__(self) -> str:
        return f"<{self.exchange.method} {self.exchange.path} {self.exchange.status}>"

    @property
    def name(self) -> str:
        """The operation's name, "" where none was meant."""
        return self.operation.name if self.operation else ""

    @property
    def does(self) -> str:
        """What the operation does: create, poll, cancel, balance, …; "" where none was meant."""
        return self.operation.behaviour.does if self.operation else ""

    @cached_property
    def request_data(self) -> Any:
        """The request's body as data, `MISSING` where it is no JSON."""
        return _parsed(self.exchange.body)

    @cached_property
    def request_problems(self) -> list[Problem] | None:
        """What is wrong with the request by the stored contract; None where that can't be said."""
        if self.operation is None:
            return None
        return self.operation.request_problems(self.exchange, self.path_values)

    @cached_property
    def account(self) -> str:
        """The key that the request showed, "" where it showed none: accounts are told apart by it."""
        return self.oracle.key_in(self.exchange)

    @cached_property
    def data(self) -> Any:
        """The answer's body as data, `MISSING` where it is no JSON."""
        return _parsed(self.exchange.answer)

    @cached_property
    def documented(self) -> DocumentedAnswer | None:
        """What the contract says of answers with this status, None where it says nothing."""
        status = self.exchange.status
        return None if self.operation is None or status is None else self.operation.answer(status)

    @cached_property
    def refusal(self) -> ReadRefusal | None:
        """The refusal that the answer is; None where there is no answer, or what was asked was done."""
        status = self.exchange.status
        if self.operation is None or status is None:
            return None
        return read_refusal(self.oracle.behaviour, self.operation.behaviour, status, self.data)

    @property
    def accepted(self) -> bool:
        """Whether what was asked was done."""
        status = self.exchange.status
        return self.operation is not None and status is not None and self.refusal is None and status <= 299

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What an accepting answer tells, by the names of `reads.FACTS`; times are milliseconds."""
        if not self.accepted or self.operation is None or self.data is MISSING:
            return {}
        return read(self.operation.behaviour.reads, self.data)

    @cached_property
    def asked_id(self) -> str | None:
        """The id of the task that was asked for, None where none was."""
        if self.operation is None or self.operation.behaviour.task_id is None:
            return None
        value = self.find(self.operation.behaviour.task_id)
        return value if isinstance(value, str) else None

    @property
    def task_id(self) -> str | None:
        """The id of the task that this is about: the one asked for, or the one that was created."""
        if self.does == "create":
            told = self.facts.get("id")
            return told if isinstance(told, str) else None
        return self.asked_id

    @property
    def phase(self) -> Phase | None:
        """The phase that the answer tells of its task; None where it tells none, or a word that is not known."""
        return self.oracle.phase_of(self.facts.get("status"))

    def find(self, expression: str) -> Any:
        """Return what a runtime expression such as ``$request.query.taskId`` stands for, or `MISSING`."""
        place, _, name = expression.removeprefix("$request.").partition(".")
        if place == "query":
            return parse_qs(self.exchange.query, keep_blank_values=True, errors="replace").get(name, [MISSING])[0]
        if place == "path":
            return self.path_values.get(name, MISSING)
        if place == "header":
            value = header(self.exchange.headers, name.lower())
            return MISSING if value is None else value
        return resolve(self.request_data, expression.partition("#")[2])


class Oracle:
    """What is right for one provider. Everything is judged by the same one: emulator, client, recording, provider.

    Attributes:
        provider: whose stored contract it is.
        behaviour: what OpenAPI does not say of it.
        contract: its documents, corrected and joined.
        operations: each operation, ready to judge, by name.
    """

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.behaviour: Behaviour = provider.behaviour
        self.contract: Contract = provider.contract
        self.operations = {
            name: DocumentedOperation(each, self.contract.operations[name], self.contract)
            for name, each in self.behaviour.operations.items()
        }
        self._routes: Routes[DocumentedOperation] = Routes(
            (each.behaviour.key, each.behaviour.slashes, each) for each in self.operations.values()
        )
        self._key_headers = self._places_of_keys()

    def observe(self, exchange: Exchange) -> Observation:
        """Return `exchange` with what it means."""
        match = self._routes.find(unquote(exchange.path))
        if match is None or exchange.method not in match.targets:
            return Observation(self, exchange, None, {})
        return Observation(self, exchange, match.targets[exchange.method], match.values)

    def has_path(self, path: str) -> bool:
        """Tell whether any operation has the percent-encoded `path`."""
        return self._routes.find(unquote(path)) is not None

    def doing(self, what: str) -> list[DocumentedOperation]:
        """Return the operations that do `what`, in the order of the behaviour file."""
        return [each for each in self.operations.values() if each.behaviour.does == what]

    def phase_of(self, status: Any) -> Phase | None:
        """Return our word for the provider's `status`, None where it is none of its words."""
        known = self.behaviour.statuses.get(status) if isinstance(status, str) else None
        return known.phase if known else None

    def key_in(self, exchange: Exchange) -> str:
        """Return the key that a request shows, "" where it shows none."""
        for name, scheme in self._key_headers:
            value = header(exchange.headers, name)
            if value:
                return value.removeprefix(scheme).strip()
        return ""

    def _places_of_keys(self) -> list[tuple[str, str]]:
        """Return the headers that carry keys, in lower case, each with the word before the key."""
        found = []
        for node in self.contract.components.get("securitySchemes", {}).values():
            scheme = self.contract.resolve(node)
            if scheme.get("type") == "http" and scheme.get("scheme", "").lower() == "bearer":
                found.append(("authorization", "Bearer "))
            elif scheme.get("type") == "apiKey" and scheme.get("in") == "header":
                found.append((scheme["name"].lower(), ""))
        return list(dict.fromkeys(found))


def _parsed(body: bytes) -> Any:
    if not body:
        return MISSING
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return MISSING
