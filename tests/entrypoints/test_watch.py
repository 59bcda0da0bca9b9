"""`understudy watch`, run as a user would."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from understudy.entrypoints.cli import main
from understudy.mockserver.server import MockServer

from ..processes import COMMAND, Running

HEADERS = {"authorization": "Bearer watch-me-0123456789"}


def watching(server: MockServer, *arguments: str, cwd: Path | None = None) -> Running:
    """Start `understudy watch` in front of the emulator."""
    return Running([COMMAND, "watch", "kie", "--upstream", f"{server.url}/kie", "--port", "0", *arguments], cwd=cwd)


def test_it_says_what_it_sees_and_sums_up(server: MockServer, tmp_path: Path) -> None:
    with watching(server, "--record", "w.har", "--fail-on", "warning", cwd=tmp_path) as process:
        url = process.url
        assert process.out[0].startswith("understudy ")
        body = {"model": "nano-banana-pro", "input": {"prompt": "x [understudy extra-field on=create]"}}
        made = httpx.post(f"{url}/api/v1/jobs/createTask", json=body, headers=HEADERS, trust_env=False)
        assert "understudyExtra" in made.json()
        process.until(lambda: any("undocumented-field" in line for line in process.out))
        assert process.stop(signal.SIGTERM) == 1
    assert any("warning   POST /api/v1/jobs/createTask: `understudyExtra` in " in line for line in process.out)
    assert any(line.startswith(f"kie → {server.url}/kie (1 exchange): 1 warning") for line in process.out)
    assert process.out[-1] == "w.har: 1 entry"
    (entry,) = json.loads((tmp_path / "w.har").read_text())["log"]["entries"]
    assert entry["request"]["url"] == f"{server.url}/kie/api/v1/jobs/createTask"
    assert "watch-me-0123456789" not in (tmp_path / "w.har").read_text()


def test_a_record_that_cant_be_written_is_said(server: MockServer, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    with watching(server, "--record", str(folder / "w.har")) as process:
        httpx.get(f"{process.url}/api/v1/chat/credit", headers=HEADERS, trust_env=False)
        folder.rmdir()
        assert process.stop(signal.SIGTERM) == 2
    assert process.err[-1].endswith("the record can't be written: No such file or directory")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["kie", "--upstream", "nowhere"], "--upstream: 'nowhere' is no URL to pass on to; expected one such as "),
        (["kie", "--callback-to", "x"], "--callback-to: 'x' is no URL"),
        (["keie"], "(did you mean 'kie'?)"),
        (["kie", "--record", "no/x.har"], "--record no/x.har: no is no folder"),
        (["kie", "--host", "256.1.1.1"], "can't listen on 256.1.1.1:4021"),
    ],
)
def test_what_cant_be_done_ends_with_2_and_one_line(arguments: list[str], told: Any) -> None:
    ended = CliRunner().invoke(main, ["watch", *arguments])
    assert ended.exit_code == 2
    assert told in ended.stderr
    assert ended.stderr.count("\n") == 1
