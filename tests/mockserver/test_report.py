"""How a client behaved: polls too often or too late, repetitions, and waits that it did not keep."""

from __future__ import annotations

from typing import Any

import pytest

from .stage import NAMES, SIMPLE, Stage


def report(stage: Stage, namespace: str = "test") -> dict[str, Any]:
    """Return the report about a namespace."""
    (found,) = stage.ask("GET", f"/_understudy/report?namespace={namespace}").json()["reports"]
    assert isinstance(found, dict)
    return found


def of_task(stage: Stage) -> dict[str, Any]:
    """Return the report about the only task that was polled."""
    (found,) = report(stage)["tasks"]
    assert isinstance(found, dict)
    return found


def turn(stage: Stage, **data: Any) -> None:
    """Turn the clock of the tests."""
    assert stage.ask("POST", "/_understudy/clock?namespace=test", json=data).status_code == 200


@pytest.mark.parametrize("provider", NAMES)
def test_a_hot_loop_is_seen_with_its_intervals_and_the_providers_advice(provider: str) -> None:
    stage = Stage(provider, limits=False)
    task = stage.created(provider, SIMPLE[provider])
    for _ in range(5):
        stage.poll(provider, task)
        stage.wait(0.25)
    stage.wait(3)
    stage.poll(provider, task)
    told = of_task(stage)
    assert (told["task"], told["polls"], told["intervals"]) == (task, 6, [250] * 4 + [3250])
    assert (told["shortest_interval"], told["median_interval"], told["sooner_than_advised"]) == (250, 250, 4)
    assert told["advice"]["intervals"][0] == {"from": 0, "least": 2000, "most": 3000}


def test_a_client_that_keeps_to_the_advice_is_not_blamed() -> None:
    stage = Stage("kie")
    task = stage.created("kie", SIMPLE["kie"])
    for pause in (2, 3, 2, 30, 5, 120, 15):
        stage.poll("kie", task)
        stage.wait(pause)
    stage.poll("kie", task)
    assert of_task(stage)["sooner_than_advised"] == 0


def test_intervals_are_told_in_the_providers_time() -> None:
    stage = Stage("kie", speed=100)
    task = stage.created("kie", SIMPLE["kie"])
    for _ in range(3):
        stage.poll("kie", task)
        stage.wait(0.025)
    told = of_task(stage)
    assert (told["intervals"], told["shortest_interval"], told["sooner_than_advised"]) == ([25, 25], 2500, 0)


def test_nothing_is_judged_while_the_clock_stands_still() -> None:
    stage = Stage("kie", limits=False)
    task = stage.created("kie", SIMPLE["kie"])
    turn(stage, freeze=True)
    for _ in range(5):
        stage.poll("kie", task)
        stage.wait(0.01)
    turn(stage, resume=True)
    told = of_task(stage)
    assert (told["polls"], told["intervals"]) == (5, [10] * 4)
    assert (told["shortest_interval"], told["median_interval"], told["sooner_than_advised"]) == (None, None, 0)
    stage.poll("kie", task)
    stage.wait(1)
    stage.poll("kie", task)
    turn(stage, freeze=True)
    assert (of_task(stage)["shortest_interval"], of_task(stage)["sooner_than_advised"]) == (1000, 1)


def test_polls_after_the_end_was_told_are_counted() -> None:
    stage = Stage("kie", limits=False)
    task = stage.created("kie", SIMPLE["kie"])
    for pause in (10, 60, 3, 3, 3):
        stage.poll("kie", task)
        stage.wait(pause)
    assert of_task(stage)["polls_after_end"] == 2


@pytest.mark.parametrize(
    "told", ["html-502", "malformed-json", "server-error", "unknown-status", "missing-field", "type-changed"]
)
def test_an_end_that_the_client_was_not_told_is_not_held_against_it(told: str) -> None:
    stage = Stage("kie", instant=True)
    response = stage.create("kie", SIMPLE["kie"], headers={"Understudy-Scenario": f"{told}; on=poll; times=2"})
    task = response.json()["data"]["taskId"]
    for _ in range(3):
        stage.poll("kie", task)
    assert (of_task(stage)["polls"], of_task(stage)["polls_after_end"]) == (3, 0)
    stage.poll("kie", task)
    assert of_task(stage)["polls_after_end"] == 1


