"""A user's scenario file: read at the start, read again when it changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from understudy.mockserver.app import App
from understudy.mockserver.emulator import Emulator
from understudy.mockserver.scenario_file import ScenarioFile
from understudy.mockserver.settings import Settings
from understudy.openapi.errors import LoadError

from .stage import SIMPLE, Stage, provider_of

GOOD = "scenarios: { mine: { like: fail, with: { code: '1001', after: 0s } } }"


class Edited(Stage):
    """A stage whose scenarios come from a file."""

    def __init__(self, path: Path, scenario: str = "") -> None:
        super().__init__("kie", frozen=True)
        self.file = ScenarioFile(path, self.said.append)
        self.emulator = Emulator(
            [provider_of("kie")],
            Settings(frozen=True, scenario=scenario),
            repertoire=self.file.repertoire,
            said=self.said.append,
        )
        self.app.emulator = self.emulator
        self.path = path
        self.app._scenario_file = self.file
        self.app._gallery = App(self.emulator)._gallery

    def edit(self, text: str) -> None:
        """Change the file; its time goes forward, however quickly that is done."""
        before = self.path.stat().st_mtime_ns
        self.path.write_text(text)
        os.utime(self.path, ns=(before + 10**9, before + 10**9))


def failure(stage: Stage, scenario: str = "") -> str:
    """Return the code that a creation fails with, or the refusal of the creation."""
    headers = {"Understudy-Scenario": scenario} if scenario else {}
    response = stage.create("kie", SIMPLE["kie"], headers=headers)
    if response.status_code == 400:
        return str(response.json()["error"])
    return str(stage.poll("kie", response.json()["data"]["taskId"]).json()["data"]["failCode"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with one scenario."""
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    return path


def test_an_edit_is_played_from_the_next_request_on(path: Path) -> None:
    stage = Edited(path)
    assert failure(stage, "mine") == "1001"
    stage.edit(GOOD.replace("1001", "2002"))
    assert failure(stage, "mine") == "2002"
    assert stage.said == [f"{path} was read again"]


def test_a_bad_edit_keeps_what_was_good_and_says_so_once(path: Path) -> None:
    stage = Edited(path)
    stage.edit(GOOD.replace("fail", "fial"))
    assert [failure(stage, "mine") for _ in range(3)] == ["1001"] * 3
    (said,) = stage.said
    assert said.startswith(f"{path}:1: /scenarios/mine/like: no scenario 'fial' (did you mean 'fail'?)")
    assert said.endswith("; the scenarios read before are kept")
    stage.edit(GOOD.replace("1001", "3003"))
    assert failure(stage, "mine") == "3003"


def test_a_file_that_is_gone_keeps_what_was_good(path: Path) -> None:
    stage = Edited(path)
    path.unlink()
    assert failure(stage, "mine") == "1001"
    assert "No such file" in stage.said[0]


def test_an_edit_changes_the_default_and_the_rules_that_play_it(path: Path) -> None:
    stage = Edited(path, scenario="mine")
    stage.ask("POST", "/_understudy/rules?namespace=other", json={"play": "mine"})
    assert failure(stage) == "1001"
    stage.edit(GOOD.replace("1001", "2002"))
    assert failure(stage) == "2002"
    task = stage.created("kie", SIMPLE["kie"], key="other")
    assert stage.poll("kie", task, key="other").json()["data"]["failCode"] == "2002"
    stage.edit("scenarios: {}")
    assert failure(stage).startswith("understudy: no scenario 'mine'")


def test_a_file_that_is_broken_at_the_start_is_refused(path: Path) -> None:
    path.write_text("scenarios: 5")
    with pytest.raises(LoadError, match=r"/scenarios: is 5"):
        ScenarioFile(path, print)
    with pytest.raises(LoadError, match="No such file"):
        ScenarioFile(path.with_name("none.yaml"), print)


def test_a_default_that_nobody_can_play_is_refused_at_the_start() -> None:
    from understudy.mockserver.scenario import ScenarioError  # noqa: PLC0415

    providers = [provider_of("kie"), provider_of("acme")]
    Emulator(providers, Settings(scenario="cancelled"))
    with pytest.raises(ScenarioError, match="no scenario 'fial'"):
        Emulator(providers, Settings(scenario="fial"))
