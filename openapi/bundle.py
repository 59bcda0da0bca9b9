"""Joining documents into one: every reference, to whichever file, becomes a component of the whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from .errors import LoadError
from .pointer import join
from .structure import SECTIONS, Kind, rewrite, walk

_BASE = "file:///"
"""Where the documents of a folder are taken to lie, so that relative references join as URIs do."""


class Bundle:
    """Collects components while objects of several documents are adopted into one.

    Circular references are fine: a component has its name before it is adopted itself.
    """

    def __init__(self, documents: Mapping[str, Any]) -> None:
        resources = [(_BASE + name, DRAFT202012.create_resource(data)) for name, data in documents.items()]
        self._documents = documents
        self._registry: Registry[Any] = Registry().with_resources(resources)
        self._names: dict[tuple[str, str], str] = {}
        self.components: dict[str, dict[str, Any]] = {}
        """The components by section; None stands for one that is being adopted."""

    def adopt(self, node: Any, kind: Kind, document: str) -> Any:
        """Return `node`, which stands in `document`, with its references pointing into `components`.

        Raises:
            LoadError: a reference leads nowhere, or out of the folder.
        """
        return self._adopt(node, kind, _BASE + document)

    def add(self, section: str, name: str, value: Any) -> str:
        """Put `value` among the components under `name`, or a numbered one if that is taken; return its reference."""
        return f"#/components/{section}/{put(self.components.setdefault(section, {}), name, value)}"

    def _adopt(self, node: Any, kind: Kind, base: str) -> Any:
        def change(kind: Kind, node: dict[str, Any]) -> Any:
            if isinstance(node.get("$ref"), str):
                node["$ref"] = self._reference(node["$ref"], kind, base)
            discriminator = node.get("discriminator") if kind == "schema" else None
            mapping = discriminator.get("mapping") if isinstance(discriminator, dict) else None
            if isinstance(mapping, dict):
                pointed = {key: self._reference(_as_reference(value), kind, base) for key, value in mapping.items()}
                node["discriminator"] = {**node["discriminator"], "mapping": pointed}
            return node

        return rewrite(node, kind, change)

    def _reference(self, reference: str, kind: Kind, base: str) -> str:
        try:
            target = urljoin(base, reference)
        except ValueError as error:
            raise self._error(reference, base, f"{reference!r} is no reference: {error}") from None
        section = SECTIONS.get(kind, "schemas")
        known = self._names.get((section, target))
        if known is not None:
            return f"#/components/{section}/{known}"
        contents = self._lookup(reference, base)
        stem = _component_name(target)
        held = self.components.setdefault(section, {})
        name, number = stem, 2
        while name in held:
            name, number = f"{stem}-{number}", number + 1
        self._names[section, target] = name
        held[name] = None
        held[name] = self._adopt(contents, kind, urldefrag(target).url)
        if self._leads_to_itself(section, name):
            raise self._error(reference, base, f"the reference {reference!r} leads back to itself")
        if name != stem and held[name] == held.get(stem):  # two documents define the same thing
            del held[name]
            self._names[section, target] = name = stem
        return f"#/components/{section}/{name}"

    def _lookup(self, reference: str, base: str) -> Any:
        try:
            return self._registry.resolver(base).lookup(reference).contents
        except Unresolvable:
            expected = f"one of {', '.join(self._documents)}, and a place in it"
            raise self._error(reference, base, f"the reference {reference!r} leads nowhere", expected) from None

    def _leads_to_itself(self, section: str, name: str) -> bool:
        node = self.components[section][name]
        while isinstance(node, dict) and "$ref" in node:
            target = node["$ref"].rpartition("/")[2]
            if target == name:
                return True
            node = self.components[section][target]
        return False

    def _error(self, reference: str, base: str, problem: str, expected: str = "") -> LoadError:
        file = base.removeprefix(_BASE)
        return LoadError(file, problem, _place_of(self._documents.get(file), reference), expected=expected)


def put(taken: dict[str, Any], name: str, value: Any) -> str:
    """Put `value` into `taken` under `name`, or a numbered one where another value has it; return the name."""
    free, number = name, 2
    while free in taken and taken[free] != value:
        free, number = f"{name}-{number}", number + 1
    taken[free] = value
    return free


def _as_reference(value: str) -> str:
    """Return the reference a discriminator's mapping means: it may name a schema instead."""
    return value if "/" in value or "." in value or "#" in value else f"#/components/schemas/{value}"


def _component_name(target: str) -> str:
    url, fragment = urldefrag(target)
    last = unquote(fragment).rsplit("/", 1)[-1].replace("~1", "-").replace("~0", "-")
    name = last or PurePosixPath(url).stem
    return component_name(name)


def component_name(text: str) -> str:
    """Return `text` with what OpenAPI does not allow in the name of a component replaced."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text) or "-"


def _place_of(document: Any, reference: str) -> str:
    for tokens, _, node in walk(document, "document"):
        if node.get("$ref") == reference:
            return join(*tokens, "$ref")
    return ""
