"""A provider made ready to be played: routes, validators, ids. Each operation is compiled when first used."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from ..openapi.behaviour import CALL_NAMES, Behaviour, Error, OperationBehaviour, Phase, Status
from ..openapi.contract import Operation, Parameter
from ..openapi.defaults import defaults_of, filled
from ..openapi.provider import Provider
from ..openapi.refusals import error_for
from ..openapi.requests import for_requests, for_requests_all, text_reader
from ..openapi.routes import Routes
from ..openapi.validation import Validator
from .ids import MakeId, compile_id_format
from .plan import path_to
from .request import Request
from .scenario import Play, error_with_code


class CompiledOperation:
    """One operation of a provider, ready to be played."""

    def __init__(self, owner: CompiledProvider, behaviour: OperationBehaviour) -> None:
        self.owner = owner
        self.name = behaviour.name
        self.behaviour = behaviour
        self.phases = {name: status.phase for name, status in owner.behaviour.statuses.items()}
        self._errors: dict[str, Error] = {}

    def __repr__(self) -> str:
        return f"CompiledOperation({self.owner.name!r}, {self.name!r})"

    def phase_of(self, status: str) -> Phase:
        """Return our word for the provider's `status`."""
        return self.phases[status]

    @cached_property
    def contract(self) -> Operation:
        """What the stored documents say of it."""
        return self.owner.provider.contract.operations[self.name]

    @cached_property
    def needs_key(self) -> bool:
        """Whether it is refused without a key."""
        return bool(self.owner.provider.contract.security_schemes(self.contract))

    @cached_property
    def parameters(self) -> list[tuple[Parameter, Validator, Callable[[str], Any]]]:
        """Its query, path and header parameters, each with its validator and the reader of its text."""
        contract = self.owner.provider.contract
        return [
            (each, self.owner.validator(each.schema), text_reader(contract.resolve(each.schema)))
            for each in contract.parameters(self.contract)
        ]

    def parameter_value(self, request: Request, expression: str) -> Any:
        """Return what `expression` stands for, as the type that is documented; its documented default if left out."""
        text = request.text(expression)
        for parameter, _, read in self.parameters:
            if expression == f"$request.{parameter.where}.{parameter.name}":
                schema = self.owner.provider.contract.resolve(parameter.schema)
                if text is not None:
                    return read(text)
                return schema.get("default") if isinstance(schema, dict) else None
        return text

    @cached_property
    def bodies(self) -> dict[str, Validator]:
        """The validator of its body, by content type."""
        _, schemas = self.owner.provider.contract.body(self.contract)
        return {content_type: self.owner.validator(schema) for content_type, schema in schemas.items()}

    @cached_property
    def body_required(self) -> bool:
        """Whether it is refused without a body."""
        return self.owner.provider.contract.body(self.contract)[0]

    @cached_property
    def variants(self) -> dict[str, dict[str, Validator]]:
        """The validators of its variants: by the value that picks one, then by content type."""
        by_schema: dict[int, Validator] = {}

        def validator(schema: Any) -> Validator:
            if id(schema) not in by_schema:
                by_schema[id(schema)] = self.owner.validator(schema)
            return by_schema[id(schema)]

        return {
            value: {content_type: validator(schema) for content_type, schema in schemas.items()}
            for value, schemas in self.contract.variants.items()
        }

    @cached_property
    def tells_of_call(self) -> bool:
        """Whether its answers tell of the request, the account or the time, and not of a task alone."""
        answer = self.behaviour.answer
        templates = (answer.headers, answer.body, *answer.by_phase.values())
        return any(template is not None and not CALL_NAMES.isdisjoint(template.uses) for template in templates)

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        return defaults_of(self.owner.provider.contract, self.contract)

    def with_defaults(self, body: Any, variant: str | None) -> Any:
        """Return `body` with the documented defaults of the fields that it leaves out."""
        return filled(body, self._defaults.get(variant or ""))

    def error(self, condition: str) -> Error:
        """Return the catalogue's entry for `condition`, or for the wider condition it falls under."""
        if condition not in self._errors:
            behaviour, own = self.owner.behaviour, self.behaviour
            found = error_for(behaviour, own, condition) or error_for(behaviour, own, "server-failed")
            self._errors[condition] = found or next(iter(behaviour.errors.values()))
        return self._errors[condition]


class CompiledProvider:
    """A provider, ready to be played."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.name = provider.name
        self.behaviour: Behaviour = provider.behaviour
        self.operations = {name: CompiledOperation(self, each) for name, each in self.behaviour.operations.items()}
        self.routes: Routes[CompiledOperation] = Routes(
            (each.behaviour.key, each.behaviour.slashes, each) for each in self.operations.values()
        )
        self.first = next(iter(self.operations.values()))
        self.make_id: MakeId = compile_id_format(self.behaviour.id_format)
        self.limits = {
            name: [limit for limit in self.behaviour.limits if name in limit.operations] for name in self.operations
        }

    @cached_property
    def key_place(self) -> tuple[str, str]:
        """The header that carries the key, in lower case, and the word before the key, or ""."""
        for scheme in self.provider.contract.components.get("securitySchemes", {}).values():
            if scheme.get("type") == "apiKey" and scheme.get("in") == "header":
                return scheme["name"].lower(), ""
        return "authorization", "Bearer"

    @cached_property
    def key_header(self) -> bytes:
        """The header that carries the key, as requests keep it."""
        return self.key_place[0].encode()

    @cached_property
    def tells_new_ids(self) -> bool:
        """Whether anything that it says holds an id that nothing else has."""
        return self.behaviour.uses("new_id")

    @cached_property
    def success(self) -> tuple[Status, ...]:
        """The statuses that a task passes where nothing is said about it."""
        return path_to(self.behaviour.statuses, Phase.COMPLETED)

    @cached_property
    def success_names(self) -> tuple[str, ...]:
        """The names of those statuses, which the plans of a million tasks share."""
        return tuple([status.name for status in self.success])

    def status_of(self, play: Play) -> int:
        """Return the HTTP status that a refusal is played with where there is no envelope to tell its code."""
        name = play.does.get("error") or error_with_code(str(play.values["code"]), self.behaviour) or ""
        error = self.behaviour.errors[name]
        return error.status or (int(error.code) if str(error.code).isdigit() and 400 <= int(error.code) <= 599 else 500)

    def document(self, server: str) -> dict[str, Any]:
        """Return the effective OpenAPI document, with `server` as its only server."""
        return self.provider.contract.document(server, self.behaviour.links())

    def validator(self, schema: Any) -> Validator:
        """Return the validator of `schema` as requests are judged by it."""
        components = self.provider.contract.components
        return Validator(for_requests(schema), {"schemas": for_requests_all(components.get("schemas", {}))})
