"""How often something was asked, and what came nearest where it was not."""

from __future__ import annotations

from typing import Any

import pytest

from .stage import SIMPLE, Stage


def verify(stage: Stage, status: int = 200, namespace: str = "test", **question: Any) -> Any:
    """Return the answer to a question, or the refusal."""
    response = stage.ask("POST", f"/_understudy/verify?namespace={namespace}", json=question)
    assert response.status_code == status, response.text
    return response.json() if status == 200 else response.json()["error"]


@pytest.fixture
def stage() -> Stage:
    """Three creations of two models, a poll, and a request for nothing."""
    stage = Stage("kie", "acme", frozen=True)
    task = stage.created("kie", SIMPLE["kie"])
    stage.created("kie", {"model": "google/nano-banana", "input": {"prompt": "a harbour"}})
    stage.created("kie", SIMPLE["kie"])
    stage.poll("kie", task)
    stage.ask("POST", "/kie/api/v1/jobs/createTasks", json=SIMPLE["kie"])
    return stage


COUNTS: list[tuple[dict[str, Any], bool, str]] = [
    ({}, True, "at least 1"),
    ({"times": 3}, True, "exactly 3"),
    ({"times": 2}, False, "exactly 2"),
    ({"at_least": 3}, True, "at least 3"),
    ({"at_least": 4}, False, "at least 4"),
    ({"at_most": 3}, True, "from 0 to 3"),
    ({"at_most": 2}, False, "from 0 to 2"),
    ({"at_least": 1, "at_most": 5}, True, "from 1 to 5"),
    ({"times": None, "at_least": 1}, True, "at least 1"),
]


@pytest.mark.parametrize(("counts", "ok", "expected"), COUNTS, ids=str)
def test_a_count_is_right_or_not(stage: Stage, counts: dict[str, Any], ok: bool, expected: str) -> None:
    answer = verify(stage, when={"provider": "kie", "operation": "createTask"}, **counts)
    assert (answer["ok"], answer["matched"], answer["expected"]) == (ok, 3, expected)
    assert bool(answer["nearest"]) is not ok


def test_nothing_at_all_was_asked_zero_times(stage: Stage) -> None:
    assert verify(stage, when={"operation": "credit"}, times=0)["ok"]
    assert verify(stage, namespace="other", times=0)["ok"]


def test_the_nearest_differ_least_and_every_difference_is_told(stage: Stage) -> None:
    when = {
        "provider": "kie", "operation": "createTask", "model": "google/nano-banana",
        "body": {"/input/prompt": {"contains": "lighthouse"}}, "headers": {"X-Trace": "1"},
    }  # fmt: skip
    answer = verify(stage, when=when)
    assert (answer["ok"], answer["matched"]) == (False, 0)
    nearest = answer["nearest"]
    assert [each["exchange"] for each in nearest] == [5, 3, 2] or [each["exchange"] for each in nearest] == [5, 2, 3]
    by_exchange = {each["exchange"]: each["differences"] for each in nearest}
    assert by_exchange[3] == [
        {"field": "headers X-Trace", "actual": None, "expected": "1"},
        {"field": "model", "actual": "nano-banana-pro", "expected": "google/nano-banana"},
    ]
    assert by_exchange[2] == [
        {"field": "headers X-Trace", "actual": None, "expected": "1"},
        {"field": "body /input/prompt", "actual": "a harbour", "expected": {"contains": "lighthouse"}},
    ]


def test_a_request_to_a_mistyped_path_is_near_too(stage: Stage) -> None:
    stage.ask("POST", "/_understudy/reset")
    stage.ask("POST", "/kie/api/v1/jobs/createTasks", json=SIMPLE["kie"])
    (near,) = verify(stage, when={"operation": "createTask"})["nearest"]
    assert near["request"] == "POST /api/v1/jobs/createTasks"
    assert near["differences"] == [
        {"field": "operation", "actual": "POST /api/v1/jobs/createTasks", "expected": "createTask"}
    ]


def test_files_are_not_operations() -> None:
    stage = Stage("kie", instant=True)
    task = stage.created("kie", SIMPLE["kie"])
    stage.ask("GET", stage.facts("kie", task)["outputs"][0])
    assert verify(stage, times=2)["ok"]


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"wen": {}}, "verify has no field 'wen' (did you mean 'when'?); known: when, times, at_least, at_most"),
    ({"times": -1}, "times is -1; expected a whole number from 0"),
    ({"times": True}, "times is true"),
    ({"at_least": "1"}, "at_least is '1'"),
    ({"times": 1, "at_least": 1}, "times is given with at_least or at_most"),
    ({"at_least": 3, "at_most": 2}, "at_least is 3 and at_most 2; no count is both"),
    ({"when": {"operation": "createTsk"}}, "no operation 'createTsk' (did you mean 'createTask'?)"),
    ({"when": {"body": {"/x": {"matches": "["}}}}, "'[' is no regular expression"),
]


@pytest.mark.parametrize(("question", "message"), MISTAKES, ids=str)
def test_a_question_that_makes_no_sense_is_refused(question: dict[str, Any], message: str) -> None:
    assert message in verify(Stage("kie"), 400, **question)
