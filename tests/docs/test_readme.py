"""What the README promises of itself: its two commands, its links, its picture."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from PIL import Image

from .test_examples import FILES, ROOT, blocks

README = (ROOT / "README.md").read_text()


def test_two_commands_need_nothing_but_python_and_a_shell() -> None:
    commands = [block.strip() for block in blocks(README, "sh")]
    assert commands == ["pip install uv && uv run understudy serve", "pip install uv && uv run pytest"]


def test_ci_calls_the_readmes_own_test_command() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert blocks(README, "sh")[1].strip().partition(" && ")[2] in lines


def test_what_it_is_for_is_said_in_ten_lines() -> None:
    said = README.partition("\n## ")[0].strip().splitlines()[1:]
    assert len([line for line in said if line]) <= 11


def test_the_picture_is_a_picture_and_small() -> None:
    path = ROOT / "docs" / "picture.png"
    with Image.open(path) as picture:
        assert picture.size == (1360, 768)
    assert path.stat().st_size < 100_000


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", path.read_text())
    assert [each for each in targets if not (path.parent / each).exists()] == []


def test_the_changelog_begins_with_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    heading = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert heading is not None
    assert heading[1].rstrip(",") == version
