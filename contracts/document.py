"""One side of a comparison: documents read, brought to 3.1, their references made absolute.

Nothing is bundled: every object stays where its file has it, so that a finding can say in which file and line.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from ..openapi.dialect import to_2020_12, upgrade
from ..openapi.errors import LoadError, shorten
from ..openapi.pointer import MISSING, join, resolve
from ..openapi.source import Source
from ..openapi.structure import METHODS, Kind, rewrite, walk
from .flat import Flattener, SchemaError
from .shape import check_shape

ReadOther = Callable[[str, str], Source]
"""Reads the file that a reference names: its name, and that of the file it stands in."""


@dataclass(frozen=True)
class Place:
    """Where something stands: a file and a JSON Pointer in it. The line is looked up when someone asks for it."""

    file: str
    pointer: str
    find: Callable[[str], int | None] = field(default=lambda _: None, compare=False, repr=False)

    @cached_property
    def line(self) -> int | None:
        """The line, counted from 1, None where it can't be told."""
        return self.find(self.pointer)

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Described:
    """One operation as one document describes it.

    Attributes:
        file: the document.
        method: in capitals.
        path: the path template, or the webhook's name, or the callback's expression.
        item: the Path Item Object.
        operation: the Operation Object.
    """

    file: str
    method: str
    path: str
    item: Mapping[str, Any]
    operation: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Return the operation as a person calls it."""
        return f"{self.method} {self.path}"


@dataclass(eq=False)
class Side:
    """The documents of one side.

    Attributes:
        name: what the user called it.
        sources: the files as read, by the name that references use.
        documents: the same as OpenAPI 3.1, with references as ``file#/pointer``.
        partial: whether these are pages, which tell of some operations only.
    """

    name: str
    sources: dict[str, Source]
    documents: dict[str, Any] = field(default_factory=dict)
    partial: bool = False

    def __post_init__(self) -> None:
        self.flatten = Flattener(self.resolve)
        self._resolved: dict[str, Any] = {}

    @property
    def main(self) -> list[str]:
        """The documents that describe something, not files that are only referred to."""
        return [file for file, data in self.documents.items() if isinstance(data, dict) and "openapi" in data]

    def resolve(self, reference: str) -> Any:
        """Return what the absolute `reference` leads to.

        Raises:
            SchemaError: it leads nowhere.
        """
        known = self._resolved.get(reference)
        if known is not None:
            return known
        file, fragment = urldefrag(reference)
        found = resolve(self.documents.get(file), unquote(fragment)) if _is_pointer(fragment) else MISSING
        if found is MISSING:
            raise SchemaError(f"the reference {reference!r} leads nowhere")
        self._resolved[reference] = found
        return found

    def follow(self, node: Any) -> Mapping[str, Any]:
        """Return `node`, or what its `$ref` leads to; an empty object where that is none."""
        for _ in range(64):
            if not isinstance(node, dict) or "$ref" not in node:
                return node if isinstance(node, dict) else {}
            node = self.resolve(node["$ref"])
        raise SchemaError("a chain of references never ends")

    def operations(self) -> Iterator[Described]:
        """Yield the operations of every document."""
        for file in self.main:
            for path, item in mapping(self.documents[file].get("paths")).items():
                if not path.startswith("x-"):
                    yield from self.of_item(file, path, item)

    def webhooks(self) -> Iterator[Described]:
        """Yield the operations of every webhook."""
        for file in self.main:
            for name, item in mapping(self.documents[file].get("webhooks")).items():
                yield from self.of_item(file, name, item)

    def of_item(self, file: str, path: str, node: Any) -> Iterator[Described]:
        """Yield the operations of one Path Item Object."""
        item = self.follow(node)
        for method in METHODS:
            if isinstance(item.get(method), dict):
                yield Described(file, method.upper(), path, item, item[method])

    def top(self, word: str) -> Any:
        """Return the first document's field `word`, of those that have it."""
        return next((self.documents[file][word] for file in self.main if word in self.documents[file]), None)

    @cached_property
    def _placed(self) -> dict[int, tuple[str, tuple[str | int, ...]]]:
        """Where every object of a known kind stands, by its identity."""
        found: dict[int, tuple[str, tuple[str | int, ...]]] = {}
        for file, data in self.documents.items():
            nodes = (
                ((tokens, node) for tokens, _, node in walk(data, "document")) if file in self.main else _objects(data)
            )
            for tokens, node in nodes:
                found.setdefault(id(node), (file, tokens))
        return found

    @cached_property
    def _lines(self) -> dict[str, Callable[[str], int | None]]:
        return {}

    def place(self, node: Any, keyword: str = "") -> Place | None:
        """Return where `node`, an object of this side, stands; `keyword` narrows it to a field that it has."""
        found = self._placed.get(id(node))
        if found is None:
            return None
        file, tokens = found
        if keyword and isinstance(node, dict) and keyword in node:
            tokens = (*tokens, keyword)
        return self.at(file, join(*tokens))

    def at(self, file: str, pointer: str) -> Place:
        """Return the place at `pointer` in `file`."""
        return Place(self.sources[file].name, pointer, lambda asked: self._line(file, asked))

    def _line(self, file: str, pointer: str) -> int | None:
        if file not in self._lines:
            self._lines[file] = self.sources[file].lines()
        return self._lines[file](pointer)


