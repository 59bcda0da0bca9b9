"""The reference under test: tables are current, and every word of the behaviour file is told."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from understudy.mockserver.ids import WORDS
from understudy.mockserver.task import TaskView
from understudy.openapi.behaviour import NAMES
from understudy.openapi.conditions import CONDITIONS
from understudy.openapi.reads import CONVERSIONS, FACTS
from understudy.openapi.source import read_source
from understudy.openapi.template import FILTERS

from .test_examples import ROOT, blocks, make_folders

BEHAVIOUR = (ROOT / "docs" / "behaviour.md").read_text()
SCHEMA = read_source(ROOT / "openapi" / "behaviour.schema.yaml").data
OPERATION = SCHEMA["$defs"]["operation"]["properties"]


def section(heading: str) -> str:
    """Return what stands below a heading of the behaviour file's page, up to the next of its level."""
    marks = heading.partition(" ")[0]
    _, found, rest = BEHAVIOUR.partition(f"\n{heading}")
    assert found, f"docs/behaviour.md has no heading {heading!r}"
    return re.split(rf"^#{{1,{len(marks)}}} ", rest, flags=re.MULTILINE)[0]


def words_of(node: Any) -> Iterator[str]:
    """Yield the fields and the fixed words that a part of the schema knows, but for what has a heading of its own."""
    if isinstance(node, list):
        for child in node:
            yield from words_of(child)
    if not isinstance(node, dict):
        return
    target = node.get("$ref", "").rpartition("/")[2]
    if target and target not in {"provenance", "condition", "reads"}:
        yield from words_of(SCHEMA["$defs"][target])
    for key, child in node.items():
        if key == "properties":
            yield from (name for name in child if name != "provenance")
            yield from words_of(list(child.values()))
        elif key == "enum":
            yield from (word for word in child if isinstance(word, str))
        else:
            yield from words_of(child)


def untold(node: Any, text: str) -> list[str]:
    """Return the words of a part of the schema that `text` does not hold; phases are told among the statuses."""
    phases = {"pending", "processing", "completed", "failed", "cancelled"}
    words = set(words_of(node)) - (phases if "`phase`" not in text else set())
    return sorted(word for word in words if not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text))


def test_generated_tables_are_current() -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", ""), "run docs/generate.py"


@pytest.mark.parametrize("key", [key for key in SCHEMA["properties"] if key != "operations"])
def test_every_key_of_the_behaviour_file_has_a_heading_and_its_words_stand_below(key: str) -> None:
    told = section(f"## `{key}`\n")
    assert untold(SCHEMA["properties"][key], told) == []


@pytest.mark.parametrize("field", [field for field in OPERATION if field not in {"provenance", "refusal"}])
def test_every_field_of_an_operation_has_a_heading_and_its_words_stand_below(field: str) -> None:
    assert untold(OPERATION[field], section(f"### `{field}`")) == []


def test_every_name_that_a_template_may_use_is_told() -> None:
    told = section("### Names\n")
    assert [name for names in NAMES.values() for name in names if f"`{name}`" not in told] == []


def test_everything_that_a_template_may_say_of_a_task_is_told() -> None:
    told = section("### Names\n")
    words = [name for name in vars(TaskView) if not name.startswith("_")]
    assert "outputs" in words
    assert [name for name in words if f"`task.{name}`" not in told] == []


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("## Templates\n", [f"`{name}`" for name in FILTERS]),
        ("## `id`\n", [f"`{{{word}}}`" for word in WORDS]),
        ("### `reads`\n", [f"`{name}`" for name in (*FACTS, *CONVERSIONS)]),
        ("## `errors`\n", [f"`{name}`" for name in CONDITIONS]),
    ],
)
def test_words_that_the_code_knows_are_told(heading: str, words: list[str]) -> None:
    assert [word for word in words if word not in section(heading)] == []


def test_the_conditions_of_the_schema_are_those_that_have_a_meaning() -> None:
    assert SCHEMA["$defs"]["condition"]["enum"] == list(CONDITIONS)


def test_a_broken_folder_is_told_as_the_page_shows(tmp_path: Path) -> None:
    make_folders(BEHAVIOUR, tmp_path)
    file = tmp_path / "acme" / "behaviour.yaml"
    file.write_text(file.read_text().replace("phase: pending", "phase: waiting"))
    command = [str(Path(sys.executable).with_name("understudy")), "show", "./acme"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    shown = blocks((ROOT / "docs" / "serving.md").read_text(), "text")[0].strip()
    assert ended.returncode == 2
    assert ended.stderr.replace(f"{tmp_path}/", "").startswith(shown.rstrip("…"))
