"""A task at a moment, as templates see it."""

from __future__ import annotations

from typing import Any

import pytest
from understudy.mockserver.plan import Plan
from understudy.mockserver.task import Staging, Task, TaskView
from understudy.openapi.behaviour import Failure, Phase

from .stage import Stage, as_json

BROKEN = Failure(500, "It broke", {"title": "Broken"})
LINKS = ("http://127.0.0.1:4020/_files/a", "http://127.0.0.1:4020/_files/b")


def record(end: str, failure: Failure | None = None, body: Any = None) -> Task:
    """Return a task that ends so after 200 ms."""
    operation = Stage("acme").operation("acme", "createPictures")
    plan = Plan(("queued", "painting", end), (0, 100, 200), failure)
    return Task(
        id="pic_1", number=1, operation=operation, model="brush-2", created=1_000, plan=plan,
        body=b"" if body is None else as_json(body), random=bytes(40), price=4,
    )  # fmt: skip


def view(end: str, now: int, failure: Failure | None = None, body: Any = None) -> TaskView:
    """Return such a task as it is `now` ms after its creation."""
    task = record(end, failure, body)
    state = task.state(1_000 + now)
    return TaskView(task, state, task.operation.phase_of(state.status), LINKS)


def facts(seen: TaskView) -> list[Any]:
    """Return what is told of when and how it ended."""
    return [seen.status, seen.updated, seen.completed, seen.duration, seen.outputs, seen.error, seen.credits]


@pytest.mark.parametrize(("now", "status", "updated"), [(0, "queued", 1_000), (150, "painting", 1_100)])
def test_until_it_ends_nothing_is_told_of_its_end(now: int, status: str, updated: int) -> None:
    assert facts(view("done", now)) == [status, updated, None, None, None, None, None]
    assert facts(view("broken", now, BROKEN)) == [status, updated, None, None, None, None, None]


def test_a_success_tells_its_results_and_what_it_cost() -> None:
    assert facts(view("done", 500)) == ["done", 1_200, 1_200, 200, list(LINKS), None, 4]


def test_a_failure_tells_why_and_costs_nothing() -> None:
    error = {"code": 500, "message": "It broke", "title": "Broken"}
    assert facts(view("broken", 500, BROKEN)) == ["broken", 1_200, 1_200, 200, None, error, 0]


def test_a_cancelled_task_has_neither_results_nor_a_failure() -> None:
    seen = view("cancelled", 500)
    assert (seen.phase, seen.outputs, seen.error, seen.credits) == (Phase.CANCELLED, None, None, 0)


def test_what_was_asked_is_there_as_data() -> None:
    seen = view("done", 0, body={"prompt": "x"})
    assert (seen.id, seen.model, seen.created, seen.input) == ("pic_1", "brush-2", 1_000, {"prompt": "x"})
    assert view("done", 0).input is None


def test_the_end_of_the_plan_is_known_from_the_start() -> None:
    assert record("done").ends() == 1_200


def test_a_task_has_room_for_nothing_that_is_not_in_its_table() -> None:
    with pytest.raises(AttributeError):
        record("done").more = 1  # type: ignore[attr-defined]
    assert record("done").stage() == Staging()
