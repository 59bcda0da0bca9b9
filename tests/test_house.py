"""The house: which room knows which, what the package holds, and what stands nowhere in it."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from understudy.entrypoints.version import VERSION
from understudy.openapi.provider import BUILT_IN, built_in_names, load_provider

ROOT = Path(__file__).parent.parent
ROOMS = ("openapi", "mockserver", "client", "contracts", "entrypoints")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NAMELESS = ("mockserver", "client", "contracts", "entrypoints")


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


def tracked() -> list[Path]:
    """Return the files of the repository, but for the lock."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = listed.stdout.split("\n") if listed.returncode == 0 else []
    return [ROOT / name for name in names if name and name != "uv.lock" and (ROOT / name).is_file()]


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_one_way(room: str) -> None:
    found = {(path.name, each) for path in modules(room) for each in rooms_imported(path)}
    assert {(name, each) for name, each in found if each not in allowed()[room] | {room}} == set()


def test_the_table_of_rooms_is_complete() -> None:
    assert set(allowed()) == set(ROOMS)


def test_imports_between_rooms_are_seen() -> None:
    assert "openapi" in set(rooms_imported(ROOT / "mockserver" / "emulator.py"))
    assert "mockserver" in set(rooms_imported(ROOT / "entrypoints" / "serve.py"))


def test_every_folder_with_modules_is_a_package_that_is_installed() -> None:
    folders = {path.parent.relative_to(ROOT).as_posix() for room in ROOMS for path in modules(room)}
    mapped = PROJECT["tool"]["setuptools"]["package-dir"]
    assert {mapped[name] for name in PROJECT["tool"]["setuptools"]["packages"]} >= folders
    assert {room for room in ROOMS if not (ROOT / room / "py.typed").is_file()} == set()


@pytest.mark.parametrize("room", NAMELESS)
def test_no_room_but_the_stored_contracts_names_a_provider(room: str) -> None:
    words = {word for name in built_in_names() for word in (name, load_provider(name).behaviour.title.lower())}
    pattern = re.compile(rf"(?<![a-z])(?:{'|'.join(map(re.escape, sorted(words)))})(?![a-z])")
    found = {path.name: pattern.findall(path.read_text().lower()) for path in modules(room)}
    assert {name: each for name, each in found.items() if each} == {}


def test_the_code_that_reads_contracts_names_no_provider_either() -> None:
    words = "|".join(built_in_names())
    named = [path.name for path in modules("openapi") if re.search(rf"\b(?:{words})\b", path.read_text().lower())]
    assert named == []


def test_every_built_in_folder_is_a_provider() -> None:
    assert [path.name for path in sorted(BUILT_IN.iterdir()) if path.is_dir()] == built_in_names()


def test_the_version_is_said_once_and_repeated_rightly() -> None:
    assert PROJECT["project"]["version"] == version("understudy") == VERSION


def test_no_file_names_a_package_registrys_host_or_a_home_folder() -> None:
    hosts = "|".join(map(re.escape, ("files.pythonhosted" + ".org", "pypi" + ".org", "npmjs" + ".org", "/ro" + "ot/")))
    pattern = re.compile(hosts.encode())
    assert [path.name for path in tracked() if pattern.search(path.read_bytes())] == []
