"""The stored documents of the built-in providers, in every combination of their options, and the examples in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from understudy.openapi.bundle import Bundle
from understudy.openapi.dialect import upgrade
from understudy.openapi.overlay import apply_overlay
from understudy.openapi.pointer import join, resolve
from understudy.openapi.provider import Provider, built_in_names, load_provider
from understudy.openapi.source import Source
from understudy.openapi.structure import Kind, walk

Choice = tuple[str, ...]
"""A provider's name, and ``option=value`` for each of its options."""


@lru_cache(maxsize=512)
def chosen(choice: Choice) -> Provider:
    """The provider of a choice."""
    name, *options = choice
    return load_provider(name, dict(option.split("=", 1) for option in options))


def combinations(name: str) -> list[Choice]:
    """Every combination of the values of those options that change a provider's document; the rest do nothing to it."""
    options = load_provider(name)._source.data.get("options", {})
    changing = {
        key: each["values"] for key, each in options.items() if any("overlay" in v for v in each["values"].values())
    }
    return [
        (name, *chosen)
        for chosen in product(*([f"{key}={value}" for value in values] for key, values in changing.items()))
    ]


def distinct() -> list[Choice]:
    """A choice for each document that some combination of options makes."""
    return [choice for name in built_in_names() for choice in combinations(name)]


def overlays(choice: Choice) -> list[Source]:
    """The overlays of a choice: the corrections, then those of its options."""
    provider = chosen(choice)
    return [_overlay(provider.name, name) for name in provider._overlays]


@lru_cache(maxsize=64)
def _overlay(name: str, overlay: str) -> Source:
    return load_provider(name)._read_overlay(overlay)


@lru_cache(maxsize=16)
def documented(name: str) -> dict[str, Any]:
    """The documents of a provider as they are stored, by file name."""
    return {file: source.data for file, source in load_provider(name).sources()[0].items()}


def corrected(choice: Choice) -> dict[str, Any]:
    """The documents of a provider with the overlays of a choice applied."""
    documents = documented(choice[0])
    for overlay in overlays(choice):
        documents = apply_overlay(documents, overlay)
    return documents


@lru_cache(maxsize=64)
def effective(choice: Choice) -> dict[str, Any]:
    """The document that a server with the options of a choice shows."""
    provider = chosen(choice)
    return provider.contract.document(f"http://127.0.0.1:4020/{provider.name}", provider.behaviour.links())


@dataclass(frozen=True)
class Example:
    """An example or a default: the file and the place where it stands, its schema, and the components around it."""

    file: str
    pointer: str
    value: Any
    schema: Any
    components: dict[str, Any]


def examples(documents: dict[str, Any]) -> Iterator[Example]:
    """Every example and default in `documents`, with its schema in the words of 2020-12."""
    bundle = Bundle({file: upgrade(document) for file, document in documents.items()})
    adopted = {file: bundle.adopt(upgrade(document), "document", file) for file, document in documents.items()}
    for file, document in adopted.items():
        for tokens, kind, node in walk(document, "document"):
            for more, schema, value in _stated(kind, node, bundle.components):
                yield Example(file, join(*tokens, *more), value, schema, bundle.components)


def _stated(kind: Kind, node: Any, components: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Any, Any]]:
    if kind == "schema":
        for number, value in enumerate(node.get("examples", ())):
            yield ("examples", number), node, value
        if "default" in node:
            yield ("default",), node, node["default"]
    elif kind in {"media type", "parameter", "header"} and "schema" in node:
        if "example" in node:
            yield ("example",), node["schema"], node["example"]
        for name, each in node.get("examples", {}).items():
            found = resolve({"components": components}, each["$ref"].removeprefix("#")) if "$ref" in each else each
            yield ("examples", name), node["schema"], found["value"]
