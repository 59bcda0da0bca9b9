"""A folder that is broken stops the start: in one line, with file, line, place and what was expected."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from understudy.entrypoints.cli import main

ACME = Path(__file__).parent.parent / "providers" / "acme"

BROKEN = [
    ("phase: pending", "phase: waiting", "/statuses/queued/phase: is 'waiting'; expected one of 'pending', 'proc"),
    ("does: poll", "does: pool", "/operations/getPictures/does: is 'pool' (did you mean 'poll'?); expected one of"),
    ("{{ task.status }}", "{{ tusk.status }}", "the name 'tusk' is not known here; known: balance, base, now, price,"),
    ("retention:", "retentoin:", "/retentoin: is not known (did you mean 'retention'?); expected one of"),
    ("title: Acme", "title: [", "broken YAML"),
    (
        "on: GET /v2/account",
        "on: GET /v2/acount",
        "no document describes GET /v2/acount (did you mean 'GET /v2/account'?)",
    ),
    ("cancel-late", "cancel-let", "is 'cancel-let' (did you mean 'cancel-late'?); expected one of"),
    ("operations: [createPictures]", "operations: [createPicture]", "no operation 'createPicture' (did you mean"),
]


def broken_copy(folder: Path, old: str, new: str, file: str) -> Path:
    """Copy the provider of tests to `folder`, with a piece of text replaced."""
    made = folder / "acme"
    made.mkdir()
    for path in ACME.iterdir():
        text = path.read_text()
        assert path.name != file or old in text
        (made / path.name).write_text(text.replace(old, new, 1) if path.name == file else text)
    return made


def told_of(folder: Path) -> str:
    """Return the one line that `understudy serve` ends with."""
    result = CliRunner().invoke(main, ["serve", "--port", "0", "--provider", str(folder)])
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    return result.stderr


@pytest.mark.parametrize(("old", "new", "told"), BROKEN)
def test_a_broken_behaviour_file(tmp_path: Path, old: str, new: str, told: str) -> None:
    folder = broken_copy(tmp_path, old, new, "behaviour.yaml")
    line = told_of(folder)
    assert re.match(rf"understudy: {re.escape(str(folder))}/behaviour.yaml:\d+: ", line)
    assert told in line


def test_a_broken_document(tmp_path: Path) -> None:
    line = told_of(broken_copy(tmp_path, "openapi: 3", "openapi: 2", "pictures.yaml"))
    assert re.search(r"pictures\.yaml:\d+: /openapi: is '2\.\d\.\d'; expected an OpenAPI version of", line)


def test_a_folder_without_documents(tmp_path: Path) -> None:
    folder = broken_copy(tmp_path, "", "", "behaviour.yaml")
    (folder / "pictures.yaml").unlink()
    assert "holds no OpenAPI document; expected at least one .yaml or .json" in told_of(folder)


def test_an_overlay_whose_action_matches_nothing(tmp_path: Path) -> None:
    folder = broken_copy(tmp_path, "", "", "behaviour.yaml")
    (folder / "corrections.overlay.yaml").write_text(
        "overlay: 1.0.0\ninfo: { title: Corrections, version: 1.0.0 }\n"
        "actions:\n  - target: $.paths['/v9']\n    update: { summary: nothing }\n"
    )
    line = told_of(folder)
    assert re.search(r"corrections\.overlay\.yaml:4: /actions/0/target: .*matches nothing", line)
