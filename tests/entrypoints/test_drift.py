"""`understudy drift`, run as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from understudy.entrypoints.cli import main

BASE = """openapi: 3.1.0
info: {title: Pictures, version: '1'}
paths:
  /pictures:
    post:
      requestBody:
        content:
          application/json:
            schema: {type: object, properties: {prompt: {type: string, maxLength: 10}}}
      responses: {'200': {description: ok}}
"""
ACME = Path(__file__).parents[1] / "providers" / "acme"


@pytest.fixture
def folder(tmp_path: Any, monkeypatch: Any) -> Any:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(BASE)
    (tmp_path / "b.yaml").write_text(BASE.replace("maxLength: 10", "maxLength: 9"))
    (tmp_path / "c.yaml").write_text(BASE.replace("maxLength: 10", "maxLength: 11"))
    (tmp_path / "page.md").write_text(f"# Draw\n\n```yaml\n{BASE}```\n")
    return tmp_path


def run(*arguments: Any, **environment: Any) -> Any:
    return CliRunner().invoke(main, ["drift", *arguments], env=environment)


def test_no_drift_ends_with_0(folder: Any) -> None:
    ended = run("a.yaml", "a.yaml")
    assert (ended.exit_code, ended.output) == (0, "a.yaml → a.yaml: no drift\n")


def test_a_breaking_change_ends_with_1_and_shows_a_payload(folder: Any) -> None:
    ended = run("a.yaml", "b.yaml")
    assert ended.exit_code == 1
    assert "`prompt` in the request body has at most 9 characters now, no longer 10" in ended.output
    assert 'this request was valid and is now refused: {"prompt":"' in ended.output


@pytest.mark.parametrize(
    ("revision", "level", "status"),
    [("b.yaml", "never", 0), ("b.yaml", "breaking", 1), ("c.yaml", "warning", 0), ("c.yaml", "info", 1)],
)
def test_fail_on_says_from_where_it_ends_with_1(folder: Any, revision: Any, level: Any, status: Any) -> None:
    assert run("a.yaml", revision, "--fail-on", level).exit_code == status
    assert run("a.yaml", revision, UNDERSTUDY_FAIL_ON=level).exit_code == status


@pytest.mark.parametrize("shape", ["text", "json", "junit", "sarif", "github"])
def test_every_format_is_written(folder: Any, shape: Any) -> None:
    ended = run("a.yaml", "b.yaml", "--format", shape)
    assert ended.exit_code == 1
    assert "request-body-max-length-lowered" in ended.output


def test_without_witnesses_none_is_searched(folder: Any) -> None:
    told = json.loads(run("a.yaml", "b.yaml", "--format", "json", "--no-witness").output)
    assert told["findings"][0]["witness"] is None
    assert "no_witness" not in told["findings"][0]


def test_accepted_findings_are_left_out_and_stale_entries_told(folder: Any) -> None:
    (folder / "accept.yaml").write_text(
        "accepted:\n- {id: request-body-max-length-lowered, reason: known}\n- {id: gone, reason: known}\n"
    )
    ended = run("a.yaml", "b.yaml", "--accept", "accept.yaml")
    assert ended.exit_code == 0
    assert "accepted, but stale: gone is met by no finding" in ended.output


def test_a_page_is_compared_in_one_step(folder: Any) -> None:
    ended = run("b.yaml", "--page", "page.md")
    assert ended.exit_code == 0
    assert "has at most 10 characters now, no longer 9" in ended.output


def test_a_provider_is_a_side(folder: Any) -> None:
    assert run(str(ACME), str(ACME)).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.yaml"], "give BASE and REVISION, or BASE and --page"),
        (["a.yaml", "b.yaml", "--page", "page.md"], "give BASE and REVISION, or BASE and --page"),
        (["a.yaml", "none.yaml"], "understudy: none.yaml: there is no such file"),
        (["a.yaml", "nobody"], "understudy: nobody: is no folder and no built-in provider"),
        (["a.yaml", "b.yaml", "--accept", "none.yaml"], "understudy: none.yaml: No such file or directory"),
        (["a.yaml", "b.yaml", "--fail-on", "sometimes"], "sometimes"),
    ],
)
def test_what_can_not_run_ends_with_2_and_one_line(folder: Any, arguments: Any, message: Any) -> None:
    ended = run(*arguments)
    assert ended.exit_code == 2
    assert message in ended.output


def test_the_program_leaves_nothing_behind_and_needs_no_hypothesis_where_there_is_nothing_to_prove(folder: Any) -> None:
    program = (
        "import sys; from understudy.entrypoints.cli import main\n"
        "try: main(['drift', *sys.argv[1:]])\nfinally: print('hypothesis' in sys.modules, 'jinja2' in sys.modules)"
    )
    environment = {**os.environ, "TMPDIR": str(folder / "tmp")}
    (folder / "tmp").mkdir()
    before = set(folder.iterdir())
    for revision, loaded in (("c.yaml", "False False"), ("b.yaml", "True False")):
        done = subprocess.run(
            [sys.executable, "-c", program, "a.yaml", revision],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert done.stdout.splitlines()[-1] == loaded, done.stderr
    assert set(folder.iterdir()) == before
    assert list((folder / "tmp").iterdir()) == []