def test_a_task_that_nobody_polls_is_told() -> None:
    stage = Stage("kie")
    task = stage.created("kie", SIMPLE["kie"])
    assert (report(stage)["never_polled"], report(stage)["creations"]) == ([task], 1)


def test_a_creation_that_is_sent_again_is_told_and_whether_its_answer_was_lost() -> None:
    stage = Stage("kie")
    other = {"model": "nano-banana-pro", "input": {"prompt": "another"}}
    stage.created("kie", SIMPLE["kie"])
    stage.created("kie", other)
    again = stage.created("kie", SIMPLE["kie"])
    assert report(stage)["repeated_creations"] == [{"exchange": 3, "first": 1, "task": again, "answer_lost": False}]
    stage.ask("POST", "/_understudy/reset")
    for lost in (True, False):
        header = {"Understudy-Scenario": "html-502; accepted=true"} if lost else {}
        stage.create("kie", SIMPLE["kie"], headers=header)
    assert [each["answer_lost"] for each in report(stage)["repeated_creations"]] == [True]


def test_a_creation_that_was_refused_may_be_sent_again() -> None:
    stage = Stage("kie")
    stage.create("kie", SIMPLE["kie"], headers={"Understudy-Scenario": "server-error"})
    stage.created("kie", SIMPLE["kie"])
    assert (report(stage)["repeated_creations"], report(stage)["refused"]) == ([], 1)


def test_bytes_that_are_fetched_twice_are_told() -> None:
    stage = Stage("kie", instant=True)
    task = stage.created("kie", SIMPLE["kie"])
    url = stage.facts("kie", task)["outputs"][0]
    path = url.removeprefix("http://127.0.0.1:4020")
    stage.ask("HEAD", url)
    stage.ask("GET", url, headers={"Understudy-Scenario": "html-502"})
    stage.ask("GET", url)
    assert report(stage)["fetched_twice"] == {}
    stage.ask("GET", url)
    stage.ask("GET", url)
    assert report(stage)["fetched_twice"] == {path: 3}


def test_a_wait_that_was_asked_for_and_not_kept_is_told() -> None:
    stage = Stage("kie")
    stage.create("kie", SIMPLE["kie"], headers={"Understudy-Scenario": "rate-limited; retry_after=5"})
    stage.wait(2)
    stage.created("kie", SIMPLE["kie"])
    stage.ask("GET", "/kie/api/v1/chat/credit")
    stage.wait(3)
    stage.created("kie", SIMPLE["kie"])
    assert report(stage)["hurried"] == [{"exchange": 2, "asked_by": 1, "milliseconds_early": 3000}]


def test_a_wait_is_not_judged_while_the_clock_stands_still() -> None:
    stage = Stage("kie", frozen=True)
    stage.create("kie", SIMPLE["kie"], headers={"Understudy-Scenario": "rate-limited; retry_after=5"})
    stage.created("kie", SIMPLE["kie"])
    assert report(stage)["hurried"] == []


def test_polls_that_were_refused_count_as_polls_of_their_task() -> None:
    stage = Stage("kie", frozen=True)
    task = stage.created("kie", SIMPLE["kie"])
    for _ in range(14):
        stage.poll("kie", task)
    told = of_task(stage)
    assert (told["polls"], report(stage)["refused"]) == (14, 4)


def test_there_is_a_report_for_each_namespace() -> None:
    stage = Stage("kie")
    for key in ("one", "two", "two"):
        stage.created("kie", SIMPLE["kie"], key=key)
    reports = stage.ask("GET", "/_understudy/report").json()["reports"]
    assert [each["creations"] for each in reports] == [1, 2]
