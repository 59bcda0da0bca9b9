"""`understudy import`, run as a user would."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from understudy.entrypoints.cli import main
from understudy.openapi.source import read_source

PAGE = "# Draw\n\n```yaml\nopenapi: 3.1.0\ninfo: {title: Pictures}\npaths: {/a: {get: {operationId: look}}}\n```\n"
LOST = "openapi: 3.0.0\ninfo:\ntitle: Pictures\npaths:\n/v1/pictures:\npost:\n"


@pytest.fixture
def folder(tmp_path: Any, monkeypatch: Any) -> Any:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.md").write_text(PAGE)
    (tmp_path / "lost.txt").write_text(f"Draw\n{LOST}")
    (tmp_path / "prose.txt").write_text("Draw a picture. Model: one of two.\n")
    return tmp_path


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(main, ["import", *arguments])


def test_a_page_becomes_a_folder(folder: Any) -> None:
    ended = run("page.md", "--into", "acme")
    assert ended.exit_code == 0, ended.output
    assert read_source(folder / "acme" / "pictures.yaml").data["paths"] == {"/a": {"get": {"operationId": "look"}}}
    assert read_source(folder / "acme" / "behaviour.yaml").data["operations"] == {"look": {"on": "GET /a"}}
    assert "pictures.yaml: Found at page.md, line 4, on " in ended.output


def test_nothing_that_is_there_is_overwritten(folder: Any) -> None:
    run("page.md", "--into", "acme")
    (folder / "acme" / "behaviour.yaml").write_text("mine")
    assert run("page.md", "--into", "acme").exit_code == 0
    assert sorted(path.name for path in (folder / "acme").iterdir()) == [
        "behaviour.yaml",
        "pictures-2.yaml",
        "pictures.yaml",
    ]
    assert (folder / "acme" / "behaviour.yaml").read_text() == "mine"


def test_what_cannot_be_recovered_is_said_and_the_rest_is_written(folder: Any) -> None:
    ended = run("lost.txt", "page.md", "prose.txt", "--into", "acme")
    assert ended.exit_code == 2
    assert "lost.txt:2: holds an OpenAPI document that lost its indentation" in ended.output
    assert "its paths (/v1/pictures) can be read" in ended.output
    assert "prose.txt: holds no OpenAPI, only prose" in ended.output
    assert (folder / "acme" / "pictures.yaml").is_file()


def test_a_folder_that_cannot_be_written_is_said(folder: Any) -> None:
    (folder / "file").write_text("")
    ended = run("page.md", "--into", "file")
    assert ended.exit_code == 2
    assert "understudy: file: " in ended.output
