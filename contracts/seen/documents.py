"""A provider's documents, corrected, with every place in them within reach: what an overlay would have to change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from ...openapi.bundle import Bundle
from ...openapi.contract import Contract, Operation, read_contract
from ...openapi.dialect import upgrade
from ...openapi.overlay import apply_overlay
from ...openapi.pointer import MISSING, split
from ...openapi.provider import Provider
from ...openapi.requests import for_requests
from ...openapi.source import Source
from ...openapi.structure import METHODS
from ...openapi.validation import Validator

Tokens = tuple[str | int, ...]
_MAX_HOPS = 32


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in one of the documents."""

    file: str
    tokens: Tokens = ()

    def child(self, *tokens: str | int) -> Spot:
        """Return the place that `tokens` lead to from here."""
        return Spot(self.file, (*self.tokens, *tokens))


class Documents:
    """The documents of a provider with its overlays applied.

    Args:
        provider: whose they are.
        corrected: each document in its own dialect, overlays applied, by file name.

    Attributes:
        provider: whose they are.
        contract: the documents joined.
        corrected: each document in its own dialect, by file name.

    Raises:
        LoadError: a document is broken.
    """

    def __init__(self, provider: Provider, corrected: Mapping[str, Any]) -> None:
        behaviour = provider.behaviour
        whole = {name: Source(name, "", data) for name, data in corrected.items()}
        self.contract: Contract = read_contract(whole, [], behaviour.namings(), behaviour.title, trusted=True)
        self.corrected = corrected
        self.provider = provider
        self._upgraded = {name: upgrade(data) for name, data in corrected.items()}
        self._bundle = Bundle(self._upgraded)
        self._validators: dict[tuple[Spot, bool], Validator] = {}
        self._nodes: dict[Spot, Any] = {}
        self._targets: dict[Spot, Spot | None] = {}

    @classmethod
    def of(cls, provider: Provider, overlay: Source | None = None) -> Documents:
        """Return the documents of `provider`, with its overlays and one more applied.

        Raises:
            LoadError: a document or an overlay is broken, or an action of an overlay matches nothing.
        """
        _ = provider.contract  # which checks the documents
        sources, overlays = provider.sources()
        corrected: dict[str, Any] = {name: source.data for name, source in sources.items()}
        for each in [*overlays, *([] if overlay is None else [overlay])]:
            corrected = apply_overlay(corrected, each)
        return cls(provider, corrected)

    def with_overlay(self, overlay: Source) -> Documents:
        """Return the documents with `overlay` applied to them.

        Raises:
            LoadError: the overlay is broken, or an action of it matches nothing.
        """
        return Documents(self.provider, apply_overlay(self.corrected, overlay))

    def is_old(self, spot: Spot) -> bool:
        """Tell whether `spot` is in a document of OpenAPI 3.0."""
        return str(self.corrected[spot.file].get("openapi", "")).startswith("3.0")

    def raw(self, spot: Spot) -> Any:
        """Return what stands at `spot` in the document's own dialect, or `MISSING`."""
        return _at(self.corrected[spot.file], spot.tokens)

    def node(self, spot: Spot) -> Any:
        """Return what stands at `spot` in the words of 3.1, or `MISSING`."""
        found = self._nodes.get(spot, self)
        if found is self:
            found = self._nodes[spot] = _at(self._upgraded[spot.file], spot.tokens)
        return found

    def target(self, spot: Spot) -> Spot | None:
        """Return where the reference that stands at `spot` leads, None where none does."""
        if spot not in self._targets:
            self._targets[spot] = self._led(spot)
        return self._targets[spot]

    def _led(self, spot: Spot) -> Spot | None:
        node = self.node(spot)
        if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
            return None
        url, fragment = urldefrag(urljoin(f"file:///{spot.file}", node["$ref"]))
        file = url.removeprefix("file:///")
        if file not in self._upgraded or (fragment and not fragment.startswith("/")):
            return None
        return Spot(file, _tokens(self._upgraded[file], split(unquote(fragment))))

    def resolve(self, spot: Spot) -> Spot:
        """Return `spot`, or where its references lead in the end."""
        for _ in range(_MAX_HOPS):
            target = self.target(spot)
            if target is None:
                break
            spot = target
        return spot

    def follow(self, spot: Spot, path: Sequence[str | int]) -> Spot | None:
        """Return the place that `path` leads to from `spot`, None where it leads nowhere.

        References on the way are left out of it, or told as ``$ref``.
        """
        path = [step for step in path if step != "$ref"]
        return self._followed(spot, path, 0)

    def _followed(self, spot: Spot, path: Sequence[str | int], hops: int) -> Spot | None:
        if not path:
            return spot
        own = spot.child(path[0])
        found = self._followed(own, path[1:], 0) if self.node(own) is not MISSING else None
        target = self.target(spot)
        if found is None and target is not None and hops < _MAX_HOPS:
            return self._followed(target, path, hops + 1)
        return found

    def validator(self, spot: Spot, *, requests: bool = False) -> Validator:
        """Return the validator of the schema at `spot`, as requests are judged by it or as answers are."""
        key = spot, requests
        if key not in self._validators:
            schema = self._bundle.adopt(self.node(spot), "schema", spot.file)
            components = self._bundle.components
            if requests:
                schema = for_requests(schema)
                components = {"schemas": {n: for_requests(s) for n, s in components.get("schemas", {}).items()}}
            self._validators[key] = Validator(schema, components)
        return self._validators[key]

    def operations(self, operation: Operation) -> list[Spot]:
        """Return the places where `operation` is described, one for each document that does."""
        found = []
        for file in operation.documents:
            item = self.resolve(Spot(file, ("paths", operation.key.path)))
            found.append(item.child(operation.key.method.lower()))
        return found

    def responses(self, operation: Operation, key: str) -> list[Spot]:
        """Return the places of the response that is documented under `key`."""
        return self._there(each.child("responses", key) for each in self.operations(operation))

    def body(self, operation: Operation) -> list[Spot]:
        """Return the places of the request body."""
        return self._there(each.child("requestBody") for each in self.operations(operation))

    def parameter(self, operation: Operation, where: str, name: str) -> Spot | None:
        """Return the place of a parameter of `operation`, None where it has none of that name."""
        for spot in self.operations(operation):
            for holder in (spot, Spot(spot.file, spot.tokens[:-1])):
                listed = self.node(holder.child("parameters"))
                for number in range(len(listed) if isinstance(listed, list) else 0):
                    found = self.resolve(holder.child("parameters", number))
                    node = self.node(found)
                    if isinstance(node, dict) and (node.get("in"), node.get("name")) == (where, name):
                        return found
        return None

    def callbacks(self) -> list[Spot]:
        """Return the schemas of what the provider sends on its own: of callbacks and webhooks."""
        items: list[Spot] = []
        for operation in self.contract.operations.values():
            for spot in self.operations(operation):
                for each in self._children(spot.child("callbacks")):
                    items += self._children(self.resolve(each))
        for file in self._upgraded:
            items += self._children(Spot(file, ("webhooks",)))
        found: list[Spot] = []
        for item in items:
            for method in METHODS:
                content = self.resolve(self.resolve(item).child(method, "requestBody")).child("content")
                found += [each.child("schema") for each in self._children(content)]
        return [each for each in dict.fromkeys(found) if self.node(each) is not MISSING]

    def _children(self, spot: Spot) -> list[Spot]:
        node = self.node(self.resolve(spot))
        if not isinstance(node, dict):
            return []
        return [self.resolve(spot).child(key) for key in node if not str(key).startswith("x-") and key != "$ref"]

    def _there(self, spots: Iterator[Spot]) -> list[Spot]:
        found = (self.resolve(each) for each in spots if self.node(each) is not MISSING)
        return list(dict.fromkeys(found))


def _at(node: Any, tokens: Tokens) -> Any:
    for token in tokens:
        is_item = isinstance(node, list) and isinstance(token, int) and 0 <= token < len(node)
        if not is_item and not (isinstance(node, dict) and token in node):
            return MISSING
        node = node[token]
    return node


def _tokens(node: Any, names: Sequence[str]) -> Tokens:
    """Return the tokens of a pointer, those that stand for items of a list as numbers."""
    found: list[str | int] = []
    for name in names:
        token: str | int = int(name) if isinstance(node, list) and name.isdecimal() else name
        node = _at(node, (token,))
        found.append(token)
    return tuple(found)
