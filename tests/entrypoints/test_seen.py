"""`understudy drift PROVIDER --seen`, run as a user would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from understudy.entrypoints.cli import main
from understudy.mockserver.server import MockServer

from ..contracts.recorded import played

DRIFTS = ("", "fail", "extra-field", "missing-field", "type-changed", "renamed-field", "unknown-status")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with recordings: of traffic as documented, and of drift."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clean.har").write_bytes(played("kie", "", "fail")[0])
    (tmp_path / "odd.json").write_bytes(played("kie", *DRIFTS)[1])
    return tmp_path


def run(*arguments: str, **more: Any) -> Any:
    """Return how the command ended."""
    return CliRunner().invoke(main, ["drift", "kie", *arguments], **more)


def test_traffic_as_documented_ends_with_0(folder: Path) -> None:
    ended = run("--seen", "clean.har")
    assert ended.exit_code == 0, ended.output
    assert "kie → clean.har (6 exchanges): " in ended.stdout
    assert "breaking" not in ended.stdout


def test_drift_ends_with_1_and_is_told_with_counts_and_examples(folder: Path) -> None:
    ended = run("--seen", "odd.json")
    assert ended.exit_code == 1
    assert "`data.state` in the answer 200 is 'archived'; expected one of 'waiting', " in ended.stdout
    assert "2 times, 2025-12-0" in ended.stdout
    assert '; for example "archived"' in ended.stdout


@pytest.mark.parametrize(("level", "status"), [("never", 0), ("breaking", 1), ("info", 1)])
def test_fail_on_says_from_where_it_ends_with_1(folder: Path, level: str, status: int) -> None:
    assert run("--seen", "odd.json", "--fail-on", level).exit_code == status


@pytest.mark.parametrize("shape", ["text", "json", "junit", "sarif", "github"])
def test_every_format_is_written(folder: Path, shape: str) -> None:
    assert "undocumented-field" in run("--seen", "odd.json", "--format", shape).stdout


def test_json_tells_the_sighting(folder: Path) -> None:
    told = json.loads(run("--seen", "odd.json", "--format", "json").stdout)["findings"]
    seen = next(each["sighting"] for each in told if each["id"] == "undocumented-field")
    assert (seen["verdict"], seen["where"], seen["pointer"]) == (
        "undocumented but allowed",
        "answer 200",
        "/understudyExtra",
    )
    assert (seen["count"], seen["example"]) == (2, '{"since":"tomorrow","values":[1,2,3]}')


def test_with_the_proposed_overlay_the_same_traffic_is_clean(folder: Path) -> None:
    ended = run("--seen", "odd.json", "--write-overlay", "o.yaml")
    assert "o.yaml: 7 actions to review\n" in ended.stderr
    assert run("--seen", "odd.json", "--overlay", "o.yaml").exit_code == 0
    again = run("--seen", "odd.json", "--overlay", "o.yaml", "--write-overlay", "more.yaml")
    assert "nothing to propose: no overlay was written" in again.stderr
    assert not (folder / "more.yaml").exists()


def test_an_overlay_that_is_there_is_not_overwritten(folder: Path) -> None:
    (folder / "o.yaml").write_text("reviewed\n")
    ended = run("--seen", "odd.json", "--write-overlay", "o.yaml")
    assert ended.exit_code == 2
    assert ended.stderr == (
        "understudy: --write-overlay o.yaml: is there already, and may have been reviewed; expected a new file\n"
    )
    assert (folder / "o.yaml").read_text() == "reviewed\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_device_is_written_to_and_a_full_one_is_told(folder: Path) -> None:
    ended = run("--seen", "odd.json", "--write-overlay", "/dev/full")
    assert ended.exit_code == 2
    assert "understudy: /dev/full: No space left on device" in ended.stderr
    assert Path("/dev/full").is_char_device()


def test_each_finding_says_its_verdict(folder: Path) -> None:
    told = run("--seen", "odd.json").stdout
    for verdict in ("violates 2 times, ", "undocumented but allowed 2 times, ", "documented, never seen, where it "):
        assert verdict in told


def test_a_recording_comes_from_standard_input_too(folder: Path) -> None:
    ended = run("--seen", "-", input=(folder / "clean.har").read_bytes())
    assert "kie → standard input (6 exchanges): " in ended.stdout


def test_accepted_findings_are_left_out(folder: Path) -> None:
    entries = ["violates-enum", "violates-required", "violates-type", "undocumented-field"]
    lines = "".join(f"- {{id: {each}, reason: known}}\n" for each in entries)
    (folder / "accept.yaml").write_text(f"accepted:\n{lines}")
    assert run("--seen", "odd.json", "--accept", "accept.yaml").exit_code == 0


def test_the_journal_of_a_running_emulator_is_read(server: MockServer, http: Any) -> None:
    http.get("/kie/api/v1/chat/credit", headers={"authorization": "Bearer seen"})
    assert run("--seen", server.url, "--fail-on", "never").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--seen", "gone.har"], "gone.har: No such file or directory"),
        (["--seen", "accept.yaml"], "accept.yaml:1: is no JSON"),
        (["--seen", "other.har"], "other.har: no traffic with kie; expected requests to https://api.kie.ai"),
        (["--seen", "http://127.0.0.1:9"], "http://127.0.0.1:9/_understudy/exchanges.har: does not answer"),
        (["--seen", "clean.har", "other"], "give BASE and REVISION, or BASE and --page, or BASE and --seen"),
        (["a", "--write-overlay", "x"], "--write-overlay, --overlay and --base-url go with --seen"),
        (["--seen", "odd.json", "--write-overlay", "no/x"], "no/x: No such file or directory"),
    ],
)
def test_what_cant_be_done_ends_with_2_and_one_line(folder: Path, arguments: list[str], told: str) -> None:
    (folder / "accept.yaml").write_text("accepted: [\n")
    (folder / "other.har").write_text('{"log":{"entries":[]}}')
    ended = run(*arguments)
    assert ended.exit_code == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.output
