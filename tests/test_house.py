"""What holds for the house as a whole: which packages there are, and who may name whom."""

import re
import tomllib
from pathlib import Path

import pytest
from understudy.openapi.provider import built_in_names

ROOT = Path(__file__).parent.parent
ROOMS = ("openapi", "mockserver", "client", "contracts", "entrypoints")
SHARED = {"openapi": set(), "mockserver": {"openapi"}, "client": {"openapi"}, "contracts": {"openapi"}}
PYTHON = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def test_the_list_of_packages_holds_every_folder_with_python_in_it() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {path.parent.relative_to(ROOT) for path in PYTHON}
    expected = {"understudy." + ".".join(folder.parts): folder.as_posix() for folder in folders}
    assert set(setuptools["packages"]) == {*expected, *(f"understudy.{room}" for room in ROOMS)}
    mapped = setuptools["package-dir"]
    assert {name: mapped[f"understudy.{name.split('.')[1]}"] for name in expected} == {
        name: folder.split("/")[0] for name, folder in expected.items()
    }


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_tells_type_checkers_that_it_is_typed(room: str) -> None:
    assert (ROOT / room / "py.typed").is_file()


@pytest.mark.parametrize("path", [path for path in PYTHON if "entrypoints" not in path.parts], ids=str)
def test_no_room_below_the_entrance_names_a_built_in_provider(path: Path) -> None:
    # A word that begins with a name counts, and one that only holds it (as "cookie" holds one of them) does not.
    named = re.compile(rf"(?<![a-z])(?:{'|'.join(built_in_names())})", re.IGNORECASE)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [f"{number}: {line}" for number, line in enumerate(lines, 1) if named.search(line)] == []


@pytest.mark.parametrize("path", [path for path in PYTHON if "entrypoints" not in path.parts], ids=str)
def test_a_room_imports_the_stored_contracts_and_no_other_room(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    text = path.read_text(encoding="utf-8")
    imported = set(re.findall(rf"^\s*from \.\.+({'|'.join(ROOMS)})\b", text, re.MULTILINE))
    imported |= set(re.findall(rf"^\s*(?:from|import) understudy\.({'|'.join(ROOMS)})\b", text, re.MULTILINE))
    assert imported <= SHARED[room] | {room}
