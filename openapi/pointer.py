"""JSON Pointers (RFC 6901) that can also step through JSON inside a string.

``/data/resultJson#/resultUrls`` reads the string at ``/data/resultJson``, parses it, and goes on inside.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import orjson

MISSING: Any = type("Missing", (), {"__repr__": lambda _: "MISSING", "__bool__": lambda _: False})()
"""What `resolve` returns where a pointer leads nowhere; distinct from a null that stands there."""

_INSIDE_STRING: Any = object()
_INDEX = re.compile(r"0|[1-9][0-9]{0,17}")


def escape(token: str) -> str:
    """Return `token` as it is written inside a pointer.

    A final ``#`` would read as a step through a string, so it is written ``~2``, which RFC 6901 leaves free.
    """
    escaped = token.replace("~", "~0").replace("/", "~1")
    return f"{escaped[:-1]}~2" if escaped.endswith("#") else escaped


def join(*tokens: str | int) -> str:
    """Return the pointer made of `tokens`, which are escaped here."""
    return "".join("/" + escape(str(token)) for token in tokens)


@lru_cache(maxsize=4096)
def split(pointer: str) -> tuple[Any, ...]:
    """Return the tokens of `pointer`; a step through a string is a marker of its own.

    Raises:
        ValueError: `pointer` is neither empty nor begins with a slash.
    """
    if pointer == "":
        return ()
    tokens: list[Any] = []
    for number, part in enumerate(pointer.split("#/")):
        if number == 0 and not part.startswith("/"):
            raise ValueError(f"{pointer!r} is no JSON Pointer: it should begin with '/'")
        if number:
            tokens.append(_INSIDE_STRING)
            part = "/" + part  # noqa: PLW2901 - the slash that the split took away
        tokens += [_unescape(token) for token in part[1:].split("/")]
    return tuple(tokens)


def _unescape(token: str) -> str:
    return token.replace("~2", "#").replace("~1", "/").replace("~0", "~")


def resolve(value: Any, pointer: str) -> Any:
    """Return what stands at `pointer` in `value`, or `MISSING`; never raises on odd data."""
    for token in split(pointer):
        if token is _INSIDE_STRING:
            value = _parsed(value)
        elif isinstance(value, dict):
            value = value.get(token, MISSING)
        elif isinstance(value, list) and _INDEX.fullmatch(token) and int(token) < len(value):
            value = value[int(token)]
        else:
            return MISSING
    return value


def _parsed(value: Any) -> Any:
    if not isinstance(value, str) or not value:
        return MISSING
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return MISSING
