"""The page on architecture under test: which room imports which is what its table says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .test_examples import ROOT

ROOMS = ("openapi", "mockserver", "client", "contracts", "entrypoints")


def modules(room: str) -> list[Path]:
    """Return the modules of a room."""
    return sorted((ROOT / room).rglob("*.py"))


def rooms_imported(path: Path) -> Iterator[str]:
    """Yield the rooms that a module imports, at its top or anywhere else; its own is not counted."""
    own = path.relative_to(ROOT).parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level >= len(own):
            yield (node.module or node.names[0].name).partition(".")[0]
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from (name.split(".")[1] for name in names if name.startswith("understudy."))


def allowed() -> dict[str, set[str]]:
    """Return which rooms each may import, as docs/architecture.md says."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|$", text, re.MULTILINE)
    return {room: set(ROOMS) if told == "every room" else set(re.findall(r"`(\w+)`", told)) for room, told in rows}


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_one_way(room: str) -> None:
    found = {(path.name, each) for path in modules(room) for each in rooms_imported(path)}
    assert {(name, each) for name, each in found if each not in allowed()[room] | {room}} == set()


def test_the_table_of_rooms_is_complete() -> None:
    assert set(allowed()) == set(ROOMS)


def test_imports_between_rooms_are_seen() -> None:
    assert "openapi" in set(rooms_imported(ROOT / "mockserver" / "emulator.py"))
    assert "mockserver" in set(rooms_imported(ROOT / "entrypoints" / "serve.py"))
