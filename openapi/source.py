"""Reading YAML and JSON files: safely, within bounds, and able to say on which line a value stands."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from .errors import LoadError
from .pointer import split

MAX_BYTES = 64 * 1024 * 1024
MAX_VALUES = 3_000_000
"""Bound on values once aliases are followed: a few lines of YAML can otherwise stand for billions."""


@dataclass(frozen=True, slots=True)
class Source:
    """A YAML or JSON file as read.

    Attributes:
        name: the file's name as shown in messages.
        text: the file's text, kept so that a line can be found when a message needs one.
        data: plain dicts (string keys), lists, strings, numbers, booleans and None.
    """

    name: str
    text: str
    data: Any

    def line_of(self, pointer: str) -> int:
        """Return the line, counted from 1, of the value at `pointer` or of its nearest ancestor."""
        node = yaml.compose(self.text, Loader=_Loader)
        line = 1
        for token in split(pointer):
            node, line = _child(node, str(token), line)
            if node is None:
                break
        return line

    def error(self, pointer: str, problem: str, expected: str = "") -> LoadError:
        """Return a `LoadError` for the value at `pointer`, with its line."""
        return LoadError(self.name, problem, pointer, self.line_of(pointer), expected)


class _Loader(yaml.CSafeLoader):
    """Leaves every scalar a string: YAML 1.1 would make booleans of `no` and dates of versions."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the name and type are PyYAML's


def read_source(path: Path, name: str | None = None) -> Source:
    """Read the file at `path`.

    Raises:
        LoadError: it can't be read, is too large, or is neither YAML nor JSON.
    """
    shown = name or str(path)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise LoadError(shown, f"is {size:,} bytes", expected=f"at most {MAX_BYTES:,}")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise LoadError(shown, f"is not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise LoadError(shown, error.strerror or str(error)) from None
    return parse_source(text, shown)


def parse_source(text: str, name: str) -> Source:
    """Parse `text` as JSON where it is JSON, else as YAML 1.2.

    Raises:
        LoadError: neither; the message carries line and column.
    """
    if text.lstrip()[:1] in {"{", "["}:
        try:
            return Source(name, text, orjson.loads(text))
        except orjson.JSONDecodeError:
            pass  # YAML's parser knows the line, and a flow mapping may begin like JSON
    try:
        node = yaml.compose(text, Loader=_Loader)
        return Source(name, text, None if node is None else _Builder(name).build(node))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        column = f" (column {mark.column + 1})" if mark else ""
        raise LoadError(name, f"broken YAML: {error.problem or error.context}{column}", line=line) from None
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, LoadError):
            raise
        raise LoadError(name, f"broken YAML: {error}") from None
    except RecursionError:
        raise LoadError(name, "is nested too deeply to read") from None


_NUMBER = re.compile(r"[-+]?(?:0|[1-9]\d*)")
_FLOAT = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?")
_WORDS: dict[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


def _plain(text: str) -> Any:
    """Return the value of an unquoted scalar by YAML 1.2's core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "0123456789+-.":
        if _NUMBER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


_TAGGED: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": _plain,
    "null": _plain,
}


class _Builder:
    """Turns YAML nodes into plain values; each anchor is built once, and its size counted at each use."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.built: dict[int, tuple[Any, int]] = {}
        self.open: set[int] = set()

    def build(self, node: yaml.Node) -> Any:
        return self._build(node)[0]

    def _build(self, node: yaml.Node) -> tuple[Any, int]:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node), 1
        known = self.built.get(id(node))
        if known is not None:
            return known
        if id(node) in self.open:
            raise self._error(node, "an alias contains itself")
        self.open.add(id(node))
        made = self._mapping(node) if isinstance(node, yaml.MappingNode) else self._sequence(node)
        self.open.discard(id(node))
        if made[1] > MAX_VALUES:
            raise self._error(node, f"aliases expand to more than {MAX_VALUES:,} values")
        self.built[id(node)] = made
        return made

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        if node.tag == "tag:yaml.org,2002:str":
            return node.value if node.style else _plain(node.value)
        kind = _TAGGED.get(node.tag.removeprefix("tag:yaml.org,2002:"))
        if kind is None:
            raise self._error(node, f"the tag {node.tag!r} is not allowed")
        return kind(node.value)

    def _sequence(self, node: Any) -> tuple[list[Any], int]:
        items = [self._build(child) for child in node.value]
        return [value for value, _ in items], 1 + sum(size for _, size in items)

    def _mapping(self, node: Any) -> tuple[dict[str, Any], int]:
        made: dict[str, Any] = {}
        total = 1
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error(key_node, "a key is not a string")
            if key_node.value in made:
                raise self._error(key_node, f"the key {key_node.value!r} is given twice")
            made[key_node.value], size = self._build(value_node)
            total += size
        return made, total

    def _error(self, node: yaml.Node, problem: str) -> LoadError:
        return LoadError(self.name, problem, line=node.start_mark.line + 1)


def _child(node: yaml.Node | None, token: str, line: int) -> tuple[yaml.Node | None, int]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == token:
                return value, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode) and token.isdigit() and int(token) < len(node.value):
        child = node.value[int(token)]
        return child, child.start_mark.line + 1
    return None, line
