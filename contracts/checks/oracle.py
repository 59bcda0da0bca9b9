"""The oracle: what a provider's stored contract says of bytes that went over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson

from ...openapi.behaviour import Behaviour, Phase
from ...openapi.contract import Contract
from ...openapi.defaults import filled
from ...openapi.pointer import MISSING, resolve
from ...openapi.provider import Provider
from ...openapi.reads import read
from ...openapi.refusals import ReadRefusal, read_refusal
from ...openapi.routes import Routes
from ...openapi.statuses import reachable
from ...openapi.validation import Problem
from .documented import DocumentedAnswer, DocumentedOperation
from .documented_callbacks import DocumentedCallbacks
from .exchange import Exchange, header
from .members import Walked


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

    @property
    def _content_type(self) -> str:
        return header(self.exchange.answer_headers, "content-type") or ""

    @cached_property
    def answer_problems(self) -> list[Problem] | None:
        """What is wrong with the answer's body by its schema; None where none is documented, or it is no JSON."""
        if self.documented is None or self.data is MISSING:
            return None
        validator = self.documented.body(self._content_type)
        return None if validator is None else validator.problems(self.data)

    @cached_property
    def strange_values(self) -> list[Problem]:
        """Those of `answer_problems` that are a value, of the right type, which is none of those that are listed."""
        found = self.answer_problems or []
        of_wrong_type = {each.pointer for each in found if each.keyword == "type"}
        return [each for each in found if each.keyword in {"enum", "const"} and each.pointer not in of_wrong_type]

    @cached_property
    def members(self) -> Walked | None:
        """Which members of the answer's body are documented; None where nothing of it is, or it is no JSON."""
        if self.documented is None or self.data is MISSING:
            return None
        members = self.documented.members(self._content_type)
        return None if members is None else members.walk(self.data)

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
        if not self.accepted or self.operation is None or self.data is MISSING or self.operation.behaviour.items:
            return {}
        return read(self.operation.behaviour.reads, self.data)

    @cached_property
    def listed(self) -> list[dict[str, Any]]:
        """What an accepting answer of a list tells of each of its tasks, by the names of `reads.FACTS`."""
        place = self.operation.behaviour.items if self.operation else None
        found = resolve(self.data, place) if place and self.accepted else None
        if self.operation is None or not isinstance(found, list):
            return []
        return [read(self.operation.behaviour.reads, each) for each in found]

    @cached_property
    def idempotency_key(self) -> str | None:
        """What makes a creation safe to repeat, None where it has nothing of that kind."""
        place = self.operation.behaviour.idempotency if self.operation else None
        value = self.find(place) if place and self.does == "create" else None
        return value if isinstance(value, str) and value else None

    @cached_property
    def model(self) -> str | None:
        """The model that a creation asks for, None where that is not told."""
        if self.operation is None:
            return None
        variant = self.operation.behaviour.variant
        value = self.operation.behaviour.model if variant is None else resolve(self.request_data, variant)
        return value if isinstance(value, str) else None

    @cached_property
    def whole_request(self) -> Any:
        """The request's body with the documented defaults of the fields that it leaves out."""
        if self.operation is None:
            return self.request_data
        variant = self.operation.behaviour.variant
        return filled(self.request_data, self.operation.defaults.get((self.model if variant else None) or ""))

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

    Args:
        provider: whose stored contract it is.
        contract: another one to judge by, corrected further than the provider's own.

    Attributes:
        provider: whose stored contract it is.
        behaviour: what OpenAPI does not say of it.
        contract: its documents, corrected and joined.
        operations: each operation, ready to judge, by name.
        key_places: the headers that carry keys, in lower case, each with the word before the key.
    """

    def __init__(self, provider: Provider, contract: Contract | None = None) -> None:
        self.provider = provider
        self.behaviour: Behaviour = provider.behaviour
        self.contract: Contract = provider.contract if contract is None else contract
        self.operations = {
            name: DocumentedOperation(each, self.contract.operations[name], self.contract)
            for name, each in self.behaviour.operations.items()
        }
        self._routes: Routes[DocumentedOperation] = Routes(
            (each.behaviour.key, each.behaviour.slashes, each) for each in self.operations.values()
        )
        self.key_places = self._places_of_keys()

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
        for name, scheme in self.key_places:
            value = header(exchange.headers, name)
            if value:
                return value.removeprefix(scheme).strip()
        return ""

    @cached_property
    def reachable(self) -> dict[str, frozenset[str]]:
        """The words of the provider that a task may be in later, when it was last seen in each status."""
        return reachable(self.behaviour.statuses)

    @cached_property
    def callbacks(self) -> DocumentedCallbacks:
        """What the contract says of the callbacks that the provider sends."""
        return DocumentedCallbacks(self.contract, self.behaviour)

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
