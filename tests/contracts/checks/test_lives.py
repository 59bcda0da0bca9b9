"""Lives of tasks: status, end, results, errors, echoes, lists."""

from __future__ import annotations

import json
from typing import Any

import pytest
from understudy.openapi.pointer import MISSING

from .stage import NAMES, PICTURE, Stage, found, lived, oracle_of, told


@pytest.fixture(scope="module")
def kie() -> Stage:
    return lived("kie")


@pytest.fixture(scope="module")
def acme() -> Stage:
    return lived("acme")


@pytest.fixture(scope="module")
def broken() -> Stage:
    return lived("acme", "fail")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scenario", ["success", "fail"])
def test_a_right_life_is_judged_and_nothing_is_found(name: str, scenario: str) -> None:
    tally = lived(name, scenario).judged()
    assert not tally.findings, told(tally.findings)
    judged = {"status-edges", "end-frozen", "result-iff-succeeded", "error-iff-failed", "created-constant", "readable"}
    assert judged <= {identity for identity, count in tally.judged.items() if count}
    reads = oracle_of(name).doing("poll")[0].behaviour.reads
    assert ("input" in reads) <= (tally.judged["echoes"] > 0)
    assert ("credits" in reads) == (tally.judged["credits-charged"] + tally.judged["credits-returned"] > 0)
    assert bool(oracle_of(name).doing("list")) == (tally.judged["lists-agree"] > 0)


def test_a_status_that_can_not_come_after_the_one_before_is_found(kie: Stage, acme: Stage) -> None:
    assert found(kie, ("poll", 2, "/data/state", "waiting")) == {"status-edges"}
    assert found(acme, ("poll", 2, "/status", "queued")) == {"status-edges"}


def test_a_status_that_polls_missed_is_none(kie: Stage) -> None:
    kie_oracle = kie.oracle
    assert "success" in kie_oracle.reachable["waiting"]
    assert found(kie, ("poll", 1, "/data/state", "waiting")) == set()


def test_anything_of_an_ended_task_that_changes_is_found(kie: Stage, acme: Stage) -> None:
    assert found(kie, ("poll", 5, "/data/creditsConsumed", 17)) == {"end-frozen"}
    assert found(acme, ("poll", 5, "/coins", MISSING)) == {"end-frozen"}
    assert found(acme, ("poll", 4, "/files", [PICTURE])) == {"end-frozen"}
    assert found(acme, ("poll", 5, "/status", "painting"), ("poll", 5, "/files", MISSING)) == {"end-frozen"}


def test_links_that_are_signed_anew_are_the_same_links(acme: Stage) -> None:
    def signed(links: list[str]) -> list[str]:
        return [f"{link}?signature=abc" for link in links]

    assert found(acme, ("poll", 4, "/files", signed)) == set()


@pytest.mark.parametrize(
    ("number", "links"), [(1, [PICTURE]), (None, []), (None, MISSING)], ids=["too early", "none", "absent"]
)
def test_results_without_success_and_success_without_results_are_found(
    acme: Stage, number: int | None, links: Any
) -> None:
    assert found(acme, ("poll", number, "/files", links)) == {"result-iff-succeeded"}


@pytest.mark.parametrize("field", ["type", "detail"])
def test_a_failure_without_code_or_reason_is_found(broken: Stage, field: str) -> None:
    gone: list[tuple[str, int | None, str, Any]] = [("poll", number, f"/problem/{field}", "") for number in (3, 4, 5)]
    assert found(broken, *gone) == {"error-iff-failed"}


def test_an_error_without_a_failure_is_found(kie: Stage, acme: Stage) -> None:
    assert found(acme, ("poll", 1, "/problem", {"type": "x", "detail": "y"})) == {"error-iff-failed"}
    assert found(kie, ("poll", 1, "/data/failCode", "500")) == {"error-iff-failed"}


def test_a_code_that_says_that_all_is_well_is_no_error() -> None:
    crun = lived("crun")
    assert crun.seen[-2].facts["error_code"] == 200
    assert found(crun) == set()


def test_another_model_or_input_than_what_was_sent_is_found(kie: Stage) -> None:
    assert found(kie, ("poll", 1, "/data/model", "google/nano-banana")) == {"echoes"}
    for wrong in ({"prompt": "a stork"}, {}, {"prompt": "a heron", "resolution": "4K"}):
        param = json.dumps({"model": "nano-banana-pro", "input": wrong})
        assert found(kie, ("poll", 1, "/data/param", param)) == {"echoes"}, wrong


def test_documented_defaults_may_be_filled_in_and_text_may_hold_the_input(kie: Stage) -> None:
    for right in ({"prompt": "a heron", "resolution": "1K"}, '{"prompt": "a heron"}', {"prompt": "a heron", "x": None}):
        param = json.dumps({"model": "nano-banana-pro", "input": right})
        assert found(kie, ("poll", 1, "/data/param", param)) == set(), right


def test_a_list_that_contradicts_the_polls_around_it_is_found(acme: Stage) -> None:
    assert found(acme, ("list", 0, "/items/0/status", "queued")) == {"lists-agree"}
    wrong = acme.judged().judged["lists-agree"]
    assert wrong == 2
    early = ("list", 0, "/items/0/status", "done")
    assert found(acme, early, ("poll", 3, "/status", "painting"), ("poll", 3, "/files", MISSING)) >= {"lists-agree"}
