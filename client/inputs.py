"""From what a user writes to the body of a creation, checked against the stored schema before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from ..openapi.behaviour import InputPointers, OperationBehaviour
from ..openapi.errors import nearest, shorten
from ..openapi.pointer import join, split
from ..openapi.validation import Problem, Validator
from .errors import ConfigurationError, InvalidRequest
from .target import Parts, Target, put_at

COMMON_WORDS: dict[str, str] = {
    "prompt": "prompt",
    "aspect_ratio": "ratio",
    "resolution": "resolution",
    "output_format": "format",
    "images": "images",
    "count": "count",
}
"""Words that work with every provider, each with the part of a behaviour file's `input` that tells the provider's."""

_MAX_DEPTH = 8


class Inputs:
    """Makes bodies for the creations of one provider; schemas are compiled when first used."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._validators: dict[tuple[str, str], Validator] = {}

    def creation(self, model: str, operation: str | None, *, validate: bool) -> OperationBehaviour:
        """Return the operation that creates a task of `model`: the one called `operation`, or the first.

        Raises:
            InvalidRequest: the provider has no such model.
            ConfigurationError: no operation of that name creates a task of the model.
        """
        creations = self._target.doing("create")
        found = [each for each in creations if model in self.models(each)]
        if not found and not validate:  # a model newer than the stored documents, where the body names it
            found = [each for each in creations if each.variant]
        if not found:
            known = list(dict.fromkeys(name for each in creations for name in self.models(each)))
            raise InvalidRequest([_unknown_model(model, known)])
        if operation is None:
            return found[0]
        named = [each for each in found if operation in (each.name, _short_name(each))]
        if not named:
            known = [_short_name(each) for each in found]
            hint = nearest(operation, known)
            raise ConfigurationError(
                f"no operation {operation!r} creates a task of {model}{hint}; known: {', '.join(known)}"
            )
        return named[0]

    def models(self, creation: OperationBehaviour) -> list[str]:
        """Return the names of the models that `creation` is for."""
        variants = list(self._target.contract_of(creation).variants)
        return variants or ([creation.model] if creation.model else list(self._target.behaviour.models))

    def parts(
        self,
        creation: OperationBehaviour,
        model: str,
        fields: Mapping[str, Any],
        *,
        callback_url: str | None,
        validate: bool,
    ) -> Parts:
        """Return what goes into the request that creates a task.

        Raises:
            InvalidRequest: `fields` do not fit the stored schema, unless `validate` is off; or are nothing for JSON.
            ConfigurationError: the provider takes no callback URL with a creation.
        """
        parts = Parts()
        if creation.variant:
            put_at(parts.body, creation.variant, model)
        if container := self._container(creation):
            put_at(parts.body, container, {})
        problems = []
        for name, value in fields.items():
            pointer, problem = self._place(creation, model, name, validate=validate)
            if problem is None:
                value, problem = _as_json(self._fitted(creation, model, name, pointer, value), pointer)  # noqa: PLW2901
            if problem is None:
                put_at(parts.body, pointer, value)
            else:
                problems.append(problem)
        if callback_url is not None:
            parts.put(self._callback_place(), callback_url)
        if validate:
            problems += self._problems(creation, model, parts.body, {each.pointer for each in problems})
        if problems:
            raise InvalidRequest(problems)
        return parts

    def from_text(self, creation: OperationBehaviour, model: str, name: str, text: str) -> Any:
        """Return the value that `text` stands for: itself where the field `name` may be text, else as JSON has it."""
        pointer, _ = self._place(creation, model, name, validate=False)
        types = self._types(creation, model, pointer)
        if not types or "string" in types:
            return text
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text

    def _types(self, creation: OperationBehaviour, model: str, pointer: str) -> set[str]:
        """Return the JSON types that the stored schema allows at `pointer`; none where it does not say."""
        found: set[str] = set()
        for schema in self._schemas_at(self._schema(creation, model), split(pointer)):
            kind = schema.get("type")
            found |= set(kind) if isinstance(kind, list) else {kind} if kind else set()
        return found

    def _schema(self, creation: OperationBehaviour, model: str) -> Any:
        operation = self._target.contract_of(creation)
        by_type = operation.variants.get(model) or self._target.provider.contract.body(operation)[1]
        for content_type, schema in by_type.items():
            if content_type.partition(";")[0].endswith("json"):
                return schema
        raise ConfigurationError(f"{creation.name} takes no JSON, and the client sends nothing else")

    def _container(self, creation: OperationBehaviour) -> str:
        """Return the pointer of the object that holds the input: that around the prompt; "" for the body itself."""
        return join(*split(creation.input.prompt[0])[:-1]) if creation.input.prompt else ""

    def _place(
        self, creation: OperationBehaviour, model: str, name: str, *, validate: bool
    ) -> tuple[str, Problem | None]:
        """Return where the field `name` goes, and what is wrong with it, if anything is."""
        container = self._container(creation)
        inside = f"{container}{join(name)}"
        for pointer in (inside, join(name)):
            if self._has(creation, model, pointer) and pointer != creation.variant:
                return pointer, None
        common = _pointers(creation.input, name)
        for pointer in common:
            if self._has(creation, model, pointer):
                return pointer, None
        if not validate or self._is_open(creation, model, container):
            return inside, None
        known = self._known(creation, model)
        hint = nearest(name, [*known, *COMMON_WORDS])
        expected = f"one of {', '.join(known)}"
        return inside, Problem(inside, "additionalProperties", name, known, f"is not known{hint}", expected)

    def _known(self, creation: OperationBehaviour, model: str) -> list[str]:
        container = self._container(creation)
        schema = self._schema(creation, model)
        inside = [name for each in self._schemas_at(schema, split(container)) for name in each.get("properties", {})]
        return list(dict.fromkeys(inside))

    def _has(self, creation: OperationBehaviour, model: str, pointer: str) -> bool:
        return any(True for _ in self._schemas_at(self._schema(creation, model), split(pointer)))

    def _is_open(self, creation: OperationBehaviour, model: str, container: str) -> bool:
        """Tell whether the schema says that there may be more fields; one that says nothing is taken as complete."""
        schemas = self._schemas_at(self._schema(creation, model), split(container))
        return any(each.get("additionalProperties") not in (None, False) for each in schemas)

    def _schemas_at(self, schema: Any, tokens: Sequence[str], depth: int = 0) -> Iterator[Mapping[str, Any]]:
        """Yield the schemas that say what stands at `tokens` below what `schema` describes."""
        schema = self._target.provider.contract.resolve(schema)
        if not isinstance(schema, dict) or depth > _MAX_DEPTH:
            return
        for key in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(key, ()):
                yield from self._schemas_at(part, tokens, depth + 1)
        if not tokens:
            yield schema
        elif tokens[0] in schema.get("properties", {}):
            yield from self._schemas_at(schema["properties"][tokens[0]], tokens[1:], depth)

    def _fitted(self, creation: OperationBehaviour, model: str, name: str, pointer: str, value: Any) -> Any:
        """Return `value`, made a list or its only item where a common word stands for a field of the other kind."""
        if pointer not in _pointers(creation.input, name) or pointer.endswith(join(name)):
            return value
        types = self._types(creation, model, pointer)
        if isinstance(value, str) and types == {"array"}:
            return [value]
        if isinstance(value, list | tuple) and len(value) == 1 and types and "array" not in types:
            return value[0]
        return value

    def _callback_place(self) -> str:
        callbacks = self._target.behaviour.callbacks
        if callbacks is None or callbacks.url is None:
            where = f"to the account's {callbacks.setting}" if callbacks else "nowhere"
            raise ConfigurationError(
                f"{self._target.provider.name} sends callbacks {where}: it takes no callback_url with a creation"
            )
        return callbacks.url

    def _problems(self, creation: OperationBehaviour, model: str, body: Any, told: set[str]) -> list[Problem]:
        key = (creation.name, model)
        if key not in self._validators:
            contract = self._target.provider.contract
            self._validators[key] = Validator(self._schema(creation, model), contract.components)
        return [each for each in self._validators[key].problems(body) if each.pointer not in told]


def _pointers(places: InputPointers, name: str) -> tuple[str, ...]:
    found: tuple[str, ...] = getattr(places, COMMON_WORDS[name]) if name in COMMON_WORDS else ()
    return found


def _short_name(creation: OperationBehaviour) -> str:
    """Return the last word of the operation's path, by which people tell several creations of one model apart."""
    return creation.key.path.rstrip("/").rpartition("/")[2]


def _unknown_model(model: str, known: list[str]) -> Problem:
    expected = f"one of {', '.join(known)}"
    return Problem("/model", "enum", model, known, f"is {shorten(model)}{nearest(model, known)}", expected)


def _as_json(value: Any, pointer: str) -> tuple[Any, Problem | None]:
    """Return `value` as JSON would carry it, and what is wrong with it, if anything is."""
    try:
        return orjson.loads(json.dumps(value, allow_nan=False)), None
    except (TypeError, ValueError, RecursionError):
        sentence = f"is {shorten(value)}, which JSON can't hold"
        return None, Problem(pointer, "type", value, "json", sentence, "text, numbers, true, false, null, lists, dicts")
