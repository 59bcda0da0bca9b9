"""Answers are looked at before anything is measured: bare servers, right and wrong ones, on real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import jobs, throughput
from benchmarks.answers import WrongAnswerError, check
from benchmarks.figures import LIMIT, OURS, Results
from benchmarks.machine import cores
from benchmarks.servers import Running, StartError, bare
from benchmarks.throughput import Pace, stage


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with right answers."""
    return stage(tmp_path_factory.mktemp("stage") / "life", "life")


@pytest.fixture(scope="module")
def raw(folder: Path) -> Iterator[Running]:
    """Start the raw application with right answers."""
    with Running(bare("raw", folder, 0), cores()[0]) as server:
        yield server


@pytest.mark.parametrize("job", ["creation", "polling", "life"])
def test_right_answers_pass(raw: Running, job: str) -> None:
    check(raw.port, job, keeps=False)


def test_a_server_that_keeps_tasks_must_tell_of_the_one_that_is_asked_for(folder: Path) -> None:
    with Running(bare("checked", folder, jobs.POLLS - 1), cores()[0]) as server:
        check(server.port, "life", keeps=True)
        check(server.port, "refusal", keeps=True)
        with pytest.raises(WrongAnswerError, match=r"a poll is \(200, 'task_nano-banana-pro_\d+', 'generating'\)"):
            check(server.port, "polling", keeps=True)


@pytest.mark.parametrize(
    ("job", "state", "told"),
    [("refusal", "success", "a refusal is"), ("polling", "generating", "a poll is .*'success'")],
)
def test_wrong_answers_are_told_with_what_was_expected(raw: Running, job: str, state: str, told: str) -> None:
    with pytest.raises(WrongAnswerError, match=f"{told}.*; expected"):
        check(raw.port, job, keeps=False, state=state)


def test_a_wrong_answer_ends_the_run_and_names_the_server(
    monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    for file in folder.iterdir():
        (wrong / file.name).write_bytes(file.read_bytes())
    told = jobs.polled("http://127.0.0.1") | {"code": 500}
    told["data"]["state"] = "fail"
    (wrong / "polled.json").write_text(json.dumps(told))
    started = {LIMIT: bare("raw", folder, 0), OURS: bare("raw", wrong, 0)}
    monkeypatch.setattr(throughput, "commands", lambda *_: started)
    results = Results({}, "", "")
    with pytest.raises(WrongAnswerError, match=r"^understudy, polling, ended: a poll is .*'fail'"):
        throughput.measure(results, ["polling, ended"], [], cores()[0], Pace(1, 0.01, 0.01, 0))
    assert results.figures == []


def test_a_server_that_ends_by_itself_is_told_with_what_it_said(tmp_path: Path) -> None:
    told = r"ended with 1: FileNotFoundError: .*No such file or directory: '…/created.json'"
    with pytest.raises(StartError, match=told), Running(bare("raw", tmp_path, 0), cores()[0]):
        pass
