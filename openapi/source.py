"""Reading YAML and JSON files: safely, within bounds, and able to say on which line a value stands."""

from __future__ import annotations

import marshal
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from .errors import LoadError, shorten
from .pointer import split

MAX_BYTES = 64 * 1024 * 1024
MAX_VALUES = 3_000_000
"""Bound on values once aliases are followed: a few lines of YAML can otherwise stand for billions."""
MAX_DEPTH = 200
"""Bound on nesting: what walks over the data does so by recursion."""


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

    def line_of(self, pointer: str) -> int | None:
        """Return the line, counted from 1, of the value at `pointer` or of its nearest ancestor.

        None where the text is JSON of the kind that YAML can't read: a key of thousands of characters, say.
        """
        return self.lines()(pointer)

    def lines(self) -> Callable[[str], int | None]:
        """Return what `line_of` does as a function that reads the text once, for whoever asks of many places."""
        try:
            root = yaml.compose(_SURROGATES.sub("?", self.text), Loader=_Loader)
        except yaml.YAMLError:
            return lambda _: None

        def line_of(pointer: str) -> int:
            node, line = root, 1
            for token in split(pointer):
                node, line = _child(node, str(token), line)
                if node is None:
                    break
            return line

        return line_of

    def error(self, pointer: str, problem: str, expected: str = "") -> LoadError:
        """Return a `LoadError` for the value at `pointer`, with its line."""
        return LoadError(self.name, problem, pointer, self.line_of(pointer), expected)


_UNTAGGED = "untagged"


class _Loader(yaml.CSafeLoader):
    """Leaves scalars without a tag as they are: YAML 1.1 would make booleans of `no` and dates of versions."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> Any:
        return _UNTAGGED if kind is yaml.ScalarNode else super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]


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
    source = Source(name, text, _parsed(text, name))
    if _is_deep(source.data):
        raise LoadError(name, f"is nested deeper than {MAX_DEPTH} levels")
    return source


def _parsed(text: str, name: str) -> Any:
    if text.lstrip()[:1] in {"{", "["}:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            if name.endswith(".json"):  # elsewhere YAML has its say: a flow mapping may begin like JSON
                problem = f"broken JSON: {error.msg} (column {error.colno})"
                raise LoadError(name, problem, line=error.lineno) from None
    known = _remembered.get(text)
    if known is not None:
        return marshal.loads(known)  # noqa: S302 - it was written by this process
    data = _from_yaml(text, name)
    if len(text) <= _MOST_CHARACTERS:
        while len(_remembered) >= _MOST_REMEMBERED:
            _remembered.pop(next(iter(_remembered)), None)
        _remembered[text] = marshal.dumps(data)
    return data


_MOST_REMEMBERED = 32
_MOST_CHARACTERS = 500_000
_remembered: dict[str, bytes] = {}
"""What texts of YAML hold, as bytes, of which everybody who reads one again gets values of their own."""


def _from_yaml(text: str, name: str) -> Any:
    try:
        _check_nesting(text, name)
        node = yaml.compose(text, Loader=_Loader)
        return None if node is None else _Builder(name).build(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        column = f" (column {mark.column + 1})" if mark else ""
        raise LoadError(name, f"broken YAML: {error.problem or error.context}{column}", line=line) from None
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, LoadError):
            raise
        raise LoadError(name, f"broken YAML: {str(error).splitlines()[0]}") from None


def _is_deep(data: Any) -> bool:
    level = [data]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
    return bool(level)


def _check_nesting(text: str, name: str) -> None:
    """Refuse deep nesting before libyaml composes it: it does so by recursion in C, and the process dies of it."""
    if text.count("[") + text.count("{") < _MANY_BRACKETS and not _DEEP_LINE.search(text):
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            problem = f"is nested deeper than {MAX_DEPTH} levels"
            raise LoadError(name, problem, line=_line(event))


def _line(part: yaml.Event | yaml.Node) -> int | None:
    return part.start_mark.line + 1 if part.start_mark else None


_MANY_BRACKETS = 1000
_DEEP_LINE = re.compile(r"^ {99}|(?:[-?][ \t]+){99}", re.MULTILINE)
_SURROGATES = re.compile(r"(?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})")
"""A character beyond U+FFFF as JSON escapes it, which YAML takes for a mistake."""

_DECIMAL = re.compile(r"[-+]?[0-9]+")
_PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


def _plain(text: str) -> Any:
    """Return the value of an unquoted scalar by YAML 1.2's core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "0123456789+-.":
        if _DECIMAL.fullmatch(text):
            return int(text)
        if _PREFIXED.fullmatch(text):
            return int(text, 0)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


_TAG = "tag:yaml.org,2002:"
_KEYS = {_UNTAGGED, f"{_TAG}str"}
_COLLECTIONS = {f"{_TAG}map", f"{_TAG}seq"}
_TAGGED: dict[str, Callable[[str], Any]] = {
    f"{_TAG}str": str,
    f"{_TAG}int": int,
    f"{_TAG}float": float,
    f"{_TAG}bool": _plain,
    f"{_TAG}null": _plain,
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
        if node.tag not in _COLLECTIONS:
            raise self._error(node, f"the tag {node.tag!r} is not allowed")
        if len(self.open) >= MAX_DEPTH:
            raise self._error(node, f"is nested deeper than {MAX_DEPTH} levels")
        self.open.add(id(node))
        made = self._mapping(node) if isinstance(node, yaml.MappingNode) else self._sequence(node)
        self.open.discard(id(node))
        if made[1] > MAX_VALUES:
            raise self._error(node, f"aliases expand to more than {MAX_VALUES:,} values")
        self.built[id(node)] = made
        return made

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        untagged = str if node.style else _plain
        convert = untagged if node.tag == _UNTAGGED else _TAGGED.get(node.tag)
        if convert is None:
            raise self._error(node, f"the tag {node.tag!r} is not allowed")
        try:
            return convert(node.value)
        except ValueError as error:
            raise self._error(node, f"{shorten(node.value)} can't be read: {error}") from None

    def _sequence(self, node: Any) -> tuple[list[Any], int]:
        items = [self._build(child) for child in node.value]
        return [value for value, _ in items], 1 + sum(size for _, size in items)

    def _mapping(self, node: Any) -> tuple[dict[str, Any], int]:
        made: dict[str, Any] = {}
        total = 1
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag not in _KEYS:
                raise self._error(key_node, "a key is not a string")
            if key_node.value == "<<" and not key_node.style:
                raise self._error(key_node, "the merge key '<<' is not of YAML 1.2")
            if key_node.value in made:
                raise self._error(key_node, f"the key {key_node.value!r} is given twice")
            made[key_node.value], size = self._build(value_node)
            total += size
        return made, total

    def _error(self, node: yaml.Node, problem: str) -> LoadError:
        return LoadError(self.name, problem, line=_line(node))


def _child(node: yaml.Node | None, token: str, line: int) -> tuple[yaml.Node | None, int]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == token:
                return value, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode) and token.isdecimal() and int(token) < len(node.value):
        child = node.value[int(token)]
        return child, child.start_mark.line + 1
    return None, line
