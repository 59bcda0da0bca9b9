"""The shapes that the reader relies on, told by JSON Schemas beside this file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from .source import Source, read_source

BEHAVIOUR = "behaviour.schema.yaml"
DOCUMENT = "document.schema.yaml"


def check_shape(source: Source, data: Any, schema: str, within: str = "") -> None:
    """Check that `data`, which `source` holds at the pointer `within`, has the shape that the file `schema` tells.

    Raises:
        LoadError: the first thing that is wrong, with its line and what was expected.
    """
    from .validation import first_problem  # noqa: PLC0415 - built-in folders start without it

    problem = first_problem(_schema(schema), data)
    if problem is not None:
        raise source.error(within + problem.pointer, problem.sentence, problem.expected)


@cache
def _schema(name: str) -> Any:
    return read_source(Path(__file__).parent / name).data