def mapping(value: Any) -> Mapping[str, Any]:
    """Return `value` where it is an object, an empty one otherwise."""
    return value if isinstance(value, dict) else {}


def _is_pointer(fragment: str) -> bool:
    return fragment == "" or fragment.startswith("/")


def build_side(
    name: str, sources: Mapping[str, Source], data: Mapping[str, Any], read_other: ReadOther, *, partial: bool = False
) -> Side:
    """Return the side that `data`, the contents of `sources` after corrections, describes.

    Raises:
        LoadError: a document is no OpenAPI 3.0 or 3.1, has an odd shape, or a reference leads nowhere.
    """
    side = Side(name, dict(sources), partial=partial)
    for file, contents in data.items():
        check_version(side.sources[file], contents)
    waiting = dict(data)
    references: list[tuple[str, str, str]] = []
    while waiting:
        file, contents = waiting.popitem()
        side.documents[file] = _absolute(file, contents, side.sources[file], references)
        for _, reference, holder in references:
            other = urldefrag(reference).url
            if other not in side.documents and other not in waiting:
                side.sources[other] = read_other(other, holder)
                waiting[other] = side.sources[other].data
    side.documents = {file: side.documents[file] for file in (*data, *(set(side.documents) - set(data)))}
    _check_references(side, references)
    return side


def _absolute(file: str, contents: Any, source: Source, references: list[tuple[str, str, str]]) -> Any:
    if not isinstance(contents, dict) or "openapi" not in contents:
        return _part(file, contents, references)
    upgraded = upgrade(contents)
    check_shape(upgraded, source)

    def change(kind: Kind, node: dict[str, Any]) -> Any:
        reference = node.get("$ref")
        if isinstance(reference, str) and kind != "example":
            node["$ref"] = absolute = _joined(file, reference)
            references.append((reference, absolute, file))
        return node

    return rewrite(upgraded, "document", change)


def _part(file: str, node: Any, references: list[tuple[str, str, str]]) -> Any:
    """Return what stands in a file that is no document: nobody says which of its objects are schemas."""
    if isinstance(node, list):
        return [_part(file, each, references) for each in node]
    if not isinstance(node, dict):
        return node
    made = {key: _part(file, each, references) for key, each in node.items()}
    reference = made.get("$ref")
    if isinstance(reference, str):
        made["$ref"] = absolute = _joined(file, reference)
        references.append((reference, absolute, file))
    old = "nullable" in made or isinstance(made.get("exclusiveMinimum", made.get("exclusiveMaximum")), bool)
    return to_2020_12(made) if old else made


def _objects(node: Any, tokens: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield (pointer tokens, object) for every object in `node`."""
    if isinstance(node, dict):
        yield tokens, node
        for key, each in node.items():
            yield from _objects(each, (*tokens, key))
    elif isinstance(node, list):
        for number, each in enumerate(node):
            yield from _objects(each, (*tokens, number))


def _joined(file: str, reference: str) -> str:
    url, fragment = urldefrag(reference)
    if not url:
        return f"{file}#{fragment}"
    if "://" in file or "://" in url:
        return f"{urljoin(file, url)}#{fragment}"
    return f"{posixpath.normpath(posixpath.join(posixpath.dirname(file), unquote(url)))}#{fragment}"


def check_version(source: Source, data: Any) -> None:
    """Check that `data` is an OpenAPI document of a version that can be read.

    Raises:
        LoadError: it is not.
    """
    if not isinstance(data, dict):
        raise LoadError(source.name, "is no OpenAPI document: it holds no object")
    if "swagger" in data:
        raise source.error("/swagger", f"is Swagger {data['swagger']}", "OpenAPI 3.0 or 3.1")
    version = data.get("openapi")
    if version is None:
        raise LoadError(source.name, "is no OpenAPI document: it has no `openapi`", expected="OpenAPI 3.0 or 3.1")
    if not str(version).startswith(("3.0", "3.1")):
        raise source.error("/openapi", f"is {version!r}", "OpenAPI 3.0 or 3.1")


def _check_references(side: Side, references: list[tuple[str, str, str]]) -> None:
    for reference, absolute, file in references:
        node: Any = {"$ref": absolute}
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            if node["$ref"] in seen:
                raise _reference_error(side, file, reference, "leads back to itself")
            seen.add(node["$ref"])
            try:
                node = side.resolve(node["$ref"])
            except SchemaError:
                raise _reference_error(side, file, reference, "leads nowhere") from None


def _reference_error(side: Side, file: str, reference: str, problem: str) -> LoadError:
    source = side.sources[file]
    for tokens, node in _objects(source.data):
        if node.get("$ref") == reference:
            return source.error(join(*tokens, "$ref"), f"the reference {shorten(reference)} {problem}")
    return LoadError(source.name, f"the reference {shorten(reference)} {problem}")
