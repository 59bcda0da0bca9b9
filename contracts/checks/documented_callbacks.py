"""The callbacks of a provider as its stored contract describes them, made ready to judge their bodies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from ...openapi.behaviour import Behaviour, Phase
from ...openapi.contract import Contract
from ...openapi.validation import Validator
from .members import Members


@dataclass(frozen=True, slots=True)
class DocumentedBody:
    """A body that a callback may have: its content type, and what its schema says."""

    content_type: str
    validator: Validator
    members: Members

    def has_type(self, content_type: str) -> bool:
        """Tell whether a header's value names this body's content type."""
        return fnmatch(content_type.partition(";")[0].strip().lower(), self.content_type.lower())


class DocumentedCallbacks:
    """What a contract says of callbacks: those of the operations that create tasks, or else its webhooks."""

    def __init__(self, contract: Contract, behaviour: Behaviour) -> None:
        self._contract = contract
        self._behaviour = behaviour
        self._known: dict[tuple[str, Phase | None], list[DocumentedBody]] = {}

    def bodies(self, creator: str, phase: Phase | None) -> list[DocumentedBody]:
        """Return the bodies, any of which a callback may have.

        Args:
            creator: the name of the operation that created the task, "" where that was not seen.
            phase: the phase that the callback tells, None where that is not known.
        """
        found = self._known.get((creator, phase))
        if found is None:
            found = self._known[creator, phase] = list(self._described(creator, phase))
        return found

    def _described(self, creator: str, phase: Phase | None) -> Iterator[DocumentedBody]:
        operations = self._contract.operations
        creators = [operations[creator]] if creator else list(operations.values())
        items = [
            item
            for each in creators
            for callback in each.effective.get("callbacks", {}).values()
            for item in self._contract.resolve(callback).values()
        ]
        for item in items or self._webhooks(phase):
            for media_type, schema in self._schemas(self._contract.resolve(item)):
                components = self._contract.components
                yield DocumentedBody(media_type, Validator(schema, components), Members([schema], components))

    def _webhooks(self, phase: Phase | None) -> list[Any]:
        """Return the webhook of the event that tells of `phase`; all of them where none is known for it."""
        callbacks, webhooks = self._behaviour.callbacks, self._contract.webhooks
        event = callbacks.on.get(phase) if callbacks and phase else None
        return [webhooks[event]] if event is not None and event in webhooks else list(webhooks.values())

    def _schemas(self, item: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for method in ("post", "put"):
            body = self._contract.resolve(item.get(method, {}).get("requestBody", {}))
            for media_type, media in body.get("content", {}).items():
                yield media_type, media.get("schema", True)
