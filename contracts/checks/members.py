"""Which members of an answer its schema speaks of, and which of its texts are JSON: a walk over data and schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...openapi.pointer import join
from ...openapi.validation import Validator

_DEEPEST = 100
_CHOICES = ("anyOf", "oneOf")
Token = str | int


@dataclass(slots=True)
class Walked:
    """What a walk met.

    Attributes:
        undocumented: pointers of members that no branch of the schema names, where others are named and none allowed.
        texts: pointer and value of each text that is JSON by its schema (`contentMediaType`).
    """

    undocumented: list[str] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)


class Members:
    """What a schema says of the members at one place, whichever of its branches says it.

    Of the branches of an `anyOf` or `oneOf` those speak that the data fits; where it fits none, all of them.

    Args:
        schemas: all that is asked at this place.
        components: where references lead to.
    """

    def __init__(self, schemas: list[Any], components: Mapping[str, Any]) -> None:
        self._components = components
        self._nodes: list[dict[str, Any]] = []
        self._choices: list[list[tuple[Any, Callable[[Any], bool]]]] = []
        for schema in schemas:
            self._take(schema, 0)
        self._chosen: dict[tuple[tuple[int, ...], ...], Members] = {}
        self._inside: dict[Token, Members] = {}
        self._read()

    def walk(self, value: Any) -> Walked:
        """Return what is met in `value`."""
        walked = Walked()
        self._walk(value, (), walked)
        return walked

    def _take(self, schema: Any, depth: int) -> None:
        """Take in `schema` with what it refers to and what it is made of; choices are left for later."""
        if not isinstance(schema, dict) or depth > _DEEPEST or any(schema is each for each in self._nodes):
            return
        self._nodes.append(schema)
        if "$ref" in schema:
            name = str(schema["$ref"]).rpartition("/")[2]
            self._take(self._components.get("schemas", {}).get(name), depth + 1)
        for branch in (*schema.get("allOf", ()), *(schema.get(word) for word in ("if", "then", "else"))):
            self._take(branch, depth + 1)
        for word in _CHOICES:
            if word in schema:
                branches: list[tuple[Any, Callable[[Any], bool]]] = [
                    (each, Validator(each, self._components).is_valid) for each in schema[word]
                ]
                self._choices.append(branches)

    def _read(self) -> None:
        nodes = self._nodes
        self._named: dict[str, list[Any]] = {}
        for node in nodes:
            for name, schema in node.get("properties", {}).items():
                self._named.setdefault(name, []).append(schema)
        self._patterns = [each for node in nodes for each in node.get("patternProperties", {}).items()]
        words = [
            node[word] for node in nodes for word in ("additionalProperties", "unevaluatedProperties") if word in node
        ]
        self._others = [each for each in words if isinstance(each, dict) and each]
        # What is closed is refused by the schema itself; what names nothing leaves everything open.
        self._judged = bool(self._named or self._patterns) and not words
        self._is_json = any(str(node.get("contentMediaType", "")).partition(";")[0] in _JSON for node in nodes)

    def _walk(self, value: Any, tokens: tuple[Token, ...], walked: Walked) -> None:
        if self._choices and isinstance(value, dict | list | str):
            self._by_choice(value)._walk(value, tokens, walked)
        elif isinstance(value, dict):
            if len(tokens) < _DEEPEST:
                self._walk_object(value, tokens, walked)
        elif isinstance(value, list):
            if len(tokens) < _DEEPEST:
                for number, item in enumerate(value):
                    self._item(number)._walk(item, (*tokens, number), walked)
        elif self._is_json and isinstance(value, str):
            walked.texts.append((join(*tokens), value))

    def _walk_object(self, value: dict[str, Any], tokens: tuple[Token, ...], walked: Walked) -> None:
        for name, member in value.items():
            inside = self._inside.get(name)
            if inside is None:
                found = list(self._schemas_of(name))
                if not found:
                    if self._judged:
                        walked.undocumented.append(join(*tokens, name))
                    continue
                inside = Members(found, self._components)
                if name in self._named:  # others are made up by whoever sends them, without end
                    self._inside[name] = inside
            inside._walk(member, (*tokens, name), walked)

    def _schemas_of(self, name: str) -> Iterator[Any]:
        yield from self._named.get(name, ())
        yield from (schema for pattern, schema in self._patterns if _matches(pattern, name))
        if name not in self._named:
            yield from self._others

    def _item(self, number: int) -> Members:
        longest = max((len(node.get("prefixItems", ())) for node in self._nodes), default=0)
        key = min(number, longest)
        if key not in self._inside:
            found = []
            for node in self._nodes:
                first = node.get("prefixItems", ())
                found.append(first[key] if key < len(first) else node.get("items", True))
            self._inside[key] = Members(found, self._components)
        return self._inside[key]

    def _by_choice(self, value: Any) -> Members:
        """Return what speaks of `value` once it is clear which branches do."""
        fitting = [[number for number, (_, fits) in enumerate(each) if fits(value)] for each in self._choices]
        key = tuple(
            tuple(numbers) or tuple(range(len(branches)))
            for numbers, branches in zip(fitting, self._choices, strict=True)
        )
        if key not in self._chosen:
            chosen = [
                branches[number][0] for numbers, branches in zip(key, self._choices, strict=True) for number in numbers
            ]
            bare = [{word: each for word, each in node.items() if word not in _STRUCTURE} for node in self._nodes]
            self._chosen[key] = Members([*bare, *chosen], self._components)
        return self._chosen[key]


_STRUCTURE = frozenset({*_CHOICES, "$ref", "allOf", "if", "then", "else"})
_JSON = frozenset({"application/json"})


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:  # a pattern of another dialect: what it means is not known, so the name may be meant
        return True
